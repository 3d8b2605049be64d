"""What a benchmark was run with, for its results file."""

import os
import platform
from importlib.metadata import version
from typing import Any


def facts(*packages: str) -> dict[str, Any]:
    """Cores, Python, and the versions of smoothclap and of `packages`; nothing that names the machine."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {name: version(name) for name in ("smoothclap", *packages)},
    }
