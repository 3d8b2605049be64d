"""The transformers-native dual encoder, registered with the Auto classes on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smoothclap.models.configuration_smoothclap import SmoothClapConfig
    from smoothclap.models.feature_extraction_smoothclap import SmoothClapFeatureExtractor
    from smoothclap.models.modeling_smoothclap import SmoothClapModel
    from smoothclap.models.processing_smoothclap import SmoothClapProcessor

__all__ = ["SmoothClapConfig", "SmoothClapFeatureExtractor", "SmoothClapModel", "SmoothClapProcessor"]


def __getattr__(name: str) -> Any:
    """Import on first use: workers that only need log-mel frames must not pay for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("smoothclap.models.auto"), name)
