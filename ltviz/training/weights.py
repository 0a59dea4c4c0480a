"""All that a run needs to go on exactly where it was, as numpy arrays and JSON; no pickle anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from ltviz.errors import RecordingError

Arrays = dict[str, np.ndarray]


def pack_module(module: nn.Module) -> Arrays:
    """Parameters and persistent buffers (queues, matching and moving averages live there) by name."""
    state = module.state_dict()
    if odd := [name for name, value in state.items() if not isinstance(value, torch.Tensor)]:
        raise TypeError(f"{type(module).__name__} keeps {odd[0]!r} outside of tensors; register it as a buffer")
    return {name: value.detach().cpu().numpy() for name, value in state.items()}


def unpack_module(module: nn.Module, arrays: Arrays) -> None:
    """Puts back what `pack_module` gave.

    Raises:
        RecordingError: the arrays belong to another module.
    """
    try:
        module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
    except RuntimeError as error:
        raise RecordingError(
            f"the weights must be those of {type(module).__name__} as it is now, but names or shapes differ; "
            f"train this run anew ({str(error).splitlines()[-1].strip()})"
        ) from error


def pack_optimizer(optimizer: torch.optim.Optimizer, module: nn.Module) -> Arrays:
    """The optimiser's tensors as "<parameter>.<tensor>"."""
    return {
        f"{name}.{key}": tensor.detach().cpu().numpy()
        for name, parameter in module.named_parameters()
        for key, tensor in optimizer.state.get(parameter, {}).items()
    }


def unpack_optimizer(optimizer: torch.optim.Optimizer, module: nn.Module, arrays: Arrays) -> None:
    """Puts back what `pack_optimizer` gave; parameters that had no step yet, or are not trained any more, stay without
    state."""
    for name, parameter in module.named_parameters():
        keys = [key for key in arrays if key.rpartition(".")[0] == name]
        if keys and parameter.requires_grad:
            optimizer.state[parameter] = {
                key.rpartition(".")[2]: torch.from_numpy(arrays[key].copy()).to(parameter.device) for key in keys
            }


def all_finite(groups: Mapping[str, Arrays]) -> bool:
    """Whether no number of any array is NaN or infinite."""
    arrays = (array for group in groups.values() for array in group.values() if array.dtype.kind == "f")
    return all(bool(np.isfinite(array).all()) for array in arrays)


def pack_rng_state(state: torch.Tensor) -> str:
    """State of a torch generator as text."""
    return base64.b64encode(state.numpy().tobytes()).decode("ascii")


def unpack_rng_state(text: Any) -> torch.Tensor:
    """State of a torch generator from text."""
    return torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=torch.uint8)
