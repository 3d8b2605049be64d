import pytest
import torch

from smoothclap.training.augment import HIDDEN_BANDS, HIDDEN_FRAMES, MASKS, STRETCH, augment, crop


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_crop_is_a_piece_of_the_clip():
    frames = torch.arange(50.0)[:, None].expand(50, 4)
    starts = set()
    for seed in range(200):
        piece = crop(frames, 20, draws(seed))
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
    masks = [(augment(torch.randn(200, 64), draws(seed)).diff(dim=0) == 0).all(dim=1).any() for seed in range(30)]
    assert sum(masks) > 15


def test_the_mel_axis_is_scaled():
    """One bright band comes out higher for some draws and lower for others, in the middle of the time axis."""
    frames = torch.full((60, 64), -9.0)
    frames[:, 40] = 9.0
    bright = [int(augment(frames, draws(seed)).max(dim=0).values.argmax()) for seed in range(60)]
    assert min(bright) < 39
    assert max(bright) > 41
    assert max(abs(band - 40) for band in bright) <= 7
