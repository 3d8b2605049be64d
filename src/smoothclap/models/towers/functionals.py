"""The frozen audio tower: eGeMAPS functionals, standardised on the training set."""

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from smoothclap.models.configuration_smoothclap import FunctionalsConfig


class FunctionalsModel(PreTrainedModel):
    """Standardises the functionals; there is nothing to train here, the projection above does the learning."""

    config_class = FunctionalsConfig
    config: FunctionalsConfig
    main_input_name = "input_features"

    def __init__(self, config: FunctionalsConfig) -> None:
        super().__init__(config)
        self.register_buffer("mean", torch.zeros(config.hidden_size))
        self.register_buffer("deviation", torch.ones(config.hidden_size))
        self.post_init()

    def fit(self, functionals: Tensor) -> None:
        """Set mean and standard deviation from the training set.

        Args:
            functionals: (clips, hidden_size); a constant functional is given deviation 1, so it becomes 0.
        """
        functionals = functionals.double()  # in float32 a constant functional gets a deviation by rounding
        deviation = functionals.std(dim=0, correction=0)
        self.mean.copy_(functionals.mean(dim=0))
        self.deviation.copy_(torch.where(deviation > 1e-8, deviation, torch.ones_like(deviation)))

    def forward(
        self, input_features: Tensor, attention_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """Standardise.

        Args:
            input_features: (batch, hidden_size) raw functionals.
            attention_mask: unused: a clip is one vector.

        Returns:
            `pooler_output` (batch, hidden_size), each value within `limit` standard deviations.
        """
        standardised = (input_features - self.mean) / self.deviation
        pooled = standardised.clamp(-self.config.limit, self.config.limit)
        return BaseModelOutputWithPooling(last_hidden_state=pooled.unsqueeze(1), pooler_output=pooled)
