"""EmoDB: the Berlin Database of Emotional Speech (Burkhardt et al., Interspeech 2005)."""

from pathlib import Path

import pandas as pd

from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.folder import named_files
from smoothclap.corpora.schema import attach_problems, clip_index, make_table

# speaker, text, emotion, version
NAME = r"(\d\d)([ab]\d\d)([A-Z])([a-z]?)"
LAYOUT = "wav/03a01Fa.wav"
EMOTIONS = {
    "W": "angry",
    "L": "bored",
    "E": "disgusted",
    "A": "fearful",
    "F": "happy",
    "N": "neutral",
    "T": "sad",
}
GENDERS = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute Abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}


def read(path: Path) -> pd.DataFrame:
    """Read a folder of EmoDB, flat or with its `wav` folder.

    Args:
        path: the folder.

    Returns:
        The table of `schema`, with `statement` ("a01").

    Raises:
        CorpusError: absent, or another corpus.
    """
    files, names, problems = named_files(path, NAME, title="EmoDB", layout=LAYOUT)
    table = make_table(
        clip_index(files),
        speaker=[f"emodb/{match[1]}" for match in names],
        gender=[GENDERS.get(match[1]) for match in names],
        emotion=[EMOTIONS.get(match[3], match[3].lower()) for match in names],
        transcript=[SENTENCES.get(match[2]) for match in names],
        language="de",
        statement=[match[2] for match in names],
    )
    return attach_problems(table, problems)


CORPUS = Corpus(
    name="emodb",
    title="Berlin Database of Emotional Speech",
    language="de",
    licence="free to use (CC BY 4.0 as listed elsewhere)",
    layout=f"{LAYOUT}: speaker 03, text a01, emotion F, version a",
    read=read,
    official=Official(
        clips=535,
        speakers=10,
        emotions={
            "angry": 127,
            "bored": 81,
            "disgusted": 46,
            "fearful": 69,
            "happy": 71,
            "neutral": 79,
            "sad": 62,
        },
    ),
)
