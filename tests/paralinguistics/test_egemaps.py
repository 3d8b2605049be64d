import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from smoothclap.audio import AudioNotFinite, AudioTooShort
from smoothclap.errors import MissingExtraError
from smoothclap.paralinguistics.egemaps import (
    FUNCTIONALS,
    MEASURES,
    UNITS,
    FunctionalsError,
    FunctionalsExtractor,
    OpenSmileError,
    measures,
)

RATE = 16_000


def voice(pitch: float, seconds: float = 1.5, level: float = 0.1) -> np.ndarray:
    """A buzz with a falling spectrum, `pitch` in Hz, `level` its root mean square."""
    t = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, int(RATE / 2 / pitch)))
    return (wave * level / np.sqrt(np.mean(wave**2))).astype(np.float32)


def whisper(seconds: float = 1.5) -> np.ndarray:
    """Noise through one formant: speech-like, but no voice."""
    noise = np.random.default_rng(0).normal(size=round(seconds * RATE))
    out = np.zeros_like(noise)
    for i in range(2, len(noise)):
        out[i] = noise[i] + 1.6 * out[i - 1] - 0.85 * out[i - 2]
    return (0.2 * out / np.abs(out).max()).astype(np.float32)


@pytest.fixture(scope="module")
def extractor() -> FunctionalsExtractor:
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    return FunctionalsExtractor()


def test_names_are_openSMILEs(extractor: FunctionalsExtractor):
    import opensmile

    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    assert tuple(smile.feature_names) == FUNCTIONALS
    assert len(FUNCTIONALS) == 88


def test_equals_plain_openSMILE(extractor: FunctionalsExtractor):
    import opensmile

    samples = voice(180) + 0.3 * whisper()
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    features = extractor(samples)
    assert features.shape == (89,)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features[:88], smile.process_signal(samples, RATE).to_numpy()[0])
    assert features[88] == np.float32(1.5)


def test_a_pickled_extractor_gives_the_same_numbers(extractor: FunctionalsExtractor):
    samples = voice(120)
    before = extractor(samples)  # openSMILE's object exists now and must not travel
    sent = pickle.dumps(extractor)
    assert b"Smile" not in sent
    copy = pickle.loads(sent)
    assert (copy.name, copy.settings) == (extractor.name, extractor.settings)
    np.testing.assert_array_equal(copy(samples), before)


def test_settings_name_everything_that_changes_the_numbers(extractor: FunctionalsExtractor):
    import opensmile

    assert extractor.settings["opensmile"] == opensmile.__version__
    assert extractor.settings["feature_set"] == "eGeMAPSv02"
    assert "32767" in extractor.settings["clipping"]


def test_full_scale_does_not_wrap(extractor: FunctionalsExtractor):
    """A square wave touching +1.0: wrapped, both of its levels would be -1 and nothing would sound."""
    square = np.where(np.arange(RATE) % 100 < 50, 1.0, -1.0).astype(np.float32)
    almost = np.clip(square, -1.0, 32767 / 32768).astype(np.float32)
    np.testing.assert_array_equal(extractor(square), extractor(almost))
    found = measures(extractor(square)[None])
    assert found["pitch_mean"][0] == pytest.approx(12 * np.log2(160 / 27.5), abs=0.2)


def test_the_caller_keeps_its_samples(extractor: FunctionalsExtractor):
    samples = np.clip(voice(120, level=2.0), -1, 1)
    kept = samples.copy()
    extractor(samples)
    np.testing.assert_array_equal(samples, kept)


@pytest.mark.parametrize("samples", [160, 320, 959])
def test_a_clip_without_a_pitch_frame_is_refused(extractor: FunctionalsExtractor, samples: int):
    with pytest.raises(AudioTooShort, match="too short for eGeMAPS"):
        extractor(voice(120)[:samples])


def test_the_shortest_clip(extractor: FunctionalsExtractor):
    assert np.isfinite(extractor(voice(120)[:960])).all()


def test_not_a_number_is_refused(extractor: FunctionalsExtractor):
    samples = voice(120)
    samples[700] = np.nan
    with pytest.raises(AudioNotFinite):
        extractor(samples)


def test_a_row_of_nan_is_an_error():
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    broken = FunctionalsExtractor()
    broken._smile = lambda samples, rate: np.full((1, 88, 1), np.nan, dtype=np.float32)
    with pytest.raises(FunctionalsError, match="NaN instead of functionals"):
        broken(voice(120))


def test_an_openSMILE_with_other_functionals_is_refused(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    monkeypatch.setattr("smoothclap.paralinguistics.egemaps.FUNCTIONALS", FUNCTIONALS[::-1])
    with pytest.raises(OpenSmileError, match="names other functionals"):
        FunctionalsExtractor()(voice(120))


def test_measures_follow_the_voice(extractor: FunctionalsExtractor):
    clips = [voice(110), voice(220), voice(220, level=0.02), voice(220, seconds=3)]
    found = measures(np.stack([extractor(clip) for clip in clips]))
    assert tuple(found.columns) == MEASURES == tuple(UNITS)
    assert found["pitch_mean"].to_list() == pytest.approx([24, 36, 36, 36], abs=0.2)
    assert found["intensity_mean"][1] - found["intensity_mean"][2] == pytest.approx(20 * np.log10(5), abs=0.2)
    assert found["intensity_mean"][1] == pytest.approx(-20, abs=0.5)
    assert found["duration"].to_list() == [1.5, 1.5, 1.5, 3.0]


def test_spread_is_a_standard_deviation_not_a_coefficient(extractor: FunctionalsExtractor):
    """Two tones 6 semitones apart spread by 3, however high the pair lies."""
    for low in (100, 200):
        pair = np.concatenate([voice(low), voice(low * 2**0.5)])
        found = measures(extractor(pair)[None])
        assert found["pitch_sd"][0] == pytest.approx(3, abs=0.25)


@pytest.mark.parametrize(
    "samples", [whisper(), np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)]
)
def test_without_voice_there_is_no_pitch_jitter_or_shimmer(
    extractor: FunctionalsExtractor, samples: np.ndarray
):
    found = measures(extractor(samples)[None]).loc[0]
    measured = {name for name in MEASURES if not np.isnan(found[name])}
    assert measured == {"intensity_mean", "intensity_sd", "duration"}


def test_a_short_voiced_clip_has_a_pitch(extractor: FunctionalsExtractor):
    features = extractor(voice(120)[:1280])
    assert features[FUNCTIONALS.index("VoicedSegmentsPerSec")] == 0
    assert measures(features[None])["pitch_mean"][0] == pytest.approx(12 * np.log2(120 / 27.5), abs=0.2)


def test_no_clips_give_an_empty_table():
    assert measures(np.zeros((0, 89), dtype=np.float32)).shape == (0, len(MEASURES))


def test_without_opensmile_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingExtraError, match=r"smoothclap\[opensmile\]") as caught:
        FunctionalsExtractor()
    assert "research and personal use only" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_real_speech_is_voiced(extractor: FunctionalsExtractor, corpora: Path):
    import soundfile

    files = sorted((corpora / "emodb").glob("*.flac"))[::60]
    features = [extractor(soundfile.read(file, dtype="float32")[0]) for file in files]
    found = measures(np.stack(features))
    assert found.notna().all(axis=None)
    assert found["pitch_mean"].between(18, 45).all()  # 78 to 370 Hz
