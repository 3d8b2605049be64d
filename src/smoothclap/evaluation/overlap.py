"""How much of the test data a model has met in training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from smoothclap.evaluation.results import TrainedOn


def training_overlap(
    directory: Path,
    training: Mapping[str, Any] | None,
    corpus: str,
    digests: Sequence[str],
    speakers: Sequence[str | None],
) -> TrainedOn | None:
    """Compare the scored clips with what the model's directory says it was trained on.

    Files are compared by content, so a corpus under another name or in another folder is recognised. The demo
    corpus is an honest case of a known corpus with unknown clips and speakers.

    Args:
        directory: the model's; `trained_on.parquet` in it lists every training file.
        training: the model's `training.json`, or None.
        corpus: name of the test corpus.
        digests: of the scored clips' files (`audio.digest`).
        speakers: who speaks in each scored clip; None where it is not known.

    Returns:
        What was met, or None where the model does not say what it was trained on.
    """
    listing = directory / "trained_on.parquet"
    if training is None or not listing.is_file():
        return None
    met = pd.read_parquet(listing, columns=["corpus", "speaker", "digest"])
    clips = sum(pd.Series(digests, dtype="string").isin(met["digest"]))
    known = set(speakers) - {None}
    return TrainedOn(
        corpus=bool(clips) or corpus in {one["name"] for one in training["corpora"]} | set(met["corpus"]),
        clips=int(clips),
        speakers=len(known & set(met["speaker"].dropna())),
    )
