import pandas as pd
import pytest

from smoothclap.corpora.schema import (
    COLUMNS,
    CorpusError,
    Problem,
    attach_problems,
    attached_problems,
    clip_index,
    make_table,
)


def test_every_standard_column_is_there_and_nullable(tmp_path):
    table = make_table(clip_index(["a.wav", "b.wav"]), emotion=["sad", None], age=[3, 4], index=[7, 8])
    assert list(table.columns) == [*COLUMNS, "age", "index"]
    assert {name: str(table[name].dtype) for name in COLUMNS} == COLUMNS
    assert table["emotion"].isna().tolist() == [False, True]
    table.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)


def test_words_where_numbers_belong():
    with pytest.raises(CorpusError, match="column 'arousal'"):
        make_table(clip_index(["a.wav"]), arousal=["much"])


def test_the_index_is_absolute_and_open_ended():
    index = clip_index(["a.wav"])
    file, start, end = index[0]
    assert file.endswith("/a.wav")
    assert file.startswith("/")
    assert start == pd.Timedelta(0)
    assert pd.isna(end)


def test_problems_survive_parquet(tmp_path):
    table = attach_problems(make_table(clip_index(["a.wav"])), [Problem("odd", "message", ("a.wav",))])
    table.to_parquet(tmp_path / "t.parquet")
    assert attached_problems(pd.read_parquet(tmp_path / "t.parquet")) == [Problem("odd", "message", ("a.wav",))]
