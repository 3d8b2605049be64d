import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from smoothclap import SmoothCLAP

RATE = 16_000
LABELS = "angry,neutral,sad"


@pytest.fixture
def good(tiny_corpus: Path) -> list[Path]:
    return sorted(tiny_corpus.parent.glob("*.wav"))[:2]


@pytest.fixture
def bad(tmp_path: Path) -> list[Path]:
    """A file of each fault, by its name."""
    (tmp_path / "broken.wav").write_bytes(b"RIFF this is no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(tmp_path / "slow.wav", np.random.default_rng(0).normal(0, 0.1, 4000), 4000)
    soundfile.write(tmp_path / "short.wav", np.random.default_rng(0).normal(0, 0.1, 160), RATE)
    names = ("broken", "empty", "silent", "slow", "short", "gone")
    return [tmp_path / f"{name}.wav" for name in names]


FAULTS = ["AudioUnreadable", "AudioEmpty", "AudioSilent", "AudioRateError", "AudioTooShort", "AudioNotFound"]


def test_json_is_one_object_with_results_and_rejects(smoothclap, tiny_model: Path, good, bad):
    files = [bad[0], good[0], *bad[1:], good[1]]
    outcome = smoothclap("classify", *files, "--labels", LABELS, "--model", tiny_model, "--json")
    assert outcome.status == 0
    found = json.loads(outcome.stdout)
    assert [result["file"] for result in found["results"]] == [str(file) for file in good]
    assert found["results"][0]["probabilities"] == SmoothCLAP.from_pretrained(tiny_model).classify(
        good[0], LABELS.split(",")
    )
    assert [reject["file"] for reject in found["rejects"]] == [str(file) for file in bad]
    assert [reject["fault"] for reject in found["rejects"]] == FAULTS
    assert found["model"] == tiny_model.name
    assert len([line for line in outcome.stderr.splitlines() if line.startswith("left out: ")]) == len(bad)


def test_people_read_one_line_a_file(smoothclap, tiny_model: Path, good, bad):
    outcome = smoothclap("classify", *good, bad[1], "--labels", "angry, sad", "--model", tiny_model)
    assert outcome.status == 0
    lines = outcome.stdout.splitlines()
    assert len(lines) == 2
    for file, line in zip(good, lines, strict=True):
        assert line.startswith(f"{file}: ")
        shares = dict(zip(*[iter(line.removeprefix(f"{file}: ").split())] * 2, strict=True))
        assert set(shares) == {"angry", "sad"}
        assert sum(map(float, shares.values())) == pytest.approx(1, abs=0.011)
    assert "empty.wav" in outcome.stderr


def test_strict_stops_at_the_first_bad_file(smoothclap, tiny_model: Path, good, bad):
    outcome = smoothclap(
        "classify", bad[2], *good, "--labels", LABELS, "--model", tiny_model, "--strict", "--json"
    )
    assert outcome.status == 1
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    assert "silent.wav" in line


def test_no_file_that_can_be_heard_is_a_fault_but_the_json_is_whole(smoothclap, tiny_model: Path, bad):
    outcome = smoothclap("classify", *bad, "--labels", LABELS, "--model", tiny_model, "--json")
    assert outcome.status == 1
    assert "none of the 6 files could be heard" in outcome.stderr.splitlines()[-1]
    found = json.loads(outcome.stdout)
    assert found["results"] == []
    assert len(found["rejects"]) == 6


def test_a_template(smoothclap, tiny_model: Path, good):
    arguments = ["classify", good[0], "--labels", LABELS, "--model", tiny_model, "--json"]
    plain = json.loads(smoothclap(*arguments).stdout)
    spoken = json.loads(smoothclap(*arguments, "--template", "a {} voice").stdout)
    assert (plain["template"], spoken["template"]) == ("{}", "a {} voice")
    assert plain["results"] != spoken["results"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "sad,,angry"], "--labels: label 2 is empty"),
        (["--labels", "sad, sad"], "--labels: 'sad' is given twice"),
        (["--labels", ""], "--labels"),
        (["--labels", LABELS, "--template", "a voice"], "--template"),
    ],
)
def test_labels_that_cannot_be_asked_for_are_one_line(
    smoothclap, tiny_model: Path, good, options, message: str
):
    outcome = smoothclap("classify", good[0], *options, "--model", tiny_model)
    assert outcome.status == 1
    (line,) = outcome.stderr.splitlines()
    assert message in line


def test_without_a_model_it_says_how_to_train_one(smoothclap, good):
    outcome = smoothclap("classify", good[0], "--labels", LABELS)
    assert outcome.status == 1
    (line,) = outcome.stderr.splitlines()
    assert "smoothclap train recipes/offline.yaml -o DIR" in line


def test_a_model_that_is_not_there_is_one_line(smoothclap, good, tmp_path: Path):
    outcome = smoothclap("classify", good[0], "--labels", LABELS, "--model", tmp_path / "gone")
    assert outcome.status == 1
    (line,) = outcome.stderr.splitlines()
    assert f"{tmp_path / 'gone'}: no such model directory" in line
