"""Random batches for the tests of the objectives."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st

quick = settings(max_examples=60, deadline=None, derandomize=True)
weights = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
temperatures = st.sampled_from([1e-3, 0.07, 1e3]) | st.floats(-3, 3).map(lambda exponent: 10.0**exponent)
scales = st.sampled_from([1e-3, 1 / 0.07, 100.0]) | st.floats(0.01, 100)


@dataclass
class Pairs:
    audio: torch.Tensor
    text: torch.Tensor
    local_audio: torch.Tensor
    tag_text: torch.Tensor
    labels: torch.Tensor

    def __getitem__(self, rows):
        return Pairs(*(getattr(self, field.name)[rows] for field in fields(self)))

    def to(self, dtype):
        changed = (getattr(self, field.name).to(dtype) for field in fields(self)[:-1])
        return Pairs(*changed, self.labels)


def make_pairs(size, width, seed, dtype=torch.float64):
    """Unit-norm embeddings, features of any norm and of another width, labels of three emotions and unknown."""
    random = np.random.default_rng(seed)
    audio, text = random.normal(size=(2, size, width))
    return Pairs(
        torch.nn.functional.normalize(torch.tensor(audio)),
        torch.nn.functional.normalize(torch.tensor(text)),
        torch.tensor(random.normal(size=(size, width + 1)) * random.uniform(0.1, 30, size=(size, 1))),
        torch.tensor(random.normal(size=(size, width + 2))),
        torch.tensor(random.integers(-1, 3, size=size)),
    ).to(dtype)


@st.composite
def pairs(draw, dtype=torch.float64):
    """Random pairs, sometimes with identical captions, repeated clips or features that are all zero."""
    batch = make_pairs(draw(st.integers(1, 9)), draw(st.integers(1, 8)), draw(st.integers(0, 2**32 - 1)), dtype)
    trouble = draw(st.sampled_from(["none", "none", "identical captions", "repeated clip", "zero features"]))
    if trouble == "identical captions":
        batch.text[:] = batch.text[0].clone()
        batch.tag_text[:] = batch.tag_text[0].clone()
    elif trouble == "repeated clip":
        batch.audio[-1] = batch.audio[0].clone()
        batch.local_audio[-1] = batch.local_audio[0].clone()
    elif trouble == "zero features":
        batch.local_audio[0] = 0
        batch.tag_text[-1] = 0
    return batch
