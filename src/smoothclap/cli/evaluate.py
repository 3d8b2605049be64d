"""`smoothclap evaluate`: a trained model on corpora it has not seen."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smoothclap.cli.common import Json, Store, Strict, Workers, emit, say

if TYPE_CHECKING:
    from smoothclap.evaluation.metrics import Scores
    from smoothclap.evaluation.results import Results


class Adaptation(StrEnum):
    """Label-free adaptations."""

    collection = "collection"


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="DIR", help="Model directory: the output of `smoothclap train`.")
    ],
    task: Annotated[
        list[str],
        typer.Option(
            "--task",
            metavar="NAME=PATH",
            help="A task and the folder of its corpus; may be repeated. Names: ravdess, tess, crema-d, emodb, "
            "emovo, nemo, demo, and for a corpus of your own table=FILE,file=COLUMN,emotion=COLUMN,name=NAME.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Folder for results.json, report.html and predictions."
        ),
    ],
    adapt: Annotated[
        Adaptation | None,
        typer.Option(
            help="Also adapt to the whole test collection without labels: reported apart, not plain zero-shot."
        ),
    ] = None,
    store: Store = None,
    workers: Workers = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Test a model zero-shot: the words for the classes are the queries.

    Example: smoothclap evaluate runs/smoothclap --task ravdess=data/RAVDESS --task tess=data/TESS -o
        results/smoothclap
    """
    from smoothclap.evaluation import results, tasks
    from smoothclap.evaluation.run import run
    from smoothclap.inference import SmoothCLAP
    from smoothclap.store import FeatureStore

    opened = [tasks.open_task(spec) for spec in task]
    names = [one.name for one, _ in opened]
    for name in names:
        if names.count(name) > 1:
            raise tasks.TaskError(f"--task {name}: given twice; name tables of your own apart with name=NAME")
    found, _ = run(
        SmoothCLAP.from_pretrained(model),
        opened,
        output,
        store=FeatureStore(store),
        adapt=adapt is not None,
        workers=workers,
        strict=strict,
        on_task=lambda one, corpus: say(
            f"{one.title}: {len(corpus.table):,} clips, {len(one.classes)} classes"
        ),
    )
    if json:
        emit(results.to_json(found))
    else:
        _show(found)
    say(f"report: {output / 'report.html'}")


def _show(found: "Results") -> None:
    """Print a compact table, and below it what must not be overlooked."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from smoothclap.evaluation import notes, published

    table = Table(box=SIMPLE_HEAD)
    for heading in ("task", "n", "UAR", "95 % interval", "chance", "accuracy", "published"):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    below = []
    for result in found.tasks:
        paper = published.uar("SmoothCLAP", result.task)
        rows: list[tuple[str, Scores, str]] = [
            (result.task, result, notes.decimal(paper) if paper is not None else "")
        ]
        if result.adapted:
            rows.append(("  adapted *", result.adapted, ""))
        for name, scores, beside in rows:
            cells = [
                name,
                f"{scores.n:,}",
                notes.decimal(scores.uar),
                notes.interval_text(scores.interval),
                notes.decimal(result.chance),
                notes.decimal(scores.accuracy),
                beside,
            ]
            # Names and labels are a user's text, which rich would otherwise read as markup.
            table.add_row(*map(Text, cells))
        below += [f"{result.task}: {line}" for line in notes.warnings(result) + notes.caveats(result)]
    console = Console(highlight=False)
    console.print(table)
    for line in below:
        console.print(Text(line))
    if any(result.adapted for result in found.tasks):
        console.print(Text("* not plain zero-shot: the whole collection was seen without labels"))
