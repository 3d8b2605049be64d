"""Argument checks the objectives share: each fault is one line that names the argument.

Only shapes, dtypes and Python numbers are looked at, never a tensor's values: that would stall a GPU at every
step.
"""

import math

from torch import Tensor


def check_pairs(audio: Tensor, text: Tensor, scale: Tensor | float) -> None:
    """Refuse anything but two (B, d) matrices of floats, B >= 1, and a scalar scale.

    Raises:
        ValueError: names `audio`, `text` or `scale`.
    """
    check_features("audio", audio)
    check_features("text", text)
    if text.shape != audio.shape:
        raise ValueError(f"text must have the shape of audio {tuple(audio.shape)}, got {tuple(text.shape)}")
    if isinstance(scale, Tensor) and scale.ndim != 0:
        raise ValueError(f"scale must be a scalar, got shape {tuple(scale.shape)}")


def check_features(name: str, features: Tensor) -> None:
    """Refuse anything but a (B, d) matrix of floats with B >= 1.

    Raises:
        ValueError: names the argument.
    """
    if features.ndim != 2 or features.shape[0] == 0:
        raise ValueError(f"{name} must be (B, d) with B >= 1, got shape {tuple(features.shape)}")
    if not features.is_floating_point():
        raise ValueError(f"{name} must be floating point, got {features.dtype}")


def check_rows(name: str, tensor: Tensor, rows: int) -> None:
    """Refuse a tensor that does not have one row a pair.

    Raises:
        ValueError: names the argument.
    """
    if tensor.ndim == 0 or tensor.shape[0] != rows:
        raise ValueError(
            f"{name} must have one row for each of the {rows} pairs, got shape {tuple(tensor.shape)}"
        )


def check_weight(name: str, value: float) -> None:
    """Refuse a mixing weight outside [0, 1].

    Raises:
        ValueError: names the hyper-parameter and its range.
    """
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number between 0 and 1, got {value!r}")


def check_temperature(name: str, value: float) -> None:
    """Refuse a temperature that is not positive and finite.

    Raises:
        ValueError: names the hyper-parameter and its range.
    """
    if not _is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


def check_flag(name: str, value: bool) -> None:
    """Refuse anything but True or False: the text "false" out of a recipe would count as true.

    Raises:
        ValueError: names the option.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, got {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
