"""SmoothCLAP: targets softened by similarity within the audio and within the tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from smoothclap.objectives.checks import (
    check_features,
    check_flag,
    check_pairs,
    check_rows,
    check_temperature,
    check_weight,
)
from smoothclap.objectives.numerics import inner_products, log_mixture, unit_rows
from smoothclap.objectives.objective import Objective, ObjectiveBatch
from smoothclap.objectives.soft_targets import fuse, soft_target_loss, target_report

PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"ablation": {"gamma": 0.5, "beta": 0.1}, "setup": {"gamma": 0.1, "beta": 0.5}}
)
"""The paper contradicts itself: what its ablation argues for (our default), and what its set-up states."""


def smoothclap_targets(
    local_audio: Tensor,
    tag_text: Tensor,
    *,
    gamma: float = 0.5,
    beta: float = 0.1,
    tau_a2a: float = 0.07,
    tau_t2t: float = 0.07,
    detach_targets: bool = True,
) -> Tensor:
    """Logarithms of SmoothCLAP's targets, eqs. 5 to 8.

    `q_a2a = softmax(l l.T / tau_a2a)`, `q_t2t = softmax(u u.T / tau_t2t)` with l, u the features l2-normalised
    here, `q = (1 - gamma) q_a2a + gamma q_t2t`, `y = (1 - beta) I + beta q`.

    Args:
        local_audio: (B, d_l) mean-pooled local audio features. Those of speech encoders are nearly collinear:
            subtract the training set's mean first, or all targets come out alike. A row of zeros has cosine 0
            with every row.
        tag_text: (B, d_u) text features of the tags; zeros as above.
        gamma: Mix in [0, 1]. 0: similarity of the audio only; 1: of the tags only.
        beta: Fusion factor in [0, 1]. 0: the one-hot targets of CLAP; 1: similarity alone.
        tau_a2a: Temperature of the audio similarities, above 0. Towards 0 each row falls on its nearest
            neighbours (itself, and its duplicates); towards infinity it is uniform, which is label smoothing.
        tau_t2t: The same for the tags.
        detach_targets: Let no gradient through the targets. False: it flows into both features.

    Returns:
        `log y`, (B, B); row i serves clip i and caption i.

    Raises:
        ValueError: A wrong shape or a hyper-parameter out of range, named.

    >>> import torch
    >>> features = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> smoothclap_targets(features, features, beta=0.5, tau_a2a=1.0, tau_t2t=1.0).exp()
    tensor([[0.8655, 0.1345],
            [0.1345, 0.8655]])
    """
    _check_hyper_parameters(gamma, beta, tau_a2a, tau_t2t, detach_targets)
    check_features("local_audio", local_audio)
    check_features("tag_text", tag_text)
    check_rows("tag_text", tag_text, len(local_audio))
    if detach_targets:
        local_audio, tag_text = local_audio.detach(), tag_text.detach()
    log_q = log_mixture(
        _log_self_similarity(local_audio, tau_a2a), _log_self_similarity(tag_text, tau_t2t), gamma
    )
    return fuse(log_q, beta)


def smoothclap_loss(
    audio: Tensor,
    text: Tensor,
    scale: Tensor | float,
    local_audio: Tensor,
    tag_text: Tensor,
    *,
    gamma: float = 0.5,
    beta: float = 0.1,
    tau_a2a: float = 0.07,
    tau_t2t: float = 0.07,
    detach_targets: bool = True,
) -> Tensor:
    """The SmoothCLAP objective, eqs. 4 to 11: symmetric KL divergence between soft targets and predictions.

    The hyper-parameters are those of `smoothclap_targets`; the defaults are the preset "ablation". At beta 0
    the reverse KL divergence is infinite, so beta 0 means the forward terms only, which is exactly
    `clap_loss`.

    Args:
        audio: (B, d) unit-norm audio embeddings.
        text: (B, d) unit-norm text embeddings, row i the caption of clip i.
        scale: Scalar, 1 / temperature, in (0, 100].
        local_audio: (B, d_l) mean-pooled local audio features, of any norm.
        tag_text: (B, d_u) text features of the tags, of any norm.
        gamma: Mix in [0, 1] of audio (0) and tag (1) similarity.
        beta: Fusion factor in [0, 1] of one-hot targets (0) and similarity (1).
        tau_a2a: Temperature of the audio similarities, above 0.
        tau_t2t: Temperature of the tag similarities, above 0.
        detach_targets: Let no gradient through the targets.

    Returns:
        Scalar, nats, at least 0 up to rounding.

    Raises:
        ValueError: A wrong shape or a hyper-parameter out of range, named.

    >>> import torch
    >>> pairs, features = torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> smoothclap_loss(pairs, pairs, 1.0, features, features, tau_a2a=1.0, tau_t2t=1.0)
    tensor(0.6266)
    """
    check_pairs(audio, text, scale)
    check_rows("local_audio", local_audio, len(audio))
    log_targets = smoothclap_targets(
        local_audio,
        tag_text,
        gamma=gamma,
        beta=beta,
        tau_a2a=tau_a2a,
        tau_t2t=tau_t2t,
        detach_targets=detach_targets,
    )
    return soft_target_loss(audio, text, scale, log_targets, symmetric=beta > 0)


@dataclass(frozen=True)
class SmoothClapObjective(Objective):
    """`smoothclap_loss` with its hyper-parameters, which `smoothclap_targets` explains."""

    name: ClassVar[str] = "smoothclap"
    needs: ClassVar[frozenset[str]] = frozenset({"local_audio", "tag_text"})
    presets: ClassVar[Mapping[str, Mapping[str, float]]] = PRESETS

    gamma: float = 0.5
    beta: float = 0.1
    tau_a2a: float = 0.07
    tau_t2t: float = 0.07
    detach_targets: bool = True

    def __post_init__(self) -> None:
        _check_hyper_parameters(self.gamma, self.beta, self.tau_a2a, self.tau_t2t, self.detach_targets)

    def __call__(
        self, audio: Tensor, text: Tensor, scale: Tensor | float, batch: ObjectiveBatch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective`."""
        log_targets = smoothclap_targets(
            batch.require("local_audio", audio),
            batch.require("tag_text", audio),
            gamma=self.gamma,
            beta=self.beta,
            tau_a2a=self.tau_a2a,
            tau_t2t=self.tau_t2t,
            detach_targets=self.detach_targets,
        )
        loss = soft_target_loss(audio, text, scale, log_targets, symmetric=self.beta > 0)
        return loss, target_report(log_targets)


def _check_hyper_parameters(
    gamma: float, beta: float, tau_a2a: float, tau_t2t: float, detach_targets: bool
) -> None:
    check_weight("gamma", gamma)
    check_weight("beta", beta)
    check_temperature("tau_a2a", tau_a2a)
    check_temperature("tau_t2t", tau_t2t)
    check_flag("detach_targets", detach_targets)


def _log_self_similarity(features: Tensor, tau: float) -> Tensor:
    """Eqs. 5 and 6: (B, d) -> logarithms of (B, B) distributions over the batch."""
    units = unit_rows(features)
    return functional.log_softmax(inner_products(units, units) / tau, dim=-1)
