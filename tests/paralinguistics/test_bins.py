import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from smoothclap.paralinguistics.bins import Bins, BinsError
from smoothclap.paralinguistics.egemaps import MEASURES

NAN = float("nan")


def words(bins: Bins, column: str, values: list[float]) -> list[str | None]:
    said = bins.assign(pd.DataFrame({column: values}))[column]
    return [None if pd.isna(word) else str(word) for word in said]


@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(-1e6, 1e6), unique=True))
def test_thirty_forty_thirty_of_the_training_values(values: np.ndarray):
    bins = Bins.fit(pd.DataFrame({"pitch_mean": values}), source="test")
    said = words(bins, "pitch_mean", list(values))
    n = len(values)
    for word, share in (("low", 0.3), ("normal", 0.4), ("high", 0.3)):
        assert abs(said.count(word) - share * n) <= 1.5


@given(arrays(np.float64, 20, elements=st.floats(-1e6, 1e6)), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_larger_value_is_never_called_lower(training: np.ndarray, a: float, b: float):
    bins = Bins.fit(pd.DataFrame({"duration": training}), source="test")
    lower, upper = words(bins, "duration", sorted([a, b]))
    order = ["low", "normal", "high"]
    assert order.index(lower) <= order.index(upper)


def test_known_thresholds():
    bins = Bins.fit(pd.DataFrame({"duration": range(11), "valence": range(11)}), source="test")
    assert words(bins, "duration", [2.9, 3.0, 7.0, 7.1, NAN]) == ["low", "normal", "normal", "high", None]
    assert words(bins, "valence", [2.9, 5, 7.1]) == ["low", "mid", "high"]


def test_other_data_never_moves_the_thresholds():
    bins = Bins.fit(pd.DataFrame({"duration": range(11)}), source="test")
    before = dict(bins.thresholds)
    other = pd.DataFrame({"duration": np.arange(1000.0) + 500})
    assert set(bins.assign(other)["duration"]) == {"high"}
    assert bins.thresholds == before
    assert words(bins, "duration", [5.0]) == ["normal"]


def test_missing_and_infinite_values_are_left_out():
    values = pd.DataFrame({"pitch_mean": [*range(11), NAN, float("inf"), -float("inf")]})
    bins = Bins.fit(values, source="test")
    limits = bins.thresholds["pitch_mean"]
    assert (limits.low, limits.high, limits.count) == (3.0, 7.0, 11)
    assert words(bins, "pitch_mean", [float("inf"), NAN]) == [None, None]


def test_nullable_columns_are_read():
    values = pd.DataFrame({"arousal": pd.array([None, *range(11)], dtype="Float64")})
    bins = Bins.fit(values, source="test")
    assert bins.thresholds["arousal"].count == 11
    assert list(bins.assign(values)["arousal"].fillna("?"))[:3] == ["?", "low", "low"]


def test_ties_and_constants():
    constant = Bins.fit(pd.DataFrame({"duration": [2.0] * 9}), source="test")
    assert words(constant, "duration", [1.9, 2.0, 2.1]) == ["low", "normal", "high"]
    tied = Bins.fit(pd.DataFrame({"duration": [1.0, *[2.0] * 8, 3.0]}), source="test")
    assert words(tied, "duration", [1.0, 2.0, 3.0]) == ["low", "normal", "high"]


def test_a_column_without_values_has_no_thresholds():
    values = pd.DataFrame({"jitter_mean": [NAN, NAN], "duration": [1.0, 2.0]})
    bins = Bins.fit(values, source="test")
    assert set(bins.thresholds) == {"duration"}
    assert words(bins, "jitter_mean", [1.0]) == [None]


def test_round_trip(tmp_path: Path):
    rng = np.random.default_rng(0)
    bins = Bins.fit(pd.DataFrame(rng.normal(size=(50, 2)), columns=["pitch_mean", "arousal"]), source="fünfzig")
    bins.save(tmp_path / "bins.json")
    assert Bins.load(tmp_path / "bins.json") == bins
    content = json.loads((tmp_path / "bins.json").read_text(encoding="utf-8"))
    assert content["format"] == 1
    assert content["quantiles"] == [0.3, 0.7]
    assert content["columns"]["arousal"]["count"] == 50


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not a file of thresholds"),
        ("[]", "not a file of thresholds"),
        ('{"format": 9}', "format 9 of thresholds, this version reads 1"),
        ('{"format": 1, "source": "", "columns": {"duration": {"low": 2, "high": 1, "count": 5}}}', "ordered"),
        ('{"format": 1, "source": "", "columns": {"duration": {"low": NaN, "high": 1, "count": 5}}}', "finite"),
        ('{"format": 1, "source": "", "columns": {"duration": {"low": 2}}}', "not a file of thresholds"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str, fault: str):
    path = tmp_path / "bins.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BinsError, match=fault) as caught:
        Bins.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(BinsError, match="cannot be read"):
        Bins.load(tmp_path / "nothing.json")


def test_the_packaged_thresholds_cover_every_measure():
    bins = Bins.default()
    assert set(bins.thresholds) == set(MEASURES)
    for name, limits in bins.thresholds.items():
        assert limits.low < limits.high, name
        assert limits.count > 3000
