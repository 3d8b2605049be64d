"""A fresh model from a recipe."""

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from smoothclap.models import SmoothClapConfig, SmoothClapFeatureExtractor, SmoothClapModel, SmoothClapProcessor
from smoothclap.models.configuration_smoothclap import FunctionalsConfig, LogMelConfig
from smoothclap.models.towers.text import TextTowerError, locate
from smoothclap.training.recipe import Recipe


def build_model(recipe: Recipe) -> tuple[SmoothClapModel, SmoothClapProcessor]:
    """Make a model with a pretrained text tower and everything else new, drawn from the recipe's seed.

    Args:
        recipe: which towers, how wide.

    Returns:
        The model and its processor.

    Raises:
        TextTowerError: the text tower's files cannot be had.
    """
    where = locate(recipe.text.model)
    transformers_logging.disable_progress_bar()
    try:
        text_model, info = AutoModel.from_pretrained(where, output_loading_info=True)
        tokenizer = AutoTokenizer.from_pretrained(where)
        text_config = AutoConfig.from_pretrained(where)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TextTowerError(
            f"text.model: {recipe.text.model} cannot be loaded ({reason}); give `minilm`, or a directory with "
            "config.json, model.safetensors and the tokenizer's files"
        ) from error
    lacking = [key for key in info["missing_keys"] if "pooler" not in key]
    if lacking:
        raise TextTowerError(
            f"text.model: {where} lacks weights ({', '.join(sorted(lacking)[:3])}); get the whole checkpoint"
        )
    if recipe.audio.tower == "logmel":
        audio_config = LogMelConfig(
            channels=recipe.audio.channels, dilations=recipe.audio.dilations, dropout=recipe.audio.dropout
        )
    else:
        audio_config = FunctionalsConfig()
    config = SmoothClapConfig(
        audio_config=audio_config,
        text_config=text_config,
        text_pooling=recipe.text.pooling,
        projection_dim=recipe.projection.dim,
        projection_dropout=recipe.projection.dropout,
    )
    torch.manual_seed(recipe.seed)
    model = SmoothClapModel(config)
    model.text_model.load_state_dict(text_model.state_dict())
    model.text_model.requires_grad_(recipe.text.train)
    return model, SmoothClapProcessor(SmoothClapFeatureExtractor(kind=recipe.audio.tower), tokenizer)
