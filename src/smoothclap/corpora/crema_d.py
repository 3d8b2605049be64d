"""CREMA-D: the Crowd-sourced Emotional Multimodal Actors Dataset (Cao et al., 2014)."""

from pathlib import Path

import pandas as pd

from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.folder import named_files
from smoothclap.corpora.schema import CorpusError, Problem, attach_problems, clip_index, make_table

# actor_sentence_emotion_level; the release cuts one level short: 1040_ITH_SAD_X.wav
NAME = r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})"
LAYOUT = "AudioWAV/1001_DFA_ANG_XX.wav"
EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgusted",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
DEMOGRAPHICS = "VideoDemographics.csv"


def genders(path: Path) -> dict[str, str]:
    """Read the actors' genders from the file the authors ship; empty where it is not beside the sound.

    Args:
        path: the corpus' folder; the file may lie in it, or one up where `AudioWAV` itself was given.

    Returns:
        "female" or "male" by actor ("1001").

    Raises:
        CorpusError: the file has no columns ActorID and Sex.
    """
    file = next(
        (folder / DEMOGRAPHICS for folder in (path, path.parent) if (folder / DEMOGRAPHICS).is_file()), None
    )
    if file is None:
        return {}
    try:
        rows = pd.read_csv(file, dtype=str, usecols=["ActorID", "Sex"])
    except ValueError as error:
        raise CorpusError(f"{file}: has no columns ActorID and Sex; take the authors' file again") from error
    return dict(zip(rows["ActorID"], rows["Sex"].str.lower(), strict=True))


def read(path: Path) -> pd.DataFrame:
    """Read a folder of CREMA-D.

    Args:
        path: the folder around `AudioWAV`, or that folder itself.

    Returns:
        The table of `schema`, with `intensity` (low, medium, high, unspecified) and `statement` ("DFA").

    Raises:
        CorpusError: absent, or another corpus.
    """
    files, names, problems = named_files(path, NAME, title="CREMA-D", layout=LAYOUT)
    gender = genders(path)
    if not gender:
        problems.append(Problem("no gender", f"{DEMOGRAPHICS} is not in the folder: the genders are not known"))
    table = make_table(
        clip_index(files),
        speaker=[f"crema-d/{match[1]}" for match in names],
        gender=[gender.get(match[1]) for match in names],
        emotion=[EMOTIONS.get(match[3], match[3].lower()) for match in names],
        transcript=[SENTENCES.get(match[2]) for match in names],
        language="en",
        intensity=[INTENSITIES.get(match[4]) for match in names],
        statement=[match[2] for match in names],
    )
    return attach_problems(table, problems)


CORPUS = Corpus(
    name="crema-d",
    title="Crowd-sourced Emotional Multimodal Actors Dataset",
    language="en",
    licence="ODbL 1.0",
    layout=f"{LAYOUT}: actor, sentence, emotion, level; {DEMOGRAPHICS} gives the genders",
    read=read,
    official=Official(
        clips=7442,
        speakers=91,
        emotions={emotion: 1087 if emotion == "neutral" else 1271 for emotion in EMOTIONS.values()},
    ),
)
