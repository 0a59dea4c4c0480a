"""Counts that lie in a buffer, and that the host knows without asking the device for them at each step."""

from __future__ import annotations

from torch import Tensor, nn

from ltviz.methods.parts.captured import counted

_KNOWN = "_known_counts"  # name -> the buffer as it was when its value was read, its version then, and the value


def read_count(module: nn.Module, name: str) -> int:
    """The value of the integer buffer `name`, 0-d. The device is asked only where somebody else has changed it."""
    buffer, known = module.get_buffer(name), _known(module)
    tensor, version, value = known.get(name, (None, 0, 0))
    if tensor is not buffer or version != buffer._version:
        value = int(buffer)
        known[name] = buffer, buffer._version, value
    return value


def add_to_count(module: nn.Module, name: str, amount: int) -> int:
    """Adds to the buffer `name`, and gives its new value."""
    value, buffer = read_count(module, name) + amount, module.get_buffer(name)
    buffer += amount
    _known(module)[name] = buffer, buffer._version, value

    def again() -> None:  # a replay adds to the buffer, and tells nobody
        tensor, version, value = _known(module)[name]
        _known(module)[name] = tensor, version, value + amount

    counted(again)
    return value


def forget_counts(module: nn.Module) -> None:
    """The device is asked anew for the counts of a module and its parts."""
    for part in module.modules():
        part.__dict__.pop(_KNOWN, None)


def _known(module: nn.Module) -> dict[str, tuple[Tensor | None, int, int]]:
    return module.__dict__.setdefault(_KNOWN, {})
