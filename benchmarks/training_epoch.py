"""A training epoch from the store against one that computes its features; what a step spends outside the model.

    python benchmarks/training_epoch.py [-o FILE]

On the synthetic demo corpus, with `recipes/offline.yaml`, for both offline audio towers. The epoch that
computes its features is credited with perfect scaling: one warm process's time divided by the number of cores.
Training has one thread, because threads that wait for a busy core would be counted as work.

A step's own arithmetic is forward, backward and optimiser on a batch that is ready. Outside of it are making
the batch (reading, cropping, augmenting, padding, targets), learning rates, seeding and the log.
"""

import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer
from machine import facts

from smoothclap import audio
from smoothclap.corpora import LoadedCorpus, demo, load_corpus
from smoothclap.files import write_json
from smoothclap.models.towers.functionals import FunctionalsModel
from smoothclap.paralinguistics.egemaps import FunctionalsExtractor
from smoothclap.store import FeatureStore
from smoothclap.training.batches import build_batches
from smoothclap.training.build import build_model
from smoothclap.training.data import prepare
from smoothclap.training.optimiser import build_optimiser, set_rates
from smoothclap.training.recipe import load_recipe
from smoothclap.training.step import TrainingStep

AIM_OUTSIDE = 0.15
OFFLINE = Path(__file__).parents[1] / "recipes" / "offline.yaml"


def all_for_training(corpus: LoadedCorpus) -> LoadedCorpus:
    """The corpus without its split, so that an epoch has every clip."""
    return replace(corpus, table=corpus.table.assign(split=pd.array([pd.NA] * len(corpus.table), "string")))


def measure(tower: str, corpus: LoadedCorpus, store: FeatureStore, epochs: int) -> dict[str, Any]:
    recipe = load_recipe(OFFLINE, [f"audio.tower={tower}", "validation_share=0"])
    model, processor = build_model(recipe)
    extractor = processor.feature_extractor.extractor()
    data = prepare([corpus], store, extractor, validation_share=0)
    if isinstance(model.audio_model, FunctionalsModel):
        model.audio_model.fit(torch.from_numpy(data.functionals))
    batches = build_batches(recipe, data, model, processor, store)
    optimiser = build_optimiser(model, recipe)
    module = TrainingStep(model, batches.objective)

    steps = batches.steps_per_epoch
    inside = outside = 0.0
    for step in range(-steps, epochs * steps):  # the first epoch warms up and does not count
        began = time.perf_counter()
        set_rates(optimiser, recipe, max(step, 0) / (epochs * steps))
        torch.manual_seed(step)
        module.train()
        model.text_model.eval()
        batch = batches.make(step % steps)
        made = time.perf_counter()
        loss, report = module(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        done = time.perf_counter()
        json.dumps({key: float(value) for key, value in report.items()})
        if step >= 0:
            inside += done - made
            outside += (made - began) + (time.perf_counter() - done)

    # Both towers need the functionals: they are what the soft targets come from.
    extractors = {kind.name: kind for kind in (extractor, FunctionalsExtractor())}.values()
    files = [Path(file) for file in data.table.index.get_level_values("file")]
    for extract in extractors:
        extract(audio.load(files[0]))
    began = time.perf_counter()
    for file in files:
        samples = audio.load(file)
        for extract in extractors:
            extract(samples)
    computing = time.perf_counter() - began

    stored = (inside + outside) / epochs
    computed = stored + computing / (os.cpu_count() or 1)
    return {
        "tower": tower,
        "clips": len(files),
        "steps": steps,
        "epoch_stored_seconds": round(stored, 3),
        "epoch_computed_seconds": round(computed, 3),
        "ratio": round(computed / stored, 1),
        "step_milliseconds": round(1000 * stored / steps, 2),
        "share_outside_arithmetic": round(outside / (inside + outside), 3),
    }


def main(
    output: Annotated[Path, typer.Option("-o")] = Path("results/benchmarks/training_epoch.json"),
    epochs: int = 5,
) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        corpus = all_for_training(load_corpus(f"demo={demo.build(Path(name) / 'corpus')}"))
        store = FeatureStore(Path(name) / "features")
        towers = [measure(tower, corpus, store, epochs) for tower in ("functionals", "logmel")]
    result = {
        "what": "a training epoch that computes its features (perfect scaling assumed) against one from "
        "the store; share of a step's time outside forward, backward and optimiser",
        "towers": towers,
        "aim_share_outside_arithmetic": AIM_OUTSIDE,
        **facts("torch", "transformers", "opensmile", "numpy"),
    }
    write_json(output, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    typer.run(main)
