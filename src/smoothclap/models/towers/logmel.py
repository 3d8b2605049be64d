"""The trainable audio tower: dilated convolutions over log-mel frames, attentive statistics pooling."""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from smoothclap.models.configuration_smoothclap import LogMelConfig

STRIDE = 4
"""The entry convolution looks at 90 ms every 40 ms: half the arithmetic of a stride of 2."""


def _masked_norm(norm: nn.BatchNorm1d, frames: Tensor, mask: Tensor) -> Tensor:
    """Batch normalisation over the frames that exist: padding must not move the statistics.

    Args:
        norm: over channels.
        frames: (batch, channels, time).
        mask: bool (batch, time), true where a frame exists.

    Returns:
        (batch, channels, time), zero where no frame exists.
    """
    if not norm.training or bool(mask.all()):
        return norm(frames) * mask.unsqueeze(1)
    by_time = frames.transpose(1, 2)
    normed = torch.zeros_like(by_time)
    normed[mask] = norm(by_time[mask])
    return normed.transpose(1, 2)


class _Block(nn.Module):
    """A dilated convolution with a residual; zero padding equals masking, so length never matters."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        # Whole channels at a time, which costs a tenth of the step less than single values.
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        hidden = _masked_norm(self.norm, self.conv(frames), mask)
        return frames + self.dropout(torch.relu(hidden))


class LogMelModel(PreTrainedModel):
    """A small convolutional network; its pooled output is a weighted mean and standard deviation over time.

    Each clip's frames are first brought to zero mean per mel band, which removes microphone, room and gain.
    Pooling is attentive statistics pooling (Okabe et al., Interspeech 2018).
    """

    config_class = LogMelConfig
    config: LogMelConfig
    main_input_name = "input_features"

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__(config)
        channels = config.channels
        self.entry = nn.Conv1d(
            config.num_mel_bins, channels, 2 * STRIDE + 1, stride=STRIDE, padding=STRIDE, bias=False
        )
        self.entry_norm = nn.BatchNorm1d(channels)
        self.blocks = nn.ModuleList(_Block(channels, dilation, config.dropout) for dilation in config.dilations)
        self.attention = nn.Sequential(
            nn.Conv1d(channels, channels // 2, 1), nn.Tanh(), nn.Conv1d(channels // 2, channels, 1)
        )
        self.post_init()

    def forward(
        self, input_features: Tensor, attention_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """Encode log-mel frames.

        Args:
            input_features: (batch, time, num_mel_bins) log-mel frames.
            attention_mask: (batch, time), nonzero where a frame exists; absent: all do.

        Returns:
            `pooler_output` (batch, 2 * channels); `last_hidden_state` (batch, time / 4, channels).
        """
        if attention_mask is None:
            attention_mask = torch.ones(input_features.shape[:2], device=input_features.device)
        mask = attention_mask.bool()
        present = mask.unsqueeze(-1).to(input_features.dtype)
        mean = (input_features * present).sum(1, keepdim=True) / present.sum(1, keepdim=True).clamp(min=1)
        frames = ((input_features - mean) * present).transpose(1, 2)

        mask = mask[:, ::STRIDE]
        hidden = torch.relu(_masked_norm(self.entry_norm, self.entry(frames), mask))
        for block in self.blocks:
            hidden = block(hidden, mask)

        scores = self.attention(hidden).masked_fill(~mask.unsqueeze(1), -1e4)
        weights = scores.softmax(dim=-1)
        centre = (weights * hidden).sum(-1)
        variance = (weights * (hidden - centre.unsqueeze(-1)).square()).sum(-1)
        pooled = torch.cat([centre, (variance + 1e-5).sqrt()], dim=-1)
        return BaseModelOutputWithPooling(last_hidden_state=hidden.transpose(1, 2), pooler_output=pooled)
