"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real emotional speech; tests that use it skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "corpora"
    folder = Path(os.environ.get("SMOOTHCLAP_CORPORA", default))
    if not (folder / "README.md").is_file():
        pytest.skip(f"real speech corpora are not at {folder} (set SMOOTHCLAP_CORPORA)")
    return folder
