"""The state of a run on disk: safetensors, replaced atomically, so the last good one always stands."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from smoothclap.errors import SmoothClapError
from smoothclap.files import replacing

FILE = "checkpoint.safetensors"


class ResumeError(SmoothClapError):
    """A run that cannot be taken up again."""


def save(folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Write what a run needs to go on from here.

    Every random draw of the loop is a function of seed and step number, and so is the order of the clips: the
    step number *is* the state of the random generators and of the sampler.

    Args:
        folder: the run's directory.
        model: its trained weights and buffers are written; frozen weights are not.
        optimiser: its moments are written.
        step: steps done.

    Raises:
        WriteError: the disk is full or the folder may not be written to; the last checkpoint stands.
    """
    tensors = {f"model.{name}": value for name, value in trained_state(model).items()}
    for number, state in optimiser.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimiser.{number}.{key}"] = torch.as_tensor(value)
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with replacing(folder / FILE) as beside:
        # safetensors' own writing to a file tells of a full disk by an error that is no OSError.
        beside.write_bytes(to_bytes(tensors, metadata={"step": json.dumps(step)}))


def load(folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Put a run back where `save` left it.

    Args:
        folder: the run's directory.
        model: receives the weights.
        optimiser: receives the moments.

    Returns:
        Steps done; 0 where no checkpoint was written yet.

    Raises:
        ResumeError: the checkpoint is damaged or of another model.
    """
    path = folder / FILE
    if not path.is_file():
        return 0
    try:
        with safe_open(path, "pt") as file:
            step = int(json.loads(file.metadata()["step"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ResumeError(f"{path}: damaged ({error}); start again into another directory") from error
    weights = {
        name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")
    }
    if weights.keys() != trained_state(model).keys():
        raise ResumeError(f"{path}: holds the weights of another model; start again into another directory")
    model.load_state_dict(weights, strict=False)
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".")
            state.setdefault(int(number), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return step


def trained_state(model: nn.Module) -> dict[str, Tensor]:
    """Weights that training moves, and every buffer; not the frozen weights, which are where they came from."""
    moved = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    frozen = {name for name, _ in model.named_parameters()} - moved
    return {name: value for name, value in model.state_dict().items() if name not in frozen}
