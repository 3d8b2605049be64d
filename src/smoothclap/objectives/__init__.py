"""Training objectives: pure functions of tensors, and by name for the training loop.

A new objective is one file with its function and its `Objective`, and one entry in `OBJECTIVES`.
"""

from collections.abc import Iterable
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from smoothclap.objectives.clap import ClapObjective, clap_loss
from smoothclap.objectives.label_smoothing import LabelSmoothingObjective, label_smoothing_loss
from smoothclap.objectives.labels import LabelsObjective, labels_loss
from smoothclap.objectives.objective import Objective, ObjectiveBatch, ObjectiveError
from smoothclap.objectives.smoothclap import PRESETS, SmoothClapObjective, smoothclap_loss, smoothclap_targets
from smoothclap.objectives.soft_targets import soft_target_loss, target_report

__all__ = [
    "OBJECTIVES",
    "PRESETS",
    "Objective",
    "ObjectiveBatch",
    "ObjectiveError",
    "build_objective",
    "clap_loss",
    "label_smoothing_loss",
    "labels_loss",
    "smoothclap_loss",
    "smoothclap_targets",
    "soft_target_loss",
    "target_report",
]

OBJECTIVES: dict[str, type[Objective]] = {
    kind.name: kind for kind in (ClapObjective, SmoothClapObjective, LabelSmoothingObjective, LabelsObjective)
}


def build_objective(name: str, **settings: Any) -> Objective:
    """Make an objective from the words of a recipe.

    Args:
        name: A key of `OBJECTIVES`.
        settings: The objective's hyper-parameters; what is left out keeps its default. `preset`, where the
            objective has presets, sets several at once, and those also given by themselves win over it.

    Returns:
        The objective, frozen.

    Raises:
        ObjectiveError: An unknown objective, setting or preset, with the nearest right name, or a value out of
            range.

    >>> build_objective("smoothclap", preset="setup", beta=0.2)
    SmoothClapObjective(gamma=0.1, beta=0.2, tau_a2a=0.07, tau_t2t=0.07, detach_targets=True)
    """
    if name not in OBJECTIVES:
        raise ObjectiveError(_unknown("objective", name, OBJECTIVES))
    kind = OBJECTIVES[name]
    known = [field.name for field in fields(kind)] + ["preset"] * bool(kind.presets)
    for setting in settings:
        if setting not in known:
            raise ObjectiveError(_unknown(f"setting of objective {name}", setting, known))
    preset = settings.pop("preset", None)
    if preset is not None:
        if preset not in kind.presets:
            raise ObjectiveError(_unknown(f"preset of objective {name}", preset, kind.presets))
        settings = {**kind.presets[preset], **settings}
    try:
        return kind(**settings)
    except ValueError as error:
        raise ObjectiveError(f"objective {name}: {error}") from error


def _unknown(what: str, given: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if not names:
        return f"unknown {what}: {given!r}; it has none"
    nearest = get_close_matches(str(given), names, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"unknown {what}: {given!r}; {hint}known: {', '.join(names)}"
