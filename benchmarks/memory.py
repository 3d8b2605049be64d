"""Peak memory of `smoothclap describe` and `smoothclap train` on N and on 4 N clips: is it flat?

    python benchmarks/memory.py [-o FILE]

Each command runs as a process of its own over synthetic clips. The peak is of resident memory, which counts the
pages of memory-mapped feature files although the system may take them back.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from describe import write_clips
from machine import facts

from smoothclap.files import write_json, write_text

OFFLINE = Path(__file__).parents[1] / "recipes" / "offline.yaml"
MEASURED = """
import resource, sys
from smoothclap.cli.main import app
try:
    app(sys.argv[1:], standalone_mode=False)
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(*arguments: object) -> float:
    """Peak resident memory in MiB of the command's own process (`describe.py` has its workers')."""
    command = [sys.executable, "-c", MEASURED, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return round(int(done.stdout.splitlines()[-1]) / 1024, 1)


def measure(here: Path, clips: int) -> dict[str, Any]:
    folder = write_clips(here / f"clips{clips}", clips, 1.0)
    files = sorted(folder.iterdir())
    rows = [f"{file.name},s{i % 8},{('angry', 'happy', 'sad')[i % 3]}" for i, file in enumerate(files)]
    table = folder / "table.csv"
    write_text(table, "\n".join(["file,speaker,emotion", *rows]) + "\n")
    store = ("--store", here / f"store{clips}")
    corpus = ("--corpus", f"table={table}", "--set", "optimiser.epochs=1")
    return {
        "clips": clips,
        "describe": peak("describe", folder, "-o", here / "described.parquet", *store),
        **{
            f"train_{tower}": peak(
                "train",
                OFFLINE,
                "-o",
                here / f"{tower}{clips}",
                *corpus,
                "--set",
                f"audio.tower={tower}",
                *store,
            )
            for tower in ("functionals", "logmel")
        },
    }


def main(
    output: Annotated[Path, typer.Option("-o")] = Path("results/benchmarks/memory.json"),
    clips: Annotated[int, typer.Option(help="N: clips of 1 s.")] = 400,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        few, many = (measure(Path(name), count) for count in (clips, 4 * clips))
    kinds = [kind for kind in few if kind != "clips"]
    result = {
        "what": "peak resident memory of a command on N and on 4 N clips, MiB",
        "sizes": [few, many],
        "ratio": {kind: round(many[kind] / few[kind], 3) for kind in kinds},
        "kib_per_clip": {kind: round((many[kind] - few[kind]) * 1024 / (3 * clips), 1) for kind in kinds},
        **facts("torch", "opensmile", "numpy"),
    }
    write_json(output, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    typer.run(main)
