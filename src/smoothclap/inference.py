"""`SmoothCLAP`: the object a user holds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer
from transformers.utils import logging as transformers_logging

from smoothclap import audio
from smoothclap.errors import SmoothClapError
from smoothclap.models import SmoothClapFeatureExtractor, SmoothClapModel, SmoothClapProcessor
from smoothclap.models.modeling_smoothclap import CheckpointError
from smoothclap.store import FeatureStore, Reject

WINDOW_FRAMES = 500
"""A longer clip is embedded in windows of 5 s (SPEC: training clips are 5 s) whose embeddings are averaged."""

TRAIN_FIRST = (
    "no model ships with smoothclap yet: train one with `smoothclap train recipes/offline.yaml -o DIR "
    "--corpus NAME=PATH` (or see `make demo`), then give it as --model DIR"
)


class LabelError(SmoothClapError):
    """Labels or template that cannot be asked for."""


@dataclass(frozen=True)
class ClipEmbeddings:
    """Embeddings of a table of clips.

    Attributes:
        index: the clips that could be embedded, in order.
        keep: bool, one per clip asked for: true where it could.
        vectors: float32 (good clips, d), unit norm.
        rejects: the clips that could not, with the reason.
        digests: `audio.digest` of each good clip's file.
    """

    index: pd.MultiIndex
    keep: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    rejects: list[Reject]
    digests: list[str]


def check_labels(labels: Sequence[str]) -> list[str]:
    """Trim labels and refuse those that cannot be told apart.

    Args:
        labels: words or phrases.

    Returns:
        The trimmed labels.

    Raises:
        LabelError: no label, an empty one, or two that are equal after trimming.

    >>> check_labels([" angry", "sad "])
    ['angry', 'sad']
    """
    trimmed = [label.strip() for label in labels]
    if not trimmed:
        raise LabelError("--labels: give at least one label, separated by commas: --labels angry,happy,sad")
    if "" in trimmed:
        raise LabelError(f"--labels: label {trimmed.index('') + 1} is empty; remove the extra comma")
    twice = next((label for label in trimmed if trimmed.count(label) > 1), None)
    if twice is not None:
        raise LabelError(f"--labels: '{twice}' is given twice (labels are compared after trimming); keep one")
    return trimmed


def fill_template(template: str, labels: Sequence[str]) -> list[str]:
    """Put each label into the template.

    Args:
        template: text with one `{}`.
        labels: what to put there.

    Returns:
        One prompt per label.

    Raises:
        LabelError: the template has no `{}`, or more than one.

    >>> fill_template("a {} voice", ["sad", "calm"])
    ['a sad voice', 'a calm voice']
    """
    if template.count("{}") != 1:
        raise LabelError(
            f"--template: '{template}' needs exactly one {{}} where the label goes, as in 'a {{}} voice'"
        )
    return [template.replace("{}", label) for label in labels]


def _read_training(path: Path) -> dict[str, Any] | None:
    """What a model was trained on, or nothing where its directory does not say."""
    if not path.is_file():
        return None
    try:
        training: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path}: damaged ({error}); train the model or copy it again") from error
    return training


class SmoothCLAP:
    """A trained model with everything it needs to hear and to read.

    Args:
        model: the dual encoder.
        processor: its feature extractor and tokenizer.
        directory: the directory it came from.
    """

    def __init__(self, model: SmoothClapModel, processor: SmoothClapProcessor, directory: Path) -> None:
        self.model = model.eval()
        self.processor = processor
        self.directory = directory
        self.training = _read_training(directory / "training.json")

    @classmethod
    def from_pretrained(cls, directory: str | Path | None = None) -> Self:
        """Load a model.

        Args:
            directory: a model directory (what `smoothclap train -o DIR` writes) or a hub name.

        Returns:
            The model, on the CPU, in eval mode.

        Raises:
            CheckpointError: no directory was given, it is absent or damaged, or a weight is missing or unknown.
        """
        if directory is None:
            raise CheckpointError(TRAIN_FIRST)
        path = Path(directory)
        looks_local = str(directory).count("/") != 1 or str(directory).startswith(".") or path.parent.is_dir()
        if looks_local and not path.is_dir():
            raise CheckpointError(
                f"{directory}: no such model directory; give what `smoothclap train -o DIR` wrote"
            )
        if path.is_dir() and not (path / "config.json").is_file():
            raise CheckpointError(
                f"{directory}: not a model directory (no config.json); give what `smoothclap train -o` wrote"
            )
        transformers_logging.disable_progress_bar()
        model = SmoothClapModel.from_pretrained(directory)
        try:
            extractor = SmoothClapFeatureExtractor.from_pretrained(directory)
            tokenizer = AutoTokenizer.from_pretrained(directory)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise CheckpointError(
                f"{directory}: tokenizer or preprocessor files are missing ({reason}); copy the whole directory"
            ) from error
        return cls(model, SmoothClapProcessor(extractor, tokenizer), path)

    @property
    def name(self) -> str:
        """The directory's name."""
        return self.directory.resolve().name

    @property
    def logit_scale(self) -> float:
        """1 / temperature: cosines times this are logits."""
        return float(self.model.scale.detach())

    @torch.inference_mode()
    def _embed(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed one clip's features; one clip at a time, so that company in a batch never changes a bit."""
        features = self.processor.feature_extractor.tower_input(features)
        if features.ndim == 1 or len(features) <= WINDOW_FRAMES:
            pieces = [features]
        else:
            pieces = [
                features[round(start) : round(end)]
                for start, end in audio.windows(len(features), WINDOW_FRAMES, WINDOW_FRAMES)
            ]
        vectors = [
            self.model.get_audio_features(torch.from_numpy(np.array(piece))[None]).pooler_output[0]
            for piece in pieces
        ]
        mean = torch.stack(vectors).mean(0) if len(vectors) > 1 else vectors[0]
        return torch.nn.functional.normalize(mean, dim=0).numpy()

    def encode_audio(self, sources: audio.Source | list[audio.Source]) -> NDArray[np.float32]:
        """Embed recordings.

        Args:
            sources: paths, bytes, file objects, `(array, rate)` or `{"array", "sampling_rate"}`; one or a list.

        Returns:
            float32 (n, d), unit norm; the same recording always gives the same embedding.

        Raises:
            AudioError: a source cannot be heard; the message names it and the mend.
        """
        sources = sources if isinstance(sources, list) else [sources]
        extract = self.processor.feature_extractor.extractor()
        vectors = [self._embed(extract(audio.load(source))) for source in sources]
        return np.stack(vectors) if vectors else np.empty((0, self.model.config.projection_dim), np.float32)

    def encode_clips(
        self, index: pd.MultiIndex, store: FeatureStore, *, workers: int | None = None, strict: bool = False
    ) -> ClipEmbeddings:
        """Embed a table of clips, taking their features from the store.

        Args:
            index: segmented index, see `smoothclap.corpora.schema.clip_index`.
            store: where features are kept; what is not there is computed and kept.
            workers: processes to compute features with; absent: one per core.
            strict: raise at the first clip that cannot be heard, instead of reporting it.

        Returns:
            Embeddings, equal to `encode_audio` of the same clips, and the rejects.

        Raises:
            AudioError: with `strict`, at the first bad clip.
        """
        features = store.compute(
            index, self.processor.feature_extractor.extractor(), workers=workers, strict=strict
        )
        vectors = np.empty((len(features), self.model.config.projection_dim), np.float32)
        for row in range(len(features)):
            vectors[row] = self._embed(features[row])
        return ClipEmbeddings(features.index, features.keep, vectors, features.rejects, features.digests)

    @torch.inference_mode()
    def encode_text(self, texts: str | Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: one or several words, phrases or sentences.

        Returns:
            float32 (m, d), unit norm.
        """
        texts = [texts] if isinstance(texts, str) else texts
        vectors = []
        for text in texts:
            tokens = self.processor.tokenizer(text, return_tensors="pt", truncation=True)
            output = self.model.get_text_features(tokens["input_ids"], tokens["attention_mask"])
            vectors.append(output.pooler_output[0].numpy())
        return np.stack(vectors) if vectors else np.empty((0, self.model.config.projection_dim), np.float32)

    @staticmethod
    def similarity(
        audio_embeddings: NDArray[np.float32], text_embeddings: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Cosine similarity.

        Args:
            audio_embeddings: (n, d), unit norm.
            text_embeddings: (m, d), unit norm.

        Returns:
            (n, m), between -1 and 1.
        """
        return audio_embeddings @ text_embeddings.T

    def classify(
        self, source: audio.Source | list[audio.Source], labels: Sequence[str], *, template: str = "{}"
    ) -> Any:
        """Say how well each label describes a recording.

        Args:
            source: one recording, or a list.
            labels: words or phrases, any number.
            template: text with one `{}` where the label goes.

        Returns:
            `{label: probability}`, likeliest first, summing to 1; a list for a list. It is the softmax of
            cosines times the logit scale: it compares these labels only, and is not calibrated.

        Raises:
            LabelError: labels are empty or equal, or the template has no `{}`.
            AudioError: a recording cannot be heard.
        """
        labels = check_labels(labels)
        texts = self.encode_text(fill_template(template, labels))
        # Clip by clip: the last bits of a matrix product depend on how many rows it has.
        cosines = [self.similarity(vector[None], texts)[0] for vector in self.encode_audio(source)]
        logits = self.logit_scale * np.array(cosines, np.float64).reshape(-1, len(labels))
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        answers = [
            {labels[column]: float(row[column]) for column in np.argsort(-row, kind="stable")} for row in shares
        ]
        return answers if isinstance(source, list) else answers[0]
