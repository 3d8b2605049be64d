from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from smoothclap.paralinguistics.bins import Bins
from smoothclap.training.build import build_model
from smoothclap.training.data import TrainingData
from smoothclap.training.validation import validation_uar

EMOTIONS = ["angry", "neutral", "sad"]


class Oracle:
    """Hears the emotion that the first functional says."""

    device = torch.device("cpu")

    def __init__(self, words: dict[tuple[int, ...], int]) -> None:
        self.words = words
        self.evaluated = False

    def eval(self) -> None:
        self.evaluated = True

    def get_audio_features(self, features: torch.Tensor, mask: torch.Tensor | None) -> SimpleNamespace:
        assert mask is None
        return SimpleNamespace(pooler_output=torch.eye(3)[features[:, 0].long()])

    def get_text_features(self, ids: torch.Tensor, mask: torch.Tensor) -> SimpleNamespace:
        known = [self.words[tuple(row[kept.bool()].tolist())] for row, kept in zip(ids, mask, strict=True)]
        return SimpleNamespace(pooler_output=torch.eye(3)[known])


@pytest.fixture
def processor(tiny_recipe):
    return build_model(tiny_recipe("audio.tower=functionals"))[1]


@pytest.fixture
def oracle(processor) -> Oracle:
    return Oracle({tuple(processor.tokenizer(word)["input_ids"]): n for n, word in enumerate(EMOTIONS)})


def clips(*rows: tuple[str, int, int]) -> TrainingData:
    """Validation clips of (corpus, what is heard, truth)."""
    functionals = np.zeros((len(rows), 88), np.float32)
    functionals[:, 0] = [heard for _, heard, _ in rows]
    return TrainingData(
        table=pd.DataFrame({"corpus": [corpus for corpus, _, _ in rows]}),
        digests=[""] * len(rows),
        tower=list(functionals),  # type: ignore[arg-type]
        functionals=functionals,
        bins=Bins({}, "test"),
        tags=[{}] * len(rows),
        emotions=EMOTIONS,
        labels=np.array([truth for _, _, truth in rows]),
        train=np.array([], dtype=np.int64),
        validation=np.arange(len(rows)),
        rejects=[],
    )


def test_recalls_are_averaged_over_classes_then_over_corpora(oracle: Oracle, processor):
    data = clips(
        ("a", 0, 0), ("a", 0, 0), ("a", 0, 0), ("a", 0, 2), ("b", 1, 1), ("b", 2, 2), ("b", 2, 2), ("b", 1, 2)
    )
    assert validation_uar(oracle, processor, data) == pytest.approx(((1 + 0) / 2 + (1 + 2 / 3) / 2) / 2)
    assert oracle.evaluated


def test_only_held_out_clips_with_a_known_emotion_count(oracle: Oracle, processor):
    data = clips(("a", 0, 0), ("a", 2, 2), ("a", 0, 2), ("a", 1, -1))
    assert validation_uar(oracle, processor, replace(data, validation=np.array([0, 1, 3]))) == 1


@pytest.mark.parametrize("rows", [(), (("a", 0, 0), ("a", 0, 0)), (("a", 0, -1), ("a", 1, -1))])
def test_without_two_emotions_to_tell_apart_there_is_no_score(oracle: Oracle, processor, rows):
    assert validation_uar(oracle, processor, clips(*rows)) is None


def test_a_corpus_without_two_emotions_is_left_out_of_the_mean(oracle: Oracle, processor):
    assert validation_uar(oracle, processor, clips(("a", 0, 0), ("a", 1, 1), ("b", 0, 2), ("b", 0, 2))) == 1


def test_more_clips_than_one_batch(oracle: Oracle, processor):
    rows = [("a", number % 3, number % 3) for number in range(150)]
    rows[140] = ("a", (140 % 3 + 1) % 3, 140 % 3)
    assert validation_uar(oracle, processor, clips(*rows)) == pytest.approx(1 - 1 / 150)


def test_log_mel_clips_of_any_length_are_padded(train_tiny, tmp_path: Path):
    """The score in the log of a run is the one that the finished model gives through its own front door."""
    import audmetric

    from smoothclap import SmoothCLAP
    from smoothclap.training import history

    folder = train_tiny(tmp_path / "run", "optimiser.epochs=1", "audio.augment=false")
    seen: list[TrainingData] = []
    train_tiny(tmp_path / "again", "optimiser.epochs=1", "audio.augment=false", on_data=seen.append)
    clap, data = SmoothCLAP.from_pretrained(folder), seen[0]
    files = data.table.index.get_level_values("file")[data.validation].tolist()
    guesses = [next(iter(answer)) for answer in clap.classify(files, data.emotions)]
    truth = data.table["emotion"].iloc[data.validation].tolist()
    expected = audmetric.unweighted_average_recall(truth, guesses, labels=data.emotions)
    assert history.read(folder)[-1]["validation_uar"] == pytest.approx(expected)
