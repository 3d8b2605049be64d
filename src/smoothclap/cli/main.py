"""The `smoothclap` command: one file a verb, heavy imports inside the functions, so `--help` is instant."""

import sys
from typing import Annotated

import typer

from smoothclap.cli import corpus
from smoothclap.cli.classify import classify
from smoothclap.cli.demo import demo
from smoothclap.cli.describe import describe
from smoothclap.cli.evaluate import evaluate
from smoothclap.cli.train import train
from smoothclap.errors import SmoothClapError

app = typer.Typer(
    name="smoothclap",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(corpus.app, name="corpus")
for verb in (demo, describe, train, evaluate, classify):
    app.command()(verb)


@app.callback()
def main(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of a fault.")] = False,
) -> None:
    """Understand how something is said, asked in plain words."""


def run() -> None:
    """Run the command line; a fault is one clear line and status 1, wrong usage is status 2."""
    try:
        app()
    except SmoothClapError as error:
        if "--debug" in sys.argv:
            raise
        print(f"smoothclap: {error}", file=sys.stderr)
        sys.exit(1)
