import inspect
from dataclasses import asdict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smoothclap.objectives import (
    PRESETS,
    ObjectiveBatch,
    clap_loss,
    label_smoothing_loss,
    smoothclap_loss,
    smoothclap_targets,
    target_report,
)
from smoothclap.objectives.smoothclap import SmoothClapObjective
from tests.objectives import reference
from tests.objectives.random_pairs import make_pairs, pairs, quick, scales, temperatures, weights

hyper_parameters = st.fixed_dictionaries(
    {"gamma": weights, "beta": weights, "tau_a2a": temperatures, "tau_t2t": temperatures}
)
DEFAULTS = {"gamma": 0.5, "beta": 0.1, "tau_a2a": 0.07, "tau_t2t": 0.07}


def loss_of(batch, scale, **settings):
    return smoothclap_loss(batch.audio, batch.text, scale, batch.local_audio, batch.tag_text, **settings)


def expected_of(batch, scale, **settings):
    return reference.smoothclap(batch.audio, batch.text, scale, batch.local_audio, batch.tag_text, **settings)


@quick
@given(pairs(), scales, hyper_parameters)
def test_value_is_the_reference(batch, scale, settings):
    expected = expected_of(batch, scale, **settings)
    assert loss_of(batch, scale, **settings).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@quick
@given(pairs(dtype=torch.float32), scales, hyper_parameters)
def test_float32_is_the_reference_up_to_its_rounding(batch, scale, settings):
    """A cosine is good to about 1e-6 in float32; temperatures and the sums of nats carry that on."""
    rounding = 1e-5 * (1 + scale + 1 / settings["tau_a2a"] + 1 / settings["tau_t2t"])
    expected = expected_of(batch, scale, **settings)
    assert loss_of(batch, scale, **settings).item() == pytest.approx(expected, rel=1e-4, abs=rounding)


@quick
@given(pairs(dtype=torch.float32), scales, hyper_parameters)
def test_gradients_are_finite_and_so_is_the_loss(batch, scale, settings):
    leaves = [batch.audio, batch.text, torch.tensor(scale), batch.local_audio, batch.tag_text]
    for leaf in leaves:
        leaf.requires_grad_()
    loss = smoothclap_loss(*leaves, **settings, detach_targets=False)
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    assert loss.isfinite()
    assert loss.item() > -1e-4
    assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_gradient_is_that_of_the_reference(preset, size):
    batch = make_pairs(size, 3, seed=size)
    settings = DEFAULTS | PRESETS[preset]
    leaves = [batch.audio, batch.text, torch.tensor(6.0).double(), batch.local_audio, batch.tag_text]
    for leaf in leaves:
        leaf.requires_grad_()
    smoothclap_loss(*leaves, **settings, detach_targets=False).backward()
    arrays = [leaf.detach().numpy() for leaf in leaves]
    for position, leaf in enumerate(leaves):

        def of_one(x, position=position):
            return reference.smoothclap(*arrays[:position], x, *arrays[position + 1 :], **settings)

        numerical = torch.as_tensor(reference.numerical_gradient(of_one, arrays[position]))
        torch.testing.assert_close(leaf.grad, numerical, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_autograd_agrees_with_itself(gamma, beta):
    batch = make_pairs(4, 3, seed=7)
    leaves = [batch.audio, batch.text, torch.tensor(3.0).double(), batch.local_audio, batch.tag_text]
    for leaf in leaves:
        leaf.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda *x: smoothclap_loss(*x, gamma=gamma, beta=beta, tau_a2a=0.5, tau_t2t=0.5, detach_targets=False),
        leaves,
    )


@quick
@given(pairs(dtype=torch.float32), scales)
def test_beta_zero_is_clap(batch, scale):
    audio = batch.audio.requires_grad_()
    smooth, clap = loss_of(batch, scale, beta=0.0), clap_loss(audio, batch.text, scale)
    torch.testing.assert_close(smooth, clap, rtol=1e-6, atol=1e-7)
    (of_smooth,), (of_clap,) = torch.autograd.grad(smooth, audio), torch.autograd.grad(clap, audio)
    torch.testing.assert_close(of_smooth, of_clap, rtol=1e-5, atol=1e-6 * scale)


def test_high_temperatures_are_label_smoothing():
    batch = make_pairs(7, 4, seed=3)
    smooth = loss_of(batch, 12.0, beta=0.3, tau_a2a=1e9, tau_t2t=1e9)
    torch.testing.assert_close(smooth, label_smoothing_loss(batch.audio, batch.text, 12.0, beta=0.3))


def test_gamma_chooses_between_audio_and_tags():
    batch, other = make_pairs(5, 4, seed=4), make_pairs(5, 4, seed=5)
    for gamma, ignored in ((0.0, "tag_text"), (1.0, "local_audio")):
        given_ = {"local_audio": batch.local_audio, "tag_text": batch.tag_text}
        changed = given_ | {ignored: getattr(other, ignored)}
        assert torch.equal(
            smoothclap_targets(**given_, gamma=gamma), smoothclap_targets(**changed, gamma=gamma)
        )
        assert not torch.equal(smoothclap_targets(**given_), smoothclap_targets(**changed))


@quick
@given(pairs(), hyper_parameters)
def test_targets_are_the_references_and_distributions(batch, settings):
    log_targets = smoothclap_targets(batch.local_audio, batch.tag_text, **settings)
    expected = reference.smoothclap_targets(batch.local_audio, batch.tag_text, **settings)
    torch.testing.assert_close(log_targets, torch.tensor(expected), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(log_targets.exp().sum(dim=-1), torch.ones(len(batch.audio)).double())


@quick
@given(pairs(), scales, hyper_parameters, st.randoms(use_true_random=False))
def test_the_order_of_the_batch_does_not_matter(batch, scale, settings, random):
    order = random.sample(range(len(batch.audio)), len(batch.audio))
    shuffled = loss_of(batch[order], scale, **settings)
    torch.testing.assert_close(shuffled, loss_of(batch, scale, **settings), rtol=1e-9, atol=1e-9)


@quick
@given(pairs(), scales, hyper_parameters)
def test_swapping_audio_and_text_changes_nothing(batch, scale, settings):
    swapped = smoothclap_loss(batch.text, batch.audio, scale, batch.local_audio, batch.tag_text, **settings)
    torch.testing.assert_close(swapped, loss_of(batch, scale, **settings), rtol=1e-9, atol=1e-9)


def test_the_norm_of_the_features_does_not_matter():
    batch = make_pairs(5, 4, seed=6)
    scaled = smoothclap_targets(batch.local_audio * 1e4, batch.tag_text * 1e-4)
    torch.testing.assert_close(scaled, smoothclap_targets(batch.local_audio, batch.tag_text))


def test_identical_captions_share_the_tag_half_of_the_targets():
    batch = make_pairs(4, 3, seed=8)
    same = batch.tag_text[:1].repeat(4, 1)
    targets = smoothclap_targets(batch.local_audio, same, gamma=1.0, beta=1.0).exp()
    torch.testing.assert_close(targets, torch.full((4, 4), 0.25).double())


def test_a_clip_without_features_is_as_near_to_every_clip():
    batch = make_pairs(4, 3, seed=9)
    batch.local_audio[2] = 0
    targets = smoothclap_targets(batch.local_audio, batch.tag_text, gamma=0.0, beta=1.0).exp()
    torch.testing.assert_close(targets[2], torch.full((4,), 0.25).double())


def test_low_temperatures_are_one_hot_in_float32_and_still_finite():
    batch = make_pairs(6, 4, seed=10, dtype=torch.float32)
    log_targets = smoothclap_targets(batch.local_audio, batch.tag_text, beta=1.0, tau_a2a=1e-3, tau_t2t=1e-3)
    assert (log_targets.exp() == 0).any()
    assert log_targets.isfinite().all()
    assert loss_of(batch, 100.0, beta=1.0, tau_a2a=1e-3, tau_t2t=1e-3).isfinite()


@pytest.mark.parametrize("detach_targets", [True, False])
def test_targets_carry_gradient_only_when_asked(detach_targets):
    batch = make_pairs(4, 3, seed=11)
    features = [batch.local_audio.requires_grad_(), batch.tag_text.requires_grad_()]
    batch.audio.requires_grad_()
    loss = loss_of(batch, 5.0, detach_targets=detach_targets)
    gradients = torch.autograd.grad(loss, features, allow_unused=True)
    assert all((gradient is None) == detach_targets for gradient in gradients)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_and_autocast_compute_in_float32(dtype):
    halves = make_pairs(8, 16, seed=12).to(dtype)
    exact = loss_of(halves.to(torch.float32), torch.tensor(100.0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under_autocast = loss_of(halves.to(torch.float32), torch.tensor(100.0))
        from_halves = loss_of(halves, torch.tensor(100.0))
    assert exact.dtype == under_autocast.dtype == from_halves.dtype == torch.float32
    assert torch.equal(under_autocast, exact)
    assert torch.equal(from_halves, exact)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"gamma": -0.1}, "gamma"),
        ({"gamma": "0.5"}, "gamma"),
        ({"beta": 1.1}, "beta"),
        ({"beta": float("nan")}, "beta"),
        ({"beta": True}, "beta"),
        ({"tau_a2a": 0}, "tau_a2a"),
        ({"tau_t2t": -1.0}, "tau_t2t"),
        ({"tau_t2t": float("inf")}, "tau_t2t"),
        ({"detach_targets": "false"}, "detach_targets"),
        ({"local_audio": torch.ones(3)}, "local_audio"),
        ({"local_audio": torch.ones(4, 2)}, "local_audio"),
        ({"tag_text": torch.ones(2, 2)}, "tag_text"),
        ({"tag_text": torch.ones(3, 2, dtype=torch.int64)}, "tag_text"),
        ({"text": torch.ones(2, 2)}, "text"),
    ],
)
def test_wrong_arguments_are_named(changes, argument):
    right = {name: torch.ones(3, 2) for name in ("audio", "text", "local_audio", "tag_text")} | {"scale": 1.0}
    with pytest.raises(ValueError, match=rf"^{argument} must [^\n]*$"):
        smoothclap_loss(**(right | changes))


def test_objective_passes_every_setting_on():
    batch = make_pairs(5, 4, seed=13)
    fields = ObjectiveBatch(local_audio=batch.local_audio, tag_text=batch.tag_text)
    settings = {"gamma": 0.2, "beta": 0.7, "tau_a2a": 0.3, "tau_t2t": 2.0, "detach_targets": False}
    objective = SmoothClapObjective(**settings)
    loss, report = objective(batch.audio, batch.text, 8.0, fields)
    assert asdict(objective) == settings
    assert torch.equal(loss, loss_of(batch, 8.0, **settings))
    log_targets = smoothclap_targets(batch.local_audio, batch.tag_text, **settings)
    assert report == target_report(log_targets)
    batch.tag_text.requires_grad_()
    assert objective(batch.audio, batch.text, 8.0, fields)[0].requires_grad


def test_objective_at_beta_zero_is_clap():
    batch = make_pairs(5, 4, seed=15)
    fields = ObjectiveBatch(local_audio=batch.local_audio, tag_text=batch.tag_text)
    loss, report = SmoothClapObjective(beta=0.0)(batch.audio, batch.text, 8.0, fields)
    torch.testing.assert_close(loss, clap_loss(batch.audio, batch.text, 8.0))
    assert report["off_diagonal_mass"] == report["target_entropy"] == 0


def test_defaults_are_the_ablation_preset_everywhere():
    by_function = {
        name: parameter.default
        for name, parameter in inspect.signature(smoothclap_loss).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert by_function == asdict(SmoothClapObjective())
    assert PRESETS["ablation"].items() <= by_function.items()


@pytest.mark.parametrize("missing", ["local_audio", "tag_text"])
def test_objective_names_what_the_batch_lacks(missing):
    batch = make_pairs(3, 2, seed=14)
    given_ = {"local_audio": batch.local_audio, "tag_text": batch.tag_text}
    assert missing in SmoothClapObjective.needs
    with pytest.raises(ValueError, match=rf"^{missing} is needed"):
        SmoothClapObjective()(batch.audio, batch.text, 1.0, ObjectiveBatch(**(given_ | {missing: None})))
    with pytest.raises(ValueError, match=rf"^{missing} must have one row for each of the 3 pairs"):
        SmoothClapObjective()(
            batch.audio, batch.text, 1.0, ObjectiveBatch(**(given_ | {missing: torch.ones(2, 2)}))
        )
