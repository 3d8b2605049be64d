"""Log-mel frames: what the log-mel tower hears. Numpy only, so that feature workers start quickly."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smoothclap.audio import SAMPLE_RATE

WINDOW = 400
HOP = 160
NUM_FFT = 512
LOWEST_HZ, HIGHEST_HZ = 50.0, 7600.0
FLOOR = 1e-8
FRAMES_PER_SECOND = SAMPLE_RATE / HOP


@cache
def _mel_filters(num_mel_bins: int) -> NDArray[np.float32]:
    from transformers.audio_utils import mel_filter_bank

    filters = mel_filter_bank(
        num_frequency_bins=NUM_FFT // 2 + 1,
        num_mel_filters=num_mel_bins,
        min_frequency=LOWEST_HZ,
        max_frequency=HIGHEST_HZ,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return filters.astype(np.float32)


class LogMelExtractor:
    """Natural logarithm of mel-band power, 25 ms windows every 10 ms.

    Args:
        num_mel_bins: mel bands between 50 and 7600 Hz.
    """

    name = "log-mel"

    def __init__(self, num_mel_bins: int = 64) -> None:
        # Made here and pickled along: a worker that made them would import transformers, and with it torch.
        self._filters = _mel_filters(num_mel_bins)
        self.settings: dict[str, Any] = {
            "mel_bins": num_mel_bins,
            "window": WINDOW,
            "hop": HOP,
            "fft": NUM_FFT,
            "range_hz": [LOWEST_HZ, HIGHEST_HZ],
            "floor": FLOOR,
        }

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the frames of one clip.

        Args:
            samples: float32 (n,), 16 kHz, in [-1, 1]; shorter than one window is padded with zeros.

        Returns:
            float32 (frames, num_mel_bins); frame i covers the samples from 160 i to 160 i + 400.
        """
        if len(samples) < WINDOW:
            samples = np.pad(samples, (0, WINDOW - len(samples)))
        frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
        window = np.hanning(WINDOW).astype(np.float32)
        power = np.abs(np.fft.rfft(frames * window, n=NUM_FFT)).astype(np.float32) ** 2
        return np.log(power @ self._filters + np.float32(FLOOR))
