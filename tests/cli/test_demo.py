import json

import pytest
from typer.testing import CliRunner

from smoothclap.cli.main import app
from smoothclap.corpora import demo as synthetic
from smoothclap.evaluation import results
from smoothclap.inference import SmoothCLAP
from smoothclap.training import loop

pytest.importorskip("opensmile")


@pytest.fixture
def small(monkeypatch):
    """Four speakers who say each emotion once: the same way through in seconds."""
    monkeypatch.setattr(synthetic, "SPEAKERS_PER_GENDER", 2)
    monkeypatch.setattr(synthetic, "TEST_SPEAKERS_PER_GENDER", 1)
    monkeypatch.setattr(synthetic, "CLIPS_PER_EMOTION", 1)


def test_a_stopped_demo_goes_on_and_ends_with_everything_it_promises(small, monkeypatch, tmp_path):
    train, out = loop.train, tmp_path / "out"

    def stop_before_the_second(recipe, *arguments, **options):
        if recipe.objective["name"] == "smoothclap":
            raise KeyboardInterrupt
        return train(recipe, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", stop_before_the_second)
        stopped = CliRunner().invoke(app, ["demo", "-o", str(out)])
    assert stopped.exit_code != 0
    first = out / "models" / "clap" / "model.safetensors"
    trained = first.stat().st_mtime_ns

    finished = CliRunner().invoke(app, ["demo", "-o", str(out), "--json"])
    assert finished.exit_code == 0, finished.output
    assert first.stat().st_mtime_ns == trained

    said = json.loads(finished.stdout)
    assert [model["objective"] for model in said["models"]] == ["clap", "smoothclap"]
    for model in said["models"]:
        found = results.load(out / "reports" / model["objective"] / "results.json")
        assert (found.tasks[0].uar, found.tasks[0].n, found.tasks[0].speakers) == (model["uar"], 14, 2)
        assert found.model.training["objective"] == model["objective"]
        assert found.tasks[0].trained_on.speakers == 0
    clip = said["clip"]
    assert clip["file"].endswith("f2_angry_1.flac")
    assert clip["truth"] == "angry"
    assert clip["measured"]["pitch"] == pytest.approx(clip["synthesised"]["pitch"], abs=1)
    clap = SmoothCLAP.from_pretrained(said["models"][1]["model"])
    assert clap.classify(clip["file"], sorted(synthetic.EMOTIONS)) == pytest.approx(clip["probabilities"])

    for stage in range(1, 6):
        assert f"{stage}/5 " in finished.stderr
    assert "say nothing about real speech" in finished.stderr

    again = CliRunner().invoke(app, ["demo", "-o", str(out)])
    assert again.exit_code == 0, again.output
    for shown in ["clap ", "smoothclap ", ".143", "acted angry", clip["caption"]]:
        assert shown in again.stdout
    assert "report.html" in again.stderr


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "thesis.txt").write_text("mine")
    outcome = CliRunner().invoke(app, ["demo", "-o", str(tmp_path)])
    assert outcome.exit_code == 1
    assert "not an earlier demo corpus" in str(outcome.exception)
    assert [path.name for path in tmp_path.rglob("*")] == ["corpus", "thesis.txt"]
