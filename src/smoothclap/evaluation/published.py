"""The numbers others have published, to stand beside ours."""

from collections.abc import Mapping
from importlib.resources import files

import yaml

SYSTEMS: Mapping[str, Mapping[str, float]] = yaml.safe_load(
    files(__package__).joinpath("published.yaml").read_text(encoding="utf-8")
)["systems"]
"""Zero-shot UAR in [0, 1] by system, then by task; a task a system was not measured on is absent."""


def uar(system: str, task: str) -> float | None:
    """The published UAR of a system on a task.

    Args:
        system: a name of `SYSTEMS`.
        task: a task's name.

    Returns:
        UAR in [0, 1], or None where none was published.

    Example:
        >>> uar("SmoothCLAP", "ravdess")
        0.175
        >>> uar("SmoothCLAP", "emodb") is None
        True
    """
    return SYSTEMS[system].get(task)
