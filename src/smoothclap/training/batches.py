"""Which pairs a step sees. Every draw is a function of seed and step, so a run can be taken up at any step."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smoothclap.models import SmoothClapModel, SmoothClapProcessor
from smoothclap.models.towers.frames import FRAMES_PER_SECOND
from smoothclap.objectives import Objective, ObjectiveBatch
from smoothclap.paralinguistics.captions import caption
from smoothclap.store import FeatureStore
from smoothclap.training.augment import augment, crop
from smoothclap.training.data import TrainingData, write_captions
from smoothclap.training.recipe import Recipe
from smoothclap.training.step import Batch
from smoothclap.training.texts import TextBank


@dataclass(frozen=True)
class Batches:
    """Makes the batch of any step.

    Attributes:
        recipe: what is trained.
        data: the clips.
        objective: what it needs is put into the batch.
        captions: (clips, styles, variants) numbers, in `bank`, of each clip's wordings.
        tag_texts: (clips,) number, in `bank`, of each clip's whole tag text.
        bank: the texts.
        local_audio: float32 (clips, 88) functionals standardised on the training clips: centred local features.
        tag_mean: mean of the training clips' tag features of a frozen text tower: text features are nearly
            collinear, and the similarity of centred ones tells clips apart (SPEC).
    """

    recipe: Recipe
    data: TrainingData
    objective: Objective
    captions: NDArray[np.int64]
    tag_texts: NDArray[np.int64]
    bank: TextBank
    local_audio: Tensor
    tag_mean: Tensor

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass; a set smaller than a batch is one batch."""
        return max(1, len(self.data.train) // self.recipe.optimiser.batch_size)

    def rows(self, step: int) -> NDArray[np.int64]:
        """The clips of a step, counted from 0."""
        train, size = self.data.train, self.recipe.optimiser.batch_size
        if self.recipe.optimiser.sampling == "balanced":
            random = np.random.default_rng([self.recipe.seed, step, 2])
            return train[balanced(self.data.labels[train], size, random)]
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.recipe.seed, epoch]).permutation(train)
        return order[place * size : (place + 1) * size]

    def make(self, step: int) -> Batch:
        """The batch of a step, counted from 0."""
        rows = self.rows(step)
        random = np.random.default_rng([self.recipe.seed, step, 1])
        _, styles, variants = self.captions.shape
        chosen = self.captions[
            rows, random.integers(styles, size=len(rows)), random.integers(variants, size=len(rows))
        ]
        features, mask = self._audio(rows, step)
        trained_text = self.recipe.text.train
        return Batch(
            input_features=features,
            audio_mask=mask,
            text=None if trained_text else self.bank.pooled(chosen),
            tokens=self.bank.tokens(chosen) if trained_text else None,
            targets=self._targets(rows),
            duplicate_captions=len(chosen) - len(np.unique(chosen)),
        )

    def _audio(self, rows: NDArray[np.int64], step: int) -> tuple[Tensor, Tensor | None]:
        if self.recipe.audio.tower == "functionals":
            return torch.from_numpy(self.data.functionals[rows]), None
        random = torch.Generator().manual_seed(
            int(np.random.SeedSequence([self.recipe.seed, step]).generate_state(1)[0])
        )
        length = round(self.recipe.audio.crop_seconds * FRAMES_PER_SECOND)
        clips = []
        for row in rows:
            frames = crop(torch.from_numpy(np.array(self.data.tower[int(row)])), length, random)
            clips.append(augment(frames, random) if self.recipe.audio.augment else frames)
        return pad(clips)

    def _targets(self, rows: NDArray[np.int64]) -> ObjectiveBatch:
        needs = self.objective.needs
        return ObjectiveBatch(
            local_audio=self.local_audio[rows] if "local_audio" in needs else None,
            tag_text=self.bank.pooled(self.tag_texts[rows]) - self.tag_mean if "tag_text" in needs else None,
            labels=torch.from_numpy(self.data.labels[rows]) if "labels" in needs else None,
        )


def build_batches(
    recipe: Recipe,
    data: TrainingData,
    model: SmoothClapModel,
    processor: SmoothClapProcessor,
    store: FeatureStore,
) -> Batches:
    """Word the clips, encode the words where the text tower is frozen, and centre what targets are made of.

    Args:
        recipe: what is trained.
        data: the clips.
        model: its text tower encodes captions and tags.
        processor: its tokenizer reads them.
        store: where frozen text features are kept.

    Returns:
        The batches of every step.
    """
    captions = write_captions(data.tags, recipe.captions)
    tag_texts = [caption(tags, style="tags") for tags in data.tags]
    texts = tag_texts + [wording for clip in captions for style in clip for wording in style]
    bank = TextBank(texts, processor, model, None if recipe.text.train else store)
    # In float32 a functional that is the same on every clip gets a deviation by rounding.
    functionals = torch.from_numpy(data.functionals).double()
    train = torch.from_numpy(data.train)
    mean, deviation = functionals[train].mean(0), functionals[train].std(0, correction=0)
    tags = np.array([bank.number[text] for text in tag_texts])
    return Batches(
        recipe=recipe,
        data=data,
        objective=recipe.build_objective(),
        captions=np.array([[[bank.number[text] for text in style] for style in clip] for clip in captions]),
        tag_texts=tags,
        bank=bank,
        local_audio=((functionals - mean) / deviation.clamp(min=1e-8)).float(),
        tag_mean=torch.zeros(()) if recipe.text.train else bank.pooled(tags[data.train]).mean(0),
    )


def balanced(labels: NDArray[np.int64], size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw clips so that every label is as frequent as the others, give or take one.

    No clip is drawn twice, for it would be its own negative; a label with too few clips gives all it has.

    Args:
        labels: (clips,).
        size: clips to draw.
        random: where the draws come from.

    Returns:
        (min(size, clips),) positions.

    >>> labels = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2])
    >>> drawn = balanced(labels, 5, np.random.default_rng(0))
    >>> sorted(labels[drawn].tolist())
    [0, 0, 1, 1, 2]
    """
    _, kind, counts = np.unique(labels, return_inverse=True, return_counts=True)
    shuffled = np.lexsort((random.random(len(labels)), kind))
    turn = np.empty(len(labels), dtype=np.int64)
    turn[shuffled] = np.concatenate([np.arange(count) for count in counts])
    return np.lexsort((random.random(len(labels)), turn))[:size]


def pad(clips: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Stack clips of (time, mel) into (clips, longest, mel), with a mask of the frames that exist."""
    batch = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    lengths = torch.tensor([len(frames) for frames in clips])
    return batch, torch.arange(batch.shape[1]) < lengths[:, None]
