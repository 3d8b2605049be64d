import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smoothclap.objectives import soft_target_loss, target_report
from smoothclap.objectives.soft_targets import fuse
from tests.objectives import reference
from tests.objectives.random_pairs import make_pairs, pairs, quick, scales, weights


@quick
@given(pairs(), scales)
def test_value_is_the_reference_for_any_targets(batch, scale):
    log_targets = (batch.local_audio @ batch.local_audio.T / 10).log_softmax(dim=-1)
    for symmetric in (True, False):
        expected = reference.soft_target_loss(batch.audio, batch.text, scale, log_targets.numpy(), symmetric)
        loss = soft_target_loss(batch.audio, batch.text, scale, log_targets, symmetric=symmetric)
        assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_no_loss_and_no_gradient_where_the_predictions_are_the_targets():
    batch = make_pairs(5, 3, seed=0)
    text = batch.audio.clone().requires_grad_()  # symmetric logits: both directions predict the same
    log_targets = (4.0 * batch.audio @ batch.audio.T).log_softmax(dim=-1)
    loss = soft_target_loss(batch.audio, text, 4.0, log_targets)
    loss.backward()
    assert abs(loss.item()) < 1e-12
    assert text.grad.abs().max() < 1e-12


def test_targets_that_are_exactly_zero_give_finite_gradients_to_everything():
    batch = make_pairs(4, 3, seed=1, dtype=torch.float32)
    audio = batch.audio.requires_grad_()
    log_targets = torch.eye(4).log().requires_grad_()
    soft_target_loss(audio, batch.text, 100.0, log_targets, symmetric=False).backward()
    assert audio.grad.isfinite().all()
    assert log_targets.grad.isfinite().all()


def test_targets_that_underflow_are_not_infinite():
    """At exp(-200) the target is 0 in float32, but its logarithm still weighs the reverse terms."""
    log_targets = torch.tensor([[0.0, -200.0], [-200.0, 0.0]])
    audio = torch.eye(2).requires_grad_()
    loss = soft_target_loss(audio, torch.eye(2), 1.0, log_targets)
    loss.backward()
    expected = reference.soft_target_loss(torch.eye(2), torch.eye(2), 1.0, log_targets.numpy(), reverse=True)
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert audio.grad.isfinite().all()


@quick
@given(st.integers(1, 9), weights)
def test_fused_targets_are_distributions(size, beta):
    log_q = torch.rand(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    targets = fuse(log_q.log_softmax(dim=-1), beta).exp()
    torch.testing.assert_close(targets.sum(dim=-1), torch.ones(size, dtype=torch.float64))
    expected = (1 - beta) * torch.eye(size) + beta * log_q.softmax(dim=-1)
    torch.testing.assert_close(targets, expected)


def test_report_of_the_extremes_and_between():
    def report(log_targets):
        found = target_report(log_targets)
        return found["target_entropy"].item(), found["off_diagonal_mass"].item()

    assert report(torch.eye(5).log()) == (0, 0)
    assert report(torch.full((5, 5), 0.2).log()) == pytest.approx((math.log(5), 0.8))
    halves = torch.tensor([[0.5, 0.5], [0.0, 1.0]]).log()
    assert report(halves) == pytest.approx((math.log(2) / 2, 0.25))
    assert report(torch.zeros(1, 1)) == (0, 0)


def test_report_carries_no_gradient():
    log_targets = torch.zeros(3, 3).log_softmax(dim=-1).requires_grad_()
    assert not any(value.requires_grad for value in target_report(log_targets).values())


def test_report_sees_mass_that_one_minus_the_diagonal_would_lose():
    log_targets = torch.tensor([[0.0, -30.0], [-30.0, 0.0]])
    assert target_report(log_targets)["off_diagonal_mass"].item() == pytest.approx(math.exp(-30), rel=1e-5)


def test_targets_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"^log_targets must be \(2, 2\), got shape \(3, 3\)$"):
        soft_target_loss(torch.eye(2), torch.eye(2), 1.0, torch.zeros(3, 3))
