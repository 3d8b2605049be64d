import json
import sys
from pathlib import Path

import audformat
import numpy as np
import pandas as pd
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from smoothclap.cli.describe import describe
from smoothclap.paralinguistics.bins import Bins
from smoothclap.paralinguistics.egemaps import MEASURES

pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")

RATE = 16_000
app = typer.Typer()
app.command()(describe)


def write_voice(path: Path, pitch: float, *, seconds: float = 1.0, level: float = 0.1) -> Path:
    t = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 20))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave * level / np.sqrt(np.mean(wave**2)), RATE)
    return path


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Three voices, one of them in a folder below, and a file that is no sound."""
    folder = tmp_path / "clips"
    write_voice(folder / "low.wav", 80)
    write_voice(folder / "middle.flac", 160)
    write_voice(folder / "below" / "high.wav", 320)
    (folder / "notes.txt").write_text("not a sound")
    return folder


@pytest.fixture
def run(tmp_path: Path):
    """Runs the command with a store of its own and one worker."""

    def run(*arguments: object):
        fixed = ["--store", tmp_path / "store", "--workers", 1]
        return CliRunner().invoke(app, [str(argument) for argument in (*arguments, *fixed)])

    return run


def thresholds(path: Path) -> Path:
    """Pitch between 100 and 200 Hz is normal, everything else too."""
    semitones = 12 * np.log2(np.array([100, 200]) / 27.5)
    wide = pd.DataFrame({name: [-1e6, 1e6] for name in MEASURES})
    bins = Bins.fit(wide.assign(pitch_mean=semitones), source="test")
    bins.save(path)
    return path


def test_json_holds_captions_tags_and_values(run, clips: Path, tmp_path: Path):
    result = run(clips, "--bins", thresholds(tmp_path / "bins.json"), "--style", "tags", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["thresholds"] == "test"
    by_name = {Path(clip["file"]).name: clip for clip in found["clips"]}
    assert [by_name[name]["tags"]["pitch_mean"] for name in ("low.wav", "middle.flac", "high.wav")] == [
        "low",
        "normal",
        "high",
    ]
    high = by_name["high.wav"]
    assert high["caption"].startswith("speaker has a high pitch and varies normally in pitch")
    assert high["values"]["pitch_mean"] == pytest.approx(12 * np.log2(320 / 27.5), abs=0.2)
    assert high["values"]["duration"] == 1.0
    assert (high["start"], high["end"]) == (0.0, None)
    assert found["rejects"] == []


def test_people_read_caption_tags_and_values(run, clips: Path, tmp_path: Path):
    result = run(clips / "below" / "high.wav", "--bins", thresholds(tmp_path / "bins.json"))
    assert result.exit_code == 0, result.output
    assert "A person speaks, and the voice is high-pitched." in result.stdout
    row = next(line for line in result.stdout.splitlines() if "pitch_mean" in line)
    assert "42.5" in row
    assert "high" in row
    assert "1 clips described" in result.stderr


def test_parquet_has_the_segmented_index(run, clips: Path, tmp_path: Path):
    output = tmp_path / "out" / "described.parquet"
    result = run(clips, "-o", output)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    table = pd.read_parquet(output)
    audformat.assert_index(table.index)
    assert table.index.names == ["file", "start", "end"]
    assert table.columns.to_list() == ["caption", *MEASURES, *(f"{name}_tag" for name in MEASURES)]
    assert set(table["pitch_mean_tag"]) <= {"low", "normal", "high"}
    low = table.xs(str(clips / "low.wav")).iloc[0]
    assert (low["pitch_mean_tag"], low["duration"]) == ("low", 1.0)
    assert low["pitch_mean"] == pytest.approx(12 * np.log2(80 / 27.5), abs=0.2)
    assert len(table) == 3


def test_the_packaged_thresholds_are_the_default(run, clips: Path):
    result = run(clips, "--json")
    assert json.loads(result.stdout)["thresholds"] == Bins.default().source


def test_a_models_thresholds(run, clips: Path, tmp_path: Path):
    (tmp_path / "model").mkdir()
    thresholds(tmp_path / "model" / "bins.json")
    result = run(clips, "--model", tmp_path / "model", "--json")
    assert json.loads(result.stdout)["thresholds"] == "test"


def test_model_and_bins_together_are_wrong_usage(run, clips: Path, tmp_path: Path):
    assert run(clips, "--model", tmp_path, "--bins", tmp_path / "b.json").exit_code == 2


def test_the_emotion_style_is_not_offered(run, clips: Path):
    """A caption of the emotion alone would always be empty: `describe` hears no emotion."""
    assert run(clips, "--style", "emotion").exit_code == 2


def test_described_again_without_audio_work(run, clips: Path):
    assert "0 already measured" in run(clips, "--json").stderr
    write_voice(clips / "new.wav", 200)
    assert "4 clips described (3 already measured)" in run(clips, "--json").stderr


def test_rejects_are_counted_and_the_rest_is_described(run, clips: Path):
    (clips / "broken.wav").write_bytes(b"RIFF this is no sound")
    (clips / "empty.wav").write_bytes(b"")
    write_voice(clips / "tiny.wav", 100, seconds=0.01)
    soundfile.write(clips / "silent.wav", np.zeros(RATE), RATE)
    result = run(clips, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert len(found["clips"]) == 3
    faults = {Path(reject["file"]).name: reject["fault"] for reject in found["rejects"]}
    assert faults == {
        "broken.wav": "AudioUnreadable",
        "empty.wav": "AudioEmpty",
        "tiny.wav": "AudioTooShort",
        "silent.wav": "AudioSilent",
    }
    for name in faults:
        assert any(name in line for line in result.stderr.splitlines())
    assert "3 clips described" in result.stderr
    assert "4 refused" in result.stderr


def test_strict_stops_at_the_first_reject(run, clips: Path):
    (clips / "empty.wav").write_bytes(b"")
    result = run(clips, "--strict")
    assert result.exit_code == 1
    assert "empty.wav" in str(result.exception)


def test_one_bad_clip_is_one_line(run, tmp_path: Path):
    (tmp_path / "empty.wav").write_bytes(b"")
    output = tmp_path / "out.parquet"
    result = run(tmp_path / "empty.wav", "-o", output)
    assert result.exit_code == 1
    assert "empty.wav" in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not output.exists()


def test_nothing_described_is_a_fault_but_the_json_is_whole(run, tmp_path: Path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / "bad" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bad" / name).write_bytes(b"")
    result = run(tmp_path / "bad", "--json")
    assert result.exit_code == 1
    assert "none of 2 clips could be described: 2 AudioEmpty" in str(result.exception)
    found = json.loads(result.stdout)
    assert found["clips"] == []
    assert len(found["rejects"]) == 2


@pytest.mark.parametrize(
    ("name", "fault"), [("nothing", "no such file or folder"), ("hollow", "no sound file in this")]
)
def test_a_wrong_path_is_a_fault_before_any_work(run, clips: Path, tmp_path: Path, name: str, fault: str):
    (tmp_path / "hollow").mkdir()
    result = run(clips, tmp_path / name)
    assert result.exit_code == 1
    assert f"{tmp_path / name}: {fault}" in str(result.exception)
    assert not (tmp_path / "store").exists()


def test_a_clip_named_twice_is_described_once(run, clips: Path):
    result = run(clips, clips / "low.wav", "--json")
    assert len(json.loads(result.stdout)["clips"]) == 3


def test_without_opensmile_one_line_says_so(run, clips: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    result = run(clips)
    assert result.exit_code == 1
    assert "smoothclap[opensmile]" in str(result.exception)
