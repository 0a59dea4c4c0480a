"""What makes a GPU's host wait, counted on any device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

READERS = ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__", "__array__")
"""Ways of a tensor to the host."""
WAITING = {
    *("_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select", "bincount", "histc"),
    *("unique_consecutive", "unique_dim", "_unique", "_unique2", "multinomial", "repeat_interleave"),
}
"""Operators whose result's size, or whose way through the code, hangs on a value."""


class Waits(TorchDispatchMode):
    """Counts operators that wait for their numbers; `found` tells which, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__.partition(".")[0]
        if name in WAITING and not (name == "repeat_interleave" and (kwargs or {}).get("output_size") is not None):
            self.found[name] += 1
        if name.startswith(("index", "_index")) and any(
            isinstance(mask, Tensor) and mask.dtype in (torch.bool, torch.uint8)
            for given in args
            if isinstance(given, list | tuple)
            for mask in given
        ):
            self.found[f"{name} by a mask"] += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What happens inside that would make the host wait for a GPU, by name."""
    mode = Waits()

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(Tensor, name)

        def read(self: Tensor, *args: Any, **given: Any) -> Any:
            mode.found[name] += 1
            return real(self, *args, **given)

        return read

    with monkeypatch.context() as patched, mode:
        for reader in READERS:
            patched.setattr(Tensor, reader, counted(reader))
        yield mode.found
