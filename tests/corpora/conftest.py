"""Miniature corpora, made by the test that uses them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of empty files; adapters never decode, so empty is enough."""

    def make(*names: str) -> Path:
        folder = tmp_path / "corpus"
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        return folder

    return make


@pytest.fixture
def tone() -> Callable[..., Path]:
    """Write half a second of a tone of the given pitch."""

    def write(path: Path, pitch: float = 200.0, *, seconds: float = 0.5, peak: float = 0.3) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(int(16_000 * seconds)) / 16_000
        soundfile.write(path, peak * np.sin(2 * np.pi * pitch * time), 16_000)
        return path

    return write
