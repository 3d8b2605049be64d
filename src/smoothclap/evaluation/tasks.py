"""What a model is asked to tell apart: the classes of a corpus and the words that stand for them."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

import pandas as pd
import yaml

from smoothclap.corpora import LoadedCorpus, load_corpus
from smoothclap.errors import SmoothClapError


class TaskError(SmoothClapError):
    """A task that does not exist, or that the corpus given cannot pose."""


@dataclass(frozen=True)
class TaskClass:
    """One class.

    Attributes:
        emotion: the label as the corpus table spells it.
        prompt: the word the model is asked for.
    """

    emotion: str
    prompt: str


@dataclass(frozen=True)
class Task:
    """A classification task over a corpus.

    Attributes:
        name: how the command line and results call it; also the corpus's adapter.
        title: how a report calls it.
        classes: in order; empty: the labels found in the corpus, sorted, each its own prompt.
        clips: official number of clips, or None where there is no official corpus.
        split: the split that is tested on, or None: the whole corpus.
    """

    name: str
    title: str
    classes: tuple[TaskClass, ...] = ()
    clips: int | None = None
    split: str | None = None

    @property
    def labels(self) -> list[str]:
        """The classes as the corpus table spells them, in order."""
        return [one.emotion for one in self.classes]

    @property
    def prompts(self) -> list[str]:
        """The words asked for, in the order of the classes."""
        return [one.prompt for one in self.classes]


def _read() -> dict[str, Task]:
    tasks = yaml.safe_load(files(__package__).joinpath("tasks.yaml").read_text(encoding="utf-8"))
    return {
        name: Task(
            name=name,
            title=task["title"],
            classes=tuple(TaskClass(*pair) for pair in task.get("classes", {}).items()),
            clips=task.get("clips"),
            split=task.get("split"),
        )
        for name, task in tasks.items()
    }


TASKS: Mapping[str, Task] = _read()
"""Every task, by name."""


def open_task(spec: str) -> tuple[Task, LoadedCorpus]:
    """Read the corpus of a task given on the command line.

    Args:
        spec: `NAME=PATH`, or for a corpus of one's own `table=PATH,emotion=feeling,name=mine` (see
            `load_corpus`).

    Returns:
        The task with its classes known, and the corpus.

    Raises:
        TaskError: no such task, or a corpus without labels to tell apart.
        CorpusError: the corpus cannot be read.
    """
    name = spec.partition("=")[0].strip()
    if name not in TASKS:
        near = difflib.get_close_matches(name.lower(), TASKS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "for a corpus of your own: table=PATH,emotion=COLUMN"
        raise TaskError(f"--task {spec}: '{name}' is no task ({', '.join(TASKS)}); {hint}")
    corpus = load_corpus(spec)
    task = TASKS[name]
    return (task if task.classes else _from_labels(task, corpus)), corpus


def select(task: Task, corpus: LoadedCorpus) -> pd.DataFrame:
    """The clips of the task's split, labelled or not.

    Args:
        task: the task.
        corpus: its corpus.

    Returns:
        Rows of the corpus table.

    Raises:
        TaskError: the split has no clip.
    """
    if task.split is None:
        return corpus.table
    clips = corpus.table[(corpus.table["split"] == task.split).fillna(False)]
    if clips.empty:
        raise TaskError(
            f"{corpus.path}: no clip is in the split '{task.split}' that task '{task.name}' is tested on"
        )
    return clips


def _from_labels(task: Task, corpus: LoadedCorpus) -> Task:
    if not re.fullmatch(r"[\w.-]+", corpus.name):
        raise TaskError(
            f"{corpus.path}: the name '{corpus.name}' names files: use letters, digits, '.', '_' and '-'"
        )
    labels = sorted(set(select(task, corpus)["emotion"].dropna()) - {""})
    if len(labels) < 2:
        raise TaskError(
            f"{corpus.path}: {len(labels)} emotion labels, where a task needs at least two; "
            "name the label column with emotion=COLUMN"
        )
    own = task.name == "table"
    return replace(
        task,
        name=corpus.name if own else task.name,
        title=corpus.name if own else task.title,
        classes=tuple(TaskClass(label, label) for label in labels),
    )
