"""Feature extractor and tokenizer in one object, saved and loaded together."""

from typing import Any

from transformers import ProcessorMixin


class SmoothClapProcessor(ProcessorMixin):
    """What a model directory carries besides the weights.

    Args:
        feature_extractor: a `SmoothClapFeatureExtractor`.
        tokenizer: the text tower's tokenizer.
    """

    def __init__(self, feature_extractor: Any, tokenizer: Any) -> None:
        super().__init__(feature_extractor, tokenizer)
