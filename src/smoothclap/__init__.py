"""Contrastive language-audio models of how something is said."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smoothclap.inference import SmoothCLAP

__all__ = ["SmoothCLAP", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import on first use, so that `smoothclap --help` does not wait for torch."""
    if name != "SmoothCLAP":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from smoothclap.inference import SmoothCLAP

    return SmoothCLAP
