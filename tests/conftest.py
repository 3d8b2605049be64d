"""Fixtures every test may use."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

RATE = 16_000
PITCHES = {"angry": 2.0, "neutral": 1.0, "sad": 0.6}
"""Pitch of each emotion of the tiny corpus, relative to the speaker's own."""


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real emotional speech; tests that use it skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "corpora"
    folder = Path(os.environ.get("SMOOTHCLAP_CORPORA", default))
    if not (folder / "README.md").is_file():
        pytest.skip(f"real speech corpora are not at {folder} (set SMOOTHCLAP_CORPORA)")
    return folder


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a text tower of a few kilobytes: two layers of BERT that spell every word."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("text-tower")
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*special, *letters, *(f"##{letter}" for letter in letters), ".", ",", "-", *PITCHES]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
    )
    torch.manual_seed(0)
    BertModel(config).eval().save_pretrained(folder)
    return folder


def voice(pitch: float, seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """A buzz of `pitch` Hz with a little breath, float32 (n,), 16 kHz."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    drift = pitch * (1 + 0.03 * np.sin(2 * np.pi * 3 * time))
    phase = 2 * np.pi * np.cumsum(drift) / RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * np.hanning(time.size) ** 0.2
    return (0.1 * wave + 0.002 * random.standard_normal(time.size)).astype(np.float32)


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table file of 72 clips of 1 s: eight speakers, three emotions told apart by pitch."""
    folder = tmp_path_factory.mktemp("tiny-corpus")
    rows = []
    for speaker in range(8):
        for kind, (emotion, factor) in enumerate(PITCHES.items()):
            for take in range(3):
                name = f"s{speaker}-{emotion}-{take}.wav"
                pitch = (140 + 5 * speaker) * factor * (1 + 0.02 * take)
                soundfile.write(folder / name, voice(pitch, seed=100 * speaker + 10 * kind + take), RATE)
                gender = "female" if speaker % 2 else "male"
                rows.append({"file": name, "speaker": f"s{speaker}", "emotion": emotion, "gender": gender})
    pd.DataFrame(rows).to_csv(folder / "tiny.csv", index=False)
    return folder / "tiny.csv"


@pytest.fixture(scope="session")
def feature_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One feature store for the session, so that the tiny corpus is measured once."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def tiny_recipe(tiny_text: Path) -> Callable[..., object]:
    """Makes the recipe of a tiny model that trains in a second; takes `key=value` overrides."""
    from smoothclap.training.recipe import Recipe, load_recipe

    path = tiny_text.parent / "tiny-recipe.yaml"
    path.write_text(
        f"audio: {{tower: logmel, channels: 8, dilations: [1, 2], crop_seconds: 0.8}}\n"
        f"text: {{model: {tiny_text}}}\n"
        "projection: {dim: 12}\n"
        "captions: {variants: 2}\n"
        "optimiser: {epochs: 2, batch_size: 16}\n"
        "validation_share: 0.25\n"
    )

    def make(*overrides: str) -> Recipe:
        return load_recipe(path, overrides)

    make.path = path  # type: ignore[attr-defined]
    return make


@pytest.fixture(scope="session")
def train_tiny(
    tiny_recipe: Callable[..., object], tiny_corpus: Path, feature_store: Path
) -> Callable[..., Path]:
    """Trains a tiny model into a folder; skips where openSMILE, which every training needs, is absent."""
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    from smoothclap.corpora import load_corpus
    from smoothclap.store import FeatureStore
    from smoothclap.training.loop import train

    def run(folder: Path, *overrides: str, corpus: Path = tiny_corpus, **options: object) -> Path:
        options.setdefault("store", FeatureStore(feature_store))
        options.setdefault("workers", 1)
        return train(tiny_recipe(*overrides), [load_corpus(f"table={corpus}")], folder, **options)

    return run


@pytest.fixture(scope="session", params=["logmel", "functionals"])
def tiny_model(
    request: pytest.FixtureRequest, train_tiny: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The directory of a trained tiny model, once with each audio tower; not to be changed."""
    return train_tiny(tmp_path_factory.mktemp("models") / request.param, f"audio.tower={request.param}")
