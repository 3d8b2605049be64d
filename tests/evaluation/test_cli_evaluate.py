import json
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from smoothclap.cli.evaluate import evaluate
from smoothclap.errors import SmoothClapError
from smoothclap.evaluation import results
from smoothclap.inference import SmoothCLAP

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(evaluate)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [
        f"{speaker}-{heard}-{truth}.wav,{speaker},{truth}"
        for speaker in "ab"
        for heard, truth in [("happy", "happy"), ("sad", "sad"), ("sad", "happy"), ("broken-sad", "sad")]
    ]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["file,who,feeling", *rows]))
    return path


@pytest.fixture
def invoke(monkeypatch, model, tmp_path):
    """Run the command with the fake model; give its result and its output folder."""
    monkeypatch.setattr(SmoothCLAP, "from_pretrained", classmethod(lambda cls, directory: model))

    def run(*arguments: str):
        store = str(tmp_path / "store")
        return CliRunner().invoke(app, ["DIR", *arguments, "-o", str(tmp_path / "out"), "--store", store])

    return run


def test_everything_is_written_and_shown(invoke, table, tmp_path):
    outcome = invoke("--task", f"table={table},speaker=who,emotion=feeling,name=mine", "--adapt", "collection")
    assert outcome.exit_code == 0, outcome.output
    assert ".750" in outcome.stdout
    assert "2 clips could not be read" in outcome.stdout
    assert "not plain zero-shot" in outcome.stdout
    assert "report.html" in outcome.stderr
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "predictions-mine.parquet",
        "report.html",
        "results.json",
    ]
    found = results.load(out / "results.json")
    predictions = pd.read_parquet(out / "predictions-mine.parquet")
    assert len(predictions) == found.tasks[0].n == 6
    assert {"speaker", "truth", "prediction", "adapted", "similarity_happy", "similarity_sad"} == set(
        predictions
    )


def test_json_is_one_object_on_standard_output(invoke, table, tmp_path):
    outcome = invoke("--task", f"table={table},speaker=who,emotion=feeling,name=mine", "--json")
    assert json.loads(outcome.stdout) == json.loads((tmp_path / "out" / "results.json").read_text())


def test_the_same_task_twice_is_refused_before_any_work(invoke, table):
    spec = f"table={table},speaker=who,emotion=feeling,name=mine"
    outcome = invoke("--task", spec, "--task", spec)
    assert isinstance(outcome.exception, SmoothClapError)
    assert "given twice" in str(outcome.exception)


def test_another_adaptation_is_wrong_usage(invoke, table):
    assert invoke("--task", f"table={table},emotion=feeling", "--adapt", "magic").exit_code == 2


@pytest.mark.parametrize("made", [False, True], ids=["absent", "without weights"])
def test_a_model_that_is_not_there_is_never_evaluated_at_random(table, tmp_path, made):
    directory = tmp_path / "no-model"
    if made:
        directory.mkdir()
    arguments = [
        str(directory),
        "--task",
        f"table={table},speaker=who,emotion=feeling",
        "-o",
        str(tmp_path / "out"),
    ]
    outcome = CliRunner().invoke(app, arguments)
    assert isinstance(outcome.exception, SmoothClapError)
    assert str(directory) in str(outcome.exception)
    assert not (tmp_path / "out").exists()
