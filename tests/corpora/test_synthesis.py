"""The synthesiser keeps what a delivery promises; openSMILE, which knows nothing of it, is the judge."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from smoothclap.audio import SAMPLE_RATE
from smoothclap.corpora.synthesis import PEAK, Delivery, speak
from smoothclap.paralinguistics.egemaps import FunctionalsExtractor, measures

VOWEL = Delivery(syllables=1, rate=1, pitch_mean=32, pitch_sd=0, level=-30, jitter=0.005, shimmer=0.1)
SPEECH = replace(VOWEL, syllables=7, rate=4, pitch_sd=2)

Measure = Callable[..., float]


@pytest.fixture(scope="module")
def measured() -> Measure:
    """A function from a delivery to one eGeMAPS measure of it: the median of seven clips.

    One clip may mislead: openSMILE hears a voice in one burst of noise in some hundreds, and the shimmer it
    reads moves by half when the same clip is shifted by 40 samples.
    """
    pytest.importorskip("opensmile", reason="the judge is openSMILE: pip install 'smoothclap[opensmile]'")
    extractor = FunctionalsExtractor()

    def measure(name: str, delivery: Delivery) -> float:
        clips = [speak(delivery, np.random.default_rng(seed)) for seed in range(7)]
        return float(measures(np.stack([extractor(clip) for clip in clips]))[name].median())

    return measure


@pytest.mark.parametrize("delivery", [VOWEL, SPEECH], ids=["vowel", "speech"])
@pytest.mark.parametrize("pitch", [22, 28, 34, 42])
def test_pitch_is_the_one_asked_for(measured: Measure, delivery: Delivery, pitch: float) -> None:
    assert measured("pitch_mean", replace(delivery, pitch_mean=pitch)) == pytest.approx(pitch, abs=0.3)


@pytest.mark.parametrize("spread", [0, 1, 2, 4])
def test_pitch_spread_is_the_one_asked_for(measured: Measure, spread: float) -> None:
    assert measured("pitch_sd", replace(SPEECH, pitch_sd=spread)) == pytest.approx(spread, abs=0.2)


def test_six_decibels_more_read_as_six_decibels_more(measured: Measure) -> None:
    soft, loud = (measured("intensity_mean", replace(SPEECH, level=level)) for level in (-36, -30))
    assert loud - soft == pytest.approx(6, abs=0.05)
    assert loud == pytest.approx(-30, abs=0.1)


@pytest.mark.parametrize("pitch", [25, 35])
def test_jitter_rises_in_step_with_the_truth(measured: Measure, pitch: float) -> None:
    truth = np.array([0.002, 0.005, 0.01, 0.02, 0.03])
    read = np.array(
        [measured("jitter_mean", replace(VOWEL, pitch_mean=pitch, jitter=asked)) for asked in truth]
    )
    assert np.all(np.diff(read) > 0)
    # openSMILE matches waveforms over several periods, which takes about a quarter off.
    np.testing.assert_allclose(read / truth, 0.75, atol=0.2)


@pytest.mark.parametrize("pitch", [25, 35])
def test_shimmer_rises_in_step_with_the_truth(measured: Measure, pitch: float) -> None:
    truth = np.array([0.3, 0.6, 1.0, 1.5])
    read = np.array(
        [measured("shimmer_mean", replace(VOWEL, pitch_mean=pitch, shimmer=asked)) for asked in truth]
    )
    assert np.all(np.diff(read) > 0)
    # The rise and fall of the syllable are read as a little shimmer, and large shimmer is read short.
    np.testing.assert_allclose(read, truth, atol=0.3)


@pytest.mark.parametrize("rate", [2.5, 4.0, 6.1])
def test_length_is_syllables_over_rate(rate: float) -> None:
    delivery = replace(SPEECH, rate=rate)
    clip = speak(delivery, np.random.default_rng(0))
    assert clip.shape == (round(7 / rate * SAMPLE_RATE),)
    assert len(clip) / SAMPLE_RATE == delivery.duration


def test_same_generator_gives_the_same_clip() -> None:
    first, second = (speak(SPEECH, np.random.default_rng(5)) for _ in range(2))
    other = speak(SPEECH, np.random.default_rng(6))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_level_that_would_clip_is_refused() -> None:
    with pytest.raises(ValueError, match=f"beyond {PEAK}"):
        speak(replace(SPEECH, level=-3), np.random.default_rng(0))


def test_vowels_have_harmonics_and_formants() -> None:
    """Energy lies at the multiples of F0, most of it below 4 kHz, and scaling the formants moves it."""
    f0 = 220.0
    vowel = replace(VOWEL, pitch_mean=12 * np.log2(f0 / 27.5), jitter=0, shimmer=0)
    clip = speak(vowel, np.random.default_rng(1))
    middle = clip[len(clip) // 2 :][: SAMPLE_RATE // 2]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    hertz = np.fft.rfftfreq(len(middle), 1 / SAMPLE_RATE)
    harmonic = np.abs(hertz / f0 - np.round(hertz / f0)) * f0 < 10
    assert power[harmonic].sum() > 0.95 * power.sum()
    assert power[hertz < 4000].sum() > 100 * power[hertz > 4000].sum()

    def centroid(tract: float) -> float:
        clip = speak(replace(vowel, tract=tract), np.random.default_rng(1))
        power = np.abs(np.fft.rfft(clip)) ** 2
        return float(np.average(np.arange(len(power)), weights=power))

    assert centroid(0.9) < centroid(1.0) < centroid(1.2)


def test_tilt_and_breath_shape_the_voice() -> None:
    def high_share(delivery: Delivery) -> float:
        power = np.abs(np.fft.rfft(speak(delivery, np.random.default_rng(2)))) ** 2
        split = len(power) // 8  # 1 kHz
        return float(power[split:].sum() / power.sum())

    tense, lax = replace(SPEECH, tilt=3), replace(SPEECH, tilt=25)
    assert high_share(tense) > 2 * high_share(lax)
    assert high_share(replace(lax, breath=-5)) > high_share(lax)
