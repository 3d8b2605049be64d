"""Label-free adaptation to a test collection: the whole collection is needed, so this is not plain zero-shot.

A model often calls most clips of a new corpus by one or two labels: a channel or a language unlike the training
data shifts every embedding the same way, and a shift of all audio embeddings adds a constant to each label's
similarity. The constants are found without labels by asking that every label be given equally often on average
(the prior correction of Saerens et al., 2002, towards a known uniform prior; the fixed point is that of
Sinkhorn and Knopp, 1967).
"""

import numpy as np

from smoothclap.errors import SmoothClapError

NAME = "collection"
ASSUMES = (
    "Not plain zero-shot: every clip of the collection was looked at (without its label) before any was "
    "classified, and the classes were assumed to be about equally frequent. Where they are not, rare classes "
    "are predicted too often."
)
TOLERANCE = 1e-6
MAX_STEPS = 10_000


class AdaptationError(SmoothClapError):
    """The balancing of the classes found no solution."""


def class_offsets(logits: np.ndarray) -> np.ndarray:
    """What to add to each class's logit so that the mean posterior over the collection is uniform.

    Finds b with `mean_i softmax(logits_i + b) = 1/C`. The offsets exist and are unique up to a constant; adding
    a constant to any column of `logits` changes b and nothing else.

    Args:
        logits: (n, C), logit scale times cosine similarity, finite.

    Returns:
        (C,) offsets with mean zero, float64.

    Raises:
        AdaptationError: not converged to `TOLERANCE` in `MAX_STEPS` steps (logits too extreme).

    Example:
        >>> class_offsets(np.array([[3.0, 0.0], [1.0, 0.0]])).round(3)
        array([-1.,  1.])
    """
    logits = logits.astype(np.float64)
    classes = logits.shape[1]
    offsets = np.zeros(classes)
    for _ in range(MAX_STEPS):
        log_posterior = logits + offsets
        log_posterior -= np.logaddexp.reduce(log_posterior, axis=1, keepdims=True)
        log_mean = np.logaddexp.reduce(log_posterior, axis=0) - np.log(len(logits))
        if np.abs(np.exp(log_mean) - 1 / classes).max() < TOLERANCE:
            return np.asarray(offsets - offsets.mean())
        offsets -= log_mean + np.log(classes)
    raise AdaptationError(
        f"--adapt {NAME}: the classes could not be balanced in {MAX_STEPS} steps; evaluate without --adapt"
    )
