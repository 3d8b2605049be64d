"""A run killed at any moment and taken up again ends as if it had never been killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from smoothclap.models import SmoothClapModel
from smoothclap.training import checkpoint, history, loop
from smoothclap.training.checkpoint import ResumeError

SETTINGS = {
    "frozen": [],
    "trained": ["text.train=true", "optimiser.schedule=cosine"],
    "longer": ["optimiser.epochs=8"],
}
COMMAND = "from smoothclap.cli.main import run; run()"
EVERY_STEP = "import smoothclap.training.loop as loop; loop.CHECKPOINT_SECONDS = 0\n"
HALF_A_CHECKPOINT = """
import os, signal
from pathlib import Path
written = []
whole = Path.write_bytes
def write_bytes(path, data):
    if "checkpoint" in path.name:
        written.append(path)
    if len(written) < 3:
        return whole(path, data)
    whole(path, data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_bytes = write_bytes
"""


@pytest.fixture
def start(tiny_recipe, tiny_corpus: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts `smoothclap train` as a process; `fault` is code that runs before it."""
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")

    def begin(folder: Path, store: Path, *arguments: str, fault: str = "") -> subprocess.Popen[str]:
        sets = [part for setting in SETTINGS["longer"] for part in ("--set", setting)]
        command = ["train", str(tiny_recipe.path), "-o", str(folder), "--corpus", f"table={tiny_corpus}"]
        command += [*sets, "--store", str(store), "--workers", "1", *arguments]
        return subprocess.Popen(
            [sys.executable, "-c", fault + COMMAND, *command],
            env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def kill_when(process: subprocess.Popen[str], ready: Callable[[], bool], delay: float) -> None:
    """SIGKILL the process `delay` seconds after `ready`; it must not have finished before."""
    while not ready():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors


def test_killed_for_real_again_and_again_it_ends_with_the_same_bits(
    start: Callable[..., subprocess.Popen[str]], straight: dict[str, Path], tmp_path: Path
):
    """Killed during feature extraction, at a random moment of training, and with half a checkpoint written."""
    folder, store = tmp_path / "killed", tmp_path / "store"
    process = start(folder, store)
    kill_when(process, lambda: any(store.glob("egemaps*/*.safetensors")), delay=0)
    assert not (folder / history.FILE).exists()

    process = start(folder, store, "--resume", fault=EVERY_STEP)
    kill_when(process, lambda: bool(history.read(folder)), delay=random.uniform(0, 0.03))
    assert not (folder / loop.DONE_FILE).exists()

    process = start(folder, store, "--resume", fault=EVERY_STEP + HALF_A_CHECKPOINT)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors
    assert not (folder / loop.DONE_FILE).exists()
    with (folder / history.FILE).open("a") as file:
        file.write('{"kind": "step", "st')

    process = start(folder, store, "--resume")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    same_run(folder, straight["longer"])


def same_run(left: Path, right: Path) -> None:
    for name in (
        "model.safetensors",
        "bins.json",
        history.FILE,
        loop.RECIPE_FILE,
        loop.DONE_FILE,
        "config.json",
    ):
        assert (left / name).read_bytes() == (right / name).read_bytes(), name
    pd.testing.assert_frame_equal(
        pd.read_parquet(left / "trained_on.parquet"), pd.read_parquet(right / "trained_on.parquet")
    )
    assert {path.name for path in left.iterdir()} == {path.name for path in right.iterdir()}


class Killed(BaseException):
    """Stands for SIGKILL where a process of its own would take too long."""


@pytest.fixture(scope="module")
def straight(train_tiny, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs that were never stopped."""
    folder = tmp_path_factory.mktemp("straight")
    return {name: train_tiny(folder / name, *settings) for name, settings in SETTINGS.items()}


@pytest.mark.parametrize(
    ("text", "steps", "when"),
    [
        ("frozen", 1, "before"),
        ("frozen", 3, "after"),
        ("frozen", 5, "before"),
        ("trained", 1, "after"),
        ("trained", 4, "before"),
    ],
)
def test_stopped_around_any_checkpoint_it_ends_with_the_same_bits(
    train_tiny, straight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, when: str, steps: int
):
    """Three steps are an epoch; before: the log is ahead of the checkpoint."""
    save = checkpoint.save

    def stop(folder: Path, model: object, optimiser: object, step: int) -> None:
        if step == steps and when == "before":
            raise Killed
        save(folder, model, optimiser, step)
        if step == steps:
            raise Killed

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", stop)
        with pytest.raises(Killed):
            train_tiny(tmp_path / "run", *SETTINGS[text])
    train_tiny(tmp_path / "run", *SETTINGS[text], resume=True)
    same_run(tmp_path / "run", straight[text])


def test_stopped_with_half_a_model_written_it_ends_with_the_same_bits(
    train_tiny, straight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    save = SmoothClapModel.save_pretrained

    def stop(model: SmoothClapModel, folder: Path, **options: object) -> None:
        save(model, folder, **options)
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:1000])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SmoothClapModel, "save_pretrained", stop)
        with pytest.raises(Killed):
            train_tiny(tmp_path / "run")
    assert not (tmp_path / "run" / loop.DONE_FILE).exists()
    train_tiny(tmp_path / "run", resume=True)
    same_run(tmp_path / "run", straight["frozen"])


@pytest.fixture
def stopped(train_tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run stopped after its first epoch."""
    save = checkpoint.save

    def stop(*args: object) -> None:
        save(*args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", stop)
        with pytest.raises(Killed):
            train_tiny(tmp_path / "run")
    return tmp_path / "run"


def refused(train_tiny, message: str, *arguments: object, **options: object) -> None:
    with pytest.raises(ResumeError, match=message) as caught:
        train_tiny(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_a_run_is_not_written_over(train_tiny, stopped: Path):
    refused(train_tiny, "holds a run already; give --resume", stopped)
    train_tiny(stopped, resume=True)
    refused(train_tiny, "holds a run already; give --resume", stopped)


def test_another_recipe_is_refused(train_tiny, stopped: Path):
    refused(train_tiny, r"another recipe \(differs in seed\)", stopped, "seed=1", resume=True)


def test_other_clips_are_refused(train_tiny, stopped: Path, tiny_corpus: Path, tmp_path: Path):
    table = pd.read_csv(tiny_corpus)
    table["file"] = [str(tiny_corpus.parent / file) for file in table["file"]]
    table.iloc[:-1].to_csv(tmp_path / "tiny.csv", index=False)
    refused(train_tiny, "begun on other clips or labels", stopped, corpus=tmp_path / "tiny.csv", resume=True)


def test_other_labels_are_refused(train_tiny, stopped: Path, tiny_corpus: Path, tmp_path: Path):
    table = pd.read_csv(tiny_corpus)
    table["file"] = [str(tiny_corpus.parent / file) for file in table["file"]]
    table["emotion"] = table["emotion"].replace({"sad": "sorry"})
    table.to_csv(tmp_path / "tiny.csv", index=False)
    refused(train_tiny, "begun on other clips or labels", stopped, corpus=tmp_path / "tiny.csv", resume=True)


def test_the_same_clips_elsewhere_are_the_same_clips(
    train_tiny, stopped: Path, straight, tiny_corpus: Path, tmp_path: Path
):
    shutil.copytree(tiny_corpus.parent, tmp_path / "moved")
    train_tiny(stopped, corpus=tmp_path / "moved" / "tiny.csv", resume=True)
    same_run(stopped, straight["frozen"])


def test_a_checkpoint_cut_in_half_is_one_line(train_tiny, stopped: Path):
    path = stopped / checkpoint.FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(train_tiny, r"checkpoint\.safetensors: damaged", stopped, resume=True)


def test_a_lost_checkpoint_begins_again(train_tiny, stopped: Path, straight):
    (stopped / checkpoint.FILE).unlink()
    train_tiny(stopped, resume=True)
    same_run(stopped, straight["frozen"])


def test_a_folder_of_something_else_is_refused(train_tiny, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    for resume in (False, True):
        refused(train_tiny, "not empty and holds no run", tmp_path, resume=resume)
    refused(train_tiny, "not empty and holds no run", tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_killed_before_the_first_file_was_whole_it_can_be_begun_again(train_tiny, tmp_path: Path):
    """What `files.replacing` leaves of the very first file."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".recipe.yaml.0123abcd.tmp").write_text("audio:")
    train_tiny(tmp_path / "run", "audio.tower=functionals", resume=True)
    assert (tmp_path / "run" / loop.DONE_FILE).is_file()
    assert not list((tmp_path / "run").glob(".*.tmp"))


def test_a_finished_run_is_left_as_it_is(train_tiny, straight):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in straight["frozen"].iterdir()}
    epochs: list[object] = []
    train_tiny(straight["frozen"], resume=True, on_epoch=epochs.append)
    assert epochs == []
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in straight["frozen"].iterdir()
    } == before


def test_resuming_what_was_never_begun_begins_it(train_tiny, straight, tmp_path: Path):
    train_tiny(tmp_path / "run", resume=True)
    same_run(tmp_path / "run", straight["frozen"])
