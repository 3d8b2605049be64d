"""nEMO: Polish emotional speech by nine actors (Christop, LREC-COLING 2024)."""

from pathlib import Path

import pandas as pd

from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.folder import as_text, named_files
from smoothclap.corpora.schema import CorpusError, Problem, attach_problems, clip_index, make_table

# speaker_emotion_sentence
NAME = r"([A-Z]{2}\d)_([a-z]+)_(\d+)"
LAYOUT = "samples/EB0_anger_1.wav"
EMOTIONS = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprised",
}
LABELS = "data.tsv"
COLUMNS = ["file_id", "emotion", "raw_text", "gender", "age"]


def labels(path: Path) -> pd.DataFrame:
    """Read `data.tsv`: text, gender and age by file name without its ending.

    Args:
        path: the corpus' folder; the file may lie in it, or one up where `samples` itself was given.

    Raises:
        CorpusError: the file is absent or lacks a column.
    """
    file = next((folder / LABELS for folder in (path, path.parent) if (folder / LABELS).is_file()), None)
    if file is None:
        raise CorpusError(f"{path}: nEMO's {LABELS} is missing; put it into the folder, beside {LAYOUT}")
    try:
        rows = pd.read_csv(file, sep="\t", dtype=str, usecols=COLUMNS, keep_default_na=False)
    except ValueError as error:
        raise CorpusError(f"{file}: lacks one of the columns {', '.join(COLUMNS)}; take it again") from error
    rows = rows.apply(lambda column: column.str.strip())
    return rows.assign(stem=[Path(name).stem for name in rows["file_id"]]).set_index("stem")


def read(path: Path) -> pd.DataFrame:
    """Read a folder of nEMO; rows of `data.tsv` without audio are normal for a part of it.

    Args:
        path: the folder with `data.tsv` and the sound files, beside it or in `samples`.

    Returns:
        The table of `schema`, with `age` (years) and `statement` (the sentence's number).

    Raises:
        CorpusError: absent, another corpus, or without `data.tsv`.
    """
    files, names, problems = named_files(path, NAME, title="nEMO", layout=LAYOUT)
    rows = labels(path)
    if unlisted := [file for file in files if file.stem not in rows.index]:
        problems.append(Problem("not in data.tsv", "kept, without text, gender and age", as_text(unlisted)))
    rows = rows[~rows.index.duplicated()].reindex([file.stem for file in files])
    spoken = [match[2] for match in names]
    contrary = rows["emotion"].notna().to_numpy() & (rows["emotion"] != spoken).to_numpy()
    if contrary.any():
        wrong = [file for file, differs in zip(files, contrary, strict=True) if differs]
        message = f"the file name and {LABELS} name different emotions; the name was taken"
        problems.append(Problem("contrary label", message, as_text(wrong)))
    table = make_table(
        clip_index(files),
        speaker=[f"nemo/{match[1]}" for match in names],
        gender=rows["gender"].tolist(),
        emotion=[EMOTIONS.get(word, word) for word in spoken],
        transcript=rows["raw_text"].tolist(),
        language="pl",
        age=pd.to_numeric(rows["age"], errors="coerce").array,
        statement=[match[3] for match in names],
    )
    return attach_problems(table, problems)


CORPUS = Corpus(
    name="nemo",
    title="nEMO Polish emotional speech",
    language="pl",
    licence="CC BY-NC-SA 4.0",
    layout=f"{LAYOUT}: speaker, emotion, sentence; {LABELS} gives text, gender and age",
    read=read,
    official=Official(
        clips=4481,
        speakers=9,
        emotions={
            "angry": 749,
            "fearful": 736,
            "happy": 749,
            "neutral": 809,
            "sad": 769,
            "surprised": 669,
        },
    ),
)
