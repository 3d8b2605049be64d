"""From corpora to what a training step needs: features from the store, captions, and who is held out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smoothclap.corpora import LoadedCorpus
from smoothclap.corpora.schema import CorpusError
from smoothclap.paralinguistics.bins import Bins
from smoothclap.paralinguistics.captions import caption, tag_table
from smoothclap.paralinguistics.egemaps import FUNCTIONALS, FunctionalsExtractor, measures
from smoothclap.store import Extractor, Features, FeatureStore, Reject
from smoothclap.training.recipe import CaptionRecipe

HELD_OUT = ("validation", "dev", "development")
NEVER_TRAINED = ("test",)


@dataclass(frozen=True)
class TrainingData:
    """Every clip a run may touch, in one order.

    Attributes:
        table: the clips, with the column `corpus` added.
        digests: `audio.digest` of each clip's file.
        tower: the audio tower's features.
        functionals: float32 (clips, 88) eGeMAPS functionals: local features of the objective.
        bins: thresholds fitted on the training clips.
        tags: tag words of each clip.
        emotions: the emotion words of the training clips, sorted; `labels` indexes them.
        labels: int64 (clips,), -1 where the emotion is unknown.
        train: rows to train on.
        validation: rows of held-out speakers.
        rejects: clips that could not be used, with the reason.
    """

    table: pd.DataFrame
    digests: list[str]
    tower: Features
    functionals: NDArray[np.float32]
    bins: Bins
    tags: list[dict[str, str]]
    emotions: list[str]
    labels: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    rejects: list[Reject]

    def fingerprint(self) -> str:
        """A digest of which clips with which tags are trained on, to refuse resuming on other data."""
        content = repr((self.digests, [sorted(tags.items()) for tags in self.tags], self.train.tolist()))
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def prepare(
    corpora: Sequence[LoadedCorpus],
    store: FeatureStore,
    tower: Extractor,
    *,
    validation_share: float,
    workers: int | None = None,
    strict: bool = False,
) -> TrainingData:
    """Gather corpora into training data, computing what the store lacks.

    Args:
        corpora: what to train on; clips whose `split` is `test` are left out.
        store: features are taken from it, and put there when absent.
        tower: extractor of the audio tower's features.
        validation_share: share of each corpus's clips whose speakers are held out (see `split_speakers`).
        workers: processes to compute features with; absent: one per core.
        strict: raise at the first clip that cannot be used.

    Returns:
        The data.

    Raises:
        CorpusError: fewer than two clips are left to train on, or two corpora have one name.
        AudioError: with `strict`, at the first bad clip.
        MissingExtraError: openSMILE is not installed (tags and local features need it).
    """
    names = [corpus.name for corpus in corpora]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CorpusError(f"--corpus: two corpora are named '{twice}'; tell tables apart with ,name=NAME")
    tables = [corpus.table.assign(corpus=corpus.name) for corpus in corpora]
    table = pd.concat([t[~t["split"].isin(NEVER_TRAINED).fillna(False)] for t in tables])
    expert = store.compute(table.index, FunctionalsExtractor(), workers=workers, strict=strict)
    table = table[expert.keep]
    frames = store.compute(table.index, tower, workers=workers, strict=strict)
    table = table[frames.keep]
    rejects = expert.rejects + frames.rejects

    validation = split_speakers(table, validation_share)
    train = np.flatnonzero(~validation)
    if len(train) < 2:
        why = f" ({len(rejects)} could not be used, the first: {rejects[0].message})" if rejects else ""
        raise CorpusError(f"{len(train)} clips are left to train on{why}; give more with --corpus NAME=PATH")
    features = expert.stack()[frames.keep]
    values = measures(features)
    dimensions = table[["arousal", "valence", "dominance"]].reset_index(drop=True)
    source = " + ".join(names) + ", training speakers"
    bins = Bins.fit(pd.concat([values, dimensions], axis=1).iloc[train], source)
    emotions = sorted(table["emotion"].iloc[train].dropna().unique())
    code = {emotion: number for number, emotion in enumerate(emotions)}
    return TrainingData(
        table=table,
        digests=frames.digests,
        tower=frames,
        functionals=features[:, : len(FUNCTIONALS)],
        bins=bins,
        tags=tag_table(table, values, bins),
        emotions=emotions,
        labels=np.array([code.get(emotion, -1) for emotion in table["emotion"].fillna("")], dtype=np.int64),
        train=train,
        validation=np.flatnonzero(validation),
        rejects=rejects,
    )


def split_speakers(table: pd.DataFrame, share: float) -> NDArray[np.bool_]:
    """Choose the clips of held-out speakers.

    A corpus's own `validation` split wins. Else its speakers are taken in the order of a digest of their names,
    which no seed moves, until their clips reach `share`, but at most half of the speakers: a corpus with one
    speaker, or none named, holds nobody out.

    Args:
        table: clips with `corpus`, `speaker` and `split`.
        share: of each corpus's clips, in [0, 1).

    Returns:
        bool (clips,), true for validation.
    """
    chosen = table["split"].isin(HELD_OUT).fillna(False).to_numpy(dtype=bool).copy()
    for corpus in table["corpus"].unique():
        here = (table["corpus"] == corpus).to_numpy(dtype=bool)
        if share == 0 or chosen[here].any():
            continue
        counts = table["speaker"][here].value_counts()
        order = sorted(counts.index, key=lambda name: hashlib.blake2b(str(name).encode()).digest())
        held, clips = [], 0
        for speaker in order[: len(order) // 2]:
            if clips >= share * here.sum():
                break
            held.append(speaker)
            clips += counts[speaker]
        chosen |= here & table["speaker"].isin(held).fillna(False).to_numpy(dtype=bool)
    return chosen


def write_captions(tags: Sequence[dict[str, str]], recipe: CaptionRecipe) -> list[list[list[str]]]:
    """Word every clip in every style of the recipe.

    The wordings are the same for every seed of a recipe, so that a frozen text tower encodes them once for all
    runs; which of them a step sees is drawn from the seed.

    Args:
        tags: tag words of each clip.
        recipe: styles and number of wordings.

    Returns:
        Per clip, per style, `variants` wordings; those of `emotion` are all one.
    """
    return [
        [
            [caption(clip, style="emotion")] * recipe.variants
            if style == "emotion"
            else [caption(clip, style=style, seed=_wording_seed(row, n)) for n in range(recipe.variants)]
            for style in recipe.styles
        ]
        for row, clip in enumerate(tags)
    ]


def _wording_seed(row: int, variant: int) -> int:
    return int(np.random.SeedSequence([row, variant]).generate_state(1)[0])
