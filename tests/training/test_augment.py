import pytest
import torch

from smoothclap.training.augment import HIDDEN_BANDS, HIDDEN_FRAMES, MASKS, STRETCH, augment, crop


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_crop_is_a_piece_of_the_clip():
    frames = torch.arange(50.0)[:, None].expand(50, 4)
    starts, random = set(), draws()
    for _ in range(600):
        piece = crop(frames, 20, random)
        start = int(piece[0, 0])
        assert torch.equal(piece, frames[start : start + 20])
        starts.add(start)
    assert starts == set(range(31))


@pytest.mark.parametrize("time", [5, 20])
def test_a_clip_that_is_short_enough_is_left_whole(time: int):
    frames = torch.randn(time, 4)
    assert torch.equal(crop(frames, 20, draws()), frames)


def test_augmenting_is_a_function_of_the_draws_and_leaves_the_clip_alone():
    frames = torch.randn(80, 64)
    before = frames.clone()
    assert torch.equal(augment(frames, draws(1)), augment(frames, draws(1)))
    assert not torch.equal(augment(frames, draws(1)), augment(frames, draws(2)))
    assert torch.equal(frames, before)


@pytest.mark.parametrize("time", [1, 8, 30, 400])
def test_any_length_comes_out_about_as_long_and_finite(time: int):
    for seed in range(50):
        changed = augment(torch.randn(time, 64), draws(seed))
        assert changed.shape[1] == 64
        assert max(8, time * (1 - STRETCH) - 1) <= len(changed) <= max(8, time * (1 + STRETCH) + 1)
        assert changed.isfinite().all()


def test_time_is_stretched_both_ways():
    lengths = [len(augment(torch.randn(100, 64), draws(seed))) for seed in range(100)]
    assert min(lengths) < 95
    assert max(lengths) > 105


def test_only_so_much_is_hidden():
    """Hidden cells all hold one value: the mean."""
    for seed in range(30):
        changed = augment(torch.randn(200, 64), draws(seed))
        hidden = changed == changed.flatten().mode().values
        assert hidden.all(dim=0).sum() <= MASKS * HIDDEN_BANDS
        assert hidden.all(dim=1).sum() <= MASKS * HIDDEN_FRAMES
    masks = [
        (augment(torch.randn(200, 64), draws(seed)).diff(dim=0) == 0).all(dim=1).any() for seed in range(30)
    ]
    assert sum(masks) > 15


def test_the_mel_axis_is_scaled():
    """One bright band comes out higher for some draws and lower for others."""
    frames = torch.full((60, 64), -9.0)
    frames[:, 40] = 9.0
    peaks = [augment(frames, draws(seed)).max(dim=0).values for seed in range(60)]
    bright = [int(peak.argmax()) for peak in peaks if peak.max() > 0]  # else the band was hidden
    assert len(bright) > 40
    assert 34 <= min(bright) < 39
    assert 41 < max(bright) <= 46
