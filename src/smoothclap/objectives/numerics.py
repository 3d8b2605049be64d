"""Log-domain arithmetic the objectives share, in float32 (float64 for float64 input) whatever autocast says."""

import math
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from smoothclap.objectives.checks import check_pairs


def full_dtype(*tensors: Tensor) -> torch.dtype:
    """The dtype to compute in: float32, or float64 where a tensor is float64.

    >>> full_dtype(torch.ones(1, dtype=torch.bfloat16))
    torch.float32
    """
    return reduce(torch.promote_types, (tensor.dtype for tensor in tensors), torch.float32)


def inner_products(left: Tensor, right: Tensor) -> Tensor:
    """All inner products of two sets of rows, (B, d) and (C, d) -> (B, C), never in half precision.

    The matrix product is the one step of the objectives that autocast would lower; at scale 100 bfloat16's
    rounding would move a logit by half a nat.
    """
    dtype = full_dtype(left, right)
    with torch.autocast(left.device.type, enabled=False):
        return left.to(dtype) @ right.to(dtype).T


def unit_rows(features: Tensor) -> Tensor:
    """Each row of (B, d) divided by its l2 norm; a row of zeros stays zero.

    A zero row has cosine 0 with every row, itself included. Its gradient is that of the identity;
    `torch.nn.functional.normalize` would multiply it by 1e12 there.

    >>> unit_rows(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    features = features.to(full_dtype(features))
    norms: Tensor = torch.linalg.vector_norm(features, dim=-1, keepdim=True)
    return features / norms.masked_fill(norms == 0, 1)


def log_predictions(audio: Tensor, text: Tensor, scale: Tensor | float) -> tuple[Tensor, Tensor]:
    """Logarithms of the predicted distributions, SmoothCLAP eqs. 4, 9 and 10.

    tau_pred is 1, since only its product with the temperature counts. Eq. 10's denominator is mended: the rows
    of both sum to 1.

    Args:
        audio: (B, d) unit-norm audio embeddings.
        text: (B, d) unit-norm text embeddings, row i the caption of clip i.
        scale: Scalar, 1 / temperature, in (0, 100].

    Returns:
        `log p_a2t` (row i: over captions, given clip i) and `log p_t2a` (row i: over clips, given caption i),
        (B, B).

    Raises:
        ValueError: An argument of the wrong shape, named.

    >>> a2t, t2a = log_predictions(torch.eye(2), torch.eye(2), scale=1.0)
    >>> a2t.exp()
    tensor([[0.7311, 0.2689],
            [0.2689, 0.7311]])
    """
    check_pairs(audio, text, scale)
    logits = scale * inner_products(audio, text)
    return functional.log_softmax(logits, dim=-1), functional.log_softmax(logits.T, dim=-1)


def log_mixture(log_first: Tensor, log_second: Tensor, weight: float) -> Tensor:
    """Logarithm of `(1 - weight) * first + weight * second`.

    At weight 0 and 1 it is exactly the one distribution, and no gradient reaches the other.

    >>> log_mixture(torch.tensor(0.0), torch.tensor(-1000.0), 0.5)
    tensor(-0.6931)
    """
    if weight == 0:
        return log_first
    if weight == 1:
        return log_second
    return torch.logaddexp(log_first + math.log1p(-weight), log_second + math.log(weight))
