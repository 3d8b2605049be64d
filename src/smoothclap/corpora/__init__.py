"""Corpora: a folder on disk becomes one table."""

from smoothclap.corpora.corpus import Corpus, Official
from smoothclap.corpora.registry import CORPORA, LoadedCorpus, load_corpus
from smoothclap.corpora.schema import COLUMNS, INDEX, CorpusError, clip_index, make_table

__all__ = [
    "COLUMNS",
    "CORPORA",
    "INDEX",
    "Corpus",
    "CorpusError",
    "LoadedCorpus",
    "Official",
    "clip_index",
    "load_corpus",
    "make_table",
]
