"""RAVDESS: the speech of the Ryerson Audio-Visual Database of Emotional Speech and Song (2018)."""

from pathlib import Path

import pandas as pd

from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.folder import as_text, named_files
from smoothclap.corpora.schema import CorpusError, Problem, attach_problems, clip_index, make_table

# modality-channel-emotion-intensity-statement-repetition-actor
NAME = r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)"
LAYOUT = "Actor_01/03-01-05-01-02-01-01.wav"
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}


def read(path: Path) -> pd.DataFrame:
    """Read a folder of RAVDESS; only audio-only speech is kept (modality 03, channel 01).

    Args:
        path: the folder of `Actor_NN` folders, or the one around it.

    Returns:
        The table of `schema`, with `intensity` (normal, strong) and `statement` ("01", "02").

    Raises:
        CorpusError: absent, another corpus, or no audio-only speech.
    """
    files, names, problems = named_files(path, NAME, title="RAVDESS", layout=LAYOUT)
    speech = [match[1] == "03" and match[2] == "01" for match in names]
    others = [file for file, keep in zip(files, speech, strict=True) if not keep]
    if len(others) == len(files):
        raise CorpusError(f"{path}: holds RAVDESS song or video only; give its speech, for example {LAYOUT}")
    if others:
        problems.append(Problem("not speech", "passed over: song or video", as_text(others)))
    files = [file for file, keep in zip(files, speech, strict=True) if keep]
    names = [match for match, keep in zip(names, speech, strict=True) if keep]
    table = make_table(
        clip_index(files),
        speaker=[f"ravdess/{match[7]}" for match in names],
        gender=["male" if int(match[7]) % 2 else "female" for match in names],
        emotion=[EMOTIONS.get(match[3], match[3]) for match in names],
        transcript=[STATEMENTS.get(match[5]) for match in names],
        language="en",
        intensity=[INTENSITIES.get(match[4]) for match in names],
        statement=[match[5] for match in names],
    )
    return attach_problems(table, problems)


CORPUS = Corpus(
    name="ravdess",
    title="RAVDESS speech",
    language="en",
    licence="CC BY-NC-SA 4.0",
    layout=f"{LAYOUT}: modality 03, channel 01, emotion, intensity, statement, repetition, actor",
    read=read,
    official=Official(
        clips=1440,
        speakers=24,
        emotions={emotion: 96 if emotion == "neutral" else 192 for emotion in EMOTIONS.values()},
    ),
)
