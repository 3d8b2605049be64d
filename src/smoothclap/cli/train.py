"""`smoothclap train`: from corpora to a model directory."""

from pathlib import Path
from typing import Annotated, Any

import typer

from smoothclap.cli.common import Json, Store, Strict, Workers, emit, say


def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/offline.yaml.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model directory to write.")],
    corpus: Annotated[
        list[str],
        typer.Option("--corpus", metavar="NAME=PATH", help="Give it once per corpus; see `corpus list`."),
    ],
    override: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of the recipe, as optimiser.epochs=20.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was killed.")] = False,
    store: Store = None,
    workers: Workers = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Train a model on one or more corpora and write it as a model directory.

    Validation is by held-out speakers of the training corpora. Killed at any moment, the same command
    with --resume ends with the same weights.

    Example: smoothclap train recipes/offline.yaml -o model --corpus emodb=EMODB --corpus nemo=NEMO
    """
    import time

    from smoothclap.corpora import load_corpus
    from smoothclap.store import FeatureStore
    from smoothclap.training.data import TrainingData
    from smoothclap.training.loop import train as run
    from smoothclap.training.recipe import load_recipe

    rejects: list[dict[str, Any]] = []
    epochs: list[dict[str, Any]] = []
    last = time.monotonic()

    def on_epoch(row: dict[str, Any]) -> None:
        nonlocal last
        now = time.monotonic()
        seconds, last = now - last, now
        epochs.append(row)
        uar = "none held out" if row["validation_uar"] is None else f"{row['validation_uar']:.3f}"
        left = seconds * (settings.optimiser.epochs - row["epoch"]) / 60
        say(
            f"epoch {row['epoch']:>3}/{settings.optimiser.epochs}  loss {row['loss']:.4f}  "
            f"validation UAR {uar}  {seconds:.1f} s an epoch, {left:.1f} min left"
        )

    def on_data(data: TrainingData) -> None:
        held = data.table["speaker"].iloc[data.validation].nunique()
        nonlocal last
        last = time.monotonic()
        say(
            f"training on {len(data.train)} clips of {len(corpora)} corpora, "
            f"validating on {len(data.validation)} clips of {held} held-out speakers"
        )
        for reject in data.rejects[:10]:
            say(f"left out: {reject.message}")
        if data.rejects:
            say(f"{len(data.rejects)} clips could not be used and were left out")
        rejects.extend({"file": r.file, "fault": r.fault, "message": r.message} for r in data.rejects)

    settings = load_recipe(recipe, override or [])
    corpora = [load_corpus(spec) for spec in corpus]
    run(
        settings,
        corpora,
        output,
        store=FeatureStore(store),
        resume=resume,
        workers=workers,
        strict=strict,
        on_epoch=on_epoch,
        on_data=on_data,
    )
    say(f"model written to {output}; try:")
    say(f"  smoothclap classify AUDIO --labels angry,happy,neutral,sad --model {output}")
    if json:
        emit({"model": str(output), "epochs": epochs, "rejects": rejects})
