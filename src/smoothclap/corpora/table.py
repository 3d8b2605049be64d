"""Any corpus of one's own: a CSV, TSV or Parquet file with a column map, or an audformat database."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from smoothclap.corpora.corpus import Corpus
from smoothclap.corpora.database import read_database
from smoothclap.corpora.emotions import canonical
from smoothclap.corpora.folder import require
from smoothclap.corpora.schema import (
    COLUMNS,
    INDEX,
    LABELS,
    CorpusError,
    Problem,
    attach_problems,
    clip_index,
    make_table,
)
from smoothclap.corpora.values import gender, holds_for_all, language_code

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
WORDS = [name for name, dtype in COLUMNS.items() if dtype == "string"]
# In a column of numbers these mean "not known"; in a column of words only the empty cell does, since "NA"
# may well be a speaker.
NOT_A_NUMBER = ["", "NA", "<NA>", "NaN", "nan"]


def read(path: Path, *, name: str, **columns: str) -> pd.DataFrame:
    """Read a table file or an audformat database.

    A standard column is taken from the column of the same name, or from the one `columns` gives. Where
    `language`, `gender` or `split` are given a value that is no column but is a language, a gender or a split,
    every clip gets that value. Words are trimmed; emotions and genders become canonical. Other columns of a
    table file pass through untouched, save those whose standard name is taken from elsewhere.

    Args:
        path: .csv, .tsv, .tab or .parquet; or an audformat database, as its folder (with `db.yaml`) or its
            .yaml header. Paths inside are relative to its folder.
        name: the corpus' name, put before every speaker.
        columns: the file's column by standard column, `file`, `start` or `end` (the latter in seconds). In a
            database a column may be written `table.column`.

    Returns:
        The table of `schema`.

    Raises:
        CorpusError: the file or a column is absent, or holds what it cannot hold.
    """
    require(path)
    if path.is_dir() or path.suffix in (".yaml", ".yml"):
        header = path / "db.yaml" if path.is_dir() else path
        rows = read_database(header, columns)
        folder = header.parent
    else:
        rows = read_file(path, columns)
        folder = path.parent
    try:
        return tabulate(rows, folder, name)
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from error


def read_file(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Read a CSV, TSV or Parquet file, its mapped columns under their standard names."""
    suffix = path.suffix.lower()
    if suffix != ".parquet" and suffix not in SEPARATORS:
        kinds = ", ".join([*SEPARATORS, ".parquet"])
        raise CorpusError(f"{path}: not a table; give {kinds}, or an audformat database (folder or .yaml)")
    try:
        if suffix == ".parquet":
            rows = pd.read_parquet(path)
            rows = rows.reset_index() if rows.index.names != [None] else rows
            rows.columns = rows.columns.map(str)
            chosen = choose(list(rows.columns), columns, path)
        else:
            how = {"sep": SEPARATORS[suffix], "encoding": "utf-8-sig", "keep_default_na": False}
            header = list(pd.read_csv(path, nrows=0, **how).columns)
            chosen = choose(header, columns, path)
            text = {chosen[key] for key in ["file", *WORDS] if key in chosen}
            empty = {column: [""] if column in text else NOT_A_NUMBER for column in header}
            rows = pd.read_csv(path, dtype=dict.fromkeys(text, "string"), na_values=empty, **how)
    except (OSError, ValueError) as error:  # pandas' and pyarrow's parsing errors are ValueErrors
        raise CorpusError(f"{path}: cannot be read as {suffix} ({str(error).splitlines()[0]})") from error
    if suffix != ".parquet" and not isinstance(rows.index, pd.RangeIndex):
        raise CorpusError(
            f"{path}: its rows have more cells than its header; quote cells that hold the separator"
        )
    if rows.empty:
        raise CorpusError(f"{path}: holds no row; give a table with a row a clip")
    extras = [
        column for column in rows.columns if column not in chosen.values() and column not in known_columns()
    ]
    standard = {key: rows[column].array for key, column in chosen.items()}
    given = {key: value for key, value in columns.items() if key not in chosen}
    return pd.concat([pd.DataFrame({**standard, **given}, index=rows.index), rows[extras]], axis=1)


def known_columns() -> list[str]:
    """The index levels and standard columns: what a column of a table can be mapped to."""
    return [*INDEX, *COLUMNS]


def choose(present: list[str], columns: Mapping[str, str], path: Path) -> dict[str, str]:
    """Decide which column of a table file is which standard column.

    Args:
        present: the columns of the file.
        columns: what the user said, by standard column.
        path: the file, for messages.

    Returns:
        The file's column by standard column; a value that `holds_for_all` accepts is left out.

    Raises:
        CorpusError: a column said is absent, or there is no `file` or no label column.
    """
    listing = f"its columns: {', '.join(map(str, present))}"
    chosen = {key: key for key in known_columns() if key in present}
    for key, column in columns.items():
        if column in present:
            chosen[key] = column
        elif holds_for_all(key, column):
            chosen.pop(key, None)
        else:
            near = get_close_matches(column, map(str, present), n=1)
            hint = f"; did you mean {key}={near[0]}?" if near else ""
            raise CorpusError(f"{path}: no column '{column}' ({key}={column}); {listing}{hint}")
    if "file" not in chosen:
        raise CorpusError(f"{path}: no column 'file'; say which holds the sound files: file=COLUMN; {listing}")
    if not any(label in chosen for label in LABELS):
        near = get_close_matches("emotion", map(str, present), n=1, cutoff=0.5)
        hint = f"; did you mean emotion={near[0]}?" if near else ""
        raise CorpusError(f"{path}: no label column ({', '.join(LABELS)}); say emotion=COLUMN; {listing}{hint}")
    return chosen


def tabulate(rows: pd.DataFrame, folder: Path, name: str) -> pd.DataFrame:
    """Make the table of rows whose mapped columns already have their standard names.

    Args:
        rows: a row a clip; `file` relative to `folder`.
        folder: where the sound files lie.
        name: the corpus' name.

    Raises:
        CorpusError: a row without a file, a time that is none, a word where a number belongs.
    """
    raw = {key: words(rows[key]) for key in ["file", *WORDS] if key in rows}
    clean = {key: column.str.strip().replace("", pd.NA) for key, column in raw.items()}
    if without := int(clean["file"].isna().sum()):
        first = clean["file"].isna().argmax() + 1
        raise CorpusError(f"{without} rows name no file (the first is row {first}); fill or remove them")
    for key, normalise in {
        "emotion": canonical,
        "gender": gender,
        "language": language_code,
        "split": str.lower,
    }.items():
        if key in clean:
            clean[key] = clean[key].map(normalise, na_action="ignore").astype("string")
    if "speaker" in clean:
        clean["speaker"] = f"{name}/" + clean["speaker"]
    files = [folder / file for file in clean.pop("file")]
    start = times(rows, "start").fillna(pd.Timedelta(0))
    end = times(rows, "end")
    if (wrong := (start < pd.Timedelta(0)) | (end <= start)).any():
        raise CorpusError(f"row {wrong.argmax() + 1}: a clip must start at 0 or later and end after it starts")
    others = {key: rows[key].array for key in rows if key not in clean and key not in INDEX}
    table = make_table(
        clip_index(files, start.tolist(), end.tolist()),
        **{key: column.array for key, column in clean.items()},
        **others,
    )
    problems = [
        problem
        for key in ("emotion", "speaker", "split")
        if key in clean
        for problem in merged(key, raw[key], clean[key])
    ]
    return attach_problems(table, problems)


def words(column: pd.Series) -> pd.Series:
    """Turn a column of anything into one of words: 3.0 among whole numbers is "3", not "3.0"."""
    return column.astype(object).convert_dtypes().astype("string")


def times(rows: pd.DataFrame, key: str) -> pd.Series:
    """The column `key` as timedelta: numbers are seconds; NaT where the column or a cell is empty."""
    if key not in rows:
        return pd.Series(pd.NaT, index=rows.index, dtype="timedelta64[ns]")
    column = rows[key]
    if pd.api.types.is_timedelta64_dtype(column):
        return column
    seconds = pd.to_numeric(column, errors="coerce")
    if seconds.notna().equals(column.notna()):
        return pd.to_timedelta(seconds, unit="s")
    try:
        # pandas would take the text "1.5" for nanoseconds: text is a time only where none of it is a number.
        return pd.to_timedelta(column.where(seconds.isna(), "seconds among other times"))
    except ValueError as error:
        raise CorpusError(f"column '{key}' holds what is no time ({error}); give seconds") from error


def merged(key: str, raw: pd.Series, clean: pd.Series) -> list[Problem]:
    """Tell of labels that were written in several ways and are now one."""
    spellings = raw.dropna().groupby(clean).unique()
    return [
        Problem(
            "labels merged",
            f"{key}: {', '.join(repr(str(word)) for word in sorted(variants))} are all taken as '{label}'",
        )
        for label, variants in spellings.items()
        if len(variants) > 1
    ]


def default_name(path: Path) -> str:
    """The name of a table that was given none: the file's stem, or the name of a database's folder."""
    named = path.parent if path.suffix in (".yaml", ".yml") else path
    return re.sub(r"\s+", "-", named.absolute().stem)


CORPUS = Corpus(
    name="table",
    title="a table of your own, or an audformat database",
    language="",
    licence="yours",
    layout="PATH,file=path,speaker=talker,emotion=feeling,language=ur,name=urdu: what = column of the file",
    read=read,
    options=("name", *INDEX, *COLUMNS),
)
