"""The demo corpus: synthesised speakers who act emotions, every clip's acoustics known.

Emotions lie in the valence-arousal plane of Russell (1980) and differ from a speaker's neutral voice by the
acoustic correlates on which the reviews agree: Scherer (2003); Juslin & Laukka (2003), Table 11; boredom after
Banse & Scherer (1996), the smile of happiness after Tartter (1980). The directions are theirs, the sizes ours.
Speakers differ as much as emotions do, portrayals differ in strength, and clips vary, so that emotions overlap
as they do for people. Nothing measured on this corpus says anything about real speech.
"""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from smoothclap.audio import SAMPLE_RATE, digest
from smoothclap.corpora import synthesis
from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.folder import require
from smoothclap.corpora.schema import CorpusError, clip_index, make_table
from smoothclap.corpora.synthesis import Delivery, speak
from smoothclap.files import replacing, write_json, write_text
from smoothclap.progress import track

TABLE = "table.csv"
MANIFEST = "build.json"
LABELS = ("file", "speaker", "gender", "emotion", "arousal", "valence", "split")
SPEAKERS_PER_GENDER = 6
TEST_SPEAKERS_PER_GENDER = 2
CLIPS_PER_EMOTION = 6
LOUDEST = -24.0
"""dB re full scale that no clip exceeds, so that its peaks stay within `synthesis.PEAK`."""


@dataclass(frozen=True)
class Emotion:
    """How a portrayal of strength 1 differs from the speaker's neutral voice, and where listeners place it.

    Attributes:
        arousal: from -1 (calm) to 1 (excited).
        valence: from -1 (unpleasant) to 1 (pleasant).
        pitch: semitones added.
        spread: factor on the pitch's standard deviation.
        level: dB added.
        rate: factor on the syllable rate.
        jitter: factor.
        shimmer: factor.
        tilt: dB added to the spectral tilt; less is more vocal effort.
        breath: dB added to the breath noise.
        tract: factor on the formants; a smile shortens the vocal tract.
    """

    arousal: float
    valence: float
    pitch: float
    spread: float
    level: float
    rate: float
    jitter: float
    shimmer: float
    tilt: float
    breath: float
    tract: float = 1.0


EMOTIONS = {
    "angry": Emotion(0.7, -0.6, 4, 1.5, 7, 1.15, 1.5, 1.4, -6, -4),
    "bored": Emotion(-0.6, -0.35, -2, 0.5, -2, 0.76, 1.1, 1.0, 2, 0),
    "calm": Emotion(-0.5, 0.45, -1, 0.8, -4, 0.9, 0.75, 0.75, 3, 2),
    "fearful": Emotion(0.6, -0.55, 6, 0.75, 1, 1.25, 1.6, 1.4, -1, 4),
    "happy": Emotion(0.6, 0.7, 5, 1.8, 5, 1.1, 0.85, 0.8, -3, -1, tract=1.04),
    "neutral": Emotion(0, 0, 0, 1, 0, 1, 1, 1, 0, 0),
    "sad": Emotion(-0.5, -0.6, -1, 0.65, -6, 0.8, 1.5, 1.4, 6, 5),
}


@dataclass(frozen=True)
class Speaker:
    """One synthetic speaker.

    Attributes:
        name: "f1" to "f6", "m1" to "m6".
        gender: "female" or "male".
        split: "train" or "test".
        neutral: how they speak when nothing moves them.
    """

    name: str
    gender: str
    split: str
    neutral: Delivery


@dataclass(frozen=True)
class Portrayal:
    """One clip before it is synthesised.

    Attributes:
        file: path inside the corpus folder.
        speaker: who speaks.
        emotion: a key of `EMOTIONS`.
        arousal: in [-1, 1].
        valence: in [-1, 1].
        delivery: the acoustics, which hold exactly.
        rng: the state from which the delivery is spoken.
    """

    file: str
    speaker: Speaker
    emotion: str
    arousal: float
    valence: float
    delivery: Delivery
    rng: np.random.Generator


def build(folder: Path, *, seed: int = 0) -> Path:
    """Write the demo corpus, or leave it be where the same one already stands unaltered.

    A corpus that is half written, altered, or of another seed or version is written anew.

    Args:
        folder: where to; absent, empty, or an earlier demo corpus.
        seed: decides everything; the same seed gives the same bytes on the same machine.

    Returns:
        `folder`, holding `table.csv`, `audio/<speaker>_<emotion>_<n>.flac` and `build.json`.

    Raises:
        CorpusError: `folder` holds something else.
        WriteError: the disk is full, or the folder may not be written to.
    """
    origin = {"seed": seed, "code": [digest(Path(module)) for module in (__file__, synthesis.__file__)]}
    if _stands(folder, origin):
        return folder
    # A manifest without files marks the folder as ours and unfinished until the last line below.
    write_json(folder / MANIFEST, {**origin, "files": {}})
    shutil.rmtree(folder / "audio", ignore_errors=True)
    cast = portrayals(seed)
    total = 2 * SPEAKERS_PER_GENDER * len(EMOTIONS) * CLIPS_PER_EMOTION
    rows = [_record(folder, portrayal) for portrayal in track(cast, "synthesising speech", total)]
    write_text(folder / TABLE, pd.DataFrame(rows).to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    files = {name: digest(folder / name) for name in (TABLE, *(row["file"] for row in rows))}
    write_json(folder / MANIFEST, {**origin, "files": files})
    return folder


def portrayals(seed: int) -> Iterator[Portrayal]:
    """Draw every clip of the corpus, in the order of the table.

    Each clip has a generator of its own, so that it does not depend on how many came before.
    """
    for index, speaker in enumerate(_speakers(seed)):
        for place, name in enumerate(EMOTIONS):
            for take in range(1, CLIPS_PER_EMOTION + 1):
                rng = np.random.default_rng([seed, 1, index, place, take])
                yield _portray(speaker, name, take, rng)


def _speakers(seed: int) -> Iterator[Speaker]:
    for index, (gender, pitch, breath, tract) in enumerate(
        [("female", 34.5, -20.0, 1.17), ("male", 25.5, -23.0, 1.0)]
    ):
        for number in range(1, SPEAKERS_PER_GENDER + 1):
            rng = np.random.default_rng([seed, 0, index, number])
            neutral = Delivery(
                syllables=8,
                rate=4.2 * rng.lognormal(sigma=0.06),
                pitch_mean=pitch + rng.normal(scale=1.5),
                pitch_sd=2.0 * rng.lognormal(sigma=0.15),
                level=-35 + rng.normal(scale=2),
                jitter=0.011 * rng.lognormal(sigma=0.2),
                shimmer=0.6 * rng.lognormal(sigma=0.2),
                tilt=12 + rng.normal(scale=1.5),
                breath=breath + rng.normal(scale=2),
                tract=tract * rng.lognormal(sigma=0.03),
            )
            split = "train" if number <= SPEAKERS_PER_GENDER - TEST_SPEAKERS_PER_GENDER else "test"
            yield Speaker(f"{gender[0]}{number}", gender, split, neutral)


def _portray(speaker: Speaker, name: str, take: int, rng: np.random.Generator) -> Portrayal:
    emotion, own = EMOTIONS[name], speaker.neutral
    strength = rng.uniform(0.7, 1.5)
    delivery = replace(
        own,
        syllables=int(rng.integers(7, 11)),
        rate=own.rate * emotion.rate**strength * rng.lognormal(sigma=0.08),
        pitch_mean=own.pitch_mean + emotion.pitch * strength + rng.normal(scale=1),
        pitch_sd=own.pitch_sd * emotion.spread**strength * rng.lognormal(sigma=0.2),
        level=min(own.level + emotion.level * strength + rng.normal(scale=1.5), LOUDEST),
        jitter=own.jitter * emotion.jitter**strength * rng.lognormal(sigma=0.25),
        shimmer=own.shimmer * emotion.shimmer**strength * rng.lognormal(sigma=0.25),
        tilt=max(own.tilt + emotion.tilt * strength + rng.normal(scale=1.5), 1.0),
        breath=own.breath + emotion.breath * strength + rng.normal(scale=2),
        tract=own.tract * emotion.tract**strength,
    )
    arousal, valence = np.clip(
        np.array([emotion.arousal, emotion.valence]) * strength + rng.normal(scale=0.1, size=2), -1, 1
    )
    file = f"audio/{speaker.name}_{name}_{take}.flac"
    return Portrayal(file, speaker, name, float(arousal), float(valence), delivery, rng)


def _record(folder: Path, portrayal: Portrayal) -> dict[str, Any]:
    """Synthesise one clip, write it, and give its row of the table."""
    encoded = io.BytesIO()
    samples = speak(portrayal.delivery, portrayal.rng)
    soundfile.write(encoded, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    with replacing(folder / portrayal.file) as beside:
        beside.write_bytes(encoded.getvalue())
    speaker, delivery = portrayal.speaker, portrayal.delivery
    return {
        "file": portrayal.file,
        "speaker": speaker.name,
        "gender": speaker.gender,
        "emotion": portrayal.emotion,
        "arousal": portrayal.arousal,
        "valence": portrayal.valence,
        "split": speaker.split,
        "true_pitch_mean": delivery.pitch_mean,
        "true_pitch_sd": delivery.pitch_sd,
        "true_intensity_mean": delivery.level,
        "true_jitter_mean": delivery.jitter,
        "true_shimmer_mean": delivery.shimmer,
        "true_rate": delivery.rate,
        "true_duration": delivery.duration,
    }


def _stands(folder: Path, origin: dict[str, Any]) -> bool:
    """Whether `folder` holds this very corpus, complete and unaltered.

    Raises:
        CorpusError: it holds something that is not ours to replace.
    """
    if not folder.exists():
        return False
    foreign = CorpusError(f"{folder}: is not an earlier demo corpus; name a new or an empty folder")
    if not folder.is_dir():
        raise foreign
    if not (folder / MANIFEST).is_file():
        if any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise foreign
        return False
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except ValueError as error:
        raise foreign from error
    if not isinstance(manifest, dict) or manifest.keys() != {*origin, "files"}:
        raise foreign
    files: dict[str, str] = manifest.pop("files")
    return (
        manifest == origin
        and len(files) > 0
        and all((folder / name).is_file() and digest(folder / name) == seen for name, seen in files.items())
    )


def read(path: Path) -> pd.DataFrame:
    """Read a folder written by `build`.

    Args:
        path: the folder.

    Returns:
        The table of `schema`; arousal and valence in [-1, 1]; the split by speaker; and the truth of each clip:
        `true_pitch_mean`, `true_pitch_sd` (semitones re 27.5 Hz), `true_intensity_mean` (dB re full scale),
        `true_jitter_mean` (a ratio), `true_shimmer_mean` (dB), `true_rate` (syllables a second) and
        `true_duration` (seconds).

    Raises:
        CorpusError: absent, half written, or another corpus.
    """
    require(path)
    if not (path / TABLE).is_file():
        raise CorpusError(f"{path}: no {TABLE}, so not a whole demo corpus; write one with `smoothclap demo`")
    try:
        table = pd.read_csv(path / TABLE)
    except ValueError as error:
        raise CorpusError(
            f"{path / TABLE}: is not a readable CSV; write it anew with `smoothclap demo`"
        ) from error
    if missing := [name for name in LABELS if name not in table]:
        raise CorpusError(f"{path / TABLE}: no column {missing[0]}, so not the demo corpus; read it as `table`")
    columns = {name: list(table[name]) for name in table.columns if name != "file"}
    columns["speaker"] = [f"demo/{speaker}" for speaker in table["speaker"]]
    return make_table(clip_index([path / file for file in table["file"]]), **columns)


CORPUS = Corpus(
    name="demo",
    title="smoothclap demo corpus (synthesised)",
    language="",
    licence="Apache-2.0 (made by smoothclap)",
    layout="audio/f1_angry_1.flac: speaker f1, emotion, take; labels and truth in table.csv",
    read=read,
    official=Official(
        clips=2 * SPEAKERS_PER_GENDER * len(EMOTIONS) * CLIPS_PER_EMOTION,
        speakers=2 * SPEAKERS_PER_GENDER,
        emotions=dict.fromkeys(EMOTIONS, 2 * SPEAKERS_PER_GENDER * CLIPS_PER_EMOTION),
    ),
)
