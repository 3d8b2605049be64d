"""What is committed of the study is whole: its page comes out of its data, to the letter."""

import importlib.util
from pathlib import Path

STUDY = Path(__file__).parents[2] / "studies" / "offline_objectives.py"


def test_the_page_is_what_the_committed_runs_give():
    spec = importlib.util.spec_from_file_location("offline_objectives", STUDY)
    assert spec is not None
    assert spec.loader is not None
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    assert len(list((study.OUT / "runs").glob("*.json"))) == len(study.JOBS)
    assert study.page() == (study.OUT / "README.md").read_text(encoding="utf-8")
