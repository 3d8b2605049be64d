"""EMOVO: the Italian emotional speech database (Costantini et al., LREC 2014)."""

from pathlib import Path

import pandas as pd

from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.folder import named_files
from smoothclap.corpora.schema import attach_problems, clip_index, make_table

# emotion-speaker-sentence
NAME = r"([a-z]{3})-([fm]\d)-([bdln]\d)"
LAYOUT = "f1/dis-f1-b1.wav"
EMOTIONS = {
    "rab": "angry",
    "dis": "disgusted",
    "pau": "fearful",
    "gio": "happy",
    "neu": "neutral",
    "tri": "sad",
    "sor": "surprised",
}
SENTENCES = {
    "b1": "Gli operai si alzano presto.",
    "b2": "I vigili sono muniti di pistola.",
    "b3": "La cascata fa molto rumore.",
    "d1": "Sabato sera cosa farà?",
    "d2": "Porti con te quella cosa?",
    "l1": "L'autunno prossimo Tony partirà per la Spagna nella prima metà di ottobre.",
    "l2": "Ora prendo la felpa di là ed esco per fare una passeggiata.",
    "l3": "Un attimo dopo s'è incamminato ed è inciampato.",
    "l4": "Vorrei il numero telefonico del Signor Piatti.",
    "n1": "La casa forte vuole col pane.",
    "n2": "La forza trova il passo e l'aglio rosso.",
    "n3": "Il gatto sta scorrendo nella pera.",
    "n4": "Insalata pastasciutta coscia d'agnello limoncello.",
    "n5": "Uno quarantatré dieci mille cinquantasette venti.",
}


def read(path: Path) -> pd.DataFrame:
    """Read a folder of EMOVO.

    Args:
        path: the folder of the speakers' folders (f1 ... m3), or the one around it.

    Returns:
        The table of `schema`, with `statement` ("b1").

    Raises:
        CorpusError: absent, or another corpus.
    """
    files, names, problems = named_files(path, NAME, title="EMOVO", layout=LAYOUT)
    table = make_table(
        clip_index(files),
        speaker=[f"emovo/{match[2]}" for match in names],
        gender=["female" if match[2].startswith("f") else "male" for match in names],
        emotion=[EMOTIONS.get(match[1], match[1]) for match in names],
        transcript=[SENTENCES.get(match[3]) for match in names],
        language="it",
        statement=[match[3] for match in names],
    )
    return attach_problems(table, problems)


CORPUS = Corpus(
    name="emovo",
    title="EMOVO Italian emotional speech",
    language="it",
    licence="research (CC BY-NC-SA 4.0 as listed elsewhere)",
    layout=f"{LAYOUT}: emotion, speaker, sentence",
    read=read,
    official=Official(clips=588, speakers=6, emotions=dict.fromkeys(EMOTIONS.values(), 84)),
)
