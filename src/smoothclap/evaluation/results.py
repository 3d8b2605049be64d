"""`results.json`: what an evaluation found, as data (`docs/results-schema.md` is for those who read it)."""

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from smoothclap import files
from smoothclap.errors import SmoothClapError
from smoothclap.evaluation.metrics import Scores

SCHEMA = 1
"""Raised when a field changes its meaning or goes away."""

T = TypeVar("T")


class ResultsError(SmoothClapError):
    """A results file that cannot be read, or is not of this schema."""


@dataclass(frozen=True)
class Model:
    """The model that was evaluated.

    Attributes:
        name: of its directory.
        training: what its `training.json` says: recipe, seed, corpora, objective; None if it has none.
    """

    name: str
    training: dict[str, Any] | None


@dataclass(frozen=True)
class Resampling:
    """How every interval of the file was made.

    Attributes:
        unit: what was drawn again: "speaker".
        level: coverage aimed at, in [0, 1].
        resamples: number of resamples.
        seed: seed of the draws.
    """

    unit: str
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class TemplateScore:
    """UAR with the label words put into another template, same embeddings.

    Attributes:
        template: with `{}` where the word goes.
        prompts: the texts asked for, in the order of the classes.
        uar: in [0, 1].
    """

    template: str
    prompts: list[str]
    uar: float


@dataclass(frozen=True)
class Spread:
    """How far the UAR moves with the template: least, largest, and sample standard deviation."""

    min: float
    max: float
    sd: float


@dataclass(frozen=True)
class TrainedOn:
    """What of the test data the model met in training.

    Attributes:
        corpus: whether it was trained on clips of this corpus (by name or by content), these or others.
        clips: number of the scored clips whose file was in the training data.
        speakers: number of the scored clips' speakers who were in the training data.
    """

    corpus: bool
    clips: int
    speakers: int


@dataclass(frozen=True)
class Rejected:
    """A clip that could not be scored.

    Attributes:
        file: path relative to the corpus.
        start: seconds.
        end: seconds, or None: the end of the file.
        fault: name of the error.
    """

    file: str
    start: float
    end: float | None
    fault: str


@dataclass(frozen=True, kw_only=True)
class Adapted(Scores):
    """Scores after label-free adaptation to the test collection: not plain zero-shot.

    Attributes:
        adaptation: name of the adaptation: "collection".
        assumes: what it needs and assumes, in a sentence.
        offsets: by class, what was added to its logit.
    """

    adaptation: str
    assumes: str
    offsets: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class TaskResult(Scores):
    """Plain zero-shot scores on one task, and everything needed to judge them.

    Attributes:
        task: name of the task.
        title: of the task.
        corpus: name of the corpus.
        classes: every class, in order; rows and columns of `confusion`.
        prompts: the texts asked for, in the order of the classes.
        template: what the prompts were made with: "{}", the words themselves.
        chance: UAR of guessing, 1 / number of classes.
        absent: classes without a scored clip.
        official: number of clips the official corpus has, or None.
        partial: whether another number was scored.
        speakers: number of known speakers among the scored clips.
        unlabelled: number of clips without a label, not scored.
        outside: clips by label that is not a class of the task, not scored.
        rejected: clips that could not be read, not scored.
        templates: UAR by template.
        template_spread: over `templates`.
        trained_on: what the model met of the test data, or None: it does not say what it was trained on.
        adapted: scores after adaptation, or None if not asked for.
    """

    task: str
    title: str
    corpus: str
    classes: list[str]
    prompts: list[str]
    template: str
    chance: float
    absent: list[str]
    official: int | None
    partial: bool
    speakers: int
    unlabelled: int
    outside: dict[str, int]
    rejected: list[Rejected]
    templates: list[TemplateScore]
    template_spread: Spread
    trained_on: TrainedOn | None
    adapted: Adapted | None


@dataclass(frozen=True)
class Results:
    """The whole file.

    Attributes:
        schema: see `SCHEMA`.
        smoothclap: version that wrote it.
        model: what was evaluated.
        resampling: how intervals were made.
        tasks: one result a task.
    """

    schema: int
    smoothclap: str
    model: Model
    resampling: Resampling
    tasks: list[TaskResult]


def to_json(results: Results) -> dict[str, Any]:
    """The JSON object of `results.json`."""
    return asdict(results)


def save(results: Results, path: Path) -> None:
    """Write `results.json` atomically; the same evaluation writes the same bytes.

    Raises:
        WriteError: the file cannot be written.
    """
    files.write_json(path, to_json(results))


def load(path: Path) -> Results:
    """Read and check a `results.json`.

    Raises:
        ResultsError: not there, not JSON, of another schema, or a field is missing, unknown or of another type.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"{path}: cannot be read as results ({error}); give a results.json of `evaluate`"
        ) from error
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema != SCHEMA:
        raise ResultsError(
            f"{path}: has schema {schema!r} where this version reads {SCHEMA}; run `smoothclap evaluate` again"
        )
    try:
        return _build(Results, value, "")
    except ValueError as error:
        raise ResultsError(f"{path}: {error}; run `smoothclap evaluate` again") from error


def _build(cls: type[T], value: Any, where: str) -> T:
    """Make the dataclass `cls` of a JSON object, every field checked against its annotation."""
    if not isinstance(value, dict):
        raise ValueError(f"'{where}' is not an object")
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for name in [*names, *value]:
        if (name in value) != (name in names):
            raise ValueError(f"field '{where}{name}' is {'unknown' if name in value else 'missing'}")
    hints = typing.get_type_hints(cls)
    return cls(**{name: _convert(hints[name], value[name], f"{where}{name}") for name in names})


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if value is None else _convert(arguments[0], value, where)
    if is_dataclass(hint):
        return _build(typing.cast(type[Any], hint), value, f"{where}.")
    if origin is tuple and isinstance(value, list) and len(value) == len(arguments):
        return tuple(_convert(kind, one, where) for kind, one in zip(arguments, value, strict=True))
    if origin is list and isinstance(value, list):
        return [_convert(arguments[0], one, f"{where}[{number}]") for number, one in enumerate(value)]
    if origin is dict and isinstance(value, Mapping):
        return {name: _convert(arguments[1], one, f"{where}.{name}") for name, one in value.items()}
    if hint is Any or (hint is float and type(value) is int) or type(value) is hint:
        return value
    raise ValueError(f"field '{where}' is of the wrong type")
