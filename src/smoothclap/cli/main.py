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
    debug = "--debug" in sys.argv
    try:
        # --debug is taken anywhere on the line, for it is added to a command that has just failed.
        app(args=[word for word in sys.argv[1:] if word != "--debug"])
    except Exception as error:
        if debug:
            raise
        if isinstance(error, SmoothClapError):
            line = str(error)
        else:
            line = f"a fault of smoothclap itself ({type(error).__name__}: {' '.join(str(error).split())}); "
            line += "please report what --debug shows"
        print(f"smoothclap: {line}", file=sys.stderr)
        sys.exit(1)
