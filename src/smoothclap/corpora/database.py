"""Reading an audformat database, the format in which the field shares its annotations."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import audformat
import pandas as pd
import yaml

from smoothclap.corpora.schema import COLUMNS, LABELS, CorpusError
from smoothclap.corpora.values import holds_for_all

# What audformat's databases usually call a standard column that goes by another name here.
USUAL = {"transcript": "transcription"}


def read_database(header: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Collect the standard columns of an audformat database, whichever tables they are in.

    Args:
        header: the database's .yaml file.
        columns: by standard column the name of a column, scheme or scheme's label, or `table.column`.

    Returns:
        A row a labelled clip: `file` (relative), `start`, `end` and the standard columns found.

    Raises:
        CorpusError: it cannot be loaded, or a column is absent or ambiguous.
    """
    if not header.is_file():
        raise CorpusError(
            f"{header.parent}: holds no audformat database (no {header.name}); give the table file itself"
        )
    _refuse_code(header)
    try:
        database = audformat.Database.load(str(header.parent), name=header.stem, load_data=True)
    except Exception as error:  # a broken header fails in as many ways as YAML can be wrong
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise CorpusError(f"{header}: audformat cannot load it ({reason}); check the database") from error
    if unfit := sorted(set(columns) & {"file", "start", "end"}):
        raise CorpusError(
            f"{header}: {unfit[0]}= is for table files; a database says its files and times itself"
        )
    found: dict[str, pd.Series] = {}
    given: dict[str, str] = {}
    for key in COLUMNS:
        if key not in columns:
            values = column_of(database, key, header)
            if values is None and key in USUAL:
                values = column_of(database, USUAL[key], header)
        elif (values := column_of(database, columns[key], header)) is None:
            if not holds_for_all(key, columns[key]):
                raise CorpusError(absent(database, key, columns[key], header))
            given[key] = columns[key]
        if values is not None:
            found[key] = values
    if "split" not in found and "split" not in given and (split := splits(database)) is not None:
        found["split"] = split
    labels = [found[key] for key in LABELS if key in found]
    if not labels:
        raise CorpusError(absent(database, "emotion", "emotion", header))
    index = clips_of([values.index for values in labels])
    rows = pd.DataFrame({key: align(values, index) for key, values in found.items()}, index=index)
    return rows.assign(**given).reset_index()


def _refuse_code(header: Path) -> None:
    """Stop before audformat reads what could run code: it takes pickled tables first, and YAML with any tag."""
    try:
        described = yaml.safe_load(header.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{header}: not plain YAML ({' '.join(str(error).split())}); check the file"
        ) from error
    described = described if isinstance(described, dict) else {}
    for name in [name for kind in ("tables", "misc_tables") for name in described.get(kind) or {}]:
        if Path(str(name)).name != str(name):
            raise CorpusError(f"{header}: table id '{name}' is a path; a table lies beside its header")
        pickled = header.parent / f"{header.stem}.{name}.pkl"
        if pickled.exists():
            raise CorpusError(
                f"{pickled}: a pickled table can run code and is not loaded; delete it, and its CSV or Parquet "
                "file is read (or save the database again with storage_format='csv')"
            )


def clips_of(indices: list[pd.Index]) -> pd.MultiIndex:
    """The clips to label: the segments, and whole files where no segment of them is labelled."""
    segments = [index for index in indices if not audformat.is_filewise_index(index)]
    files = audformat.utils.union([index for index in indices if audformat.is_filewise_index(index)])
    if segments:
        within = audformat.utils.union(segments).get_level_values("file")
        files = files[~files.isin(within)]
    return audformat.utils.union([*segments, to_segments(files)])


def column_of(database: audformat.Database, wanted: str, header: Path) -> pd.Series | None:
    """The values of `table.column`, or of a column, scheme or label of that name; None where there are none."""
    table, _, column = wanted.partition(".")
    if table in database.tables and column in database[table].columns:
        return database[table][column].get()
    try:
        values = database.get(wanted)
    except (TypeError, ValueError) as error:
        places = ", ".join(
            f"{t}.{c}" for t, c in all_columns(database) if wanted in (c, scheme(database, t, c))
        )
        raise CorpusError(
            f"{header}: '{wanted}' differs between {places}; say which: {wanted}=TABLE.COLUMN"
        ) from error
    return None if values.empty else values[wanted]


def scheme(database: audformat.Database, table: str, column: str) -> str | None:
    """The scheme of a column, if any."""
    name: str | None = database[table].columns[column].scheme_id
    return name


def all_columns(database: audformat.Database) -> list[tuple[str, str]]:
    """Every (table, column) of the database."""
    return [(table, column) for table in database.tables for column in database[table].columns]


def absent(database: audformat.Database, key: str, wanted: str, header: Path) -> str:
    """The message for a column that is not there."""
    places = [f"{table}.{column}" for table, column in all_columns(database)]
    near = get_close_matches(wanted, [*places, *(place.split(".", 1)[1] for place in places)], n=1)
    hint = f"; did you mean {key}={near[0]}?" if near else f"; say {key}=TABLE.COLUMN"
    return f"{header}: no column or scheme '{wanted}'; its columns: {', '.join(places)}{hint}"


def splits(database: audformat.Database) -> pd.Series | None:
    """The split of every clip, from the tables that belong to one; None where no table does."""
    parts = [
        pd.Series(database.splits[table.split_id].type, index=to_segments(table.index), dtype="object")
        for table in database.tables.values()
        if table.split_id is not None
    ]
    if not parts:
        return None
    split = pd.concat(parts)
    return split[~split.index.duplicated()]


def to_segments(index: pd.Index) -> pd.MultiIndex:
    """Turn an index of whole files into a segmented one with open ends."""
    return audformat.utils.to_segmented_index(index, allow_nat=True)


def align(values: pd.Series, index: pd.MultiIndex) -> list[object]:
    """Values for every clip of `index`; what is said of a whole file holds for every clip in it."""
    if audformat.is_filewise_index(values.index):
        return list(values.astype(object).reindex(index.get_level_values("file")))
    return list(values.astype(object).reindex(index))
