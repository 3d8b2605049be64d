"""One training step as a module: towers, projections and objective together, as Fabric wants it."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from smoothclap.models import SmoothClapModel
from smoothclap.objectives import Objective, ObjectiveBatch


@dataclass(frozen=True)
class Batch:
    """What a step needs of B clip-caption pairs.

    Attributes:
        input_features: (B, time, mel) or (B, functionals).
        audio_mask: (B, time), or absent.
        text: (B, text hidden size) pooled caption features of a frozen text tower, or absent.
        tokens: (B, tokens) ids and mask of the captions, for a text tower that is trained, or absent.
        targets: what the objective needs beside the embeddings.
        duplicate_captions: how many captions of the batch stand in it already.
    """

    input_features: Tensor
    audio_mask: Tensor | None
    text: Tensor | None
    tokens: tuple[Tensor, Tensor] | None
    targets: ObjectiveBatch
    duplicate_captions: int

    def to(self, device: torch.device) -> Self:
        """The batch on a device."""

        def move(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(move, value))
            if isinstance(value, ObjectiveBatch):
                return replace(
                    value, **{field.name: move(getattr(value, field.name)) for field in fields(value)}
                )
            return value.to(device) if isinstance(value, Tensor) else value

        return replace(self, **{field.name: move(getattr(self, field.name)) for field in fields(self)})


class TrainingStep(nn.Module):
    """Loss and report of a batch.

    Args:
        model: the dual encoder.
        objective: what is minimised.
    """

    def __init__(self, model: SmoothClapModel, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Compute the loss.

        Args:
            batch: B pairs.

        Returns:
            The loss, a scalar, and what the step logs.
        """
        audio = self.model.get_audio_features(batch.input_features, batch.audio_mask).pooler_output
        pooled = batch.text if batch.tokens is None else self.model.pool_text(*batch.tokens)
        assert pooled is not None, "a batch carries text features or tokens"
        text = self.model.project_text(pooled)
        scale = self.model.scale
        loss, report = self.objective(audio, text, scale, batch.targets)
        return loss, {"scale": scale.detach(), **report, "duplicate_captions": batch.duplicate_captions}
