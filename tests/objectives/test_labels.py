import math

import pytest
import torch
from hypothesis import given

from smoothclap.objectives import ObjectiveBatch, clap_loss, labels_loss
from smoothclap.objectives.labels import LabelsObjective, labels_targets
from tests.objectives import reference
from tests.objectives.random_pairs import make_pairs, pairs, quick, scales, weights


@quick
@given(pairs(), scales, weights)
def test_value_is_the_reference(batch, scale, beta):
    expected = reference.labels(batch.audio, batch.text, scale, batch.labels.tolist(), beta=beta)
    loss = labels_loss(batch.audio, batch.text, scale, batch.labels, beta=beta)
    assert loss.item() == pytest.approx(expected, rel=1e-10, abs=1e-10)


@quick
@given(pairs(dtype=torch.float32), scales, weights)
def test_gradients_are_finite(batch, scale, beta):
    audio = batch.audio.requires_grad_()
    loss = labels_loss(audio, batch.text, scale, batch.labels, beta=beta)
    (gradient,) = torch.autograd.grad(loss, audio)
    assert loss.isfinite()
    assert gradient.isfinite().all()


def test_gradient_is_that_of_the_reference():
    batch = make_pairs(5, 3, seed=0)
    audio, text, labels = batch.audio.requires_grad_(), batch.text, torch.tensor([0, 1, 0, -1, -1])
    labels_loss(audio, text, 6.0, labels, beta=0.4).backward()
    numerical = reference.numerical_gradient(
        lambda x: reference.labels(x, text, 6.0, labels.tolist(), beta=0.4), audio.detach().numpy()
    )
    torch.testing.assert_close(audio.grad, torch.tensor(numerical), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [-1, -1, -1, -1]])
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_labels_that_nobody_shares_are_clap(labels, beta):
    batch = make_pairs(4, 3, seed=1)
    loss = labels_loss(batch.audio, batch.text, 5.0, torch.tensor(labels), beta=beta)
    torch.testing.assert_close(loss, clap_loss(batch.audio, batch.text, 5.0), rtol=1e-12, atol=1e-12)


def test_objective_is_the_function_and_reports_its_targets():
    batch = make_pairs(4, 3, seed=2)
    labels = torch.tensor([0, 0, 1, -1], dtype=torch.int32)
    loss, report = LabelsObjective(beta=1.0)(batch.audio, batch.text, 5.0, ObjectiveBatch(labels=labels))
    assert torch.equal(loss, labels_loss(batch.audio, batch.text, 5.0, labels, beta=1.0))
    assert report["target_entropy"].item() == pytest.approx(math.log(2) / 2)
    assert report["off_diagonal_mass"].item() == pytest.approx(0.25)
    assert LabelsObjective.needs == {"labels"}


@pytest.mark.parametrize(
    "labels", [torch.ones(3), torch.ones(3, 1, dtype=torch.int64), torch.tensor([True] * 3)]
)
def test_labels_that_are_not_integers_are_refused(labels):
    with pytest.raises(ValueError, match=r"^labels must be \(B,\) integers"):
        labels_targets(labels, beta=0.5)


def test_too_few_labels_are_refused():
    with pytest.raises(ValueError, match=r"^labels must have one row for each of the 2 pairs"):
        labels_loss(torch.eye(2), torch.eye(2), 1.0, torch.tensor([0]), beta=0.5)


def test_beta_out_of_range_is_named():
    with pytest.raises(ValueError, match=r"^beta must be a number between 0 and 1"):
        LabelsObjective(beta=2)
