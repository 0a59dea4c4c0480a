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


def _memory(tree: Any) -> set[int]:
    return {tensor.untyped_storage().data_ptr() for tensor in _tensors(tree)}


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, Any]] = []
        self.made: list[Tensor] = []
        """Whose memory belongs to the graph."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.__name__.startswith("_local_scalar_dense"):
            raise RuntimeError("operation not permitted when stream is capturing")  # as CUDA says it
        result = func(*args, **kwargs)
        if kwargs.get("generator") is not None:
            return result  # the host draws, which no graph holds
        given = _memory((args, kwargs))
        self.made += [tensor for tensor in _tensors(result) if tensor.untyped_storage().data_ptr() not in given]
        if not func.__name__.startswith(("empty", "new_empty")):
            self.done.append((func, args, kwargs, result))
        return result


class RecordedGraph:
    """Stands in for `graphs.CudaGraph`.

    Args:
        state: gives all tensors that a step changes; what a capture does to them is taken back, as CUDA would not have
            done it.
    """

    def __init__(self, state: Callable[[], list[Tensor]]):
        self._state, self._done, self._made = state, [], []

    def capture(self, work: Callable[[], T]) -> T:
        state = self._state()
        before, recorder = [tensor.detach().clone() for tensor in state], _Recorder()
        try:
            with recorder:
                return work()
        finally:
            self._done, self._made = recorder.done, recorder.made
            with torch.no_grad(), ExitStack() as unseen:
                _keep_versions(state, unseen)
                for tensor, old in zip(state, before, strict=True):
                    tensor.copy_(old)

    @torch.no_grad()
    def replay(self) -> None:
        with ExitStack() as unseen:
            _keep_versions(self._state(), unseen)
            for tensor in self._made:  # what a graph has not written yet was written by its later operations
                tensor.detach().fill_(True if tensor.dtype == torch.bool else 77)
            for func, args, kwargs, result in self._done:
                again = func(*args, **kwargs)
                given = _memory((args, kwargs))
                for old, new in zip(_tensors(result), _tensors(again), strict=True):
                    if old.untyped_storage().data_ptr() not in given:
                        old.detach().copy_(new)


def _keep_versions(tensors: list[Tensor], stack: ExitStack) -> None:
    """A replay does not tell autograd what it has changed."""
    for tensor in tensors:
        stack.enter_context(_keep_version(tensor))
