"""The rehearsal: a method does what a step would do, and afterwards it has not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ltviz.methods.base import Method

_TENSORS = {"_parameters", "_buffers", "_modules"}


@contextmanager
def rehearsal(method: Method) -> Iterator[None]:
    """Whatever `losses` and `after_step` do inside leaves no trace: in buffers, attributes, the method's own chance or
    torch's. Weights are as the caller leaves them.

    Buffers are copied on entry and the copies thrown away, so training goes on with the very same tensors. An
    attribute that is not a tensor of state must be assigned anew, not changed in place, to be put back.
    """
    modules = list(method.modules())
    attributes = [_attributes(module) for module in modules]
    buffers = [dict(module._buffers) for module in modules]
    generator = method.setup_.generator
    chance = generator.get_state()
    device = method.counts.device
    for module in modules:
        for name, held in module._buffers.items():
            module._buffers[name] = None if held is None else held.clone()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        generator.set_state(chance)
        for module, plain, held in zip(modules, attributes, buffers, strict=True):
            for name in _attributes(module).keys() - plain.keys():
                del module.__dict__[name]
            module.__dict__.update(plain)
            module._buffers.update(held)


def _attributes(module: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in _TENSORS}
