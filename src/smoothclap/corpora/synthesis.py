"""A voiced source-filter synthesiser: pitch, intensity, jitter, shimmer, rate and duration are known exactly.

Every glottal pulse is made on its own: its period carries the jitter, its amplitude the shimmer, and its place
between two samples is kept (rounding to 62.5 us would alone be 1 % of jitter at 160 Hz). In the frequency
domain it is a glottal flow derivative with a spectral tilt (Klatt & Klatt 1990; Doval et al. 2003), plus a
burst of breath, times a cascade of formants (Fant 1960; Klatt 1980). The pulses are overlapped and added.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smoothclap.audio import SAMPLE_RATE

Floats = NDArray[np.float64]
Complexes = NDArray[np.complexfloating[Any, Any]]

PITCH_REFERENCE = 27.5
"""Hz of semitone 0, as in eGeMAPS."""

PEAK = 0.95
"""No sample reaches beyond this; openSMILE wraps a sample of +1.0 to the most negative value."""

VOWELS = np.array(
    [
        [270, 2290, 3010],
        [530, 1840, 2480],
        [660, 1720, 2410],
        [730, 1090, 2440],
        [570, 840, 2410],
        [300, 870, 2240],
    ],
    dtype=np.float64,
)
"""F1, F2, F3 in Hz of i, e, ae, a, o, u spoken by men (Peterson & Barney 1952, Table II)."""

_UPPER_FORMANTS = np.array([3500.0, 4500.0, 5500.0, 6500.0, 7500.0])  # those of a uniform tube of 17.5 cm
_EDGE = 0.05  # seconds of silence before and after
_GRID = 0.001  # seconds between two values of the pitch contour
_RESPONSE = 512  # samples in which one pulse dies away (32 ms)
_LEAD = 16  # samples before a pulse: room for the ringing of a pulse that lies between two samples
_FLOOR = -50.0  # dB of recording noise, relative to the clip


@dataclass(frozen=True)
class Delivery:
    """How a clip is spoken. Each value holds exactly for the clip made from it: it is the clip's truth.

    Attributes:
        syllables: number of syllables, at least 1.
        rate: syllables a second, silences included; up to 10.
        pitch_mean: mean F0 over the voiced time, in semitones re 27.5 Hz; such that F0 stays above 40 Hz.
        pitch_sd: standard deviation of the same, in semitones.
        level: mean power of the clip in dB re full scale.
        jitter: mean absolute difference of successive periods over the mean period (a ratio), contour aside.
        shimmer: mean absolute difference of successive pulse amplitudes, envelope aside, in dB.
        tilt: dB, above 0, that the glottal spectrum loses at 3 kHz by a soft closure: 3 is tense, 20 is lax.
        breath: energy of the breath noise re the glottal pulse, in dB.
        tract: factor on all formants: 1 a man's vocal tract, about 1.17 a woman's.
    """

    syllables: int
    rate: float
    pitch_mean: float
    pitch_sd: float
    level: float
    jitter: float
    shimmer: float
    tilt: float = 10.0
    breath: float = -25.0
    tract: float = 1.0

    @property
    def duration(self) -> float:
        """Length of the clip in seconds, a whole number of samples."""
        return round(self.syllables / self.rate * SAMPLE_RATE) / SAMPLE_RATE


@dataclass(frozen=True)
class _Noise:
    """An unvoiced sound: high-passed at `corner` Hz, over a share of its time, in dB re the voiced parts."""

    corner: float
    share: float
    level: float


@dataclass(frozen=True)
class _Consonant:
    """A syllable's onset: its F2 locus in Hz, and its noise where it is unvoiced."""

    locus: float
    noise: _Noise | None = None


_CONSONANTS = (
    _Consonant(1700, _Noise(5000, share=1.0, level=-10)),  # s
    _Consonant(1900, _Noise(3000, share=1.0, level=-8)),  # sh
    _Consonant(1750, _Noise(3800, share=0.3, level=-9)),  # t: a closure, then a burst
    _Consonant(1650),  # n
    _Consonant(1250),  # l
    _Consonant(1000),  # m
)


@dataclass(frozen=True)
class _Syllable:
    """Where a syllable lies (seconds), what is said in it, and how strongly it is accented (0 to 1)."""

    start: float
    voice: float
    end: float
    consonant: _Consonant
    vowel: Floats
    accent: float


def speak(delivery: Delivery, rng: np.random.Generator) -> NDArray[np.float32]:
    """Synthesise one clip of nonsense syllables.

    Args:
        delivery: how it is spoken.
        rng: decides what the delivery leaves open: the syllables, the shape of the contour, the noise.

    Returns:
        (n,) samples at 16 kHz, `n = delivery.duration * 16000`, all within `PEAK`.

    Raises:
        ValueError: the level asked for would put a peak beyond `PEAK`.

    Examples:
        >>> vowel = Delivery(1, rate=1, pitch_mean=30, pitch_sd=0, level=-30, jitter=0, shimmer=0)
        >>> clip = speak(vowel, np.random.default_rng(0))
        >>> clip.shape, round(float(10 * np.log10(np.mean(clip**2))), 3)
        ((16000,), -30.0)
    """
    syllables = _articulate(delivery, rng)
    size = round(delivery.duration * SAMPLE_RATE)
    samples = _voice(syllables, delivery, size, rng)
    loudness = _rms(samples[samples != 0])
    for syllable in syllables:
        if noise := syllable.consonant.noise:
            hiss = _hiss(noise, syllable.voice - syllable.start, delivery.tract, rng)
            stop = round(syllable.voice * SAMPLE_RATE)
            samples[stop - len(hiss) : stop] += hiss * loudness * 10 ** (noise.level / 20)
    samples += rng.standard_normal(size) * _rms(samples) * 10 ** (_FLOOR / 20)
    samples *= 10 ** (delivery.level / 20) / _rms(samples)
    peak = np.abs(samples).max()
    if peak > PEAK:
        raise ValueError(f"a level of {delivery.level} dB puts the peak at {peak:.2f}, beyond {PEAK}")
    return samples.astype(np.float32)


def _rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def _articulate(delivery: Delivery, rng: np.random.Generator) -> list[_Syllable]:
    """Share the clip's time among syllables, with a short pause within longer clips."""
    count = delivery.syllables
    weights = rng.lognormal(sigma=0.12, size=count)
    weights[-1] *= 1.3  # phrases end on a lengthened syllable
    pause_after = int(rng.integers(2, count - 1)) if count >= 5 else None
    pause = 0.0 if pause_after is None else 0.06 * delivery.duration
    lengths = weights / weights.sum() * (delivery.duration - 2 * _EDGE - pause)
    accents = rng.uniform(0, 1, count) ** 2
    syllables, start = [], _EDGE
    for index, length in enumerate(lengths):
        consonant = _CONSONANTS[rng.integers(len(_CONSONANTS))]
        voice = start if consonant.noise is None else start + min(0.35 * length, 0.09)
        vowel = VOWELS[rng.integers(len(VOWELS))]
        syllables.append(_Syllable(start, voice, start + length, consonant, vowel, accents[index]))
        start += length + (pause if index == pause_after else 0.0)
    return syllables


def _voice(syllables: list[_Syllable], delivery: Delivery, size: int, rng: np.random.Generator) -> Floats:
    """The voiced part: (size,) samples of any level, exactly zero where nothing is voiced."""
    runs = _voiced_runs(syllables)
    nominal = _pulse_periods(runs, _contour(syllables, runs, delivery), delivery)
    counts = [len(periods) for periods in nominal]
    jitter = _perturbation(counts, delivery.jitter, rng)
    shimmer = _perturbation(counts, delivery.shimmer, rng)
    periods = np.concatenate(nominal) * (1 + jitter)
    ends = np.cumsum(counts)
    times = np.concatenate(
        [
            start + np.cumsum(own) - own
            for (start, _), own in zip(runs, np.split(periods, ends[:-1]), strict=True)
        ]
    )
    amplitudes = _envelope(syllables, times) * 10 ** (shimmer / 20)
    responses = _responses(times, periods, _formants(syllables, times) * delivery.tract, delivery, rng)
    first = np.floor(times * SAMPLE_RATE).astype(np.intp) - _LEAD
    where = first[:, None] + np.arange(_RESPONSE)
    inside = (where >= 0) & (where < size)
    weighted = responses * amplitudes[:, None]
    samples = np.zeros(size)
    np.add.at(samples, where[inside], weighted[inside])
    return samples


def _voiced_runs(syllables: list[_Syllable]) -> list[tuple[float, float]]:
    """Start and end (seconds) of each stretch of unbroken voicing."""
    runs: list[tuple[float, float]] = []
    for syllable in syllables:
        if runs and syllable.voice == runs[-1][1]:
            runs[-1] = (runs[-1][0], syllable.end)
        else:
            runs.append((syllable.voice, syllable.end))
    return runs


def _contour(syllables: list[_Syllable], runs: list[tuple[float, float]], delivery: Delivery) -> Floats:
    """Semitones on the grid of the clip: declination and accents, brought to the mean and spread asked for."""
    time = np.arange(0.0, delivery.duration + _GRID, _GRID)
    shape = -0.8 * time / delivery.duration
    for syllable in syllables:
        centre = (syllable.voice + syllable.end) / 2
        width = 0.4 * (syllable.end - syllable.start)
        shape += syllable.accent * np.exp(-0.5 * ((time - centre) / width) ** 2)
    voiced = np.zeros(len(time), dtype=bool)
    for start, end in runs:
        voiced |= (time >= start) & (time < end)
    shape -= shape[voiced].mean()
    contour: Floats = delivery.pitch_mean + delivery.pitch_sd * shape / shape[voiced].std()
    return contour


def _pulse_periods(runs: list[tuple[float, float]], contour: Floats, delivery: Delivery) -> list[Floats]:
    """Each run's unperturbed periods (seconds): from one whole number of the contour's phase to the next."""
    time = np.arange(len(contour)) * _GRID
    frequency = PITCH_REFERENCE * 2 ** (contour / 12)
    phase = np.concatenate([[0.0], np.cumsum((frequency[1:] + frequency[:-1]) / 2 * _GRID)])
    periods = []
    for start, end in runs:
        first, last = np.interp([start, end], time, phase)
        periods.append(np.diff(np.interp(np.arange(first, last), phase, time)))
    return periods


def _perturbation(counts: list[int], size: float, rng: np.random.Generator) -> Floats:
    """Noise whose mean absolute difference between neighbours within a run is `size`."""
    noise = rng.standard_normal(sum(counts))
    steps = np.abs(np.diff(noise))
    within = np.ones(len(steps), dtype=bool)
    within[np.cumsum(counts)[:-1] - 1] = False
    perturbation: Floats = noise * size / steps[within].mean()
    return perturbation


def _envelope(syllables: list[_Syllable], times: Floats) -> Floats:
    """Amplitude of the pulses: each syllable rises, stays, and falls; voiced consonants are a dip."""
    knots: list[tuple[float, float]] = []
    for syllable in syllables:
        rise = min(0.03, 0.25 * (syllable.end - syllable.voice))
        edge = 0.35 if syllable.consonant.noise is None else 0.15
        gain = 0.7 + 0.6 * syllable.accent
        knots += [
            (syllable.voice, edge),
            (syllable.voice + rise, gain),
            (syllable.end - rise, gain),
            (syllable.end - 1e-6, 0.35),
        ]
    at, gains = np.array(knots).T
    envelope: Floats = np.interp(times, at, gains)
    return envelope


def _formants(syllables: list[_Syllable], times: Floats) -> Floats:
    """F1, F2, F3 (pulses, 3) in Hz: from the consonant's locus to the vowel, and on to the next locus."""
    at: list[float] = []
    targets: list[Floats] = []
    for syllable in syllables:
        length = syllable.end - syllable.voice
        locus = np.array([300.0, syllable.consonant.locus, 2500.0])
        at += [syllable.voice, syllable.voice + 0.35 * length, syllable.voice + 0.75 * length]
        targets += [0.4 * syllable.vowel + 0.6 * locus, syllable.vowel, syllable.vowel]
    tracks = np.array(targets)
    return np.stack([np.interp(times, at, tracks[:, formant]) for formant in range(3)], axis=1)


def _responses(
    times: Floats, periods: Floats, formants: Floats, delivery: Delivery, rng: np.random.Generator
) -> Floats:
    """What each pulse sounds like by itself: (pulses, `_RESPONSE`) samples, the pulse `_LEAD` samples in."""
    hertz = np.fft.rfftfreq(_RESPONSE, 1 / SAMPLE_RATE)
    s = 1j * hertz
    corner = 3000 / np.sqrt(10 ** (delivery.tilt / 10) - 1)
    source = s / (1 + s * periods[:, None]) ** 2 / (1 + s / corner)
    source /= np.sqrt(2 / _RESPONSE * np.sum(np.abs(source) ** 2, axis=1, keepdims=True))
    within_sample = times * SAMPLE_RATE % 1
    source *= np.exp(-2 * np.pi * s / SAMPLE_RATE * (_LEAD + within_sample[:, None]))

    # Breath comes in bursts, one a period, while the glottis is open.
    longest = periods.max() * SAMPLE_RATE
    place = (np.arange(_LEAD + longest) - _LEAD) / (periods[:, None] * SAMPLE_RATE)
    window = np.where((place > 0) & (place < 1), np.sin(np.pi * place) ** 2, 0.0)
    window /= np.sqrt(np.sum(window**2, axis=1, keepdims=True))
    breath = rng.standard_normal(window.shape) * window * 10 ** (delivery.breath / 20)
    source += np.fft.rfft(breath, _RESPONSE, axis=1)

    upper = np.prod([_resonance(s, formant * delivery.tract) for formant in _UPPER_FORMANTS], axis=0)
    for formant in formants.T:
        source *= _resonance(s, formant[:, None])
    return np.fft.irfft(source * upper, _RESPONSE, axis=1)


def _resonance(s: Complexes, formant: Floats) -> Complexes:
    """One formant's transfer function at the frequencies `s` (1j * Hz), of gain 1 at 0 Hz."""
    bandwidth = 50 + 0.04 * formant
    square = formant**2 + (bandwidth / 2) ** 2
    response: Complexes = square / ((s + bandwidth / 2) ** 2 + formant**2)
    return response


def _hiss(noise: _Noise, seconds: float, tract: float, rng: np.random.Generator) -> Floats:
    """An unvoiced consonant of power 1 that swells and fades."""
    size = round(seconds * noise.share * SAMPLE_RATE)
    ratio = np.fft.rfftfreq(size, 1 / SAMPLE_RATE) / (noise.corner * tract)
    # Without the constant the band is so narrow that a pitch tracker hears a high voice in it.
    shape = 0.1 + ratio**2 / (1 + ratio**2)
    sound = np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * shape, size) * np.hanning(size)
    return sound / _rms(sound)
