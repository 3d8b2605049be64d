"""The loss of soft targets (SmoothCLAP eqs. 8 and 11), whatever the targets are made of, and a report on them.

Targets travel as logarithms: at low temperatures their smallest entries underflow float32, and the reverse
KL divergence needs the logarithm of exactly those entries.
"""

import math

import torch
from torch import Tensor

from smoothclap.objectives.checks import check_weight
from smoothclap.objectives.numerics import log_mixture, log_predictions


def fuse(log_q: Tensor, beta: float) -> Tensor:
    """Fuse soft similarities with the one-hot targets, eq. 8: `y = (1 - beta) I + beta q`, as logarithms.

    Args:
        log_q: (B, B) logarithms, each row a distribution; -inf where q is exactly 0.
        beta: Fusion factor in [0, 1]. 0: the one-hot targets of CLAP; 1: q alone, the pairing itself counts
            for nothing.

    Returns:
        `log y`, (B, B); off the diagonal -inf where beta or q is exactly 0.

    Raises:
        ValueError: beta outside [0, 1].

    >>> fuse(torch.full((2, 2), 0.5).log(), beta=0.2).exp()
    tensor([[0.9000, 0.1000],
            [0.1000, 0.9000]])
    """
    check_weight("beta", beta)
    log_identity = torch.eye(len(log_q), dtype=log_q.dtype, device=log_q.device).log()
    return log_mixture(log_identity, log_q, beta)


def soft_target_loss(
    audio: Tensor, text: Tensor, scale: Tensor | float, log_targets: Tensor, *, symmetric: bool = True
) -> Tensor:
    """Kullback-Leibler divergence between soft targets and the predictions in both directions, eq. 11.

    `L = 1/(2B) sum_i [KL(y_i||p_a2t_i) + KL(p_a2t_i||y_i) + KL(y_i||p_t2a_i) + KL(p_t2a_i||y_i)]`

    Args:
        audio: (B, d) unit-norm audio embeddings.
        text: (B, d) unit-norm text embeddings, row i the caption of clip i.
        scale: Scalar, 1 / temperature, in (0, 100].
        log_targets: (B, B) logarithms of the targets y, row i for clip i and for caption i alike; `0 log 0` is
            0.
        symmetric: False leaves out the reverse terms `KL(p||y)`. They are infinite where a target is exactly
            0, so targets with zeros by construction need False. With one-hot targets the loss is then CLAP's.

    Returns:
        Scalar, nats.

    Raises:
        ValueError: An argument of the wrong shape, named.

    >>> uniform = torch.full((2, 2), 0.5).log()
    >>> soft_target_loss(torch.eye(2), torch.eye(2), 1.0, uniform)
    tensor(0.2311)
    >>> soft_target_loss(torch.eye(2), torch.eye(2), 0.0, uniform)
    tensor(0.)
    """
    log_a2t, log_t2a = log_predictions(audio, text, scale)
    if log_targets.shape != log_a2t.shape:
        raise ValueError(f"log_targets must be {tuple(log_a2t.shape)}, got shape {tuple(log_targets.shape)}")
    loss = _divergence(log_targets, log_a2t) + _divergence(log_targets, log_t2a)
    if symmetric:
        loss = loss + _divergence(log_a2t, log_targets) + _divergence(log_t2a, log_targets)
    return loss / (2 * len(audio))


def target_report(log_targets: Tensor) -> dict[str, Tensor]:
    """Say how soft the targets are: near one extreme they are one-hot, near the other they are label smoothing.

    Args:
        log_targets: (B, B) logarithms of the targets.

    Returns:
        Detached scalars (tensors, so that nothing waits for a GPU): `target_entropy`, nats, mean over the
        rows, from 0 (one-hot) to log B (uniform); `off_diagonal_mass`, the share of the targets' mass that is
        not on the pairs.

    >>> report = target_report(torch.full((4, 4), 0.25).log())
    >>> round(report["target_entropy"].item(), 4), report["off_diagonal_mass"].item()
    (1.3863, 0.75)
    """
    targets = log_targets.detach().exp()
    pairs = torch.eye(len(targets), dtype=torch.bool, device=targets.device)
    return {
        "target_entropy": torch.special.entr(targets).sum(dim=-1).mean(),
        "off_diagonal_mass": targets.masked_fill(pairs, 0).sum(dim=-1).mean(),
    }


def _divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """`sum p log(p / q)` over all rows; entries with p exactly 0 count 0, in the gradient too."""
    return (log_p.exp() * (log_p.masked_fill(log_p == -math.inf, 0) - log_q)).sum()
