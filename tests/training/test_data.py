from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from smoothclap import audio
from smoothclap.corpora import LoadedCorpus, load_corpus
from smoothclap.corpora.schema import CorpusError, clip_index, make_table
from smoothclap.models.towers.frames import LogMelExtractor
from smoothclap.paralinguistics.egemaps import FUNCTIONALS
from smoothclap.store import FeatureStore
from smoothclap.training.data import TrainingData, prepare, split_speakers, write_captions
from smoothclap.training.recipe import CaptionRecipe


def table(*clips: tuple[str, str | None, str | None]) -> pd.DataFrame:
    """Clips of (corpus, speaker, split)."""
    files = [f"/{number}.wav" for number in range(len(clips))]
    made = make_table(clip_index(files), speaker=[c[1] for c in clips], split=[c[2] for c in clips])
    return made.assign(corpus=[c[0] for c in clips])


def test_whole_speakers_are_held_out_of_each_corpus():
    clips = [("a", f"a/{n % 5}", None) for n in range(50)] + [("b", f"b/{n % 4}", None) for n in range(12)]
    made = table(*clips)
    held = split_speakers(made, 0.2)
    speakers = made["speaker"].to_numpy()
    assert not set(speakers[held]) & set(speakers[~held])
    for corpus, share in (("a", 0.2), ("b", 0.25)):
        here = (made["corpus"] == corpus).to_numpy()
        assert held[here].mean() == pytest.approx(share)


def test_who_is_held_out_does_not_depend_on_the_order_of_the_clips():
    made = table(*[("a", f"a/{n % 7}", None) for n in range(70)])
    mixed = made.sample(frac=1, random_state=3)
    held, held_mixed = split_speakers(made, 0.3), split_speakers(mixed, 0.3)
    assert set(made["speaker"][held]) == set(mixed["speaker"][held_mixed])


def test_at_most_half_of_the_speakers_are_held_out():
    made = table(*[("a", f"a/{n % 3}", None) for n in range(30)])
    held = split_speakers(made, 0.8)
    assert made["speaker"][held].nunique() == 1


@pytest.mark.parametrize("speakers", [["a/1"], [None]])
def test_nobody_is_held_out_where_there_is_one_speaker_or_none_named(speakers: list[str | None]):
    assert not split_speakers(table(*[("a", speaker, None) for speaker in speakers * 5]), 0.5).any()


def test_a_share_of_zero_holds_nobody_out():
    assert not split_speakers(table(*[("a", f"a/{n}", None) for n in range(9)]), 0).any()


def test_a_corpus_own_validation_split_wins_over_the_share():
    clips = [("a", f"a/{n}", split) for n, split in enumerate(["train", "dev", "train", "validation", None])]
    held = split_speakers(table(*clips, ("b", "b/1", None), ("b", "b/2", None)), 0.4)
    assert held[:5].tolist() == [False, True, False, True, False]
    assert held[5:].sum() == 1


@pytest.fixture(scope="module")
def store(feature_store: Path) -> FeatureStore:
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    return FeatureStore(feature_store)


@pytest.fixture
def corpus(tiny_corpus: Path) -> LoadedCorpus:
    return load_corpus(f"table={tiny_corpus}")


@pytest.fixture
def gather(store: FeatureStore) -> Callable[..., TrainingData]:
    def run(*corpora: LoadedCorpus, share: float = 0.25, strict: bool = False) -> TrainingData:
        return prepare(corpora, store, LogMelExtractor(), validation_share=share, workers=1, strict=strict)

    return run


def changed(corpus: LoadedCorpus, table: pd.DataFrame) -> LoadedCorpus:
    return replace(corpus, table=table)


def test_everything_is_in_one_order(gather, corpus: LoadedCorpus):
    data = gather(corpus)
    assert len(data.table) == len(data.digests) == len(data.tower) == len(data.tags) == len(data.labels) == 72
    assert data.functionals.shape == (72, len(FUNCTIONALS))
    assert sorted([*data.train, *data.validation]) == list(range(72))
    for row in (0, 35, 71):
        file = data.table.index.get_level_values("file")[row]
        assert data.digests[row] == audio.digest(file)
        np.testing.assert_array_equal(data.tower[row], LogMelExtractor()(audio.load(file)))
        assert data.tags[row]["emotion"] == data.table["emotion"].iloc[row] == data.emotions[data.labels[row]]


def test_held_out_speakers_are_never_trained_on(gather, corpus: LoadedCorpus):
    data = gather(corpus)
    speakers = data.table["speaker"].to_numpy()
    assert len(set(speakers[data.validation])) == 2
    assert not set(speakers[data.validation]) & set(speakers[data.train])


def test_the_test_split_is_not_even_in_the_data(gather, corpus: LoadedCorpus):
    split = np.where(corpus.table["speaker"].str.endswith("s3"), "test", "train")
    data = gather(changed(corpus, corpus.table.assign(split=pd.array(split, dtype="string"))))
    assert len(data.table) == 63
    assert not data.table["speaker"].str.endswith("s3").any()


def test_thresholds_are_fitted_on_the_training_clips_only(gather, corpus: LoadedCorpus, tmp_path: Path):
    """Wild values of the held-out speakers leave them as they are; the same values in training do not."""

    def bins(wild: np.ndarray) -> str:
        arousal = np.linspace(1, 7, 72) + 100 * wild
        gather(changed(corpus, corpus.table.assign(arousal=arousal))).bins.save(tmp_path / "bins.json")
        return (tmp_path / "bins.json").read_text()

    data = gather(corpus)
    held = np.isin(np.arange(72), data.validation)
    assert "arousal" in bins(np.zeros(72))
    assert bins(held) == bins(np.zeros(72))
    assert bins(~held) != bins(np.zeros(72))


def test_thresholds_of_what_was_measured_come_from_the_training_clips(gather, corpus: LoadedCorpus):
    """Without the held-out speakers' files the thresholds of pitch, jitter and so on are the same."""
    data = gather(corpus)
    without = gather(changed(corpus, corpus.table.iloc[data.train]), share=0)
    assert data.bins.thresholds == without.bins.thresholds


def test_a_clip_without_emotion_has_no_label_and_no_emotion_tag(gather, corpus: LoadedCorpus):
    emotion = corpus.table["emotion"].copy()
    emotion.iloc[5] = pd.NA
    data = gather(changed(corpus, corpus.table.assign(emotion=emotion)))
    assert data.labels[5] == -1
    assert "emotion" not in data.tags[5]
    assert (np.delete(data.labels, 5) >= 0).all()


def test_bad_clips_are_left_out_and_reported(gather, corpus: LoadedCorpus, tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    bad = make_table(
        clip_index([tmp_path / "broken.wav", tmp_path / "silent.wav"]),
        speaker=["bad/1", "bad/2"],
        emotion=["sad", "sad"],
    )
    both = changed(corpus, pd.concat([bad.iloc[:1], corpus.table, bad.iloc[1:]]))
    data = gather(both)
    assert [reject.fault for reject in data.rejects] == ["AudioUnreadable", "AudioSilent"]
    assert len(data.table) == len(data.digests) == len(data.functionals) == 72
    assert data.digests == gather(corpus).digests
    with pytest.raises(audio.AudioError, match=r"broken\.wav"):
        gather(both, strict=True)


@pytest.mark.parametrize("clips", [0, 1])
def test_too_few_clips_are_one_line(gather, corpus: LoadedCorpus, clips: int):
    split = pd.array(["train"] * clips + ["test"] * (72 - clips), dtype="string")
    with pytest.raises(CorpusError, match=f"{clips} clips are left to train on"):
        gather(changed(corpus, corpus.table.assign(split=split)))


def test_no_clip_that_can_be_heard_says_why(gather, corpus: LoadedCorpus, tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    bad = make_table(clip_index([tmp_path / "broken.wav"]), speaker=["bad/1"], emotion=["sad"])
    with pytest.raises(
        CorpusError, match=r"0 clips are left to train on .1 could not be used, the first: .*broken\.wav"
    ):
        gather(changed(corpus, bad))


def test_two_corpora_of_one_name_are_refused(gather, corpus: LoadedCorpus):
    with pytest.raises(CorpusError, match="two corpora are named 'tiny'"):
        gather(corpus, corpus)


def test_the_fingerprint_tells_data_apart(gather, corpus: LoadedCorpus):
    data = gather(corpus)
    assert gather(corpus).fingerprint() == data.fingerprint()
    others = [
        gather(changed(corpus, corpus.table.iloc[:-1])),
        gather(changed(corpus, corpus.table.iloc[::-1])),
        gather(changed(corpus, corpus.table.assign(emotion=corpus.table["emotion"].replace("sad", "sorry")))),
        gather(changed(corpus, corpus.table.assign(gender=pd.array(["female"] * 72, dtype="string")))),
        gather(corpus, share=0.4),
    ]
    assert data.fingerprint() not in [other.fingerprint() for other in others]


def test_captions_come_in_every_style_and_do_not_know_the_seed():
    tags = [{"emotion": "sad", "pitch_mean": "low"}, {"emotion": "angry", "pitch_mean": "high"}]
    recipe = CaptionRecipe(styles=["natural", "emotion"], variants=4)
    wordings = write_captions(tags, recipe)
    assert [[len(style) for style in clip] for clip in wordings] == [[4, 4], [4, 4]]
    assert wordings[0][1] == ["emotion is sad"] * 4
    assert len(set(wordings[0][0])) > 1
    assert wordings[0][0] != wordings[1][0]
    assert write_captions(tags, recipe) == wordings
