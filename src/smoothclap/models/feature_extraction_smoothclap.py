"""From samples to what the audio tower takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import SequenceFeatureExtractor
from transformers.feature_extraction_utils import BatchFeature

from smoothclap import audio
from smoothclap.models.towers.frames import LogMelExtractor
from smoothclap.paralinguistics.egemaps import FUNCTIONALS, FunctionalsExtractor
from smoothclap.store import Extractor


class SmoothClapFeatureExtractor(SequenceFeatureExtractor):
    """Log-mel frames or eGeMAPS functionals, the same numbers as the feature store holds.

    Args:
        kind: `logmel` or `functionals`: which audio tower the features are for.
        num_mel_bins: mel bands of a log-mel frame.
        kwargs: passed on to transformers.
    """

    model_input_names = ["input_features", "audio_attention_mask"]  # noqa: RUF012

    def __init__(self, kind: str = "logmel", num_mel_bins: int = 64, **kwargs: Any) -> None:
        if kind not in ("logmel", "functionals"):
            raise ValueError(f"kind must be 'logmel' or 'functionals', not {kind!r}")
        self.kind = kind
        self.num_mel_bins = num_mel_bins
        kwargs.pop("feature_size", None)
        kwargs.pop("sampling_rate", None)
        kwargs.pop("padding_value", None)
        size = num_mel_bins if kind == "logmel" else len(FUNCTIONALS)
        super().__init__(feature_size=size, sampling_rate=audio.SAMPLE_RATE, padding_value=0.0, **kwargs)

    def extractor(self) -> Extractor:
        """The extractor of one clip's features, for the feature store's workers."""
        return LogMelExtractor(self.num_mel_bins) if self.kind == "logmel" else FunctionalsExtractor()

    def tower_input(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cut what the store holds of a clip down to what the tower takes: duration is not a functional."""
        return features if self.kind == "logmel" else features[: len(FUNCTIONALS)]

    def __call__(
        self,
        raw_speech: NDArray[Any] | Sequence[NDArray[Any]] | Sequence[float],
        sampling_rate: int | None = None,
        return_tensors: str | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Compute the features of one or several clips.

        Args:
            raw_speech: (samples,), or a list of such.
            sampling_rate: of `raw_speech`, in Hz; resampled to 16 kHz where it differs.
            return_tensors: `pt`, `np` or absent.
            kwargs: options of other extractors that callers such as pipelines pass; not used.

        Returns:
            `input_features` (clips, time, mel) with `audio_attention_mask` (clips, time), or (clips, 88).

        Raises:
            AudioError: a clip is empty, not finite, too short, silent or of an implausible rate.
            ValueError: `sampling_rate` was not given.
        """
        if sampling_rate is None:
            raise ValueError(
                f"sampling_rate is needed: the model hears {self.sampling_rate} Hz, others are resampled"
            )
        single = isinstance(raw_speech, np.ndarray) and raw_speech.ndim == 1
        single = single or (not isinstance(raw_speech, np.ndarray) and np.isscalar(raw_speech[0]))
        clips: Sequence[Any] = [raw_speech] if single else list(raw_speech)
        extract = self.extractor()
        features = [self.tower_input(extract(audio.load((np.asarray(clip), sampling_rate)))) for clip in clips]
        return BatchFeature(self.collate(features), tensor_type=return_tensors)

    def collate(self, features: Sequence[NDArray[np.float32]]) -> Mapping[str, NDArray[Any]]:
        """Pad clips' features to one batch: zeros, with a mask that says which frames exist."""
        if self.kind == "functionals":
            return {"input_features": np.stack(features)}
        longest = max(len(frames) for frames in features)
        batch = np.zeros((len(features), longest, self.num_mel_bins), dtype=np.float32)
        mask = np.zeros((len(features), longest), dtype=np.int64)
        for row, frames in enumerate(features):
            batch[row, : len(frames)] = frames
            mask[row, : len(frames)] = 1
        return {"input_features": batch, "audio_attention_mask": mask}
