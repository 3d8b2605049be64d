"""A result in plain words: what a reader must know before believing a number."""

from collections import Counter

from smoothclap.evaluation.results import Resampling, TaskResult


def decimal(value: float) -> str:
    """A share as the field writes it: three decimals, no leading zero.

    Example:
        >>> decimal(0.1752), decimal(1.0), decimal(-0.02)
        ('.175', '1.000', '-.020')
    """
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 0.9995 else f"{value:.3f}"


def interval_text(interval: tuple[float, float] | None) -> str:
    """An interval in brackets, or nothing.

    Example:
        >>> interval_text((0.21, 0.305)), interval_text(None)
        ('[.210, .305]', '')
    """
    return f"[{decimal(interval[0])}, {decimal(interval[1])}]" if interval else ""


def warnings(result: TaskResult) -> list[str]:
    """Why the number is not zero-shot on data the model has never met.

    Args:
        result: of one task.

    Returns:
        Sentences; none if the model never met the corpus.
    """
    met = result.trained_on
    if met is None:
        return ["The model does not say what it was trained on, so this corpus may have been part of it."]
    if met.clips:
        return [f"Trained on: {met.clips:,} of these {result.n:,} clips were training data. This is no test."]
    if met.speakers:
        return [
            f"Trained on: other clips of this corpus were training data, by {met.speakers} of these "
            f"{result.speakers} speakers among others. This is no test on unseen speakers."
        ]
    if met.corpus:
        return [
            "Trained on: other clips of this corpus were training data, by other speakers. It tests unseen "
            "speakers, not an unseen corpus."
        ]
    return []


def meaning(result: TaskResult, resampling: Resampling) -> list[str]:
    """What guessing would give, and what the interval is.

    Args:
        result: of one task.
        resampling: how its interval was made.

    Returns:
        Sentences.
    """
    said = [f"Guessing gives a UAR of {decimal(result.chance)} ({len(result.classes)} classes)."]
    if result.interval:
        said.append(
            f"The interval aims to cover {resampling.level:.0%}; it resamples {result.speakers} speakers "
            f"{resampling.resamples:,} times."
        )
    return said


def caveats(result: TaskResult) -> list[str]:
    """Why to read the number with care, and what was left out of it.

    Args:
        result: of one task.

    Returns:
        Sentences.
    """
    said = []
    if result.interval_note:
        said.append(f"{result.interval_note[0].upper()}{result.interval_note[1:]}.")
    if result.partial:
        said.append(
            f"Partial corpus: {result.n:,} clips were scored, the official corpus has {result.official:,}. "
            "Published numbers are not directly comparable."
        )
    if result.absent:
        said.append(f"No clip is {_list(result.absent)}: averages are over the other classes.")
    if single := [label for label, row in zip(result.classes, result.confusion, strict=True) if sum(row) == 1]:
        said.append(f"One clip only is {_list(single)}: its recall can only be 0 or 1.")
    if never := [
        label for label, *column in zip(result.classes, *result.confusion, strict=True) if not sum(column)
    ]:
        said.append(f"The model never answered {_list(never)}.")
    if result.unlabelled:
        said.append(f"{result.unlabelled:,} clips without a label were not scored.")
    if result.outside:
        labels = ", ".join(f"{label} ({count:,})" for label, count in result.outside.items())
        said.append(f"Clips with a label that is not a class of the task were not scored: {labels}.")
    if result.rejected:
        faults = Counter(one.fault for one in result.rejected)
        kinds = ", ".join(f"{fault} ({count:,})" for fault, count in sorted(faults.items()))
        said.append(f"{len(result.rejected):,} clips could not be read and were not scored: {kinds}.")
    return said


def _list(labels: list[str]) -> str:
    return " or ".join(f"“{label}”" for label in labels)
