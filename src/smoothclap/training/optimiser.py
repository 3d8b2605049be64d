"""Parameter groups and learning rates."""

import math
from typing import Any

import torch

from smoothclap.models import SmoothClapModel
from smoothclap.training.recipe import Recipe


def build_optimiser(model: SmoothClapModel, recipe: Recipe) -> torch.optim.Optimizer:
    """Make the optimiser: a trained text tower slowly, all else at the main rate, frozen weights not at all.

    Args:
        model: what is trained.
        recipe: rates and weight decay (decoupled; 0 is Adam, as SPEC "Training" has it).

    Returns:
        AdamW over one or two parameter groups.
    """
    slow = [p for p in model.text_model.parameters() if p.requires_grad]
    slow_ids = {id(p) for p in slow}
    fast = [p for p in model.parameters() if p.requires_grad and id(p) not in slow_ids]
    groups = [{"params": fast, "lr": recipe.optimiser.lr}]
    if slow:
        groups.append({"params": slow, "lr": recipe.optimiser.lr_text})
    return torch.optim.AdamW(groups, weight_decay=recipe.optimiser.weight_decay)


def set_rates(optimiser: Any, recipe: Recipe, progress: float) -> None:
    """Set the learning rates from how far the run is.

    Args:
        optimiser: see `build_optimiser`.
        recipe: rates and schedule.
        progress: share of the steps done, in [0, 1].
    """
    factor = 0.5 * (1 + math.cos(math.pi * progress)) if recipe.optimiser.schedule == "cosine" else 1.0
    for group, rate in zip(
        optimiser.param_groups, (recipe.optimiser.lr, recipe.optimiser.lr_text), strict=False
    ):
        group["lr"] = rate * factor
