"""CLAP: every clip with its own caption against all other captions of the batch, and the reverse."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from smoothclap.objectives.numerics import full_dtype, log_predictions
from smoothclap.objectives.objective import Objective, ObjectiveBatch
from smoothclap.objectives.soft_targets import target_report


def clap_loss(audio: Tensor, text: Tensor, scale: Tensor | float) -> Tensor:
    """Symmetric InfoNCE, SmoothCLAP eq. 3 with its sign and index mended.

    `S = scale * a @ t.T`, `L = 1/2 [CE(S, I) + CE(S.T, I)]`

    Args:
        audio: (B, d) unit-norm audio embeddings.
        text: (B, d) unit-norm text embeddings, row i the caption of clip i.
        scale: Scalar, 1 / temperature, in (0, 100]. Towards 0 every pair looks alike (the loss is log B); at
            100 only the hardest negatives count.

    Returns:
        Scalar, nats, at least 0; 0 for a batch of one pair.

    Raises:
        ValueError: An argument of the wrong shape, named.

    >>> clap_loss(torch.eye(2), torch.eye(2), scale=1.0)
    tensor(0.3133)
    """
    log_a2t, log_t2a = log_predictions(audio, text, scale)
    return -(log_a2t.diagonal() + log_t2a.diagonal()).mean() / 2


@dataclass(frozen=True)
class ClapObjective(Objective):
    """`clap_loss`; it has no hyper-parameter."""

    name: ClassVar[str] = "clap"

    def __call__(
        self, audio: Tensor, text: Tensor, scale: Tensor | float, batch: ObjectiveBatch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective`."""
        loss = clap_loss(audio, text, scale)
        log_identity = torch.eye(len(audio), dtype=full_dtype(audio), device=audio.device).log()
        return loss, target_report(log_identity)
