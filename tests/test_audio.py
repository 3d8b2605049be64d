import io
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from smoothclap import audio
from smoothclap.audio import SAMPLE_RATE, load, stream, windows

SECONDS = 4.0


def voice(seconds: float = SECONDS, rate: int = SAMPLE_RATE) -> np.ndarray:
    """A tone of 220 Hz under a slow envelope with a little noise, so that bit rates vary."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(0).standard_normal(len(time))
    return ((0.3 * np.sin(2 * np.pi * 220 * time) + 0.1 * noise) * np.abs(np.sin(time))).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE, **how: object) -> Path:
    soundfile.write(path, samples, rate, **how)
    return path


FORMATS = {
    "wav": {},
    "flac": {},
    "ogg": {},
    "mp3": {},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "aiff": {},
}


@pytest.fixture(params=FORMATS)
def encoded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / f"voice.{request.param}", voice(), **FORMATS[request.param])


class TestSources:
    def test_every_format_keeps_length_and_sound(self, encoded: Path):
        samples = load(encoded)
        assert samples.dtype == np.float32
        assert samples.shape == voice().shape
        assert np.corrcoef(samples, voice())[0, 1] > 0.95

    def test_path_bytes_file_object_and_mapping_are_the_same_sound(self, encoded: Path):
        wanted = load(encoded)
        content = encoded.read_bytes()
        for source in (str(encoded), content, io.BytesIO(content), {"path": str(encoded), "bytes": None}):
            np.testing.assert_array_equal(load(source), wanted)
        np.testing.assert_array_equal(load({"path": "gone.wav", "bytes": content}), wanted)
        with encoded.open("rb") as file:
            file.seek(100)
            np.testing.assert_array_equal(load(file), wanted)
            assert not file.closed

    def test_array_with_its_rate(self):
        array = voice().astype(np.float64)
        np.testing.assert_array_equal(load((array, SAMPLE_RATE)), voice())
        np.testing.assert_array_equal(load({"array": array, "sampling_rate": SAMPLE_RATE}), voice())

    @pytest.mark.parametrize("dtype", [np.int16, np.int32])
    def test_integer_arrays_are_scaled_to_one(self, dtype: type):
        half = np.iinfo(dtype).max // 2 + 1
        array = np.tile(np.array([half, -half], dtype), 8000)
        np.testing.assert_array_equal(np.unique(load((array, SAMPLE_RATE))), [-0.5, 0.5])

    def test_the_callers_array_is_neither_changed_nor_shared(self):
        array = voice()
        load((array, SAMPLE_RATE))[:] = 0
        np.testing.assert_array_equal(array, voice())

    def test_eight_channels_become_their_mean(self, tmp_path: Path):
        channels = np.stack([voice() * (k + 1) / 8 for k in range(8)], axis=1)
        samples = load(write(tmp_path / "eight.wav", channels, subtype="FLOAT"))
        np.testing.assert_allclose(samples, voice() * 4.5 / 8, atol=1e-6)
        np.testing.assert_array_equal(load((channels, SAMPLE_RATE)), samples)

    @pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
    def test_other_rates_are_resampled(self, rate: int):
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
        samples = load((tone, rate))
        assert len(samples) == SAMPLE_RATE
        wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
        np.testing.assert_allclose(samples[1000:-1000], wanted[1000:-1000], atol=1e-3)

    def test_resampling_lets_no_alias_through(self):
        ultrasound = 0.5 * np.sin(2 * np.pi * 15_000 * np.arange(48_000) / 48_000)
        assert np.abs(load((ultrasound, 48_000))[500:-500]).max() < 1e-3

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((2, 48_000)),
            np.zeros((1, 48_000)),
            np.zeros((48_000, 0)),
            np.zeros((9, 9, 9)),
            np.float32(1),
        ],
    )
    def test_ambiguous_shapes_are_refused_not_flattened(self, array: np.ndarray):
        with pytest.raises(audio.AudioArrayError, match="shape"):
            load((array, SAMPLE_RATE))

    @pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.complex64, bool])
    def test_types_without_a_known_full_scale_are_refused(self, dtype: type):
        with pytest.raises(audio.AudioArrayError, match="int16"):
            load((np.ones(SAMPLE_RATE, dtype), SAMPLE_RATE))

    def test_rate_and_array_swapped(self):
        with pytest.raises(audio.AudioArrayError, match="order"):
            load((SAMPLE_RATE, voice()))  # type: ignore[arg-type]

    def test_not_a_source(self):
        for wrong in (5, None, {"file": "a.wav"}, io.StringIO("text")):
            with pytest.raises(audio.AudioUnreadable, match="given as audio"):
                load(wrong)  # type: ignore[arg-type]


class TestFaults:
    """Each fault has its exception, whose one line names the file."""

    def refused(
        self, fault: type[audio.AudioError], path: Path, match: str | None = None, **segment: float
    ) -> None:
        with pytest.raises(fault, match=match) as caught:
            load(path, **segment)
        assert caught.type is fault
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_missing_and_folder(self, tmp_path: Path):
        self.refused(audio.AudioNotFound, tmp_path / "no.wav", "no such file")
        self.refused(audio.AudioNotFound, tmp_path, "folder")

    def test_not_a_sound(self, tmp_path: Path):
        for name in ("readme.txt", "samples.raw", "fake.wav"):
            path = tmp_path / name
            path.write_text("hello world " * 100)
            self.refused(audio.AudioUnreadable, path, "convert")

    @pytest.mark.parametrize("extension", ["wav", "ogg", "aiff"])
    def test_no_samples(self, tmp_path: Path, extension: str):
        self.refused(audio.AudioEmpty, write(tmp_path / f"none.{extension}", voice()[:0]), "no samples")

    def test_no_bytes(self, tmp_path: Path):
        path = tmp_path / "zero.wav"
        path.touch()
        self.refused(audio.AudioEmpty, path, "0 bytes")
        with pytest.raises(audio.AudioEmpty):
            load((np.zeros(0), SAMPLE_RATE))

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_not_finite(self, tmp_path: Path, bad: float):
        samples = voice()
        samples[1234] = bad
        self.refused(audio.AudioNotFinite, write(tmp_path / "nan.wav", samples, subtype="FLOAT"))

    def test_ten_milliseconds(self, tmp_path: Path):
        self.refused(
            audio.AudioTooShort, write(tmp_path / "ms.wav", voice()[:160]), r"0.010 s found, 0.1 s needed"
        )

    def test_the_shortest_clip_allowed(self):
        for rate in (8000, 11_025, 16_000, 22_050, 44_100):
            assert len(load((voice(1, rate)[-int(0.1 * rate) :], rate))) in (1599, 1600)

    @pytest.mark.parametrize("rate", [4000, 384_000])
    def test_rate(self, tmp_path: Path, rate: int):
        self.refused(audio.AudioRateError, write(tmp_path / "rate.wav", voice(), rate), str(rate))

    def test_silent(self, tmp_path: Path):
        self.refused(audio.AudioSilent, write(tmp_path / "zeros.wav", np.zeros(16_000)))
        self.refused(audio.AudioSilent, write(tmp_path / "hum.wav", voice() * 0.001, subtype="FLOAT"))
        self.refused(audio.AudioSilent, write(tmp_path / "offset.wav", np.full(16_000, 0.5)))
        assert load((voice() * 0.01, SAMPLE_RATE)).any()

    def test_channels_that_cancel(self, tmp_path: Path):
        path = write(tmp_path / "phase.wav", np.stack([voice(), -voice()], axis=1), subtype="FLOAT")
        self.refused(audio.AudioSilent, path, "averaging its 2 channels")

    def test_three_hours_are_refused_before_they_are_decoded(self, tmp_path: Path):
        path = tmp_path / "long.flac"
        block = np.zeros(8000 * 600, np.int16)
        with soundfile.SoundFile(path, "w", 8000, 1, subtype="PCM_16", compression_level=0.0) as file:
            for _ in range(18):
                file.write(block)
        tracemalloc.start()
        self.refused(audio.AudioTooLong, path, "10800.0 s, at most 600 s")
        assert tracemalloc.get_traced_memory()[1] < 1e6
        tracemalloc.stop()

    def test_the_limit_is_for_the_segment(self, tmp_path: Path):
        path = write(tmp_path / "voice.wav", voice())
        self.refused(audio.AudioTooLong, path, max_seconds=2)
        assert len(load(path, start=1, end=3, max_seconds=2)) == 32_000
        assert len(load(path, max_seconds=None)) == 64_000

    @pytest.mark.parametrize("kept", [0.001, 0.5, 0.9, 0.99])
    def test_cut_short(self, encoded: Path, kept: float):
        whole = encoded.read_bytes()
        encoded.write_bytes(whole[: int(kept * len(whole))])
        fault = audio.AudioTruncated if kept > 0.1 else audio.AudioError
        with pytest.raises(fault) as caught:
            load(encoded)
        assert str(encoded) in str(caught.value)

    def test_cut_bytes_are_found_too(self, tmp_path: Path):
        content = write(tmp_path / "voice.wav", voice()).read_bytes()
        with pytest.raises(audio.AudioTruncated, match="audio of"):
            load(content[:50_000])

    @pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000])
    def test_streamed_wav_whose_writer_could_not_know_the_length(self, tmp_path: Path, size: int):
        content = bytearray(write(tmp_path / "voice.wav", voice()).read_bytes())
        content[40:44] = size.to_bytes(4, "little")
        assert len(load(bytes(content))) == 64_000

    def test_chunks_before_and_after_the_data_do_not_hide_a_cut(self, tmp_path: Path):
        content = write(tmp_path / "voice.wav", voice()).read_bytes()
        note = b"note" + (3).to_bytes(4, "little") + b"abc\0"
        noted = content[:36] + note + content[36:] + note
        assert len(load(noted)) == 64_000
        assert len(load(noted[:-6])) == 64_000
        with pytest.raises(audio.AudioTruncated):
            load(noted[: -len(note) - 2])


class TestMp3WithoutLength:
    """An MP3 may lack its Xing/Info frame; then its length is a guess from the first frame's bit rate."""

    def headless(self, path: Path, mode: str) -> bytes:
        content = write(path, voice(), bitrate_mode=mode, compression_level=0.5).read_bytes()
        second_frame = content.find(content[:2], 4)
        assert content[:second_frame].count(b"Info") + content[:second_frame].count(b"Xing") == 1
        return content[second_frame:]

    def test_constant_bit_rate_is_whole(self, tmp_path: Path):
        content = self.headless(tmp_path / "voice.mp3", "CONSTANT")
        assert 64_000 <= len(load(content)) <= 64_000 + 3 * 1152
        tagged = b"ID3\x04\0\0" + bytes([0, 2, 0, 0]) + b"Xing" + bytes(2 * 128**2 - 4) + content
        np.testing.assert_array_equal(load(tagged)[:65_000], load(content)[:65_000])

    @pytest.mark.parametrize("mode", ["VARIABLE", "AVERAGE"])
    def test_other_bit_rates_are_refused_not_cut(self, tmp_path: Path, mode: str):
        with pytest.raises(audio.AudioUnreadable, match="how long"):
            load(self.headless(tmp_path / "voice.mp3", mode))


class TestSegments:
    def test_a_segment_is_that_part_of_the_whole(self, encoded: Path):
        np.testing.assert_allclose(load(encoded, start=1.0, end=2.5), load(encoded)[16_000:40_000], atol=1e-6)
        np.testing.assert_allclose(load(encoded, start=3.0), load(encoded)[48_000:], atol=1e-6)

    @pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT", "AVERAGE"])
    def test_mp3_seeks_without_a_seam(self, tmp_path: Path, mode: str):
        path = write(tmp_path / "v.mp3", voice(rate=44_100), 44_100, bitrate_mode=mode, compression_level=0.9)
        whole = soundfile.read(path, dtype="float32")[0]
        first, last = 3 * 11_025, 3 * 11_025 + 44_100
        with audio._opened(path) as sound:
            np.testing.assert_allclose(sound.read(first, last), whole[first:last], atol=1e-6)

    @pytest.mark.parametrize(
        ("start", "end"),
        [(0.0, 4.01), (3.0, 2.0), (-1.0, 1.0), (5.0, None), (1.0, 1.0), (0, float("nan")), (0, float("inf"))],
    )
    def test_a_segment_outside_the_sound(self, tmp_path: Path, start: float, end: float | None):
        with pytest.raises(audio.AudioSegmentError, match=r"4\.000 s long"):
            load(write(tmp_path / "voice.wav", voice()), start=start, end=end)


class TestWindows:
    @settings(max_examples=50)
    @given(st.floats(0.1, 500), st.floats(0.5, 60), st.floats(0.1, 1))
    def test_they_cover_everything_in_equal_steps(self, seconds: float, size: float, share: float):
        hop = size * share
        cut = windows(seconds, size, hop)
        assert cut[0][0] == 0
        assert cut[-1][1] == seconds
        for (start, end), (after, _) in pairwise(cut):
            assert 0 < after - start <= hop * (1 + 1e-6)
            assert after <= end + 1e-9  # 0.5 + 0.1 < 6 * 0.1
        assert all(end - start == pytest.approx(min(size, seconds)) for start, end in cut)

    def test_a_whole_number_of_hops_adds_no_sliver(self):
        assert len(windows(0.3, 0.1, 0.1)) == 3
        assert len(windows(0.7, 0.1, 0.1)) == 7

    @pytest.mark.parametrize(("size", "hop"), [(1, 0), (1, 2), (0, 0), (-1, -1), (1, float("nan"))])
    def test_steps_that_leave_gaps(self, size: float, hop: float):
        with pytest.raises(audio.AudioSegmentError, match="hop"):
            windows(10, size, hop)


class TestStream:
    @pytest.mark.parametrize("rate", [16_000, 44_100])
    def test_each_window_is_what_load_gives(self, tmp_path: Path, rate: int):
        path = write(tmp_path / "voice.flac", voice(rate=rate), rate)
        seen = list(stream(path, 1.5, 1.0))
        assert [(start, end) for start, end, _ in seen] == windows(SECONDS, 1.5, 1.0)
        for start, end, samples in seen:
            np.testing.assert_array_equal(samples, load(path, start=start, end=end))

    def test_memory_does_not_grow_with_length(self, tmp_path: Path):
        def peak(minutes: int) -> int:
            path = tmp_path / f"{minutes}.wav"
            with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1) as file:
                for _ in range(minutes):
                    file.write(voice(60))
            tracemalloc.start()
            assert sum(1 for _ in stream(path, 5, 5)) == 12 * minutes
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return used

        assert peak(8) < 1.2 * peak(1)

    def test_a_pause_passes_but_a_silent_sound_does_not(self):
        pause = np.concatenate([voice(), np.zeros(64_000, np.float32)])
        assert len(list(stream((pause, SAMPLE_RATE), 1, 1))) == 8
        with pytest.raises(audio.AudioSilent):
            list(stream((np.zeros(64_000), SAMPLE_RATE), 1, 1))

    def test_a_cut_is_found_on_the_way(self, tmp_path: Path):
        path = write(tmp_path / "voice.mp3", voice())
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        windows_read = stream(path, 1, 1)
        next(windows_read)
        with pytest.raises(audio.AudioTruncated, match="declares"):
            list(windows_read)


class TestDigest:
    def test_content_not_name(self, tmp_path: Path):
        one, two, other = (tmp_path / name for name in "abc")
        one.write_bytes(b"x" * 3_000_000)
        two.write_bytes(b"x" * 3_000_000)
        other.write_bytes(b"x" * 2_999_999 + b"y")
        assert audio.digest(one) == audio.digest(two) != audio.digest(other)
        assert len(audio.digest(one)) == 32

    def test_known_value(self, tmp_path: Path):
        (tmp_path / "empty").touch()
        assert audio.digest(tmp_path / "empty") == "cae66941d9efbd404e4d88758ea67670"

    def test_missing(self, tmp_path: Path):
        with pytest.raises(audio.AudioNotFound):
            audio.digest(tmp_path / "no.wav")


def test_real_speech_passes(corpora: Path):
    files = sorted(corpora.rglob("*.flac"))[::40]
    assert all(len(load(file)) > 1600 for file in files)
