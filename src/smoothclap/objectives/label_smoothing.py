"""Label smoothing: the control that asks whether SmoothCLAP's similarities say more than "be less sure"."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from smoothclap.objectives.checks import check_pairs, check_weight
from smoothclap.objectives.numerics import full_dtype
from smoothclap.objectives.objective import Objective, ObjectiveBatch
from smoothclap.objectives.soft_targets import fuse, soft_target_loss, target_report


def label_smoothing_targets(audio: Tensor, *, beta: float) -> Tensor:
    """Logarithms of uniformly smoothed targets, `y = (1 - beta) I + beta / B`.

    Args:
        audio: (B, d) embeddings; only their number, dtype and device count.
        beta: Fusion factor in [0, 1]. 0: the one-hot targets of CLAP; 1: uniform targets, nothing to learn but
            to answer alike for everything.

    Returns:
        `log y`, (B, B).

    Raises:
        ValueError: beta outside [0, 1].

    >>> label_smoothing_targets(torch.eye(2), beta=0.5).exp()
    tensor([[0.7500, 0.2500],
            [0.2500, 0.7500]])
    """
    pairs = len(audio)
    log_uniform = torch.full((pairs, pairs), -math.log(pairs), dtype=full_dtype(audio), device=audio.device)
    return fuse(log_uniform, beta)


def label_smoothing_loss(audio: Tensor, text: Tensor, scale: Tensor | float, *, beta: float) -> Tensor:
    """SmoothCLAP's loss (eq. 11) with uniform similarities: what it becomes as both temperatures grow.

    Args:
        audio: (B, d) unit-norm audio embeddings.
        text: (B, d) unit-norm text embeddings, row i the caption of clip i.
        scale: Scalar, 1 / temperature, in (0, 100].
        beta: Fusion factor in [0, 1], see `label_smoothing_targets`. At 0 this is exactly `clap_loss`.

    Returns:
        Scalar, nats, at least 0 up to rounding.

    Raises:
        ValueError: A wrong shape or beta out of range, named.

    >>> label_smoothing_loss(torch.eye(2), torch.eye(2), 1.0, beta=0.1)
    tensor(0.4257)
    """
    check_pairs(audio, text, scale)
    return soft_target_loss(audio, text, scale, label_smoothing_targets(audio, beta=beta), symmetric=beta > 0)


@dataclass(frozen=True)
class LabelSmoothingObjective(Objective):
    """`label_smoothing_loss` with its beta; the default is that of SmoothCLAP, so that the two compare."""

    name: ClassVar[str] = "label_smoothing"

    beta: float = 0.1

    def __post_init__(self) -> None:
        check_weight("beta", self.beta)

    def __call__(
        self, audio: Tensor, text: Tensor, scale: Tensor | float, batch: ObjectiveBatch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective`."""
        log_targets = label_smoothing_targets(audio, beta=self.beta)
        loss = soft_target_loss(audio, text, scale, log_targets, symmetric=self.beta > 0)
        return loss, target_report(log_targets)
