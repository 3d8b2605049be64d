"""`smoothclap corpus`: which corpora can be read, and what is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from smoothclap.cli.common import Json, emit, say

if TYPE_CHECKING:
    from smoothclap.corpora.check import Report

app = typer.Typer(help="Which corpora can be read, and what is in one of them.", no_args_is_help=True)


@app.command("list")
def list_corpora(json: Json = False) -> None:
    """List the corpora that can be read, with their official counts and the layout expected.

    Example: smoothclap corpus list
    """
    from smoothclap.corpora import CORPORA

    if json:
        fields = ("title", "language", "licence", "layout")
        emit(
            {
                "corpora": [
                    {"name": corpus.name}
                    | {field: getattr(corpus, field) for field in fields}
                    | {
                        "options": list(corpus.options),
                        "clips": corpus.official.clips if corpus.official else None,
                        "speakers": corpus.official.speakers if corpus.official else None,
                        "emotions": dict(corpus.official.emotions) if corpus.official else None,
                    }
                    for corpus in CORPORA.values()
                ]
            }
        )
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "what", "clips", "speakers", "licence")
    for corpus in CORPORA.values():
        counts = [str(corpus.official.clips), str(corpus.official.speakers)] if corpus.official else ["", ""]
        what = f"{corpus.title} ({corpus.language})" if corpus.language else corpus.title
        table.add_row(corpus.name, escape(what), *counts, escape(corpus.licence))
    console = Console(highlight=False)
    console.print(table)
    for corpus in CORPORA.values():
        console.print(f"[bold]{corpus.name}[/bold]  {escape(corpus.layout)}")


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="The kind of corpus; see `smoothclap corpus list`.")],
    path: Annotated[
        str, typer.Argument(help="Its folder; for `table`, the file with its options behind commas.")
    ],
    json: Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Leave with status 1 if there is any problem.")
    ] = False,
) -> None:
    """Count clips by speaker, emotion and duration, and tell every problem; opens every sound file.

    For `table`, every option says which column of the file holds what: file, start, end, speaker, gender,
    emotion, arousal, valence, dominance, transcript, language, split. A language, gender or split that is no
    column holds for every clip. A clip is clipped where more than 0.1 % of its samples are at full scale;
    clips are duplicates where their decoded samples are equal.

    Example: smoothclap corpus check emodb data/emodb

    Example: smoothclap corpus check table u.csv,file=path,speaker=talker,emotion=feeling,language=ur,name=urdu
    """
    from smoothclap.corpora import CorpusError, load_corpus
    from smoothclap.corpora.check import check as check_corpus

    report = check_corpus(load_corpus(f"{name}={path}"))
    if json:
        emit(report.as_dict())
    else:
        show(report)
    if strict and report.problems:
        raise CorpusError(f"{path}: problems found: {len(report.problems)}; mend them, or leave --strict out")
    if report.problems:
        say(f"problems found: {len(report.problems)}; all of them with --json")


def show(report: Report) -> None:
    """Print a report as tables on standard output."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    console = Console()
    corpus, official = report.corpus.corpus, report.corpus.corpus.official
    found = report.counts("emotion")
    speakers = report.counts("speaker")
    console.print(
        f"[bold]{escape(report.corpus.name)}[/bold]: {escape(corpus.title)}, {escape(str(report.corpus.path))}"
    )

    counts = Table("", "clips", *(["official"] if official else []))
    counts.add_row("all", str(len(report.corpus.table)), *([str(official.clips)] if official else []))
    counts.add_row(
        "speakers", str(len(speakers)), *([str(official.speakers)] if official else []), end_section=True
    )
    for emotion in sorted({*found, *(official.emotions if official else ())}):
        expected = [str(official.emotions.get(emotion, 0))] if official else []
        counts.add_row(escape(emotion), str(found.get(emotion, 0)), *expected)
    console.print(counts)

    table = Table("speaker", "clips")
    for speaker, count in speakers.items():
        table.add_row(escape(speaker), str(count))
    console.print(table)

    if durations := report.durations():
        parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in durations.items() if name != "total")
        console.print(f"duration: {parts}, total {durations['total'] / 60:.1f} min")

    if not report.problems:
        console.print("no problems")
        return
    kinds = Table("problem", "times", Column("the first of them", overflow="fold"))
    for kind in dict.fromkeys(problem.kind for problem in report.problems):
        same = [problem for problem in report.problems if problem.kind == kind]
        first = same[0]
        files = "".join(f"\n  {file}" for file in first.files[:3])
        more = f"\n  ... and {len(first.files) - 3} more" if len(first.files) > 3 else ""
        kinds.add_row(kind, str(len(same)), escape(first.message + files + more))
    console.print(kinds)
