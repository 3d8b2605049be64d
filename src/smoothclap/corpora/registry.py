"""All corpora by name, and the one way to load one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from smoothclap.corpora import crema_d, demo, emodb, emovo, nemo, ravdess, table, tess
from smoothclap.corpora.corpus import Corpus
from smoothclap.corpora.folder import require
from smoothclap.corpora.schema import CorpusError

CORPORA: Mapping[str, Corpus] = MappingProxyType(
    {
        corpus.name: corpus
        for corpus in (module.CORPUS for module in (demo, ravdess, tess, emodb, emovo, nemo, crema_d, table))
    }
)
"""The adapters by name."""


@dataclass(frozen=True)
class LoadedCorpus:
    """A corpus read from a folder.

    Attributes:
        name: the adapter's name, or the one given to a table.
        corpus: the adapter.
        path: the folder or file that was read.
        table: see `schema`.
    """

    name: str
    corpus: Corpus
    path: Path
    table: pd.DataFrame


def load_corpus(spec: str) -> LoadedCorpus:
    """Read a corpus, said as on the command line.

    Args:
        spec: "NAME=PATH": "emodb=/data/emodb". A table takes options after its path:
            "table=/data/urdu/table.csv,file=path,speaker=talker,emotion=feeling,language=ur,name=urdu".
            An option starts only at a comma followed by a known key and "=", so a path may hold both signs.

    Returns:
        The corpus with its table.

    Raises:
        CorpusError: the name is unknown, an option is, or the path does not hold the corpus.
    """
    name, equals, rest = spec.partition("=")
    if not equals or not rest:
        raise CorpusError(f"'{spec}': say the corpus and where it is: NAME=PATH, for example emodb=/data/emodb")
    if name not in CORPORA:
        near = get_close_matches(name.lower(), CORPORA, n=1)
        hint = f"did you mean {near[0]}={rest}?" if near else f"for your own, table=PATH,name={name}"
        raise CorpusError(f"'{name}' is no corpus known here ({', '.join(CORPORA)}); {hint}")
    corpus = CORPORA[name]
    path, options = split_options(rest, corpus.options)
    unknown = re.search(r",\s*(\w+)=", str(path))
    if unknown and corpus.options and not path.exists():
        near = get_close_matches(unknown[1], corpus.options, n=1)
        hint = f"did you mean {near[0]}=?" if near else f"known: {', '.join(corpus.options)}"
        raise CorpusError(f"{path}: not found, and '{unknown[1]}=' is no option of {name}; {hint}")
    require(path)
    if "name" in corpus.options:
        options.setdefault("name", table.default_name(path))
    return LoadedCorpus(options.get("name", name), corpus, path, corpus.read(path, **options))


def split_options(text: str, keys: tuple[str, ...]) -> tuple[Path, dict[str, str]]:
    """Split "PATH,key=value,..." at the known keys only.

    Args:
        text: the part of a spec after the first "=".
        keys: the options the corpus knows.

    Returns:
        The path, and the values by key.

    Raises:
        CorpusError: an option twice, or without a value.

    Examples:
        >>> path, options = split_options("data/a,b=c.csv,file=path", ("file", "emotion"))
        >>> path.as_posix(), options
        ('data/a,b=c.csv', {'file': 'path'})
    """
    if not keys:
        return Path(text).expanduser(), {}
    path, *parts = re.split(rf",(?=(?:{'|'.join(keys)})=)", text)
    options: dict[str, str] = {}
    for part in parts:
        key, _, value = part.partition("=")
        if not value or key in options:
            raise CorpusError(
                f"'{text}': option {key}= is {'empty' if not value else 'given twice'}; say it once"
            )
        if unknown := re.search(r",\s*(\w+)=", value):
            near = get_close_matches(unknown[1], keys, n=1)
            hint = f"did you mean {near[0]}=?" if near else f"known: {', '.join(keys)}"
            raise CorpusError(f"'{text}': '{unknown[1]}=' is no option; {hint}")
        options[key] = value
    return Path(path).expanduser(), options
