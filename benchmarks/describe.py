"""`smoothclap describe` on N workers against one plain openSMILE process, and its peak memory by corpus size.

    python benchmarks/describe.py [-o FILE]

Both sides run as processes of their own, in turn, over the same synthetic clips, start-up included; the ratio
is of the best times. `plain` is `opensmile.Smile.process_files`, as a user without smoothclap would run it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer

from smoothclap.files import write_json

RATE = 16_000
DESCRIBE = "import typer; from smoothclap.cli.describe import describe; typer.run(describe)"
MEASURED = """
import resource, sys
try:
    {describe}
finally:
    peak = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(*peak, file=sys.stderr)
"""
PLAIN = """
import sys, opensmile
from pathlib import Path
smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
smile.process_files(sorted(map(str, Path(sys.argv[1]).glob("*.wav")))).to_parquet(sys.argv[2])
"""


def write_clips(folder: Path, count: int, seconds: float) -> Path:
    """Buzzes with vibrato over a little noise, each with a pitch of its own, 16 bit."""
    folder.mkdir()
    t = np.arange(round(seconds * RATE)) / RATE
    for i in range(count):
        draw = np.random.default_rng(i)
        phase = 2 * np.pi * np.cumsum(draw.uniform(90, 260) * (1 + 0.05 * np.sin(2 * np.pi * 4 * t))) / RATE
        wave = sum(np.sin(k * phase) / k for k in range(1, 15)) + draw.normal(0, 0.02, len(t))
        soundfile.write(folder / f"{i:05}.wav", 0.1 * wave, RATE, subtype="PCM_16")
    return folder


def seconds_of(script: str, *arguments: object) -> tuple[float, str]:
    """Wall time of a Python process and what it wrote on standard error."""
    began = time.perf_counter()
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, done.stderr


def main(
    output: Annotated[Path, typer.Option("-o")] = Path("results/benchmarks/describe.json"),
    clips: Annotated[int, typer.Option(help="Clips of 3 s for the speed.")] = 800,
    small: Annotated[int, typer.Option(help="Clips of 1 s for the memory, fewer.")] = 200,
    large: Annotated[int, typer.Option(help="Clips of 1 s for the memory, more.")] = 1600,
    rounds: int = 3,
) -> None:
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        folder = write_clips(here / "speed", clips, 3.0)
        plain, described = [], []
        for turn in range(rounds):
            plain.append(seconds_of(PLAIN, folder, here / "plain.parquet")[0])
            fresh = ("--store", here / f"store{turn}", "-o", here / "out.parquet", "--workers", workers)
            described.append(seconds_of(DESCRIBE, folder, *fresh)[0])
        again = seconds_of(DESCRIBE, folder, *fresh)[0]

        memory = []
        for count in (small, large):
            folder = write_clips(here / f"memory{count}", count, 1.0)
            fresh = ("--store", here / f"memory-store{count}", "-o", here / "out.parquet", "--workers", workers)
            errors = seconds_of(MEASURED.format(describe=DESCRIBE), folder, *fresh)[1]
            own, worker = (int(peak) / 1024 for peak in errors.splitlines()[-1].split())
            memory.append({"clips": count, "parent_mib": round(own, 1), "largest_worker_mib": round(worker, 1)})

    ratio = min(plain) / min(described)
    result = {
        "what": "smoothclap describe on N workers against one openSMILE process; peak resident memory",
        "workers": workers,
        "clips": clips,
        "clip_seconds": 3.0,
        "plain_seconds": [round(t, 2) for t in plain],
        "describe_seconds": [round(t, 2) for t in described],
        "describe_again_seconds": round(again, 2),
        "ratio": round(ratio, 3),
        "ratio_per_worker": round(ratio / workers, 3),
        "memory": memory,
        "versions": {name: version(name) for name in ("smoothclap", "opensmile", "numpy")},
    }
    write_json(output, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    typer.run(main)
