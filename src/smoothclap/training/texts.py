"""Captions as the text tower sees them: encoded once where it is frozen, in every step where it is trained."""

import hashlib
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smoothclap.models import SmoothClapModel, SmoothClapProcessor
from smoothclap.progress import track
from smoothclap.store import FeatureStore

BATCH = 64


class TextBank:
    """Distinct texts, by number.

    Args:
        texts: any texts; equal ones share a number.
        processor: tokenizes.
        model: its text tower encodes.
        store: where features of a frozen tower are kept; absent: the tower is trained, so nothing is.
    """

    def __init__(
        self,
        texts: Sequence[str],
        processor: SmoothClapProcessor,
        model: SmoothClapModel,
        store: FeatureStore | None,
    ) -> None:
        self.number = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        self._processor = processor
        self._texts = list(self.number)
        self._model = model
        self._features = self._encode_frozen(store) if store is not None else None

    def tokens(self, numbers: Sequence[int] | NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Token ids and mask, each (n, longest)."""
        texts = [self._texts[number] for number in numbers]
        tokens = self._processor.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        return tokens["input_ids"], tokens["attention_mask"]

    def pooled(self, numbers: Sequence[int] | NDArray[np.int64]) -> Tensor:
        """Text features (n, text hidden size) without gradient, of the tower as it is now."""
        if self._features is not None:
            return self._features[torch.as_tensor(numbers)]
        ids, mask = self.tokens(numbers)
        device = self._model.device
        with torch.no_grad():
            return self._model.pool_text(ids.to(device), mask.to(device))

    def _encode_frozen(self, store: FeatureStore) -> Tensor:
        """Encode every text once; a second run, or another run with the same tower, finds it in the store."""
        settings = {
            "pooling": self._model.config.text_pooling,
            "weights": _weights_digest(self._model.text_model),
        }
        bucket = store.bucket(f"text-{self._model.config.text_config.model_type}", settings)
        keys = [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in self._texts]
        lacking = set(bucket.missing(keys))
        tokens = self._processor.tokenizer(self._texts, truncation=True)["input_ids"]
        lengths = [len(ids) for ids in tokens]
        # Only texts of one length together: padding moves the last bits of a text's features, which would then
        # depend on its company, and so on what the store held before.
        todo = sorted((n for n, key in enumerate(keys) if key in lacking), key=lengths.__getitem__)
        batches = [
            same[start : start + BATCH]
            for _, group in groupby(todo, key=lengths.__getitem__)
            for same in [list(group)]
            for start in range(0, len(same), BATCH)
        ]
        self._model.eval()
        fresh: dict[str, np.ndarray] = {}
        for batch in track(batches, "Encoding captions", len(batches)):
            ids, mask = self.tokens(batch)
            with torch.inference_mode():
                pooled = self._model.pool_text(ids, mask).numpy()
            fresh.update({keys[number]: pooled[row] for row, number in enumerate(batch)})
            if len(fresh) >= 2048:
                bucket.write(fresh)
                fresh = {}
        if fresh:
            bucket.write(fresh)
        return torch.from_numpy(np.stack([bucket.read(key) for key in keys]))


def _weights_digest(module: torch.nn.Module) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
