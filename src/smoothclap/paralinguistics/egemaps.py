"""The 88 eGeMAPSv02 functionals of a clip, and the measures the tags are made from."""

import json
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smoothclap.audio import SAMPLE_RATE, AudioError, AudioNotFinite, AudioTooShort
from smoothclap.errors import MissingExtraError, SmoothClapError

FUNCTIONALS: tuple[str, ...] = tuple(
    json.loads(resources.files(__package__).joinpath("functionals.json").read_text(encoding="utf-8"))
)
"""openSMILE's names of the 88 functionals, in its order."""

MEASURES = (
    "pitch_mean",
    "pitch_sd",
    "intensity_mean",
    "intensity_sd",
    "jitter_mean",
    "jitter_sd",
    "shimmer_mean",
    "shimmer_sd",
    "duration",
)
"""The interpretable subset of SmoothCLAP, section 2 ("Tags from expert features"), and the duration."""

UNITS = dict(zip(MEASURES, ("st", "st", "dBp", "loudness", "1", "1", "dB", "dB", "s"), strict=True))
"""Unit by measure: semitones (`pitch_mean` above 27.5 Hz), dB re full scale, perceived loudness (no unit),
local jitter as a share of the pitch period, local shimmer in dB, seconds."""

_SHORTEST = int(0.06 * SAMPLE_RATE)  # openSMILE's pitch frame: anything shorter gives a row of NaN
_LARGEST = 32767 / 32768  # the largest 16 bit sample


class FunctionalsError(AudioError):
    """openSMILE gave NaN for a clip."""


class OpenSmileError(SmoothClapError):
    """This openSMILE does not give the 88 functionals of eGeMAPSv02."""


class FunctionalsExtractor:
    """eGeMAPSv02 functionals and the duration of one clip (an `Extractor` of `smoothclap.store`).

    Picklable: openSMILE's object does not travel; every process builds its own at its first clip.
    Samples are clipped to 32767/32768 first, because openSMILE's cast to 16 bit wraps +1.0 around to -1.0.

    Raises:
        MissingExtraError: openSMILE is not installed.

    Source: Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS)", 2016; openSMILE 3.
    """

    name = "egemaps-v02"

    def __init__(self) -> None:
        try:
            import opensmile
        except ImportError as error:
            note = "openSMILE's licence allows research and personal use only"
            raise MissingExtraError("measuring pitch, loudness and voice quality", "opensmile", note) from error
        self.settings: dict[str, Any] = {
            "opensmile": opensmile.__version__,
            "feature_set": "eGeMAPSv02",
            "feature_level": "functionals",
            "sampling_rate": SAMPLE_RATE,
            "clipping": "32767/32768",
        }
        self._smile: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings, "_smile": None}

    def __call__(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Measure one clip.

        Args:
            samples: float32 (n,), 16 kHz mono, at least 0.06 s, in [-1, 1].

        Returns:
            float32 (89,): the functionals in the order of `FUNCTIONALS`, then the duration in seconds.

        Raises:
            AudioTooShort: shorter than the 0.06 s that openSMILE needs for its first pitch frame.
            AudioNotFinite: a sample is NaN or infinite; openSMILE would measure nonsense without a word.
            FunctionalsError: openSMILE gave NaN for a clip that is long enough.
            OpenSmileError: the installed openSMILE names other functionals.
        """
        if samples.size < _SHORTEST:
            seconds = samples.size / SAMPLE_RATE
            raise AudioTooShort(f"{seconds:.3f} s is too short for eGeMAPS; give at least 0.06 s")
        if not np.isfinite(samples).all():
            raise AudioNotFinite("a sample is NaN or infinite; repair the recording")
        if self._smile is None:
            self._smile = _build_smile()
        row = self._smile(np.clip(samples, -1.0, _LARGEST), SAMPLE_RATE).ravel()
        if not np.isfinite(row).all():
            raise FunctionalsError(
                "openSMILE gave NaN instead of functionals; listen to the clip, or leave it out"
            )
        return np.append(row, samples.size / SAMPLE_RATE).astype(np.float32)


def _build_smile() -> Any:
    import opensmile

    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel.Functionals
    )
    if tuple(smile.feature_names) != FUNCTIONALS:
        raise OpenSmileError(
            f"opensmile {opensmile.__version__} names other functionals; install opensmile 2.5 or 2.6"
        )
    return smile


def measures(features: npt.NDArray[np.float32]) -> pd.DataFrame:
    """The interpretable measures of many clips, NaN where a clip has none.

    eGeMAPS averages pitch, jitter and shimmer over the frames in which they are not zero, and writes 0 where
    there is no such frame (noise, a whisper). No measured pitch lies near 0 (openSMILE searches from 55 Hz,
    which is 12 semitones), so a mean of exactly 0 is read as "could not be measured", of each of the three by
    itself. `VoicedSegmentsPerSec` is no such sign: it is 0 for voiced clips under 0.1 s.

    eGeMAPS gives spread as a coefficient of variation, `stddevNorm` = sd / mean. The standard deviation here
    is sd = stddevNorm * mean, so a pitch spread in semitones does not depend on how high the voice is.

    Args:
        features: float32 (n, 89) of `FunctionalsExtractor`.

    Returns:
        float64, one row a clip, columns `MEASURES` in the units of `UNITS`. `intensity_mean` is the equivalent
        sound level, `intensity_sd` the standard deviation of the loudness.

    Examples:
        >>> silent_voice = np.zeros((1, 89), dtype=np.float32)
        >>> silent_voice[0, -1] = 2.5
        >>> measures(silent_voice)[["pitch_mean", "duration"]].to_dict("records")
        [{'pitch_mean': nan, 'duration': 2.5}]
    """
    column = dict(zip((*FUNCTIONALS, "duration"), np.asarray(features, dtype=np.float64).T, strict=True))
    table: dict[str, npt.NDArray[np.float64]] = {}
    for measure, functional in (
        ("pitch", "F0semitoneFrom27.5Hz_sma3nz"),
        ("jitter", "jitterLocal_sma3nz"),
        ("shimmer", "shimmerLocaldB_sma3nz"),
    ):
        mean = column[f"{functional}_amean"]
        mean = np.where(mean == 0, np.nan, mean)
        table[f"{measure}_mean"] = mean
        table[f"{measure}_sd"] = column[f"{functional}_stddevNorm"] * mean
    table["intensity_mean"] = column["equivalentSoundLevel_dBp"]
    table["intensity_sd"] = column["loudness_sma3_stddevNorm"] * column["loudness_sma3_amean"]
    table["duration"] = column["duration"]
    return pd.DataFrame(table, columns=list(MEASURES))
