import math

import pytest
import torch
from hypothesis import given

from smoothclap.objectives import ObjectiveBatch, clap_loss
from smoothclap.objectives.clap import ClapObjective
from tests.objectives import reference
from tests.objectives.random_pairs import make_pairs, pairs, quick, scales


@quick
@given(pairs(), scales)
def test_value_is_the_reference(batch, scale):
    expected = reference.clap(batch.audio, batch.text, scale)
    assert clap_loss(batch.audio, batch.text, scale).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_is_cross_entropy_both_ways():
    batch = make_pairs(6, 4, seed=0)
    logits = 20.0 * batch.audio @ batch.text.T
    entropy = torch.nn.functional.cross_entropy
    expected = (entropy(logits, torch.arange(6)) + entropy(logits.T, torch.arange(6))) / 2
    torch.testing.assert_close(clap_loss(batch.audio, batch.text, 20.0), expected)


def test_gradient_is_that_of_the_reference():
    batch = make_pairs(5, 3, seed=1)
    audio, text = batch.audio.requires_grad_(), batch.text.requires_grad_()
    scale = torch.tensor(7.0, dtype=torch.float64, requires_grad=True)
    clap_loss(audio, text, scale).backward()
    a, t = audio.detach().numpy(), text.detach().numpy()
    for gradient, numerical in (
        (audio.grad, reference.numerical_gradient(lambda x: reference.clap(x, t, 7.0), a)),
        (text.grad, reference.numerical_gradient(lambda x: reference.clap(a, x, 7.0), t)),
        (scale.grad, reference.numerical_gradient(lambda x: reference.clap(a, t, x), 7.0)),
    ):
        torch.testing.assert_close(gradient, torch.as_tensor(numerical), rtol=1e-6, atol=1e-8)


def test_one_pair_costs_nothing_and_has_no_gradient():
    audio = torch.tensor([[0.6, 0.8]], requires_grad=True)
    loss = clap_loss(audio, torch.tensor([[1.0, 0.0]]), 100.0)
    loss.backward()
    assert loss.item() == 0
    assert audio.grad.tolist() == [[0, 0]]


def test_identical_captions_cannot_be_told_apart():
    text = torch.tensor([[1.0, 0.0]]).repeat(4, 1)
    audio = torch.tensor([[0.6, 0.8]]).repeat(4, 1)
    assert clap_loss(audio, text, 100.0).item() == pytest.approx(math.log(4))


def test_swapping_audio_and_text_changes_nothing():
    batch = make_pairs(6, 4, seed=2)
    torch.testing.assert_close(clap_loss(batch.audio, batch.text, 9.0), clap_loss(batch.text, batch.audio, 9.0))


def test_bfloat16_autocast_computes_in_float32():
    batch = make_pairs(8, 16, seed=3, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = clap_loss(batch.audio, batch.text, torch.tensor(100.0))
    assert loss.dtype == torch.float32
    assert torch.equal(loss, clap_loss(batch.audio, batch.text, torch.tensor(100.0)))


def test_objective_reports_one_hot_targets():
    batch = make_pairs(4, 3, seed=4)
    loss, report = ClapObjective()(batch.audio, batch.text, 5.0, ObjectiveBatch())
    assert torch.equal(loss, clap_loss(batch.audio, batch.text, 5.0))
    assert {name: value.item() for name, value in report.items()} == {
        "target_entropy": 0,
        "off_diagonal_mass": 0,
    }
    assert ClapObjective.needs == frozenset()


@pytest.mark.parametrize(
    ("audio", "text", "scale", "argument"),
    [
        (torch.ones(3), torch.ones(3), 1.0, "audio"),
        (torch.ones(0, 2), torch.ones(0, 2), 1.0, "audio"),
        (torch.ones(3, 2, dtype=torch.int64), torch.ones(3, 2), 1.0, "audio"),
        (torch.ones(3, 2), torch.ones(4, 2), 1.0, "text"),
        (torch.ones(3, 2), torch.ones(3, 1), 1.0, "text"),
        (torch.ones(3, 2), torch.ones(3, 2), torch.ones(1), "scale"),
    ],
)
def test_wrong_arguments_are_named(audio, text, scale, argument):
    with pytest.raises(ValueError, match=rf"^{argument} must [^\n]*$"):
        clap_loss(audio, text, scale)
