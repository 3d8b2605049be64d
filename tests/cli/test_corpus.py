import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from smoothclap.cli.corpus import app
from smoothclap.corpora import CORPORA, CorpusError

run = CliRunner().invoke


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(["03a01Fa", "03a01Wa", "03a01Wb"]):
        samples = 0.3 * np.sin(np.arange(8000) * (0.1 + 0.01 * number))
        soundfile.write(tmp_path / f"{name}.wav", samples, 16_000)
    return tmp_path


def test_list_names_every_corpus():
    result = run(app, ["list"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in CORPORA)


def test_list_as_json():
    listed = json.loads(run(app, ["list", "--json"]).stdout)["corpora"]
    assert [corpus["name"] for corpus in listed] == list(CORPORA)
    emodb = next(corpus for corpus in listed if corpus["name"] == "emodb")
    assert (emodb["clips"], emodb["speakers"], emodb["emotions"]["bored"]) == (535, 10, 81)


def test_check_prints_counts_and_problems(folder):
    result = run(app, ["check", "emodb", str(folder)])
    assert result.exit_code == 0
    for text in ["emodb/03", "535", "single clip", "total"]:
        assert text in result.stdout
    assert "problems found: 1" in result.stderr


def test_check_as_json(folder):
    result = run(app, ["check", "emodb", str(folder), "--json"])
    report = json.loads(result.stdout)
    assert report["clips"] == 3
    assert report["speakers"] == {"emodb/03": 3}
    assert report["emotions"] == {"angry": 2, "happy": 1}
    assert report["seconds"]["total"] == 1.5
    assert report["official"]["speakers"] == 10
    assert [problem["kind"] for problem in report["problems"]] == ["single clip"]


def test_strict_fails_on_problems_only(folder):
    result = run(app, ["check", "emodb", str(folder), "--strict"])
    assert isinstance(result.exception, CorpusError)
    assert "problems found: 1" in str(result.exception)
    (folder / "03a01Fa.wav").unlink()
    result = run(app, ["check", "emodb", str(folder), "--strict"])
    assert result.exit_code == 0
    assert "no problems" in result.stdout


def test_a_table_takes_its_options_behind_commas(folder):
    (folder / "t.csv").write_text("path,feeling\n03a01Fa.wav,joy\n03a01Wa.wav,joy\n")
    result = run(app, ["check", "table", f"{folder / 't.csv'},file=path,emotion=feeling,name=mine", "--json"])
    report = json.loads(result.stdout)
    assert (report["corpus"], report["emotions"], report["official"]) == ("mine", {"happy": 2}, None)


def test_a_missing_folder_is_one_clear_error(tmp_path):
    result = run(app, ["check", "emodb", str(tmp_path / "none")])
    assert isinstance(result.exception, CorpusError)
    assert "not found" in str(result.exception)
