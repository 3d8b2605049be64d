"""Registers the classes with transformers' Auto classes, so that `AutoModel.from_pretrained(DIR)` works."""

from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoProcessor

from smoothclap.models.configuration_smoothclap import FunctionalsConfig, LogMelConfig, SmoothClapConfig
from smoothclap.models.feature_extraction_smoothclap import SmoothClapFeatureExtractor
from smoothclap.models.modeling_smoothclap import SmoothClapModel
from smoothclap.models.processing_smoothclap import SmoothClapProcessor
from smoothclap.models.towers.functionals import FunctionalsModel
from smoothclap.models.towers.logmel import LogMelModel

__all__ = ["SmoothClapConfig", "SmoothClapFeatureExtractor", "SmoothClapModel", "SmoothClapProcessor"]

for config in (SmoothClapConfig, LogMelConfig, FunctionalsConfig):
    AutoConfig.register(config.model_type, config, exist_ok=True)
AutoModel.register(LogMelConfig, LogMelModel, exist_ok=True)
AutoModel.register(FunctionalsConfig, FunctionalsModel, exist_ok=True)
AutoModel.register(SmoothClapConfig, SmoothClapModel, exist_ok=True)
AutoFeatureExtractor.register(SmoothClapConfig, SmoothClapFeatureExtractor, exist_ok=True)
AutoProcessor.register(SmoothClapConfig, SmoothClapProcessor, exist_ok=True)
