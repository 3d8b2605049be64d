"""A model whose every answer is known, and corpora of files that are never opened."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smoothclap.corpora import CORPORA, LoadedCorpus, clip_index, make_table
from smoothclap.evaluation.tasks import Task, TaskClass
from smoothclap.evaluation.zero_shot import Evaluation, evaluate
from smoothclap.inference import ClipEmbeddings
from smoothclap.store import Reject

CLASSES = ("happy", "neutral", "sad")


class FakeModel:
    """Hears the emotion from the file's name: "a-happy-1.wav" lies on the axis of the word "happy".

    A sentence around the word turns "neutral" into "sad", so that templates differ. Files named "broken" are
    rejected.
    """

    logit_scale = 10.0
    training: dict[str, Any] | None = None

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = directory.name
        self.offset = np.zeros(4, dtype=np.float32)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        axis = {"happy": 0, "neutral": 1, "sad": 2}
        vectors = np.zeros((len(texts), 4), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            word = text.split()[-1]
            row[axis["sad" if word == "neutral" and word != text else word]] = 1
        return vectors

    def encode_clips(
        self, index: pd.MultiIndex, store: Any, *, workers: int | None = None, strict: bool = False
    ) -> ClipEmbeddings:
        files = [Path(file) for file in index.get_level_values("file")]
        keep = np.array(["broken" not in file.name for file in files])
        heard = self.encode_text(
            [file.stem.split("-")[1] for file, good in zip(files, keep, strict=True) if good]
        )
        heard = heard + self.offset
        return ClipEmbeddings(
            index=index[keep],
            keep=keep,
            vectors=heard / np.linalg.norm(heard, axis=1, keepdims=True),
            rejects=[
                Reject(str(file), 0.0, None, "AudioUnreadable", f"{file}: does not decode")
                for file, good in zip(files, keep, strict=True)
                if not good
            ],
            digests=[file.name for file, good in zip(files, keep, strict=True) if good],
        )


@pytest.fixture
def model(tmp_path: Path) -> FakeModel:
    return FakeModel(tmp_path / "fake-model")


@pytest.fixture
def make_corpus(tmp_path: Path) -> Callable[..., LoadedCorpus]:
    """Give (speaker, heard, truth) triples, get a corpus whose files the fake model hears so."""

    def build(
        *clips: tuple[str | None, str, str | None], name: str = "mine", **columns: object
    ) -> LoadedCorpus:
        root = tmp_path / "corpus"
        root.mkdir(exist_ok=True)
        files = [
            root / "audio" / f"{speaker}-{heard}-{number}.wav"
            for number, (speaker, heard, _) in enumerate(clips)
        ]
        table = make_table(
            clip_index(files),
            speaker=[speaker for speaker, _, _ in clips],
            emotion=[truth for _, _, truth in clips],
            **columns,
        )
        return LoadedCorpus(name, CORPORA["table"], root, table)

    return build


@pytest.fixture
def task() -> Task:
    return Task("mine", "Mine", tuple(TaskClass(label, label) for label in CLASSES))


@pytest.fixture
def evaluation(model: FakeModel, make_corpus: Callable[..., LoadedCorpus], task: Task) -> Evaluation:
    """Three speakers; "neutral" heard as sad half of the time; adapted to the collection."""
    clips = [
        (speaker, heard, truth)
        for speaker in ("mine/a", "mine/b", "mine/c")
        for heard, truth in [("happy", "happy"), ("sad", "sad"), ("neutral", "neutral"), ("sad", "neutral")]
    ]
    corpus = make_corpus(*[(speaker.replace("/", "_"), heard, truth) for speaker, heard, truth in clips])
    return evaluate(model, task, corpus, None, adapt=True)
