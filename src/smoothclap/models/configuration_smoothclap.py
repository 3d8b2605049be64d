"""Configurations: the dual encoder and the two offline audio towers."""

from typing import Any, Literal

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig


@strict
class LogMelConfig(PreTrainedConfig):
    """A small convolutional network over log-mel frames, trained with the model.

    Attributes:
        num_mel_bins: mel bands of a frame.
        channels: channels of every convolution.
        dilations: one residual block per entry; each widens the network's view in time.
        dropout: of whole channels in every block, while training.
        hidden_size: width of the pooled output: weighted mean and standard deviation of every channel.
    """

    model_type = "smoothclap_logmel"
    num_mel_bins: int = 64
    channels: int = 128
    dilations: list[int] | tuple[int, ...] = (1, 2, 3)
    dropout: float | int = 0.1

    @property
    def hidden_size(self) -> int:
        """Mean and standard deviation, each `channels` wide."""
        return 2 * self.channels


@strict
class FunctionalsConfig(PreTrainedConfig):
    """Frozen eGeMAPSv02 functionals, standardised on the training set.

    Attributes:
        hidden_size: the number of functionals.
        limit: standardised values are clipped to this many standard deviations, for functionals of an unseen
            recording can lie far outside what was trained on.
    """

    model_type = "smoothclap_functionals"
    hidden_size: int = 88
    limit: float | int = 5.0


@strict
class SmoothClapConfig(PreTrainedConfig):
    """A dual encoder of speech and text.

    Attributes:
        audio_config: the audio tower: any registered configuration, by its `model_type`.
        text_config: the text tower: the configuration of any transformers text encoder.
        text_pooling: `mean` over tokens, or the `cls` token, of the text tower's last layer.
        projection_dim: width d of the shared space.
        projection_dropout: dropout inside both projections while training.
        logit_scale_init: scale = 1/tau before training (SPEC: 1/0.07).
    """

    model_type = "smoothclap"
    sub_configs = {"audio_config": AutoConfig, "text_config": AutoConfig}  # noqa: RUF012

    # A dict when read from JSON or absent; always a configuration after __post_init__.
    audio_config: Any = None
    text_config: Any = None
    text_pooling: Literal["mean", "cls"] = "mean"
    projection_dim: int = 256
    projection_dropout: float | int = 0.5
    logit_scale_init: float | int = 1 / 0.07

    def __post_init__(self, **kwargs: Any) -> None:
        """Turn the two sub-configurations read from JSON into objects."""
        if self.audio_config is None:
            self.audio_config = LogMelConfig()
        elif isinstance(self.audio_config, dict):
            self.audio_config = AutoConfig.for_model(**self.audio_config)
        if self.text_config is None:
            self.text_config = AutoConfig.for_model("bert")
        elif isinstance(self.text_config, dict):
            self.text_config = AutoConfig.for_model(**self.text_config)
        super().__post_init__(**kwargs)
