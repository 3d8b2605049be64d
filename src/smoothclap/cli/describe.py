"""`smoothclap describe`: how a clip is said, measured and in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from smoothclap.cli.common import Json, Store, Strict, Workers, emit, say
from smoothclap.errors import SmoothClapError
from smoothclap.files import replacing

if TYPE_CHECKING:
    import pandas as pd

    from smoothclap.store import Reject

SUFFIXES = frozenset(
    {".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".w64", ".wav"}
)
"""What is taken for a sound file in a folder; a file named by itself may be called anything."""


class DescribeError(SmoothClapError):
    """There is nothing to describe, or nothing could be described."""


def describe(
    audio: Annotated[list[Path], typer.Argument(help="Sound files, or folders searched for sound files.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write a Parquet table here instead of printing.")
    ] = None,
    style: Annotated[
        Literal["natural", "tags"], typer.Option(help="The caption's wording: a fluent sentence, or every tag.")
    ] = "natural",
    model: Annotated[
        Path | None, typer.Option(help="A trained model's directory: use its bins.json.", metavar="DIR")
    ] = None,
    bins: Annotated[
        Path | None,
        typer.Option(help="Thresholds (bins.json) to use in place of the packaged ones.", metavar="FILE"),
    ] = None,
    store: Store = None,
    workers: Workers = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Describe how clips are said: pitch, loudness, voice quality and length, measured and in words.

    Low, normal and high are relative to the clips the thresholds were fitted on.
    Measures are kept: the same clips again need no audio work, and a stopped
    run goes on where it was.

    Needs openSMILE (the extra 'opensmile'), whose licence allows research and
    personal use only.

    Example: smoothclap describe interview.wav recordings/ -o described.parquet
    """
    import numpy as np
    import pandas as pd

    from smoothclap.corpora.schema import clip_index
    from smoothclap.paralinguistics.bins import Bins
    from smoothclap.paralinguistics.captions import caption, tag_table
    from smoothclap.paralinguistics.egemaps import FunctionalsExtractor, measures
    from smoothclap.store import FeatureStore

    if model is not None and bins is not None:
        raise typer.BadParameter("give --model or --bins, not both")
    if model is not None:
        bins = model / "bins.json"
    thresholds = Bins.default() if bins is None else Bins.load(bins)
    files = sound_files(audio)
    features = FeatureStore(store).compute(
        clip_index(files), FunctionalsExtractor(), workers=workers, strict=strict
    )

    values = measures(features.stack() if len(features) else np.zeros((0, 89), dtype=np.float32))
    tags = tag_table(values, values, thresholds)
    table = values.set_axis(features.index)
    for column in values.columns:
        table[f"{column}_tag"] = pd.array([tag.get(column) for tag in tags], dtype="string")
    table.insert(0, "caption", [caption(tag, style=style) for tag in tags])
    if output is not None and len(table):
        with replacing(output) as beside:
            table.to_parquet(beside)
    if json:
        clips = _as_json(table, values, tags)
        rejects = [asdict(reject) for reject in features.rejects]
        emit({"thresholds": thresholds.source, "clips": clips, "rejects": rejects})
    elif output is None:
        _print(table, values, tags)
    _report(table, features.rejects, features.reused, output)


def sound_files(paths: Sequence[Path]) -> list[Path]:
    """Files as they are named, and every sound file in and below the folders, sorted, each once.

    Raises:
        DescribeError: a path does not exist, or a folder holds no sound file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(
                file
                for file in path.absolute().rglob("*")
                if file.suffix.lower() in SUFFIXES and file.is_file()
            )
            if not inside:
                raise DescribeError(f"{path}: no sound file in this folder; name another")
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path.absolute()] = None
        else:
            raise DescribeError(f"{path}: no such file or folder; check the path")
    return list(found)


def _as_json(table: "pd.DataFrame", values: "pd.DataFrame", tags: list[dict[str, str]]) -> list[dict[str, Any]]:
    clips = []
    measured = values.to_dict("records")
    for (file, start, end), caption, value, tag in zip(
        table.index, table["caption"], measured, tags, strict=True
    ):
        clips.append(
            {
                "file": file,
                "start": start.total_seconds(),
                "end": None if end != end else end.total_seconds(),  # NaT, the end of the file, equals nothing
                "caption": caption,
                "tags": tag,
                "values": {name: None if number != number else number for name, number in value.items()},
            }
        )
    return clips


def _print(table: "pd.DataFrame", values: "pd.DataFrame", tags: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from smoothclap.paralinguistics.egemaps import UNITS

    console = Console()
    measured = values.to_dict("records")
    for (file, _, _), caption, value, tag in zip(table.index, table["caption"], measured, tags, strict=True):
        console.print(f"[bold]{escape(file)}[/bold]\n{escape(caption)}", highlight=False, soft_wrap=True)
        grid = Table("measure", "value", "unit", "tag")
        for name, number in value.items():
            shown = "-" if number != number else f"{number:.3g}"
            grid.add_row(name, shown, UNITS[name], tag.get(name, "-"))
        console.print(grid)


def _report(table: "pd.DataFrame", rejects: "list[Reject]", reused: int, output: Path | None) -> None:
    if len(rejects) == 1 and not len(table):
        raise DescribeError(rejects[0].message)
    for reject in rejects:
        say(reject.message)
    counts = ", ".join(f"{n} {fault}" for fault, n in Counter(reject.fault for reject in rejects).most_common())
    if not len(table):
        raise DescribeError(f"none of {len(rejects)} clips could be described: {counts}")
    written = "" if output is None else f", written to {output}"
    refused = f"; {len(rejects)} refused: {counts}" if rejects else ""
    say(f"{len(table)} clips described ({reused} already measured){written}{refused}")
