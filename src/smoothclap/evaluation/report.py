"""The report: one HTML file that needs no network, made for people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from smoothclap import files
from smoothclap.evaluation import figures, notes, published
from smoothclap.evaluation.results import Results, ResultsError
from smoothclap.evaluation.zero_shot import Evaluation


def read_history(directory: Path) -> list[dict[str, Any]]:
    """Read a model's training history.

    Args:
        directory: the model's.

    Returns:
        The records of `history.jsonl`; none where the model has no such file.

    Raises:
        ResultsError: a line is not JSON.
    """
    path = directory / "history.jsonl"
    if not path.is_file():
        return []
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise ResultsError(
                f"{path}: line {number} is not JSON ({error}); remove the file or train again"
            ) from error
    return records


def write(
    path: Path, results: Results, evaluations: Sequence[Evaluation], history: Sequence[Mapping[str, Any]]
) -> None:
    """Write the report.

    Args:
        path: of the HTML file.
        results: what is reported.
        evaluations: of the same tasks in the same order, for the drawings.
        history: the model's training (`read_history`); may be empty.

    Raises:
        WriteError: the file cannot be written.
    """
    planes = [
        figures.plane(
            one.vectors, one.prompt_vectors, list(one.predictions["truth"]), task.classes, task.prompts
        )
        for one, task in zip(evaluations, results.tasks, strict=True)
    ]
    page = _environment().get_template("report.html.jinja")
    files.write_text(
        path,
        page.render(
            results=results,
            planes=planes,
            curves=figures.curves(history) if history else None,
            systems=published.SYSTEMS,
            notes=notes,
        ),
    )


def _environment() -> Environment:
    # Labels, paths and names are a user's text: everything is escaped but our own drawings.
    environment = Environment(
        loader=PackageLoader("smoothclap.evaluation", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["decimal"] = notes.decimal
    environment.filters["interval"] = notes.interval_text
    return environment
