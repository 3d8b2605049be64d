"""How a run is doing on held-out speakers of its own corpora; a test corpus is never looked at."""

import audmetric
import numpy as np
import torch

from smoothclap.inference import WINDOW_FRAMES
from smoothclap.models import SmoothClapModel, SmoothClapProcessor
from smoothclap.training.batches import pad
from smoothclap.training.data import TrainingData

BATCH = 64


@torch.inference_mode()
def validation_uar(model: SmoothClapModel, processor: SmoothClapProcessor, data: TrainingData) -> float | None:
    """Zero-shot UAR on the validation clips: each corpus by its own emotion words, then the corpora's mean.

    Args:
        model: as it is now; put in eval mode here.
        processor: its tokenizer reads the emotion words.
        data: the run's clips.

    Returns:
        UAR in [0, 1], or nothing where no corpus holds out clips of two emotions.
    """
    model.eval()
    scores = []
    corpora = data.table["corpus"].to_numpy()[data.validation]
    for corpus in dict.fromkeys(corpora):
        rows = data.validation[(corpora == corpus) & (data.labels[data.validation] >= 0)]
        present = sorted(set(data.labels[rows].tolist()))
        if len(present) < 2:
            continue
        tokens = processor.tokenizer([data.emotions[n] for n in present], padding=True, return_tensors="pt")
        tokens = tokens.to(model.device)
        text = model.get_text_features(tokens["input_ids"], tokens["attention_mask"]).pooler_output
        guesses: list[int] = []
        for start in range(0, len(rows), BATCH):
            features, mask = _features(data, rows[start : start + BATCH])
            mask = None if mask is None else mask.to(model.device)
            audio = model.get_audio_features(features.to(model.device), mask).pooler_output
            guesses += (audio @ text.T).argmax(dim=1).tolist()
        predicted = [present[guess] for guess in guesses]
        scores.append(
            audmetric.unweighted_average_recall(data.labels[rows].tolist(), predicted, labels=present)
        )
    return float(np.mean(scores)) if scores else None


def _features(data: TrainingData, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor | None]:
    clips = [torch.from_numpy(np.array(data.tower[int(row)])) for row in rows]
    if clips[0].ndim == 1:
        return torch.from_numpy(data.functionals[rows]), None
    return pad([frames[:WINDOW_FRAMES] for frames in clips])
