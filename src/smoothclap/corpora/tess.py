"""TESS: the Toronto Emotional Speech Set, two actresses saying 200 words (Pichora-Fuller & Dupuis, 2020)."""

from pathlib import Path

import pandas as pd

from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.folder import named_files
from smoothclap.corpora.schema import attach_problems, clip_index, make_table

# speaker_word_emotion; the release spells one OAF as "OA": OAF_neutral/OA_bite_neutral.wav
NAME = r"(OAF?|YAF)_([A-Za-z]+)_([A-Za-z]+)"
LAYOUT = "OAF_angry/OAF_back_angry.wav"
EMOTIONS = {
    "angry": "angry",
    "disgust": "disgusted",
    "fear": "fearful",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "pleasantly surprised",
    "sad": "sad",
}


def read(path: Path) -> pd.DataFrame:
    """Read a folder of TESS, flat or in the folders it is distributed in.

    Args:
        path: the folder.

    Returns:
        The table of `schema`, with `statement`: the word spoken after "Say the word".

    Raises:
        CorpusError: absent, or another corpus.
    """
    files, names, problems = named_files(path, NAME, title="TESS", layout=LAYOUT)
    table = make_table(
        clip_index(files),
        speaker=["tess/YAF" if match[1] == "YAF" else "tess/OAF" for match in names],
        gender="female",
        emotion=[EMOTIONS.get(match[3].lower(), match[3].lower()) for match in names],
        transcript=[f"Say the word {match[2].lower()}." for match in names],
        language="en",
        statement=[match[2].lower() for match in names],
    )
    return attach_problems(table, problems)


CORPUS = Corpus(
    name="tess",
    title="Toronto Emotional Speech Set",
    language="en",
    licence="CC BY-NC-ND 4.0",
    layout=f"{LAYOUT}: speaker, word, emotion (ps: pleasant surprise)",
    read=read,
    official=Official(clips=2800, speakers=2, emotions=dict.fromkeys(EMOTIONS.values(), 400)),
)
