"""The one table every corpus becomes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from smoothclap.errors import SmoothClapError

INDEX = ["file", "start", "end"]
"""audformat's segmented index: absolute path, start and end of the clip (`NaT` end: to the end of the file)."""

COLUMNS = {
    "speaker": "string",
    "gender": "string",
    "emotion": "string",
    "arousal": "Float64",
    "valence": "Float64",
    "dominance": "Float64",
    "transcript": "string",
    "language": "string",
    "split": "string",
}
"""The columns every table has, in order, each nullable. Other columns pass through untouched."""

LABELS = ["emotion", "arousal", "valence", "dominance"]
"""The columns that say how something is said; a corpus has at least one of them."""


class CorpusError(SmoothClapError):
    """A folder or table that cannot be read as the corpus it was said to be."""


@dataclass(frozen=True)
class Problem:
    """Something of a corpus that a person should look at; the corpus can be read all the same.

    Attributes:
        kind: two or three words that name the problem, the same for every corpus: "unknown label".
        message: what was found, in one line.
        files: the files concerned.
    """

    kind: str
    message: str
    files: tuple[str, ...] = ()


def attach_problems(table: pd.DataFrame, problems: Iterable[Problem]) -> pd.DataFrame:
    """Keep what was met while reading with the table, for `corpus check` to tell (`table.attrs`, JSON-able)."""
    table.attrs["problems"] = [asdict(problem) for problem in problems]
    return table


def attached_problems(table: pd.DataFrame) -> list[Problem]:
    """Return what `attach_problems` kept; empty where nothing was."""
    return [
        Problem(kept["kind"], kept["message"], tuple(kept["files"])) for kept in table.attrs.get("problems", [])
    ]


def clip_index(
    files: Iterable[str | Path],
    start: Sequence[pd.Timedelta] | None = None,
    end: Sequence[pd.Timedelta] | None = None,
) -> pd.MultiIndex:
    """The segmented index of clips; of whole files where no times are given.

    Args:
        files: paths, made absolute here.
        start: where each clip starts in its file; None: at zero.
        end: where each clip ends, `NaT`: with the file; None: all with their files.

    Returns:
        Index with the levels `file` (str), `start` and `end` (timedelta).
    """
    paths = [str(Path(file).absolute()) for file in files]
    # audformat takes nanoseconds only, and pandas 3 picks a unit by itself.
    starts = pd.to_timedelta([0] * len(paths) if start is None else start).as_unit("ns")
    ends = pd.to_timedelta([pd.NaT] * len(paths) if end is None else end).as_unit("ns")
    return pd.MultiIndex.from_arrays([paths, starts, ends], names=INDEX)


def make_table(index: pd.MultiIndex, /, **columns: object) -> pd.DataFrame:
    """Build a table with every standard column; those not given are empty.

    Args:
        index: see `clip_index`.
        columns: values by column name: one per clip, or one for all.

    Returns:
        Table with the columns of `COLUMNS` first, then the others in the order given.

    Raises:
        CorpusError: a standard column holds values of another type (words where numbers belong).
    """
    table = pd.DataFrame(index=index)
    for name, dtype in COLUMNS.items():
        values = columns.get(name)
        table[name] = pd.array([pd.NA] * len(table), dtype=dtype) if values is None else values
        try:
            table[name] = table[name].astype(dtype)
        except (TypeError, ValueError) as error:
            raise CorpusError(f"column '{name}' cannot be read as {dtype}: {error}") from error
    for name, values in columns.items():
        if name not in COLUMNS:
            table[name] = values
    return table
