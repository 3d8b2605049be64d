"""Low, normal, high: thresholds fitted once on training values, and never moved by other data."""

import json
import math
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smoothclap.errors import SmoothClapError
from smoothclap.files import write_json

QUANTILES = (0.3, 0.7)
"""Bottom 30 %, middle 40 %, top 30 % (SmoothCLAP, section 2, "Tag Generation")."""

DIMENSIONS = ("arousal", "valence", "dominance")
"""The columns whose middle bin is called "mid"; elsewhere it is "normal"."""

_FORMAT = 1


class BinsError(SmoothClapError):
    """A file of thresholds cannot be read or is not one."""


@dataclass(frozen=True)
class Threshold:
    """The limits of one column: below `low` is low, above `high` is high, the rest is the middle.

    Attributes:
        low: the 30 % quantile of the training values.
        high: the 70 % quantile.
        count: how many values they were fitted on.
    """

    low: float
    high: float
    count: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(f"limits must be finite and ordered, not {self.low} and {self.high}")


@dataclass(frozen=True)
class Bins:
    """Thresholds by column.

    As in the paper, one threshold holds for all speakers: most women are therefore "high" in pitch and most
    men "low", and no tag says "high for a man".

    Attributes:
        thresholds: by column name; a column without a single training value has none.
        source: where the training values come from, in words.
    """

    thresholds: dict[str, Threshold]
    source: str

    @classmethod
    def fit(cls, values: pd.DataFrame, source: str) -> "Bins":
        """Take the 30 % and 70 % quantiles of every column.

        Args:
            values: the numeric columns of the *training* clips; missing and infinite values are left out.
            source: where they come from, in words; it is saved with the thresholds.

        Returns:
            The thresholds. A column with no value at all gets none, and its tag is absent everywhere.

        Examples:
            >>> Bins.fit(pd.DataFrame({"duration": range(11)}), "doctest").thresholds["duration"]
            Threshold(low=3.0, high=7.0, count=11)
        """
        thresholds = {}
        for column in values:
            known = _numbers(values[column])
            known = known[np.isfinite(known)]
            if known.size:
                low, high = np.quantile(known, QUANTILES)
                thresholds[str(column)] = Threshold(float(low), float(high), int(known.size))
        return cls(thresholds, source)

    def assign(self, values: pd.DataFrame) -> pd.DataFrame:
        """Say low, normal (mid) or high for every value.

        A value equal to a threshold belongs to the middle. Where ties or a constant column made both
        thresholds equal, the middle is that one value, and what lies beyond it is still low or high.

        Args:
            values: numeric columns of any data, training or not.

        Returns:
            The same rows and columns as words (dtype `string`); `<NA>` where the value is missing or the
            column has no thresholds.
        """
        words = pd.DataFrame(index=values.index)
        for column in values:
            word = np.full(len(values), pd.NA, dtype=object)
            limits = self.thresholds.get(column)
            if limits is not None:
                numbers = _numbers(values[column])
                word[np.isfinite(numbers)] = "mid" if column in DIMENSIONS else "normal"
                word[np.isfinite(numbers) & (numbers < limits.low)] = "low"
                word[np.isfinite(numbers) & (numbers > limits.high)] = "high"
            words[column] = pd.array(word, dtype="string")
        return words

    def save(self, path: Path) -> None:
        """Write the thresholds as JSON (format version, quantiles, source, and per column low, high, count)."""
        columns = {
            name: {"low": t.low, "high": t.high, "count": t.count} for name, t in self.thresholds.items()
        }
        content = {"format": _FORMAT, "quantiles": list(QUANTILES), "source": self.source, "columns": columns}
        write_json(path, content)

    @classmethod
    def load(cls, path: Path) -> "Bins":
        """Read what `save` wrote.

        Raises:
            BinsError: the file is missing, not JSON, of another format, or its thresholds are out of order.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise BinsError(
                f"{path}: cannot be read ({reason}); give a bins.json that training wrote"
            ) from error
        return cls._parse(text, str(path))

    @classmethod
    def default(cls) -> "Bins":
        """The thresholds that come with the package, for clips that no model was trained for.

        They were fitted on five corpora of acted and broadcast emotional speech (`source` names them), so
        "loud" and "high" are relative to those recordings; `studies/default_bins.py` reproduces them.
        """
        name = "default_bins.json"
        return cls._parse(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"), name)

    @classmethod
    def _parse(cls, text: str, name: str) -> "Bins":
        try:
            content: Any = json.loads(text)
            if content["format"] != _FORMAT:
                raise BinsError(
                    f"{name}: format {content['format']} of thresholds, this version reads {_FORMAT}; "
                    "use the smoothclap that wrote it, or fit again"
                )
            columns: dict[str, Any] = content["columns"]
            thresholds = {
                column: Threshold(float(t["low"]), float(t["high"]), int(t["count"]))
                for column, t in columns.items()
            }
            return cls(thresholds, str(content["source"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BinsError(
                f"{name}: not a file of thresholds ({error}); give a bins.json that training wrote"
            ) from error


def _numbers(column: Any) -> Any:
    """A column as float64 with NaN for every kind of missing."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
