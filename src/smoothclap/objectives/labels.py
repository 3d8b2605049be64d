"""Equal labels: the control that asks whether similarity says more than the emotion label already did."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from smoothclap.objectives.checks import check_pairs, check_rows, check_weight
from smoothclap.objectives.numerics import full_dtype
from smoothclap.objectives.objective import Objective, ObjectiveBatch
from smoothclap.objectives.soft_targets import fuse, soft_target_loss, target_report

INTEGERS = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)


def labels_targets(labels: Tensor, *, beta: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Logarithms of targets shared by the clips of one label.

    `y = (1 - beta) I + beta q`, `q_ij = [label_i = label_j] / count of label_i in the batch`.

    Args:
        labels: (B,) integers, one an emotion; negative (-1) where unknown, which equals nothing but itself.
        beta: Fusion factor in [0, 1]. 0: the one-hot targets of CLAP; 1: all clips of a label are equally
            right.
        dtype: Of the result.

    Returns:
        `log y`, (B, B); -inf where two labels differ.

    Raises:
        ValueError: Labels that are not (B,) integers, or beta outside [0, 1].

    >>> labels_targets(torch.tensor([0, 0, 1, -1, -1]), beta=0.5).exp()
    tensor([[0.7500, 0.2500, 0.0000, 0.0000, 0.0000],
            [0.2500, 0.7500, 0.0000, 0.0000, 0.0000],
            [0.0000, 0.0000, 1.0000, 0.0000, 0.0000],
            [0.0000, 0.0000, 0.0000, 1.0000, 0.0000],
            [0.0000, 0.0000, 0.0000, 0.0000, 1.0000]])
    """
    if labels.ndim != 1 or labels.dtype not in INTEGERS:
        raise ValueError(f"labels must be (B,) integers, got shape {tuple(labels.shape)} of {labels.dtype}")
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    equal = ((labels[:, None] == labels) & (labels >= 0) | itself).to(dtype)
    return fuse((equal / equal.sum(dim=-1, keepdim=True)).log(), beta)


def labels_loss(audio: Tensor, text: Tensor, scale: Tensor | float, labels: Tensor, *, beta: float) -> Tensor:
    """The forward terms of SmoothCLAP's loss (eq. 11) with clips of equal labels as equally good targets.

    Clips of different labels have a target of exactly 0 at every beta, where the reverse KL divergence is
    infinite: as for SmoothCLAP at beta 0, the forward terms remain. With all labels different this is exactly
    `clap_loss`.

    Args:
        audio: (B, d) unit-norm audio embeddings.
        text: (B, d) unit-norm text embeddings, row i the caption of clip i.
        scale: Scalar, 1 / temperature, in (0, 100].
        labels: (B,) integers, one an emotion; negative (-1) where unknown, which equals nothing but itself.
        beta: Fusion factor in [0, 1], see `labels_targets`.

    Returns:
        Scalar, nats, at least 0 up to rounding.

    Raises:
        ValueError: A wrong shape or beta out of range, named.

    >>> labels_loss(torch.eye(2), torch.eye(2), 1.0, torch.tensor([0, 0]), beta=1.0)
    tensor(0.1201)
    """
    check_pairs(audio, text, scale)
    check_rows("labels", labels, len(audio))
    log_targets = labels_targets(labels, beta=beta, dtype=full_dtype(audio))
    return soft_target_loss(audio, text, scale, log_targets, symmetric=False)


@dataclass(frozen=True)
class LabelsObjective(Objective):
    """`labels_loss` with its beta; the default is that of SmoothCLAP, so that the two compare."""

    name: ClassVar[str] = "labels"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    beta: float = 0.1

    def __post_init__(self) -> None:
        check_weight("beta", self.beta)

    def __call__(
        self, audio: Tensor, text: Tensor, scale: Tensor | float, batch: ObjectiveBatch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective`."""
        log_targets = labels_targets(batch.require("labels", audio), beta=self.beta, dtype=full_dtype(audio))
        loss = soft_target_loss(audio, text, scale, log_targets, symmetric=False)
        return loss, target_report(log_targets)
