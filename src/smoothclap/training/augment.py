"""What training does to log-mel frames so that the tower does not learn the recording instead of the voice."""

import torch
from torch import Tensor

STRETCH = 0.15
"""Time runs up to this share faster or slower."""
WARP = 0.12
"""The mel axis is scaled by up to this share: a longer or shorter vocal tract (VTLP, Jaitly & Hinton 2013)."""
HIDDEN_BANDS = 10
HIDDEN_FRAMES = 25
MASKS = 2
"""Two stretches of bands and two of frames are hidden (SpecAugment, Park et al. 2019)."""
TILT = 1.5
"""Natural-log units added at the top band and taken off the bottom one, or the reverse: a microphone."""


def crop(frames: Tensor, length: int, random: torch.Generator) -> Tensor:
    """Take a piece of at most `length` frames, drawn evenly.

    Args:
        frames: (time, mel).
        length: frames to keep.
        random: where the draw comes from.

    Returns:
        (min(time, length), mel).
    """
    spare = len(frames) - length
    if spare <= 0:
        return frames
    start = int(torch.randint(spare + 1, (1,), generator=random))
    return frames[start : start + length]


def augment(frames: Tensor, random: torch.Generator) -> Tensor:
    """Stretch, warp, tilt and hide parts of one clip.

    Args:
        frames: (time, mel) log-mel frames.
        random: where the draws come from.

    Returns:
        (about time, mel): the same emotion from another throat through another microphone.
    """
    time, mel = frames.shape
    speed, factor, tilt = (2 * torch.rand(3, generator=random) - 1).tolist()
    time = max(8, round(time * (1 + STRETCH * speed)))
    # One sampling grid does both: y runs over time, x over the scaled mel axis; edges repeat.
    y = torch.linspace(-1, 1, time)
    x = (torch.linspace(-1, 1, mel) + 1) * (1 + WARP * factor) - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)
    warped = torch.nn.functional.grid_sample(
        frames[None, None], grid[None], mode="bilinear", padding_mode="border", align_corners=True
    )[0, 0]
    warped = warped + TILT * tilt * torch.linspace(-1, 1, mel)
    mean = warped.mean()
    for axis, widest in ((0, min(HIDDEN_FRAMES, time // 4)), (1, HIDDEN_BANDS)):
        for _ in range(MASKS):
            width, place = torch.rand(2, generator=random).tolist()
            width = int(width * (widest + 1))
            start = int(place * (warped.shape[axis] - width + 1))
            warped.narrow(axis, start, width).fill_(mean)
    return warped
