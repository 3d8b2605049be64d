import pickle
import subprocess
import sys

import numpy as np
import pytest

from smoothclap.models.towers.frames import FLOOR, HOP, WINDOW, LogMelExtractor

RATE = 16_000


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (400, 1), (559, 1), (560, 2), (16_000, 98)])
def test_a_frame_every_10_ms(samples: int, frames: int):
    made = LogMelExtractor(32)(np.full(samples, 0.1, np.float32))
    assert made.shape == (frames, 32)
    assert made.dtype == np.float32


def test_a_frame_hears_only_its_own_samples():
    """Frame i covers the samples from 160 i to 160 i + 400."""
    samples = tone(440)
    before = LogMelExtractor()(samples)
    samples[30 * HOP : 30 * HOP + WINDOW] = 0
    moved = np.flatnonzero((LogMelExtractor()(samples) != before).any(axis=1))
    assert moved.tolist() == [28, 29, 30, 31, 32]
    np.testing.assert_allclose(LogMelExtractor()(samples)[30], np.log(FLOOR), rtol=1e-6)


def test_a_higher_tone_is_in_a_higher_band():
    loudest = [int(LogMelExtractor()(tone(hertz))[50].argmax()) for hertz in (100, 300, 1000, 3000, 7000)]
    assert loudest == sorted(set(loudest))


def test_a_louder_sound_is_more_by_the_same_amount_in_every_band():
    samples = np.random.default_rng(0).normal(0, 0.05, RATE).astype(np.float32)
    difference = LogMelExtractor()(10 * samples) - LogMelExtractor()(samples)
    np.testing.assert_allclose(difference, 2 * np.log(10), atol=0.01)


def test_it_agrees_with_transformers_own_spectrogram():
    from transformers.audio_utils import mel_filter_bank, spectrogram

    samples = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    filters = mel_filter_bank(257, 64, 50.0, 7600.0, RATE, norm="slaney", mel_scale="slaney")
    expected = spectrogram(
        samples.astype(np.float64),
        np.hanning(WINDOW),
        frame_length=WINDOW,
        hop_length=HOP,
        fft_length=512,
        power=2.0,
        center=False,
        mel_filters=filters,
        mel_floor=0.0,
        dtype=np.float64,
    )
    np.testing.assert_allclose(LogMelExtractor()(samples), np.log(expected.T + FLOOR), atol=1e-3)


def test_settings_name_what_changes_the_numbers_and_survive_pickling():
    extractor = LogMelExtractor(40)
    assert extractor.settings["mel_bins"] == 40
    assert LogMelExtractor(64).settings != extractor.settings
    copy = pickle.loads(pickle.dumps(extractor))
    assert copy.settings == extractor.settings
    np.testing.assert_array_equal(copy(tone(300)), extractor(tone(300)))


def test_a_worker_process_does_not_load_torch():
    code = (
        "import sys, numpy, smoothclap.models.towers.frames as frames;"
        "frames.LogMelExtractor()(numpy.zeros(16000, 'f4')); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
