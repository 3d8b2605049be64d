import math

import pytest
import torch
from hypothesis import given

from smoothclap.objectives import ObjectiveBatch, clap_loss, label_smoothing_loss
from smoothclap.objectives.label_smoothing import LabelSmoothingObjective, label_smoothing_targets
from tests.objectives import reference
from tests.objectives.random_pairs import make_pairs, pairs, quick, scales, weights


@quick
@given(pairs(), scales, weights)
def test_value_is_the_reference(batch, scale, beta):
    expected = reference.label_smoothing(batch.audio, batch.text, scale, beta=beta)
    loss = label_smoothing_loss(batch.audio, batch.text, scale, beta=beta)
    assert loss.item() == pytest.approx(expected, rel=1e-10, abs=1e-10)


@quick
@given(pairs(dtype=torch.float32), scales)
def test_beta_zero_is_clap(batch, scale):
    smoothed = label_smoothing_loss(batch.audio, batch.text, scale, beta=0.0)
    torch.testing.assert_close(smoothed, clap_loss(batch.audio, batch.text, scale), rtol=1e-6, atol=1e-7)


def test_gradient_is_that_of_the_reference():
    batch = make_pairs(4, 3, seed=0)
    audio, text = batch.audio.requires_grad_(), batch.text
    label_smoothing_loss(audio, text, 6.0, beta=0.2).backward()
    numerical = reference.numerical_gradient(
        lambda x: reference.label_smoothing(x, text, 6.0, beta=0.2), audio.detach().numpy()
    )
    torch.testing.assert_close(audio.grad, torch.tensor(numerical), rtol=1e-6, atol=1e-8)


def test_uniform_targets_are_met_by_answering_alike():
    batch = make_pairs(5, 3, seed=1)
    assert label_smoothing_loss(batch.audio, batch.text, 0.0, beta=1.0).item() == pytest.approx(0, abs=1e-12)


def test_targets_are_in_full_precision_for_halves():
    assert label_smoothing_targets(torch.ones(3, 2, dtype=torch.bfloat16), beta=0.5).dtype == torch.float32


def test_objective_is_the_function_and_reports_its_targets():
    batch = make_pairs(4, 3, seed=2)
    loss, report = LabelSmoothingObjective(beta=1.0)(batch.audio, batch.text, 5.0, ObjectiveBatch())
    assert torch.equal(loss, label_smoothing_loss(batch.audio, batch.text, 5.0, beta=1.0))
    assert report["target_entropy"].item() == pytest.approx(math.log(4))
    assert report["off_diagonal_mass"].item() == pytest.approx(0.75)
    loss, _ = LabelSmoothingObjective(beta=0.0)(batch.audio, batch.text, 5.0, ObjectiveBatch())
    torch.testing.assert_close(loss, clap_loss(batch.audio, batch.text, 5.0))


@pytest.mark.parametrize("beta", [-0.01, 1.01, None])
def test_beta_out_of_range_is_named(beta):
    with pytest.raises(ValueError, match=r"^beta must be a number between 0 and 1"):
        LabelSmoothingObjective(beta=beta)
    with pytest.raises(ValueError, match=r"^beta must be a number between 0 and 1"):
        label_smoothing_loss(torch.eye(2), torch.eye(2), 1.0, beta=beta)
