import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from smoothclap.files import WriteError
from smoothclap.training import checkpoint
from smoothclap.training.checkpoint import ResumeError


class Net(nn.Module):
    """A frozen layer, a trained one, and a buffer that training moves."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.frozen = nn.Linear(3, 3).requires_grad_(False)
        self.trained = nn.Linear(3, width)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.norm(self.trained(self.frozen(values)))


def make(seed: int = 0, width: int = 4) -> tuple[Net, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    net = Net(width)
    return net, torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=1e-2)


def step(net: Net, optimiser: torch.optim.Optimizer, seed: int) -> None:
    values = torch.randn(8, 3, generator=torch.Generator().manual_seed(seed))
    optimiser.zero_grad()
    net(values).square().sum().backward()
    optimiser.step()


def equal(left: nn.Module, right: nn.Module) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(left.state_dict().values(), right.state_dict().values(), strict=True)
    )


def test_training_goes_on_bit_for_bit_from_a_checkpoint(tmp_path: Path):
    straight, optimiser = make()
    for number in range(6):
        step(straight, optimiser, number)
        if number == 2:
            checkpoint.save(tmp_path, straight, optimiser, number + 1)

    resumed, optimiser = make()
    assert checkpoint.load(tmp_path, resumed, optimiser) == 3
    for number in range(3, 6):
        step(resumed, optimiser, number)
    assert equal(straight, resumed)


def test_frozen_weights_are_not_in_it_and_buffers_are(tmp_path: Path):
    net, optimiser = make()
    step(net, optimiser, 0)
    checkpoint.save(tmp_path, net, optimiser, 1)
    names = load_file(tmp_path / checkpoint.FILE).keys()
    assert "model.trained.weight" in names
    assert "model.norm.running_var" in names
    assert any(name.startswith("optimiser.0.exp_avg") for name in names)
    assert not any("frozen" in name for name in names)


def test_no_checkpoint_is_the_beginning(tmp_path: Path):
    net, optimiser = make()
    assert checkpoint.load(tmp_path, net, optimiser) == 0


@pytest.mark.parametrize("damage", ["empty", "half", "header", "other file"])
def test_a_damaged_checkpoint_is_one_line(tmp_path: Path, damage: str):
    net, optimiser = make()
    step(net, optimiser, 0)
    checkpoint.save(tmp_path, net, optimiser, 1)
    path = tmp_path / checkpoint.FILE
    whole = path.read_bytes()
    damaged = {"empty": b"", "half": whole[: len(whole) // 2], "header": whole[:20], "other file": b"x" * 500}
    path.write_bytes(damaged[damage])
    with pytest.raises(ResumeError) as caught:
        checkpoint.load(tmp_path, net, optimiser)
    assert str(path) in str(caught.value)
    assert "start again into another directory" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_safetensors_file_that_is_no_checkpoint_is_one_line(tmp_path: Path):
    from safetensors.torch import save_file

    net, optimiser = make()
    save_file({"x": torch.zeros(1)}, tmp_path / checkpoint.FILE)
    with pytest.raises(ResumeError, match="damaged"):
        checkpoint.load(tmp_path, net, optimiser)


def test_the_weights_of_another_model_are_refused(tmp_path: Path):
    net, optimiser = make()
    step(net, optimiser, 0)
    checkpoint.save(tmp_path, net, optimiser, 1)
    net.trained.weight.requires_grad_(False)
    with pytest.raises(ResumeError, match="another model"):
        checkpoint.load(tmp_path, net, optimiser)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The operating system refuses to write more bytes to one file, as it does when the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_line_and_the_last_checkpoint_stands(tmp_path: Path):
    net, optimiser = make(width=100_000)
    step(net, optimiser, 0)
    checkpoint.save(tmp_path, net, optimiser, 1)
    step(net, optimiser, 1)
    with files_of_at_most(2**20), pytest.raises(WriteError, match="cannot be written"):
        checkpoint.save(tmp_path, net, optimiser, 2)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE]
    again, optimiser = make(width=100_000)
    assert checkpoint.load(tmp_path, again, optimiser) == 1
