"""What every verb shares: where messages go, JSON on standard output, and the options spelled once."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

Store = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Where frozen features are kept [default: $SMOOTHCLAP_STORE or ~/.cache/smoothclap]."
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Worker processes [default: one per core].")
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first bad clip instead of reporting it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def say(message: str) -> None:
    """Print a message for a person, on standard error, so that standard output stays for results."""
    print(message, file=sys.stderr, flush=True)


def emit(value: Any) -> None:
    """Print one machine-readable JSON object on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
