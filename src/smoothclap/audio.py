"""The front door for sound: the only place that opens a sound file.

Whatever comes in leaves as mono float32 at 16 kHz, checked: it exists, decodes, is complete, is not empty,
too short, too long, silent or NaN, and has a plausible rate. Every fault is an exception of its own.
"""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
import soundfile
import soxr

from smoothclap.errors import SmoothClapError

SAMPLE_RATE = 16_000
"""Rate of everything `load` and `stream` give, Hz."""

MIN_SECONDS = 0.1
"""Shorter clips are refused: no voice measure or embedding is meaningful on them."""

MAX_SECONDS = 600.0
"""Longest clip `load` takes at once; longer recordings are for `stream`."""

MIN_RATE, MAX_RATE = 8_000, 192_000
"""Plausible sampling rates, Hz."""

SILENCE_PEAK = 1e-3
"""Half the peak-to-peak amplitude (so that a constant offset counts for nothing) below which a sound is
silent: -60 dBFS. The quietest clip of RAVDESS, a quiet corpus, peaks at -46 dBFS."""

FRONT_DOOR = "mean of channels, soxr HQ, 16000 Hz, 1"
"""Names how samples are made, for stores of what is computed from them; change it with the numbers."""

Source: TypeAlias = str | Path | bytes | BinaryIO | Mapping[str, Any] | tuple[np.ndarray, int]
"""A path, a file's bytes, an open binary file, `(array, rate)`, `{"array", "sampling_rate"}` or
`{"path", "bytes"}`. Arrays are (n,) or (n, channels), of floats or of 16 or 32 bit integers."""

# libsndfile's "length unknown", and the size fields that WAV writers leave when they cannot seek back.
_UNKNOWN_FRAMES = 2**62
_UNKNOWN_BYTES = 0x7FFFF000
# An MP3 frame builds on earlier ones; libmpg123 restarts too close to the wanted sample after a seek.
_MP3_LEAD = 10 * 1152


class AudioError(SmoothClapError):
    """A sound that cannot be used."""


class AudioNotFound(AudioError):
    """There is no such file, or it is a folder."""


class AudioUnreadable(AudioError):
    """It cannot be opened or is not in a format that libsndfile reads."""


class AudioArrayError(AudioError):
    """An array of the wrong shape or type."""


class AudioEmpty(AudioError):
    """It holds no samples."""


class AudioNotFinite(AudioError):
    """It holds NaN or infinite samples."""


class AudioTooShort(AudioError):
    """It is shorter than `MIN_SECONDS`."""


class AudioTooLong(AudioError):
    """It is longer than can be worked on at once."""


class AudioTruncated(AudioError):
    """It ends before its declared length, or its decoding breaks off."""


class AudioRateError(AudioError):
    """Its sampling rate is not plausible."""


class AudioSilent(AudioError):
    """Nothing can be heard in it."""


class AudioSegmentError(AudioError):
    """The segment or the windows asked for do not lie within the sound."""


def load(
    source: Source,
    *,
    start: float = 0.0,
    end: float | None = None,
    max_seconds: float | None = MAX_SECONDS,
) -> np.ndarray:
    """Read a sound, or a segment of it, as mono 16 kHz samples, checked.

    Channels are averaged; other rates are resampled (soxr, high quality). A segment is sought, not decoded
    from the beginning, and resampled by itself. An MP3 cut short is known only where it carries its length
    (Xing/Info header) or where the cut lies within what is read.

    Args:
        source: see `Source`. The caller's array is left as it is.
        start: where to begin, seconds.
        end: where to stop, seconds; `None`: the end of the sound.
        max_seconds: longest segment taken, seconds; `None`: any. Checked before decoding.

    Returns:
        Samples, float32 (n,), 16 kHz, nominally within [-1, 1].

    Raises:
        AudioError: the subclass says which check failed.

    >>> tone = np.sin(2 * np.pi * 220 * np.arange(8000) / 8000)
    >>> load((tone, 8000)).shape
    (16000,)
    >>> load({"array": tone, "sampling_rate": 8000}, start=0.25, end=0.75).shape
    (8000,)
    """
    with _opened(source) as sound:
        samples = _segment(sound, start, end, max_seconds)
        if _is_silent(samples):
            raise AudioSilent(_silence(sound))
        return _resampled(samples, sound.rate)


def windows(seconds: float, size: float, hop: float) -> list[tuple[float, float]]:
    """Cut a length of time into equal windows that cover all of it.

    The last window is moved back to end at the end; a sound no longer than `size` is one window, whole.

    Args:
        seconds: length to cover, seconds.
        size: length of a window, seconds.
        hop: from one window's start to the next, seconds; at most `size`, or there would be gaps.

    Returns:
        (start, end) of each window, seconds, in order.

    Raises:
        AudioSegmentError: not 0 < hop <= size.

    >>> windows(10.0, 4.0, 4.0)
    [(0.0, 4.0), (4.0, 8.0), (6.0, 10.0)]
    >>> windows(3.0, 4.0, 2.0)
    [(0.0, 3.0)]
    """
    if not 0 < hop <= size:
        raise AudioSegmentError(f"windows of {size:g} s every {hop:g} s: give 0 < hop <= size")
    last = seconds - size
    # The tolerance keeps rounding from adding a second copy of the last window.
    starts = [k * hop for k in range(max(0, int(np.ceil(last / hop - 1e-9))))]
    if not starts:
        return [(0.0, seconds)]
    return [(start, start + size) for start in starts] + [(last, seconds)]


def stream(source: Source, size: float, hop: float) -> Iterator[tuple[float, float, np.ndarray]]:
    """Read a long sound window by window; memory does not grow with its length.

    Each window is exactly what `load(source, start=start, end=end)` gives, save that a silent window is
    passed on (long recordings have pauses): only a sound without any audible window is refused, at its end.

    Args:
        source: see `Source`.
        size: length of a window, seconds.
        hop: from one window's start to the next, seconds.

    Yields:
        start (seconds), end (seconds), samples (float32 (n,), 16 kHz).

    Raises:
        AudioError: at the window where a check fails; see `load` and `windows`.
    """
    with _opened(source) as sound:
        silent = True
        for start, end in windows(sound.frames / sound.rate, size, hop):
            samples = _segment(sound, start, end, None)
            silent = silent and _is_silent(samples)
            yield start, end, _resampled(samples, sound.rate)
        if silent:
            raise AudioSilent(_silence(sound))


def digest(path: str | Path) -> str:
    """Name a file by its content.

    Args:
        path: any file.

    Returns:
        128 bit BLAKE2b of the file's bytes, 32 hexadecimal digits.

    Raises:
        AudioNotFound: no such file, or a folder.
        AudioUnreadable: the operating system refuses to read it.
    """
    with _file(path) as file:
        try:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        except OSError as error:
            raise AudioUnreadable(f"{path}: cannot be read ({error.strerror or error})") from error


class _Sound(Protocol):
    """An open sound: what to call it in messages, its rate (Hz) and length, and its mono samples."""

    name: str
    rate: float
    channels: int
    frames: int

    def read(self, first: int, last: int) -> np.ndarray:
        """Samples [first, last) as float32 (last - first,)."""
        ...


class _ArraySound:
    """A sound held in an array."""

    name = "audio array"

    def __init__(self, array: Any, rate: Any) -> None:
        try:
            self.array, self.rate = np.asarray(array), float(rate)
        except (TypeError, ValueError) as error:
            raise AudioArrayError(f"{self.name}: give samples and one sampling rate, in this order") from error
        shape, dtype = self.array.shape, self.array.dtype
        if len(shape) not in (1, 2) or (len(shape) == 2 and shape[0] and not 1 <= shape[1] <= shape[0]):
            raise AudioArrayError(
                f"{self.name}: shape {shape} is not (n,) or (n, channels); transpose or squeeze it"
            )
        if not (dtype.kind == "f" or (dtype.kind == "i" and dtype.itemsize in (2, 4))):
            raise AudioArrayError(f"{self.name}: {dtype} samples; give floats in [-1, 1], int16 or int32")
        self.frames = shape[0]
        self.channels = shape[1] if len(shape) == 2 else 1

    def read(self, first: int, last: int) -> np.ndarray:
        samples = self.array[first:last]
        full_scale = 2.0 ** (8 * samples.itemsize - 1) if samples.dtype.kind == "i" else 1.0
        return _downmix(samples.reshape(last - first, -1).astype(np.float32)) / np.float32(full_scale)


class _FileSound:
    """A sound in an open binary file, decoded by libsndfile."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self.name = name
        try:
            size = raw.seek(0, os.SEEK_END)
            if size == 0:
                raise AudioEmpty(f"{name}: empty (0 bytes); copy or record it again")
            truncated, (mp3_tag, mp3_has_length) = _declares_more(raw, size), _mp3_start(raw)
            raw.seek(0)
            self.file = soundfile.SoundFile(raw)
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            reason = getattr(error, "error_string", str(error)).strip().rstrip(".")
            raise AudioUnreadable(
                f"{name}: not a sound file that can be read ({reason}); convert it to WAV"
            ) from error
        self.rate, self.channels, self.frames = self.file.samplerate, self.file.channels, self.file.frames
        self.is_mp3 = self.file.format == "MP3"
        # MP3 encoders disagree by a frame on what their length header counts.
        self.slack = (1152 if self.rate >= 32_000 else 576) if self.is_mp3 else 0
        if truncated:
            raise AudioTruncated(f"{name}: cut short, its header declares more than it holds; copy it again")
        unknown = self.frames >= _UNKNOWN_FRAMES
        if self.is_mp3 and not mp3_has_length:
            # libsndfile then guesses the length from the file's size, tag and all, and the first bit rate.
            # Where the bit rate varies that is wrong, and the rest of the sound would silently be dropped.
            self.frames = round(self.frames * (1 - mp3_tag / size))
            self.file.seek(max(0, self.frames - 1 - self.slack))
            unknown = len(self.file.read(1)) == 0 or raw.tell() < 0.95 * size
        if unknown:
            raise AudioUnreadable(f"{name}: does not say how long it is; convert it to WAV")

    def read(self, first: int, last: int) -> np.ndarray:
        lead = min(first, _MP3_LEAD) if self.is_mp3 else 0
        try:
            self.file.seek(first - lead)
            samples = _downmix(self.file.read(last - first + lead, dtype="float32", always_2d=True)[lead:])
        except (soundfile.SoundFileError, OSError) as error:
            raise AudioTruncated(f"{self.name}: breaks off, cut short or damaged; copy it again") from error
        if len(samples) < last - first - self.slack:
            raise AudioTruncated(
                f"{self.name}: cut short, ends at {(first + len(samples)) / self.rate:.3f} s of the"
                f" {self.frames / self.rate:.3f} s it declares; copy it again"
            )
        return samples


@contextmanager
def _opened(source: Source) -> Iterator[_Sound]:
    """Open any `Source` and check what its header tells: the rate, and that there are samples."""
    plain = _without_mapping(source)
    with ExitStack() as stack:
        sound: _Sound
        if isinstance(plain, tuple) and len(plain) == 2:
            sound = _ArraySound(*plain)
        else:
            sound = _FileSound(*_binary(plain, stack))
            stack.enter_context(sound.file)
        if not MIN_RATE <= sound.rate <= MAX_RATE:
            raise AudioRateError(
                f"{sound.name}: sampling rate {sound.rate:g} Hz; speech needs {MIN_RATE} to {MAX_RATE} Hz,"
                " record it again or mend its header"
            )
        if sound.frames == 0:
            raise AudioEmpty(f"{sound.name}: empty (no samples); copy or record it again")
        yield sound


def _without_mapping(source: Source) -> Any:
    """Take what a mapping holds: `array` and `sampling_rate`, else `bytes`, else `path`."""
    if not isinstance(source, Mapping):
        return source
    if "array" in source:
        return source["array"], source.get("sampling_rate")
    return source["path"] if source.get("bytes") is None and "path" in source else source.get("bytes")


def _binary(source: Any, stack: ExitStack) -> tuple[BinaryIO, str]:
    """The bytes of a source as a binary file (closed with `stack` if opened here), and its name."""
    if isinstance(source, str | os.PathLike):
        return stack.enter_context(_file(source)), os.fspath(source)
    if isinstance(source, bytes | bytearray):
        return io.BytesIO(source), f"audio of {len(source)} bytes"
    if hasattr(source, "read") and not isinstance(source, io.TextIOBase):
        if not source.seekable():
            raise AudioUnreadable("audio stream: cannot be sought; give its bytes (.read()) instead")
        return source, str(getattr(source, "name", "audio stream"))
    raise AudioUnreadable(
        f"{type(source).__name__} given as audio: give a path, bytes, a file opened with 'rb', (array, rate),"
        ' {"array", "sampling_rate"} or {"path", "bytes"}'
    )


@contextmanager
def _file(path: str | os.PathLike[str]) -> Iterator[io.BufferedReader]:
    """Open `path` for reading, or say in one line why not."""
    path = Path(path)
    if path.is_dir():
        raise AudioNotFound(f"{path}: is a folder; name the sound files in it")
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise AudioNotFound(f"{path}: no such file; check the path") from error
    except (OSError, ValueError) as error:
        raise AudioUnreadable(f"{path}: cannot be opened ({getattr(error, 'strerror', error)})") from error
    with file:
        yield file


def _segment(sound: _Sound, start: float, end: float | None, max_seconds: float | None) -> np.ndarray:
    """Samples of a segment at the sound's own rate, every check but silence made, the cheap ones first."""
    seconds = sound.frames / sound.rate
    stop = seconds if end is None else end
    if not 0 <= start < stop < float("inf") or round(stop * sound.rate) > sound.frames:
        raise AudioSegmentError(
            f"{sound.name}: {seconds:.3f} s long, no segment {start:.3f} to {stop:.3f} s in it; mend these"
        )
    first, last = round(start * sound.rate), round(stop * sound.rate)
    length = (last - first) / sound.rate
    if max_seconds is not None and length > max_seconds:
        raise AudioTooLong(
            f"{sound.name}: {length:.1f} s, at most {max_seconds:g} s are taken at once;"
            " work in windows, or give start and end"
        )
    if last - first < int(MIN_SECONDS * sound.rate):
        raise AudioTooShort(f"{sound.name}: {length:.3f} s found, {MIN_SECONDS:g} s needed; leave it out")
    samples = sound.read(first, last)
    if not np.isfinite(samples).all():
        raise AudioNotFinite(f"{sound.name}: holds NaN or infinite samples; export it again or leave it out")
    return samples


def _downmix(samples: np.ndarray) -> np.ndarray:
    """Mean of the channels of (n, channels)."""
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)


def _is_silent(samples: np.ndarray) -> bool:
    return bool(np.ptp(samples) / 2 < SILENCE_PEAK)


def _silence(sound: _Sound) -> str:
    mixed = f" after averaging its {sound.channels} channels" if sound.channels > 1 else ""
    return f"{sound.name}: silent{mixed} (peak below -60 dBFS); leave it out or check the recording"


def _resampled(samples: np.ndarray, rate: float) -> np.ndarray:
    if rate == SAMPLE_RATE:
        return np.ascontiguousarray(samples)
    return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE, quality="HQ"), dtype=np.float32)


def _declares_more(raw: BinaryIO, size: int) -> bool:
    """Whether a WAV, AIFF or OGG file of `size` bytes ends early; libsndfile quietly mends such a header."""
    raw.seek(0)
    magic = raw.read(4)
    if magic in (b"RIFF", b"RIFX", b"FORM"):
        order = "little" if magic == b"RIFF" else "big"
        position = 12
        while position + 8 <= size:
            raw.seek(position)
            name, length = raw.read(4), int.from_bytes(raw.read(4), order)  # type: ignore[arg-type]
            if name in (b"data", b"SSND"):
                return length < _UNKNOWN_BYTES and position + 8 + length > size
            position += 8 + length + length % 2
        return position > size
    if magic == b"OggS":
        # Ogg declares no length, but its last page is marked as such (RFC 3533, section 6).
        raw.seek(max(0, size - 2 * 65_307))
        tail = raw.read()
        page = tail[tail.rfind(b"OggS") :]
        held = 27 + page[26] + sum(page[27 : 27 + page[26]]) if len(page) > 26 else size
        return held > len(page) or not page[5] & 4
    return False


def _mp3_start(raw: BinaryIO) -> tuple[int, bool]:
    """Bytes of an ID3 tag in front, and whether the first frame is Xing/Info, which tells the length."""
    raw.seek(0)
    head = raw.read(10)
    tag = 0
    if head[:3] == b"ID3":  # its size is written in four bytes of seven bits
        tag = 10 + sum((byte & 0x7F) << 7 * (9 - k) for k, byte in enumerate(head[6:], start=6))
    raw.seek(tag)
    first_frame = raw.read(2048)
    return tag, b"Xing" in first_frame or b"Info" in first_frame
