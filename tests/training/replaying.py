"""A CUDA graph on the CPU: what a capture does to tensors is written down, taken back, and done again by a replay."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

T = TypeVar("T")
_keep_version = torch.autograd._unsafe_preserve_version_counter  # pyright: ignore[reportPrivateImportUsage]


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.__name__.startswith("_local_scalar_dense"):
            raise RuntimeError("operation not permitted when stream is capturing")  # as CUDA says it
        result = func(*args, **kwargs)
        # no graph holds what the host draws, nor that memory was given out
        if kwargs.get("generator") is None and not func.__name__.startswith(("empty", "new_empty")):
            self.done.append((func, args, kwargs, result))
        return result


class RecordedGraph:
    """Stands in for `graphs.CudaGraph`.

    Args:
        state: gives all tensors that a step changes; what a capture does to them is taken back, as CUDA would not have
            done it.
    """

    def __init__(self, state: Callable[[], list[Tensor]]):
        self._state, self._done = state, []

    def capture(self, work: Callable[[], T]) -> T:
        state = self._state()
        before, recorder = [tensor.detach().clone() for tensor in state], _Recorder()
        try:
            with recorder:
                return work()
        finally:
            self._done = recorder.done
            with torch.no_grad(), ExitStack() as unseen:
                _keep_versions(state, unseen)
                for tensor, old in zip(state, before, strict=True):
                    tensor.copy_(old)

    @torch.no_grad()
    def replay(self) -> None:
        with ExitStack() as unseen:
            _keep_versions(self._state(), unseen)
            for func, args, kwargs, result in self._done:
                again = func(*args, **kwargs)
                given = {tensor.untyped_storage().data_ptr() for tensor in _tensors((args, kwargs))}
                for old, new in zip(_tensors(result), _tensors(again), strict=True):
                    if old.untyped_storage().data_ptr() not in given:
                        old.detach().copy_(new)


def _keep_versions(tensors: list[Tensor], stack: ExitStack) -> None:
    """A replay does not tell autograd what it has changed."""
    for tensor in tensors:
        stack.enter_context(_keep_version(tensor))
