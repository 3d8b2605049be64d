"""Everything a person should know of a corpus before training or testing on it."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from hashlib import blake2b
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from smoothclap import audio
from smoothclap.corpora.emotions import EMOTIONS
from smoothclap.corpora.registry import LoadedCorpus
from smoothclap.corpora.schema import LABELS, CorpusError, Problem, attached_problems
from smoothclap.corpora.values import GENDERS, language_code
from smoothclap.progress import track

FULL_SCALE = 0.999
CLIPPED_SHARE = 0.001
"""A clip is clipped where more than this share of its 16 kHz mono samples reaches `FULL_SCALE` (of 1)."""

FAULTS: dict[type[audio.AudioError], str] = {
    audio.AudioNotFound: "missing file",
    audio.AudioUnreadable: "undecodable",
    audio.AudioEmpty: "empty",
    audio.AudioNotFinite: "not finite",
    audio.AudioTooShort: "too short",
    audio.AudioTooLong: "too long",
    audio.AudioTruncated: "truncated",
    audio.AudioRateError: "implausible rate",
    audio.AudioSilent: "silent",
    audio.AudioSegmentError: "outside the file",
}
"""What the front door's faults are called in a report."""

# Below this many clips, starting processes takes longer than it saves.
FEW = 200


@dataclass(frozen=True)
class Heard:
    """What listening to one clip told.

    Attributes:
        seconds: its duration, or None where it could not be read.
        clipped: the share of samples at full scale, 0 to 1.
        digest: of its decoded samples, so that the same sound in another format is found too.
        fault: what is wrong with it, in the words of `FAULTS`, or None.
        message: the fault in one line.
    """

    seconds: float | None = None
    clipped: float = 0.0
    digest: str | None = None
    fault: str | None = None
    message: str = ""


@dataclass(frozen=True)
class Report:
    """What `check` found.

    Attributes:
        corpus: the corpus that was read.
        seconds: duration of every clip that could be read.
        problems: everything found, in the order of the checks.
    """

    corpus: LoadedCorpus
    seconds: np.ndarray
    problems: tuple[Problem, ...]

    def counts(self, column: str) -> dict[str, int]:
        """The number of clips by the values of a column, in the order of the alphabet."""
        return {
            str(value): int(n) for value, n in self.corpus.table[column].value_counts().sort_index().items()
        }

    def durations(self) -> dict[str, float] | None:
        """The least, median and greatest duration and their sum, seconds; None where nothing could be read."""
        if not len(self.seconds):
            return None
        values = {"min": self.seconds.min(), "median": np.median(self.seconds), "max": self.seconds.max()}
        return {
            name: round(float(value), 3) for name, value in (values | {"total": self.seconds.sum()}).items()
        }

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-able values; the counts that are official stand beside those found."""
        official = self.corpus.corpus.official
        return {
            "corpus": self.corpus.name,
            "title": self.corpus.corpus.title,
            "path": str(self.corpus.path),
            "clips": len(self.corpus.table),
            "speakers": self.counts("speaker"),
            "emotions": self.counts("emotion"),
            "splits": self.counts("split"),
            "seconds": self.durations(),
            "official": official
            and {"clips": official.clips, "speakers": official.speakers, "emotions": dict(official.emotions)},
            "problems": [
                {"kind": problem.kind, "message": problem.message, "files": list(problem.files)}
                for problem in self.problems
            ],
        }


def check(corpus: LoadedCorpus) -> Report:
    """Look at the labels of a corpus and listen to every clip.

    Args:
        corpus: from `load_corpus`.

    Returns:
        Counts and problems. A problem is reported, never raised.

    Raises:
        CorpusError: a process that listens was killed, most likely for want of memory.
    """
    table = corpus.table
    clips = table.index.drop_duplicates()
    heard = list(track(listen_to_all(clips), f"listening to {corpus.name}", len(clips)))
    problems = [
        *attached_problems(table),
        *label_problems(corpus),
        *grouping_problems(table),
        *sound_problems(clips, heard),
        *duplicates(table, clips, heard),
    ]
    seconds = np.array([one.seconds for one in heard if one.seconds is not None])
    return Report(corpus, seconds, tuple(problems))


def listen(clip: tuple[str, float, float | None]) -> Heard:
    """Read one clip: (file, start, end), times in seconds."""
    file, start, end = clip
    try:
        samples = audio.load(file, start=start, end=end)
    except audio.AudioError as error:
        return Heard(fault=FAULTS.get(type(error), type(error).__name__), message=str(error))
    return Heard(
        seconds=len(samples) / audio.SAMPLE_RATE,
        clipped=float(np.mean(np.abs(samples) >= FULL_SCALE)),
        digest=blake2b(samples.tobytes(), digest_size=16).hexdigest(),
    )


def listen_to_all(clips: pd.MultiIndex) -> Iterator[Heard]:
    """Read all clips, in order; many of them in several processes."""
    jobs = [
        (file, start.total_seconds(), None if pd.isna(end) else end.total_seconds())
        for file, start, end in clips
    ]
    if len(jobs) < FEW:
        yield from map(listen, jobs)
        return
    # Forked processes hang when a decoder's or torch's threads were running: spawn.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(listen, jobs, chunksize=32)
        except BrokenProcessPool as error:
            raise CorpusError(
                "a process reading sound files was killed; free memory and run it again"
            ) from error


def label_problems(corpus: LoadedCorpus) -> Iterator[Problem]:
    """Labels that are empty, unknown, alone in their class, or more than there officially are."""
    table, official = corpus.table, corpus.corpus.official
    labelled = [label for label in LABELS if table[label].notna().any()]
    if not labelled:
        yield Problem("empty label", "no clip has any label", files_of(table.index))
    for label in labelled:
        empty = table.index[table[label].isna()]
        if len(empty):
            yield Problem(
                "empty label", f"{label}: {len(empty)} of {len(table)} clips have none", files_of(empty)
            )
    known = set(official.emotions) if official else set(EMOTIONS)
    counts = table["emotion"].value_counts().sort_index()
    for emotion, count in counts.items():
        files = files_of(table.index[(table["emotion"] == emotion).fillna(False)])
        if emotion not in known:
            yield Problem("unknown label", f"emotion '{emotion}' is none of {', '.join(sorted(known))}", files)
        if count == 1:
            yield Problem("single clip", f"emotion '{emotion}' has one clip only", files)
    for column in ("gender", "language"):
        for word in sorted(set(table[column].dropna())):
            if not (word in GENDERS if column == "gender" else word == language_code(word)):
                files = files_of(table.index[(table[column] == word).fillna(False)])
                yield Problem(f"unknown {column}", f"{column} '{word}'", files)
    if official and len(table) > official.clips:
        yield Problem("too many clips", f"{len(table)} clips, but the complete corpus has {official.clips}")


def grouping_problems(table: pd.DataFrame) -> Iterator[Problem]:
    """Clips listed twice or without a speaker, and speakers in two splits."""
    twice = table.index[table.index.duplicated()]
    if len(twice):
        yield Problem("clip listed twice", "the same file, start and end in several rows", files_of(twice))
    nobody = table.index[table["speaker"].isna()]
    if len(nobody):
        yield Problem("no speaker", f"{len(nobody)} of {len(table)} clips have none", files_of(nobody))
    splits = table.groupby("speaker")["split"].unique()
    for speaker, values in splits.items():
        if len(names := sorted(value for value in values if not pd.isna(value))) > 1:
            files = files_of(table.index[(table["speaker"] == speaker).fillna(False)])
            yield Problem("speaker in two splits", f"speaker '{speaker}' is in {' and '.join(names)}", files)


def sound_problems(clips: pd.MultiIndex, heard: list[Heard]) -> Iterator[Problem]:
    """Clips that cannot be used, and clips at full scale."""
    for clip, one in zip(clips, heard, strict=True):
        if one.fault is not None:
            yield Problem(one.fault, one.message, files_of([clip]))
        elif one.clipped > CLIPPED_SHARE:
            message = (
                f"{one.clipped:.1%} of its samples at full scale (more than {CLIPPED_SHARE:.1%} is clipped)"
            )
            yield Problem("clipped", message, files_of([clip]))


def duplicates(table: pd.DataFrame, clips: pd.MultiIndex, heard: list[Heard]) -> Iterator[Problem]:
    """Clips whose decoded samples are equal, whatever their names and formats."""
    same: dict[str, list[Any]] = defaultdict(list)
    for clip, one in zip(clips, heard, strict=True):
        if one.digest is not None:
            same[one.digest].append(clip)
    emotions = table["emotion"][~table.index.duplicated()]
    by_clip = dict(zip(clips, emotions, strict=True))
    for group in same.values():
        if len(group) > 1:
            labels = sorted({str(by_clip[clip]) for clip in group})
            suffix = f", labelled {' and '.join(labels)}" if len(labels) > 1 else ""
            yield Problem(
                "duplicate content", f"{len(group)} clips hold the same samples{suffix}", files_of(group)
            )


def files_of(clips: Iterable[tuple[str, pd.Timedelta, pd.Timedelta]]) -> tuple[str, ...]:
    """Name clips: the file, and the seconds where a clip is a part of it."""
    return tuple(
        file
        if not start and pd.isna(end)
        else f"{file} [{start.total_seconds():g}-{'' if pd.isna(end) else f'{end.total_seconds():g}'} s]"
        for file, start, end in clips
    )
