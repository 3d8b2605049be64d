"""What an objective is to the training loop."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from smoothclap.errors import SmoothClapError
from smoothclap.objectives.checks import check_rows


class ObjectiveError(SmoothClapError):
    """An objective, or a setting of one, that does not exist or is out of range."""


@dataclass(frozen=True)
class ObjectiveBatch:
    """What objectives may need beside the embeddings, a row a pair; `Objective.needs` says which needs what."""

    local_audio: Tensor | None = None
    """(B, d_l) mean-pooled local audio features; any norm."""
    tag_text: Tensor | None = None
    """(B, d_u) text features of the tags; any norm."""
    labels: Tensor | None = None
    """(B,) integer emotion labels, -1 where unknown."""

    def require(self, field: str, audio: Tensor) -> Tensor:
        """The tensor of a field, with as many rows as `audio`.

        Raises:
            ValueError: The field was not filled or has another number of rows.
        """
        value: Tensor | None = getattr(self, field)
        if value is None:
            raise ValueError(f"{field} is needed by this objective and missing from the batch")
        check_rows(field, value, len(audio))
        return value


@dataclass(frozen=True)
class Objective(ABC):
    """A loss with its hyper-parameters, checked when it is made.

    Attributes:
        name: What recipes call it.
        needs: The fields of `ObjectiveBatch` it reads.
        presets: Named settings.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    presets: ClassVar[Mapping[str, Mapping[str, float]]] = {}

    @abstractmethod
    def __call__(
        self, audio: Tensor, text: Tensor, scale: Tensor | float, batch: ObjectiveBatch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss and the report on its targets.

        Args:
            audio: (B, d) unit-norm audio embeddings.
            text: (B, d) unit-norm text embeddings, row i the caption of clip i.
            scale: Scalar, 1 / temperature, in (0, 100].
            batch: What else the objective needs.

        Returns:
            The loss, a scalar, and `target_report` of its targets.

        Raises:
            ValueError: An argument of the wrong shape, or a field of the batch missing, named.
        """
