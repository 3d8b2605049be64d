"""The training loop: read it from top to bottom."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from lightning_fabric import Fabric
from safetensors import SafetensorError

import smoothclap
from smoothclap.corpora import LoadedCorpus
from smoothclap.errors import SmoothClapError
from smoothclap.files import WriteError, replacing, write_json, write_text
from smoothclap.models import SmoothClapModel, SmoothClapProcessor
from smoothclap.models.towers.functionals import FunctionalsModel
from smoothclap.store import FeatureStore
from smoothclap.training import checkpoint, history
from smoothclap.training.batches import build_batches
from smoothclap.training.build import build_model
from smoothclap.training.checkpoint import ResumeError
from smoothclap.training.data import TrainingData, prepare
from smoothclap.training.optimiser import build_optimiser, set_rates
from smoothclap.training.recipe import Recipe, recipe_from
from smoothclap.training.step import TrainingStep
from smoothclap.training.validation import validation_uar

CHECKPOINT_SECONDS = 30.0
"""A kill loses at most this much work, and at most an epoch."""


class TrainingError(SmoothClapError):
    """Training came to nothing."""


RECIPE_FILE, DONE_FILE = "recipe.yaml", "training.json"


def train(
    recipe: Recipe,
    corpora: Sequence[LoadedCorpus],
    folder: Path,
    *,
    store: FeatureStore,
    resume: bool = False,
    workers: int | None = None,
    strict: bool = False,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    on_data: Callable[[TrainingData], None] = lambda data: None,
) -> Path:
    """Train a model and write it as a model directory.

    Args:
        recipe: what to train.
        corpora: on what.
        folder: the model directory to write.
        store: frozen features.
        resume: take up a run that was killed; it ends with the weights it would have had.
        workers: processes to compute features with; absent: one per core.
        strict: raise at the first clip that cannot be used.
        on_epoch: told of each epoch's log row.
        on_data: told what will be trained on, before the first step.

    Returns:
        `folder`.

    Raises:
        ResumeError: `folder` holds a run and `resume` was not given, or one of another recipe or other data.
        CorpusError: too few clips.
        TrainingError: the loss is no longer finite.
        WriteError: the disk is full; what was written stands.
    """
    _check_folder(folder, recipe, resume)
    if (folder / DONE_FILE).is_file():
        return folder
    fabric = Fabric(accelerator="auto", devices=1)
    model, processor = build_model(recipe)
    extractor = processor.feature_extractor.extractor()
    data = prepare(
        corpora, store, extractor, validation_share=recipe.validation_share, workers=workers, strict=strict
    )
    on_data(data)
    _begin(folder, recipe, data)
    if isinstance(model.audio_model, FunctionalsModel):
        model.audio_model.fit(torch.from_numpy(data.functionals[data.train]))
    batches = build_batches(recipe, data, model, processor, store)

    optimiser = build_optimiser(model, recipe)
    step_module, optimiser = fabric.setup(TrainingStep(model, batches.objective), optimiser)
    done = checkpoint.load(folder, model, optimiser)
    log = history.rewind(folder, done)

    per_epoch = batches.steps_per_epoch
    total = per_epoch * recipe.optimiser.epochs
    pending: list[dict[str, Any]] = []
    saved = time.monotonic()
    step_module.train()
    for step in range(done, total):
        set_rates(optimiser, recipe, step / total)
        # Dropout too must be a function of seed and step alone.
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        loss, report = step_module(batches.make(step).to(fabric.device))
        optimiser.zero_grad()
        fabric.backward(loss)
        optimiser.step()

        numbers = {key: float(value) for key, value in {"loss": loss.detach(), **report}.items()}
        if not math.isfinite(numbers["loss"]):
            raise TrainingError(
                f"{folder}: the loss is {numbers['loss']} at step {step + 1}; lower optimiser.lr"
            )
        pending.append({"kind": "step", "step": step + 1, **numbers})
        epoch_ends = (step + 1) % per_epoch == 0
        if epoch_ends:
            losses = [row["loss"] for row in (log + pending)[-per_epoch:] if row["kind"] == "step"]
            row = {
                "kind": "epoch",
                "epoch": (step + 1) // per_epoch,
                "step": step + 1,
                "loss": sum(losses) / len(losses),
                "validation_uar": validation_uar(model, processor, data),
            }
            step_module.train()
            pending.append(row)
            on_epoch(row)
        if epoch_ends or time.monotonic() - saved > CHECKPOINT_SECONDS:
            # The log first: on resuming, rows after the checkpoint are forgotten, but none can be made up.
            history.append(folder, pending)
            log, pending = log + pending, []
            checkpoint.save(folder, model, optimiser, step + 1)
            saved = time.monotonic()

    _write_model(folder, model, processor, recipe, corpora, data)
    return folder


def _check_folder(folder: Path, recipe: Recipe, resume: bool) -> None:
    """Refuse a directory that this run may not write to."""
    for half in folder.glob(".*.tmp") if resume else ():
        half.unlink()  # what a kill left of a file being written
    path = folder / RECIPE_FILE
    if path.is_file():
        if not resume:
            raise ResumeError(f"{folder}: holds a run already; give --resume to go on with it, or another -o")
        earlier = recipe_from(yaml.safe_load(path.read_text(encoding="utf-8")), str(path)).to_dict()
        changed = [key for key, value in recipe.to_dict().items() if earlier[key] != value]
        if changed:
            raise ResumeError(
                f"{folder}: was begun with another recipe (differs in {', '.join(changed)}); use another -o"
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ResumeError(f"{folder}: is not empty and holds no run; give an empty or new directory with -o")


def _begin(folder: Path, recipe: Recipe, data: TrainingData) -> None:
    """Make the directory this run's own, or refuse to go on with other clips than it was begun with."""
    path = folder / RECIPE_FILE
    if not path.is_file():
        write_text(path, yaml.safe_dump(recipe.to_dict(), sort_keys=False))
    path = folder / "data.txt"
    if not path.is_file():
        write_text(path, data.fingerprint() + "\n")
    elif path.read_text(encoding="utf-8").strip() != data.fingerprint():
        raise ResumeError(
            f"{folder}: was begun on other clips or labels; give the same --corpus, or another -o"
        )


def _write_model(
    folder: Path,
    model: SmoothClapModel,
    processor: SmoothClapProcessor,
    recipe: Recipe,
    corpora: Sequence[LoadedCorpus],
    data: TrainingData,
) -> None:
    """Write the model directory; `training.json` comes last and says that it is whole."""
    try:
        model.eval().save_pretrained(folder)
    except SafetensorError as error:
        raise WriteError(f"{folder}: the model cannot be written ({error}); free space and --resume") from error
    processor.save_pretrained(folder)
    data.bins.save(folder / "bins.json")
    used = data.table.iloc[data.train]
    with replacing(folder / "trained_on.parquet") as beside:
        pd.DataFrame(
            {
                "corpus": used["corpus"].to_numpy(),
                "speaker": used["speaker"].to_numpy(),
                "digest": [data.digests[row] for row in data.train],
            }
        ).to_parquet(beside)
    counts = used.groupby("corpus").agg(clips=("emotion", "size"), speakers=("speaker", "nunique"))
    write_json(
        folder / DONE_FILE,
        {
            "smoothclap": smoothclap.__version__,
            "objective": recipe.objective["name"],
            "seed": recipe.seed,
            "recipe": recipe.to_dict(),
            "corpora": [
                {"name": c.name, **{key: int(value) for key, value in counts.loc[c.name].items()}}
                for c in corpora
                if c.name in counts.index
            ],
            "rejected_clips": len(data.rejects),
        },
    )
    (folder / checkpoint.FILE).unlink(missing_ok=True)
