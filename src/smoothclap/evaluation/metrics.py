"""Unweighted average recall and its companions, with intervals and tests that resample speakers.

Clips of one speaker resemble each other, so a new sample of clips would not show how far a number would move
with other people: whole speakers are drawn again instead (the cluster bootstrap; Field and Welsh, 2007). What
one speaker adds to a score is a confusion matrix, so a resample is a weighted sum of the speakers' matrices,
exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import audmetric
import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
SEED = 0
FEW_SPEAKERS = 10
"""Below this many speakers an interval is shown with a warning: there are too few to resample."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How predictions compare with the truth.

    Attributes:
        n: clips scored.
        uar: unweighted average recall in [0, 1], over the classes that occur in the truth.
        accuracy: share of clips that are right, in [0, 1].
        macro_f1: F1 averaged over the classes that occur in the truth, in [0, 1].
        recall: by class, in [0, 1]; None where the truth has no clip of the class.
        confusion: number of clips; a row is a true class, a column a predicted one, both in the order of the
            classes.
        interval: lower and upper end of the UAR's interval (`LEVEL`, speakers resampled), or None.
        interval_note: why there is no interval, or why to mistrust it; None if neither.
    """

    n: int
    uar: float
    accuracy: float
    macro_f1: float
    recall: dict[str, float | None]
    confusion: list[list[int]]
    interval: tuple[float, float] | None
    interval_note: str | None


@dataclass(frozen=True)
class Difference:
    """The difference in UAR of two systems on the same clips.

    Attributes:
        value: UAR of a minus UAR of b, each averaged over its runs.
        interval: lower and upper end of the difference (`LEVEL`), or None with fewer than two speakers.
        p: two-sided p-value of "no difference", or None with fewer than two speakers.
        speakers: number of speakers resampled.
        note: why to mistrust the above, or None.
    """

    value: float
    interval: tuple[float, float] | None
    p: float | None
    speakers: int
    note: str | None


def score(
    truth: Sequence[str], prediction: Sequence[str], classes: Sequence[str], speakers: Sequence[str | None]
) -> Scores:
    """Score one run of predictions.

    The recall of a class without a clip is undefined; averages are over the classes that have clips.

    Args:
        truth: true class of each clip.
        prediction: predicted class of each clip.
        classes: every class of the task, in order, whether it occurs or not.
        speakers: who speaks in each clip; None where it is not known.

    Returns:
        The scores.

    Raises:
        ValueError: lengths differ, there is no clip, or a truth or prediction is not one of `classes`.

    Example:
        >>> truth, prediction = ["sad", "sad", "happy"], ["sad", "happy", "happy"]
        >>> scores = score(truth, prediction, ["happy", "sad", "calm"], ["a", "b", "b"])
        >>> scores.uar, scores.recall
        (0.75, {'happy': 1.0, 'sad': 0.5, 'calm': None})
    """
    _check(truth, [prediction], classes, speakers)
    labels = list(classes)
    matrix = audmetric.confusion_matrix(truth, prediction, labels)
    occurs = [sum(row) > 0 for row in matrix]
    recall = audmetric.recall_per_class(truth, prediction, labels)
    fscore = audmetric.fscore_per_class(truth, prediction, labels)
    interval, note = speaker_interval(truth, [prediction], classes, speakers)
    return Scores(
        n=len(truth),
        uar=float(np.mean([recall[label] for label, found in zip(labels, occurs, strict=True) if found])),
        accuracy=float(audmetric.accuracy(truth, prediction, labels)),
        macro_f1=float(np.mean([fscore[label] for label, found in zip(labels, occurs, strict=True) if found])),
        recall={label: recall[label] if found else None for label, found in zip(labels, occurs, strict=True)},
        confusion=[[int(count) for count in row] for row in matrix],
        interval=interval,
        interval_note=note,
    )


def speaker_interval(
    truth: Sequence[str],
    runs: Sequence[Sequence[str]],
    classes: Sequence[str],
    speakers: Sequence[str | None],
) -> tuple[tuple[float, float] | None, str | None]:
    """The UAR's interval if other speakers had been recorded: the percentile bootstrap over speakers.

    Args:
        truth: true class of each clip.
        runs: predictions of one or more runs (seeds) on the same clips; their UAR is averaged in every
            resample.
        classes: every class of the task.
        speakers: who speaks in each clip; None where it is not known.

    Returns:
        Lower and upper end (`LEVEL`), or None; and a note on why there is none or why to mistrust it, or None.

    Raises:
        ValueError: see `score`.
    """
    _check(truth, runs, classes, speakers)
    unknown = sum(speaker is None for speaker in speakers)
    if unknown:
        return None, f"no interval: the speaker of {unknown} of {len(truth)} clips is not known"
    count = len(set(speakers))
    if count < 2:
        return None, "no interval: one speaker says nothing about other speakers"
    return _percentiles(_resampled_uar(truth, runs, classes, speakers)), _few(count)


def paired_difference(
    truth: Sequence[str],
    runs_a: Sequence[Sequence[str]],
    runs_b: Sequence[Sequence[str]],
    classes: Sequence[str],
    speakers: Sequence[str],
) -> Difference:
    """Compare two systems on the same clips; both are judged on the same resampled speakers.

    The runs (seeds) of a system are averaged within every resample, so the interval and p tell about other
    speakers, not about other seeds: show the spread over seeds beside them. p is the two-sided bootstrap
    p-value (twice the share of resamples on the far side of zero), never below 2^(1-S), the least that S
    speakers can show in an exact sign test.

    Args:
        truth: true class of each clip.
        runs_a: predictions of one or more runs of system a, each as long as `truth`.
        runs_b: the same of system b; the number of runs may differ.
        classes: every class of the task.
        speakers: who speaks in each clip.

    Returns:
        The difference, positive where a is better.

    Raises:
        ValueError: see `score`; or a speaker is None.

    Example:
        >>> truth, speakers = ["x", "y"] * 6, list("aabbccddeeff")
        >>> difference = paired_difference(truth, [truth], [["x", "x"] * 6], ["x", "y"], speakers)
        >>> difference.value, difference.interval, difference.p
        (0.5, (0.5, 0.5), 0.03125)
    """
    _check(truth, [*runs_a, *runs_b], classes, speakers)
    if any(speaker is None for speaker in speakers):
        raise ValueError("a paired difference needs the speaker of every clip")
    value = _mean_uar(truth, runs_a, classes, speakers) - _mean_uar(truth, runs_b, classes, speakers)
    count = len(set(speakers))
    if count < 2:
        return Difference(
            value, None, None, count, "no interval: one speaker says nothing about other speakers"
        )
    # The seed is the same, so the same speakers are drawn for both: that is what pairs them.
    differences = _resampled_uar(truth, runs_a, classes, speakers) - _resampled_uar(
        truth, runs_b, classes, speakers
    )
    tail = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    p = min(1.0, max(2 * (tail + 1) / (RESAMPLES + 1), 2.0 ** (1 - count)))
    return Difference(value, _percentiles(differences), float(p), count, _few(count))


def _check(
    truth: Sequence[str],
    runs: Sequence[Sequence[str]],
    classes: Sequence[str],
    speakers: Sequence[str | None],
) -> None:
    if not len(truth):
        raise ValueError("there is no clip to score")
    if not len(runs) or {len(truth)} != {len(speakers), *(len(run) for run in runs)}:
        raise ValueError("truth, speakers and every run of predictions must be of the same length")
    unknown = {*truth, *(label for run in runs for label in run)} - set(classes)
    if unknown:
        raise ValueError(f"not among the classes: {sorted(unknown)}")


def _few(speakers: int) -> str | None:
    if speakers == 2:
        return "only 2 speakers: the interval just spans the two speakers' scores; read no significance into it"
    if speakers < FEW_SPEAKERS:
        return f"only {speakers} speakers: the interval is rough, and likely too narrow"
    return None


def _speaker_matrices(
    truth: Sequence[str], runs: Sequence[Sequence[str]], classes: Sequence[str], speakers: Sequence[str | None]
) -> np.ndarray:
    """Confusion matrices (runs, speakers, classes, classes)."""
    position = {label: number for number, label in enumerate(classes)}
    names, speaker = np.unique(np.asarray(speakers, dtype=str), return_inverse=True)
    rows = np.array([position[label] for label in truth])
    matrices = np.zeros((len(runs), len(names), len(classes), len(classes)), dtype=np.int64)
    for matrix, run in zip(matrices, runs, strict=True):
        np.add.at(matrix, (speaker, rows, np.array([position[label] for label in run])), 1)
    return matrices


def _uar(confusion: np.ndarray) -> np.ndarray:
    """UAR (...) of confusion matrices (..., classes, classes), over the classes each of them has."""
    total = confusion.sum(axis=-1)
    recall = np.diagonal(confusion, axis1=-2, axis2=-1) / np.maximum(total, 1)
    return np.asarray(recall.sum(axis=-1) / np.count_nonzero(total, axis=-1))


def _mean_uar(
    truth: Sequence[str], runs: Sequence[Sequence[str]], classes: Sequence[str], speakers: Sequence[str | None]
) -> float:
    return float(_uar(_speaker_matrices(truth, runs, classes, speakers).sum(axis=1)).mean())


def _resampled_uar(
    truth: Sequence[str], runs: Sequence[Sequence[str]], classes: Sequence[str], speakers: Sequence[str | None]
) -> np.ndarray:
    """UAR (RESAMPLES,) averaged over the runs, each with as many speakers drawn with replacement."""
    matrices = _speaker_matrices(truth, runs, classes, speakers)
    count = matrices.shape[1]
    drawn = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    return np.asarray(_uar(np.einsum("ns,rsij->nrij", drawn, matrices, optimize=True)).mean(axis=1))


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
