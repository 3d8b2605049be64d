"""The log of a run, one JSON object a line, that survives a kill in the middle of a line."""

import json
from pathlib import Path
from typing import Any

from smoothclap.files import WriteError, write_text

FILE = "history.jsonl"


def read(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of a run's log, in order; a last line cut short by a kill is left out."""
    path = folder / FILE
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def rewind(folder: Path, step: int) -> list[dict[str, Any]]:
    """Forget what was logged after `step`, which will be done again; give what is left."""
    rows = [row for row in read(folder) if row["step"] <= step]
    write_text(folder / FILE, "".join(json.dumps(row) + "\n" for row in rows))
    return rows


def append(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Add lines.

    Raises:
        WriteError: the disk is full, or the folder may not be written to.
    """
    path = folder / FILE
    try:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror}); free space, then --resume") from error
