import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

SETS = ["--set", "audio.tower=functionals", "--set", "optimiser.epochs=2"]


@pytest.fixture
def train(
    smoothclap, tiny_recipe, tiny_corpus: Path, feature_store: Path, tmp_path: Path
) -> Callable[..., object]:
    """Runs `smoothclap train` on the tiny corpus into `tmp_path/model`."""
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")

    def run(*arguments: object, corpus: str = f"table={tiny_corpus}", recipe: object = tiny_recipe.path):
        return smoothclap(
            *("train", recipe, "-o", tmp_path / "model", "--corpus", corpus, "--store", feature_store),
            *("--workers", 1, *arguments),
        )

    return run


def test_it_says_what_it_does_and_writes_a_model(train, tmp_path: Path):
    outcome = train(*SETS)
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout == ""
    lines = outcome.stderr.splitlines()
    assert "training on 54 clips of 1 corpora, validating on 18 clips of 2 held-out speakers" in lines[0]
    assert "epoch   1/2  loss" in lines[1]
    assert "validation UAR 0." in lines[1] or "validation UAR 1." in lines[1]
    assert "min left" in lines[1]
    assert f"model written to {tmp_path / 'model'}" in outcome.stderr
    assert (tmp_path / "model" / "training.json").is_file()


def test_json_is_one_object(train, tmp_path: Path):
    outcome = train(*SETS, "--json")
    found = json.loads(outcome.stdout)
    assert found["model"] == str(tmp_path / "model")
    assert [row["epoch"] for row in found["epochs"]] == [1, 2]
    assert found["rejects"] == []


def test_a_finished_run_is_not_touched_again(train, tmp_path: Path):
    assert train(*SETS).status == 0
    written = (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns
    refused = train(*SETS)
    assert refused.status == 1
    (line,) = refused.stderr.splitlines()
    assert "give --resume to go on with it" in line
    resumed = train(*SETS, "--resume", "--json")
    assert resumed.status == 0
    assert json.loads(resumed.stdout)["epochs"] == []
    assert (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns == written


def test_clips_that_cannot_be_used_are_reported_and_counted(train, tiny_corpus: Path, tmp_path: Path):
    table = pd.read_csv(tiny_corpus)
    table["file"] = [str(tiny_corpus.parent / file) for file in table["file"]]
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    table.loc[7, "file"] = str(tmp_path / "silent.wav")
    table.loc[8, "file"] = str(tmp_path / "gone.wav")
    table.to_csv(tmp_path / "odd.csv", index=False)
    outcome = train(*SETS, "--json", corpus=f"table={tmp_path / 'odd.csv'}")
    assert outcome.status == 0, outcome.stderr
    assert "2 clips could not be used and were left out" in outcome.stderr
    faults = {Path(reject["file"]).name: reject["fault"] for reject in json.loads(outcome.stdout)["rejects"]}
    assert faults == {"silent.wav": "AudioSilent", "gone.wav": "AudioNotFound"}


def test_strict_stops_at_a_bad_clip(train, tiny_corpus: Path, tmp_path: Path):
    table = pd.read_csv(tiny_corpus)
    table["file"] = [str(tiny_corpus.parent / file) for file in table["file"]]
    table.loc[7, "file"] = str(tmp_path / "gone.wav")
    table.to_csv(tmp_path / "odd.csv", index=False)
    outcome = train(*SETS, "--strict", corpus=f"table={tmp_path / 'odd.csv'}")
    assert outcome.status == 1
    assert "gone.wav" in outcome.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["--set", "optimiser.epoch=3"], {}, "did you mean 'optimiser.epochs'?"),
        (["--set", "optimiser.epochs"], {}, "give key=value"),
        (["--set", "text.model=./no-such-tower"], {}, "text.model: ./no-such-tower cannot be loaded"),
        ([], {"recipe": "gone.yaml"}, "gone.yaml: cannot be read"),
        ([], {"corpus": "emodbb=/data"}, "did you mean emodb=/data?"),
        ([], {"corpus": "table=/no/such/table.csv"}, "/no/such/table.csv"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_before_any_work(
    train, tmp_path: Path, arguments, options, message: str
):
    outcome = train(*arguments, **options)
    assert outcome.status == 1
    (line,) = outcome.stderr.splitlines()
    assert message in line
    assert not (tmp_path / "model" / "data.txt").exists()
