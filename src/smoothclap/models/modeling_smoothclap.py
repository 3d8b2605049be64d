"""The dual encoder: an audio tower and a text tower, each with a projection into one shared space."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModel, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling, ModelOutput
from transformers.utils import logging as transformers_logging

from smoothclap.errors import SmoothClapError
from smoothclap.models.configuration_smoothclap import SmoothClapConfig

MAX_LOGIT_SCALE = 100.0


class CheckpointError(SmoothClapError):
    """A model directory that is absent, damaged, or does not hold exactly the weights it should."""


def _key(entry: Any) -> str:
    """The name in an entry of transformers' loading report: a name, or a name with two shapes."""
    return entry if isinstance(entry, str) else f"{entry[0]} ({list(entry[1])}, expected {list(entry[2])})"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing its own report: every fault of a checkpoint becomes one error."""
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)


@dataclass
class SmoothClapOutput(ModelOutput):
    """What `SmoothClapModel` returns.

    Attributes:
        logits_per_audio: (clips, texts) cosine times the logit scale.
        logits_per_text: (texts, clips), its transpose.
        audio_embeds: (clips, d), unit norm.
        text_embeds: (texts, d), unit norm.
    """

    logits_per_audio: Tensor | None = None
    logits_per_text: Tensor | None = None
    audio_embeds: Tensor | None = None
    text_embeds: Tensor | None = None


class Projection(nn.Module):
    """Linear - GELU - Linear - Dropout, residual to the first Linear's output, LayerNorm (paper 3.1; SPEC)."""

    def __init__(self, width_in: int, width: int, dropout: float) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width_in, width)
        self.linear2 = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, features: Tensor) -> Tensor:
        """Project (batch, width_in) to (batch, width)."""
        first = self.linear1(features)
        return self.layer_norm(first + self.dropout(self.linear2(F.gelu(first))))


class SmoothClapModel(PreTrainedModel):
    """Contrastive language-audio model; towers are chosen by the configuration.

    The logit scale (1 / temperature) is stored as its logarithm and kept in (0, 100].
    """

    config_class = SmoothClapConfig
    config: SmoothClapConfig
    base_model_prefix = "smoothclap"
    main_input_name = "input_features"

    def __init__(self, config: SmoothClapConfig) -> None:
        super().__init__(config)
        self.audio_model = AutoModel.from_config(config.audio_config)
        self.text_model = AutoModel.from_config(config.text_config)
        width, dropout = config.projection_dim, config.projection_dropout
        self.audio_projection = Projection(config.audio_config.hidden_size, width, dropout)
        self.text_projection = Projection(config.text_config.hidden_size, width, dropout)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(config.logit_scale_init)))
        self.post_init()

    @classmethod
    def from_pretrained(cls, directory: str | Path, *args: Any, **kwargs: Any) -> Any:
        """Load a model, refusing any that would run with a weight missing.

        Args:
            directory: a model directory or hub name.
            args: passed on to transformers.
            kwargs: passed on to transformers.

        Returns:
            The model in eval mode.

        Raises:
            CheckpointError: files absent or damaged; weights missing, unknown, or of another shape.
        """
        try:
            with _quiet():
                # Shapes that differ are reported below, by name.
                options = {**kwargs, "output_loading_info": True, "ignore_mismatched_sizes": True}
                model, info = super().from_pretrained(directory, *args, **options)
        except (OSError, SafetensorError, RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise CheckpointError(
                f"{directory}: not a usable model directory ({reason}); train or copy it again"
            ) from error
        faults = {
            kind: sorted(map(_key, info[kind]))
            for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
        }
        found = [f"{kind.replace('_', ' ')} {', '.join(keys[:3])}" for kind, keys in faults.items() if keys]
        if found:
            raise CheckpointError(f"{directory}: wrong weights ({'; '.join(found)}); train or copy it again")
        return (model, info) if kwargs.get("output_loading_info") else model

    @property
    def scale(self) -> Tensor:
        """The logit scale, a scalar in (0, 100]."""
        return self.logit_scale.exp().clamp(max=MAX_LOGIT_SCALE)

    def pool_text(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Run the text tower alone.

        Args:
            input_ids: (batch, tokens).
            attention_mask: (batch, tokens).

        Returns:
            (batch, text hidden size): masked mean, or the [CLS] token, of the last layer.
        """
        hidden = self.text_model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self.config.text_pooling == "cls":
            return hidden[:, 0]
        present = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * present).sum(1) / present.sum(1).clamp(min=1)

    def project_text(self, pooled: Tensor) -> Tensor:
        """Project pooled text features (batch, text hidden size) to unit-norm embeddings (batch, d)."""
        return F.normalize(self.text_projection(pooled), dim=-1)

    def project_audio(self, pooled: Tensor) -> Tensor:
        """Project pooled audio features (batch, audio hidden size) to unit-norm embeddings (batch, d)."""
        return F.normalize(self.audio_projection(pooled), dim=-1)

    def get_audio_features(
        self, input_features: Tensor, audio_attention_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """Embed audio.

        Args:
            input_features: what the feature extractor gives: (batch, time, mel) or (batch, functionals).
            audio_attention_mask: (batch, time), nonzero where a frame exists.

        Returns:
            `pooler_output` (batch, d), unit norm.
        """
        output = self.audio_model(input_features=input_features, attention_mask=audio_attention_mask)
        output.pooler_output = self.project_audio(output.pooler_output)
        return output

    def get_text_features(
        self, input_ids: Tensor, attention_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """Embed text.

        Args:
            input_ids: (batch, tokens).
            attention_mask: (batch, tokens); absent: every token counts.

        Returns:
            `pooler_output` (batch, d), unit norm.
        """
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        return BaseModelOutputWithPooling(
            pooler_output=self.project_text(self.pool_text(input_ids, attention_mask))
        )

    def forward(
        self,
        input_ids: Tensor,
        input_features: Tensor,
        attention_mask: Tensor | None = None,
        audio_attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> SmoothClapOutput:
        """Compare every clip with every text.

        Args:
            input_ids: (texts, tokens).
            input_features: (clips, ...), see `get_audio_features`.
            attention_mask: (texts, tokens).
            audio_attention_mask: (clips, time).
            kwargs: what a tokenizer adds (token types); not used.

        Returns:
            Logits and embeddings.
        """
        audio = self.get_audio_features(input_features, audio_attention_mask).pooler_output
        text = self.get_text_features(input_ids, attention_mask).pooler_output
        logits = self.scale * audio @ text.T
        return SmoothClapOutput(
            logits_per_audio=logits, logits_per_text=logits.T, audio_embeds=audio, text_embeds=text
        )
