"""What is known of a corpus before its folder is opened, and how the folder is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Official:
    """The counts of the complete corpus, as its authors published them.

    Attributes:
        clips: number of clips.
        speakers: number of speakers.
        emotions: number of clips by canonical emotion; sums to `clips`.
    """

    clips: int
    speakers: int
    emotions: Mapping[str, int]


@dataclass(frozen=True)
class Corpus:
    """An adapter: one kind of folder, and the function that turns it into a table.

    Attributes:
        name: how a user asks for it, and the prefix of its speakers: "emodb".
        title: its full name.
        language: ISO 639-1 code, or "" where the table says it.
        licence: the authors' terms, in a few words.
        layout: an example path inside the folder, and what its parts mean.
        read: takes the path, and the options by keyword, gives the table of `schema`; never decodes audio.
        official: the published counts, or None where there are none.
        options: the keys that may follow the path in a spec; see `registry.load_corpus`.
    """

    name: str
    title: str
    language: str
    licence: str
    layout: str
    read: Callable[..., pd.DataFrame]
    official: Official | None = None
    options: tuple[str, ...] = ()
