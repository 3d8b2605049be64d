"""The demo corpus: written once, the same every time, and measured as what it was made to be."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smoothclap import audio
from smoothclap.corpora import demo
from smoothclap.corpora.schema import CorpusError
from smoothclap.paralinguistics.egemaps import FunctionalsExtractor, measures


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.build(tmp_path_factory.mktemp("demo") / "corpus")


@pytest.fixture(scope="session")
def table(corpus: Path) -> pd.DataFrame:
    return demo.read(corpus)


@pytest.fixture(scope="module")
def sample(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every eleventh clip: its rows, and what eGeMAPS reads from them."""
    pytest.importorskip("opensmile", reason="tags need openSMILE: pip install 'smoothclap[opensmile]'")
    rows = table.iloc[::11]
    extractor = FunctionalsExtractor()
    features = np.stack([extractor(audio.load(file)) for file in rows.index.get_level_values("file")])
    return rows, measures(features).set_index(rows.index)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus of one speaker a gender and one clip an emotion, for what needs several builds."""
    monkeypatch.setattr(demo, "SPEAKERS_PER_GENDER", 1)
    monkeypatch.setattr(demo, "CLIPS_PER_EMOTION", 1)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def killed_after_three(items: Iterator[Any], *_: object) -> Iterator[Any]:
    yield from islice(items, 3)
    raise KeyboardInterrupt


def test_counts_are_the_official_ones(table: pd.DataFrame) -> None:
    official = demo.CORPUS.official
    assert official is not None
    assert len(table) == official.clips == 504
    assert table["speaker"].nunique() == official.speakers == 12
    assert table["emotion"].value_counts().to_dict() == official.emotions
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"female": 6, "male": 6}


def test_no_speaker_is_in_two_splits(table: pd.DataFrame) -> None:
    assert (table.groupby("speaker")["split"].nunique() == 1).all()
    assert table.groupby("split")["speaker"].nunique().to_dict() == {"test": 4, "train": 8}
    assert table["speaker"].str.startswith("demo/").all()


def test_clips_are_what_the_table_says(table: pd.DataFrame) -> None:
    for (file, _, _), row in table.iloc[::20].iterrows():
        samples = audio.load(file)
        assert len(samples) / audio.SAMPLE_RATE == pytest.approx(row["true_duration"], abs=1e-4)
        assert 10 * np.log10(np.mean(samples**2)) == pytest.approx(row["true_intensity_mean"], abs=0.05)
        assert np.abs(samples).max() < 0.96


def test_emotions_lie_where_listeners_put_them(table: pd.DataFrame) -> None:
    centre = table.groupby("emotion")[["arousal", "valence"]].mean()
    assert centre["arousal"].loc[["angry", "fearful", "happy"]].min() > 0.3
    assert centre["arousal"].loc[["bored", "calm", "sad"]].max() < -0.3
    assert centre["valence"].loc[["calm", "happy"]].min() > 0.3
    assert centre["valence"].loc[["angry", "bored", "fearful", "sad"]].max() < -0.2
    assert table[["arousal", "valence"]].abs().max().max() <= 1


@pytest.mark.parametrize(
    ("measure", "least"),
    [
        ("pitch_mean", 0.99),
        ("pitch_sd", 0.97),
        ("intensity_mean", 0.99),
        ("jitter_mean", 0.7),
        ("shimmer_mean", 0.6),
        ("duration", 0.999),
    ],
)
def test_tags_follow_the_truth(sample: tuple[pd.DataFrame, pd.DataFrame], measure: str, least: float) -> None:
    rows, read = sample
    assert read[measure].corr(rows[f"true_{measure}"], method="spearman") > least


def test_tags_are_in_the_units_of_the_truth(sample: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    rows, read = sample
    off = {name: (read[name] - rows[f"true_{name}"]).abs().median() for name in ("pitch_mean", "pitch_sd")}
    assert max(off.values()) < 0.2
    assert (read["intensity_mean"] - rows["true_intensity_mean"]).abs().max() < 0.2
    assert (read["duration"] - rows["true_duration"]).abs().max() < 1e-3
    assert read["jitter_mean"].median() == pytest.approx(rows["true_jitter_mean"].median(), rel=0.3)


def test_emotions_can_be_told_apart_but_not_always(sample: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Each clip goes to the emotion with the nearest centre of the measures: far from chance, far from all."""
    rows, read = sample
    relative = (read - read.groupby(rows["speaker"]).transform("mean")) / read.std()
    centres = relative.groupby(rows["emotion"]).mean()
    distances = ((relative.to_numpy()[:, None] - centres.to_numpy()) ** 2).sum(axis=-1)
    right = centres.index.to_numpy()[distances.argmin(axis=1)] == rows["emotion"].to_numpy()
    assert 0.45 < right.mean() < 0.95


@pytest.mark.usefixtures("short")
def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, second, other = (
        demo.build(tmp_path / name, seed=seed) for name, seed in zip("abc", (3, 3, 4), strict=True)
    )
    assert contents(first) == contents(second)
    assert contents(first).keys() == contents(other).keys()
    assert contents(first)["table.csv"] != contents(other)["table.csv"]


@pytest.mark.usefixtures("short")
def test_a_complete_corpus_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo.build(tmp_path)
    monkeypatch.setattr(demo, "speak", lambda *_: pytest.fail("synthesised again"))
    assert demo.build(tmp_path) == tmp_path


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("damage", ["killed", "missing clip", "cut clip", "altered table", "other seed"])
def test_anything_less_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    whole = contents(demo.build(tmp_path / "whole"))
    folder = tmp_path / "corpus"
    clip = folder / "audio" / "f1_sad_1.flac"
    if damage == "killed":
        with monkeypatch.context() as patch:
            patch.setattr(demo, "track", killed_after_three)
            with pytest.raises(KeyboardInterrupt):
                demo.build(folder)
        with pytest.raises(CorpusError, match=r"table\.csv"):
            demo.read(folder)
    else:
        demo.build(folder, seed=1 if damage == "other seed" else 0)
    if damage == "missing clip":
        clip.unlink()
    elif damage == "cut clip":
        clip.write_bytes(clip.read_bytes()[:1000])
    elif damage == "altered table":
        (folder / "table.csv").write_text("file,speaker\n")
    assert contents(demo.build(folder)) == whole


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("mine\n")
    with pytest.raises(CorpusError, match="new or an empty folder"):
        demo.build(tmp_path)
    with pytest.raises(CorpusError, match="new or an empty folder"):
        demo.build(tmp_path / "table.csv")
    (tmp_path / "build.json").write_text(json.dumps(["mine"]))
    with pytest.raises(CorpusError, match="new or an empty folder"):
        demo.build(tmp_path)
    assert (tmp_path / "table.csv").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no table.csv"), ("", "not a readable CSV"), ("file,speaker\na.flac,f1\n", "no column gender")],
)
def test_read_refuses_another_folder(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "table.csv").write_text(text)
    with pytest.raises(CorpusError, match=message):
        demo.read(tmp_path)
    with pytest.raises(CorpusError, match="not found"):
        demo.read(tmp_path / "absent")
