"""`smoothclap --help` against a Python that does nothing: how long a user waits for help.

    python benchmarks/startup.py [-o FILE]

Both are started in turn, each as a process of its own; the medians are compared.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from machine import facts

from smoothclap.files import write_json

AIM_SECONDS = 0.3
NOTHING = [sys.executable, "-c", "pass"]
HELP = [sys.executable, "-c", "from smoothclap.cli.main import run; run()", "--help"]


def seconds_of(command: list[str]) -> float:
    """Wall time of a process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(
    output: Annotated[Path, typer.Option("-o")] = Path("results/benchmarks/startup.json"), rounds: int = 20
) -> None:
    seconds_of(HELP)  # the first start fills the disk cache
    pairs = [(seconds_of(NOTHING), seconds_of(HELP)) for _ in range(rounds)]
    nothing, helped = (statistics.median(times) for times in zip(*pairs, strict=True))
    result = {
        "what": "median wall time of `smoothclap --help` against `python -c pass`, in turn",
        "rounds": rounds,
        "python_seconds": round(nothing, 4),
        "help_seconds": round(helped, 4),
        "ratio": round(helped / nothing, 2),
        "aim_seconds": AIM_SECONDS,
        **facts("typer"),
    }
    write_json(output, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    typer.run(main)
