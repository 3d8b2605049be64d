"""What is trained: a YAML file read into strict dataclasses."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml

from smoothclap.errors import SmoothClapError
from smoothclap.objectives import Objective, build_objective


class RecipeError(SmoothClapError):
    """A recipe that cannot be read, or a key or value in it that does not exist or is out of range."""


class _Loader(yaml.SafeLoader):
    """Safe YAML in which 1e-3 is a number, as in YAML 1.2; YAML 1.1 reads it as text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def _read_yaml(text: str) -> Any:
    return yaml.load(text, _Loader)


def _require(condition: bool, key: str, value: object, rule: str) -> None:
    if not condition:
        raise RecipeError(f"{key}: {value!r} is out of range: it must be {rule}")


@dataclass(frozen=True)
class AudioRecipe:
    """The audio tower and what training does to the clips.

    Attributes:
        tower: `logmel` (a small network trained with the model) or `functionals` (frozen eGeMAPS).
        crop_seconds: longest piece of a clip that a training step sees; drawn anew each time.
        augment: `logmel` only: stretch time and frequency, hide bands and moments (see `training.augment`).
        channels: `logmel` only: channels of every convolution.
        dilations: `logmel` only: one residual block per entry.
        dropout: `logmel` only: dropout in the blocks.
    """

    tower: Literal["logmel", "functionals"] = "logmel"
    crop_seconds: float = 5.0
    augment: bool = True
    channels: int = 128
    dilations: list[int] = field(default_factory=lambda: [1, 2, 3])
    dropout: float = 0.1

    def __post_init__(self) -> None:
        _require(
            0.5 <= self.crop_seconds <= 30, "audio.crop_seconds", self.crop_seconds, "between 0.5 and 30 s"
        )
        _require(self.channels >= 1, "audio.channels", self.channels, "at least 1")
        _require(
            len(self.dilations) > 0 and min(self.dilations) > 0, "audio.dilations", self.dilations, "positive"
        )
        _require(0 <= self.dropout < 1, "audio.dropout", self.dropout, "in [0, 1)")


@dataclass(frozen=True)
class TextRecipe:
    """The text tower.

    Attributes:
        model: `minilm` (offline default), a directory, or a hub name of any transformers text encoder.
        pooling: `mean` over tokens, or the `cls` token.
        train: train its weights (at `optimiser.lr_text`), or keep it frozen and encode each caption once.
    """

    model: str = "minilm"
    pooling: Literal["mean", "cls"] = "mean"
    train: bool = False


@dataclass(frozen=True)
class ProjectionRecipe:
    """The two projections into the shared space.

    Attributes:
        dim: width d of the shared space.
        dropout: inside the projection.
    """

    dim: int = 256
    dropout: float = 0.5

    def __post_init__(self) -> None:
        _require(self.dim >= 1, "projection.dim", self.dim, "at least 1")
        _require(0 <= self.dropout < 1, "projection.dropout", self.dropout, "in [0, 1)")


@dataclass(frozen=True)
class CaptionRecipe:
    """What a clip is called while training.

    Attributes:
        styles: caption styles a step draws from, equally often: `emotion`, `tags`, `natural`.
        variants: wordings per clip and seeded style, made once.
    """

    styles: list[str] = field(default_factory=lambda: ["emotion", "natural", "tags"])
    variants: int = 3

    def __post_init__(self) -> None:
        known = ("emotion", "natural", "tags")
        _require(
            bool(self.styles) and set(self.styles) <= set(known),
            "captions.styles",
            self.styles,
            f"out of {known}",
        )
        _require(self.variants >= 1, "captions.variants", self.variants, "at least 1")


@dataclass(frozen=True)
class OptimiserRecipe:
    """Adam, in parameter groups (SPEC "Training").

    Attributes:
        epochs: passes over the training clips.
        batch_size: clip-caption pairs a step.
        lr: learning rate of projections, logit scale and a trainable audio tower.
        lr_text: learning rate of a trainable text tower.
        weight_decay: decoupled, as in AdamW; 0 is Adam.
        schedule: `constant`, or `cosine` down to zero over the run.
        sampling: `shuffled`: each clip once an epoch; `balanced`: drawn so that emotions are equally frequent.
    """

    epochs: int = 10
    batch_size: int = 32
    lr: float = 1e-3
    lr_text: float = 1e-5
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    sampling: Literal["shuffled", "balanced"] = "shuffled"

    def __post_init__(self) -> None:
        _require(self.epochs >= 1, "optimiser.epochs", self.epochs, "at least 1")
        _require(
            self.batch_size >= 2, "optimiser.batch_size", self.batch_size, "at least 2: pairs are contrasted"
        )
        _require(0 < self.lr <= 1, "optimiser.lr", self.lr, "in (0, 1]")
        _require(0 < self.lr_text <= 1, "optimiser.lr_text", self.lr_text, "in (0, 1]")
        _require(
            0 <= self.weight_decay < math.inf, "optimiser.weight_decay", self.weight_decay, "0 or more, finite"
        )


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run gives, beside the corpora.

    Attributes:
        audio: the audio tower.
        text: the text tower.
        projection: the shared space.
        captions: what clips are called.
        objective: `name` of the objective and its settings, see `smoothclap.objectives`.
        optimiser: how it is optimised.
        validation_share: share of each training corpus's clips whose *speakers* are held out for validation.
        seed: of weights, order, captions and augmentation.
    """

    audio: AudioRecipe = field(default_factory=AudioRecipe)
    text: TextRecipe = field(default_factory=TextRecipe)
    projection: ProjectionRecipe = field(default_factory=ProjectionRecipe)
    captions: CaptionRecipe = field(default_factory=CaptionRecipe)
    objective: dict[str, Any] = field(default_factory=lambda: {"name": "smoothclap", "preset": "ablation"})
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)
    validation_share: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        _require(0 <= self.validation_share < 0.9, "validation_share", self.validation_share, "in [0, 0.9)")
        _require(0 <= self.seed < 2**32, "seed", self.seed, "between 0 and 2^32 - 1")
        _require("name" in self.objective, "objective", self.objective, "a mapping with the key 'name'")
        self.build_objective()

    def build_objective(self) -> Objective:
        """The objective of this recipe."""
        return build_objective(**self.objective)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as YAML and JSON write them."""
        return asdict(self)


def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Args:
        path: a YAML file; what it leaves out keeps its default.
        overrides: `key=value` with dots into sections (`objective.name=clap`); values are read as YAML.

    Returns:
        The recipe, every key known and every value in range.

    Raises:
        RecipeError: the file is absent or not YAML, or a key or value is wrong; the nearest name is given.
    """
    path = Path(path)
    try:
        values = _read_yaml(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise RecipeError(
            f"{path}: cannot be read ({error.strerror}); give a recipe such as recipes/offline.yaml"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise RecipeError(f"{path}: not a YAML file ({reason})") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path}: a recipe is a mapping of keys to values, not a {type(values).__name__}")
    for override in overrides:
        _override(values, override)
    return recipe_from(values, str(path))


def recipe_from(values: Mapping[str, Any], source: str) -> Recipe:
    """Build a recipe from plain values.

    Args:
        values: nested mapping, as YAML gives it.
        source: named in errors.

    Raises:
        RecipeError: see `load_recipe`.
    """
    recipe: Recipe = _build(Recipe, values, source, "")
    return recipe


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"--set {override}: give key=value, as in --set optimiser.epochs=20")
    *sections, last = key.split(".")
    if key in ("objective", "objective.name"):
        # Another objective does not take the settings of the one it replaces.
        values["objective"] = {}
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise RecipeError(f"--set {override}: '{section}' is a single value, not a section")
        values = inner
    try:
        values[last] = _read_yaml(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {override}: the value is not YAML; quote it or close brackets") from error


def _build(kind: Any, values: Any, source: str, prefix: str) -> Any:
    if not isinstance(values, Mapping):
        raise RecipeError(f"{source}: '{prefix.rstrip('.')}' is a section with keys, not {values!r}")
    hints = get_type_hints(kind)
    known = [item.name for item in fields(kind)]
    arguments = {}
    for key, value in values.items():
        if key not in known:
            nearest = get_close_matches(str(key), known, n=1)
            hint = f"did you mean '{prefix}{nearest[0]}'? " if nearest else ""
            raise RecipeError(f"{source}: unknown key '{prefix}{key}'; {hint}known: {', '.join(known)}")
        arguments[key] = _value(hints[key], value, source, f"{prefix}{key}")
    try:
        return kind(**arguments)
    except SmoothClapError as error:
        raise RecipeError(f"{source}: {error}") from error


def _value(kind: Any, value: Any, source: str, key: str) -> Any:
    if is_dataclass(kind):
        return _build(kind, value, source, f"{key}.")
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if value not in choices:
            raise RecipeError(f"{source}: {key}: {value!r} is not one of {', '.join(map(str, choices))}")
        return value
    if get_origin(kind) is list:
        (inner,) = get_args(kind)
        if not isinstance(value, list):
            raise RecipeError(f"{source}: {key}: {value!r} is not a list")
        return [_value(inner, item, source, key) for item in value]
    if get_origin(kind) is dict:
        if not isinstance(value, dict):
            raise RecipeError(f"{source}: {key}: {value!r} is not a mapping of keys to values")
        return value
    if isinstance(value, bool) == (kind is bool):
        if kind is float and isinstance(value, int):
            return float(value)
        if isinstance(value, kind):
            return value
    raise RecipeError(f"{source}: {key}: {value!r} is not of type {kind.__name__}")
