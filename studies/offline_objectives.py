"""Do soft targets help? Both offline towers, four objectives, five seeds, tested on corpora never trained on.

    python studies/offline_objectives.py --corpora FOLDER --runs FOLDER        # trains what is missing, resumes
    python studies/offline_objectives.py --table-only                          # only remakes the tables

Every run is the two commands a user would type, `smoothclap train` and `smoothclap evaluate`. What is committed
under results/offline-objectives/: `runs/*.json` (each run's results.json), `predictions.parquet` (every answer
of every run, for other statistics), `training.csv` (how each run went) and `README.md` (the tables, made from
those alone).
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from smoothclap.evaluation.metrics import paired_difference, speaker_interval
from smoothclap.files import replacing, write_text
from smoothclap.training import history

ROOT = Path(__file__).parents[1]
OUT = ROOT / "results" / "offline-objectives"
SEEDS = range(5)
TOWERS = ("logmel", "functionals")
OBJECTIVES = {
    "clap": ["objective.name=clap"],
    "smoothclap-ablation": ["objective.preset=ablation"],
    "smoothclap-setup": ["objective.preset=setup"],
    "label_smoothing": ["objective.name=label_smoothing", "objective.beta=0.1"],
}
COMPARED = (
    ("smoothclap-ablation", "clap"),
    ("smoothclap-ablation", "label_smoothing"),
    ("smoothclap-setup", "clap"),
    ("smoothclap-setup", "label_smoothing"),
)
TASKS = ("ravdess", "tess")
TABLE = "file=path,speaker=talker,emotion=feeling"


JOBS = [(tower, objective, seed) for tower in TOWERS for seed in SEEDS for objective in OBJECTIVES]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--corpora", type=Path, help="folder with emodb emovo nemo urdu emotiontts ravdess tess"
    )
    options.add_argument("--runs", type=Path, help="folder for models and features (about 100 MB a run)")
    options.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time, one core each")
    options.add_argument("--table-only", action="store_true", help="remake the tables from what is committed")
    given = options.parse_args()
    if not given.table_only:
        if given.corpora is None or given.runs is None:
            options.error("--corpora and --runs are needed (or --table-only)")
        with ThreadPoolExecutor(given.jobs) as pool:
            list(pool.map(lambda job: run(given.corpora, given.runs, *job), JOBS))
        collect(given.runs)
    write_text(OUT / "README.md", page())


def run(corpora: Path, runs: Path, tower: str, objective: str, seed: int) -> None:
    """Train and evaluate one model, unless that was done."""
    name = f"{tower}-{objective}-{seed}"
    model, result = runs / "models" / name, runs / "results" / name
    if (result / "results.json").is_file():
        return
    training = [f"{corpus}={corpora / corpus}" for corpus in ("emodb", "emovo", "nemo")]
    training += [f"table={corpora / 'urdu' / 'table.csv'},{TABLE},language=ur,name=urdu"]
    training += [f"table={corpora / 'emotiontts' / 'table.csv'},{TABLE},language=ko,name=emotiontts"]
    settings = [f"audio.tower={tower}", *OBJECTIVES[objective], f"seed={seed}"]
    recipe = str(ROOT / "recipes" / "offline.yaml")
    shared = ["--store", str(runs / "features"), "--workers", "1"]
    command(
        ["train", recipe, "-o", str(model), "--resume", *shared], ("--corpus", training), ("--set", settings)
    )
    tasks = [f"{task}={corpora / task}" for task in TASKS]
    command(["evaluate", str(model), "-o", str(result), "--adapt", "collection", *shared], ("--task", tasks))
    print(f"done: {name}", flush=True)


def command(words: list[str], *repeated: tuple[str, list[str]]) -> None:
    """Run `smoothclap` on one core."""
    for option, values in repeated:
        words = words + [word for value in values for word in (option, value)]
    program = str(Path(sys.executable).with_name("smoothclap"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([program, *words], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"smoothclap {' '.join(words)}\n{done.stderr}")


def collect(runs: Path) -> None:
    """Copy what is committed out of the runs."""
    answers, trained = [], []
    for tower, objective, seed in JOBS:
        name = f"{tower}-{objective}-{seed}"
        trained.append(
            {"tower": tower, "objective": objective, "seed": seed, **training(runs / "models" / name)}
        )
        folder = runs / "results" / name
        write_text(OUT / "runs" / f"{name}.json", (folder / "results.json").read_text())
        for task in TASKS:
            table = pd.read_parquet(folder / f"predictions-{task}.parquet").reset_index()
            table = table[["file", "speaker", "truth", "prediction", "adapted"]]
            answers.append(table.assign(task=task, tower=tower, objective=objective, seed=seed))
    write_text(OUT / "training.csv", pd.DataFrame(trained).round(4).to_csv(index=False))
    table = pd.concat(answers, ignore_index=True)
    text = table.columns[table.dtypes != "int64"]
    with replacing(OUT / "predictions.parquet") as beside:
        table.astype(dict.fromkeys(text, "category")).to_parquet(beside, compression="zstd")


def training(model: Path) -> dict[str, float]:
    """How a run went: the last validation UAR, and what its targets were like on average."""
    log = history.read(model)
    steps = pd.DataFrame([row for row in log if row["kind"] == "step"])
    columns = ["target_entropy", "off_diagonal_mass", "duplicate_captions"]
    return {
        "validation_uar": log[-1]["validation_uar"],
        **steps[columns].mean(),
        "scale": steps["scale"].iloc[-1],
    }


def page() -> str:
    """The tables, in Markdown."""
    results = {path.stem: json.loads(path.read_text()) for path in sorted((OUT / "runs").glob("*.json"))}
    answers = pd.read_parquet(OUT / "predictions.parquet")
    lines = [
        "# Soft targets or not: offline towers, five seeds",
        "",
        "Trained on emodb, emovo, urdu, emotiontts and two fifths of nemo; tested zero-shot on ravdess actors "
        "1-12 (720 of 1,440 clips) and every fourth word of tess (700 of 2,800, 2 speakers), which no run "
        "was trained, validated or tuned on. The label words are the prompts (`{}`), argmax of the cosine. UAR "
        "is the mean over seeds 0-4, ± the standard deviation over seeds; the interval resamples *speakers* "
        "(95 %, the seeds averaged in each resample). `adapted` is label-free adaptation to the whole test "
        "collection (`--adapt collection`), so not plain zero-shot.",
        "",
        "Made by `python studies/offline_objectives.py --corpora FOLDER --runs FOLDER` from `runs/*.json` and "
        "`predictions.parquet` beside this page. What it means: `docs/soft-targets.md`.",
    ]
    trained = pd.read_csv(OUT / "training.csv").groupby(["tower", "objective"], sort=False).mean()
    lines += [
        "",
        "## Training",
        "",
        "Validation is on held-out speakers of the training corpora; means of five seeds.",
    ]
    lines += [
        "",
        "| tower | objective | validation UAR | target entropy, nats | target mass off the diagonal |",
    ]
    lines += ["|---|---|---|---|---|"]
    for (tower, objective), mean in trained.iterrows():
        numbers = f"{mean.validation_uar:.3f} | {mean.target_entropy:.3f} | {mean.off_diagonal_mass:.3f}"
        lines.append(f"| {tower} | {objective} | {numbers} |")
    for task in TASKS:
        one = task_of(next(iter(results.values())), task)
        lines += [
            "",
            f"## {one['title']}: {one['n']} clips, {one['speakers']} speakers, chance {one['chance']:.3f}",
        ]
        lines += ["", f"Prompts: {', '.join(one['prompts'])}.", ""]
        lines += ["| tower | objective | UAR | 95 % interval | accuracy | over templates | adapted |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for tower in TOWERS:
            for objective in OBJECTIVES:
                lines.append(row(results, answers, task, tower, objective))
        lines += ["", "Paired by speaker, seeds averaged (p: two-sided, never below 2^(1 - speakers)):", ""]
        lines += ["| tower | difference | UAR | 95 % interval | p |", "|---|---|---|---|---|"]
        for tower in TOWERS:
            for a, b in COMPARED:
                lines.append(comparison(answers, one["classes"], task, tower, a, b))
        for objective in ("clap", "smoothclap-ablation"):
            lines += [
                "",
                f"Where the clips of each emotion went, per cent, logmel, {objective}, seeds together:",
                "",
            ]
            lines += confusion(results, task, "logmel", objective)
    return "\n".join(lines) + "\n"


def task_of(result: dict, task: str) -> dict:
    return next(one for one in result["tasks"] if one["task"] == task)


def row(results: dict, answers: pd.DataFrame, task: str, tower: str, objective: str) -> str:
    tasks = [task_of(results[f"{tower}-{objective}-{seed}"], task) for seed in SEEDS]
    truth, runs, speakers = predictions(answers, task, tower, objective)
    interval, _ = speaker_interval(truth, runs, tasks[0]["classes"], speakers)
    uar = [one["uar"] for one in tasks]
    adapted = [one["adapted"]["uar"] for one in tasks]
    spread = [template["uar"] for one in tasks for template in one["templates"]]
    accuracy = np.mean([one["accuracy"] for one in tasks])
    return (
        f"| {tower} | {objective} | **{np.mean(uar):.3f}** ± {np.std(uar, ddof=1):.3f} | "
        f"{interval[0]:.3f} to {interval[1]:.3f} | {accuracy:.3f} | {min(spread):.3f} to {max(spread):.3f} | "
        f"{np.mean(adapted):.3f} ± {np.std(adapted, ddof=1):.3f} |"
    )


def comparison(answers: pd.DataFrame, classes: list[str], task: str, tower: str, a: str, b: str) -> str:
    truth, runs_a, speakers = predictions(answers, task, tower, a)
    _, runs_b, _ = predictions(answers, task, tower, b)
    found = paired_difference(truth, runs_a, runs_b, classes, speakers)
    return (
        f"| {tower} | {a} - {b} | {found.value:+.3f} | {found.interval[0]:+.3f} to {found.interval[1]:+.3f} | "
        f"{found.p:.3f} |"
    )


def confusion(results: dict, task: str, tower: str, objective: str) -> list[str]:
    tasks = [task_of(results[f"{tower}-{objective}-{seed}"], task) for seed in SEEDS]
    counts = np.sum([one["confusion"] for one in tasks], axis=0)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    prompts = tasks[0]["prompts"]
    lines = [f"| acted ↓ heard as → | {' | '.join(prompts)} |", "|---" * (len(prompts) + 1) + "|"]
    for prompt, row in zip(prompts, shares, strict=True):
        lines.append(f"| {prompt} | {' | '.join(f'{share:.0f}' for share in row)} |")
    return lines


def predictions(answers: pd.DataFrame, task: str, tower: str, objective: str) -> tuple[list, list[list], list]:
    """Truth, each seed's answers, and speakers, of the same clips in the same order."""
    chosen = answers[(answers.task == task) & (answers.tower == tower) & (answers.objective == objective)]
    seeds = [chosen[chosen.seed == seed].sort_values("file") for seed in SEEDS]
    first = seeds[0]
    return list(first.truth), [list(one.prediction) for one in seeds], list(first.speaker)


if __name__ == "__main__":
    main()
