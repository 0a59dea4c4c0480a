"""A batch of which a process that trains together with others makes its own rows alone.

To an encoder whose rows are divided among processes a view is these rows. To anything else it is the whole view, which
is made when it is first looked at: a method that computes with the images themselves gets what one process would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only


class Part:
    """One view: all of it, and the rows of this process, each made when it is first asked for.

    Args:
        rows: of the whole view.
        own: this process's rows.
        make_whole, make_own: what makes them.
    """

    def __init__(self, rows: int, own: slice, make_whole: Callable[[], Tensor], make_own: Callable[[], Tensor]) -> None:
        self.rows, self.bounds = rows, own
        self._make_whole, self._make_own = make_whole, make_own

    @cached_property
    def whole(self) -> Tensor:
        """(B, ...)."""
        return self._make_whole()

    @cached_property
    def own(self) -> Tensor:
        """The rows within `bounds`."""
        return self.whole[self.bounds] if "whole" in self.__dict__ else self._make_own()


class Divided(Tensor):
    """Views of one batch, one after the other, (V B, ...): any operation but those that only ask for its shape or put
    such views together works on the whole tensor.

    Its own memory holds nothing but NaN: what went past `__torch_function__` could not be taken for a view.
    """

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, parts: Sequence[Part], like: Tensor) -> Divided:
        """The views, each row of which has the shape, the type and the device of a row of `like`."""
        rows = sum(part.rows for part in parts)
        shape = (rows, *like.shape[1:])
        made = torch.full((1,) * len(shape), torch.nan, dtype=like.dtype, device=like.device).expand(shape)
        found = made.as_subclass(cls)
        found.parts = tuple(parts)
        return found

    def whole(self) -> Tensor:
        """All rows, an ordinary tensor."""
        wholes = [part.whole for part in self.parts]
        return wholes[0] if len(wholes) == 1 else torch.cat(wholes)

    def own(self) -> Tensor:
        """This process's rows of each view, one view after the other, an ordinary tensor."""
        owned = [part.own for part in self.parts]
        return owned[0] if len(owned) == 1 else torch.cat(owned)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _ABOUT:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **kwargs)
        if func in _LAZY and (found := _LAZY[func](*args, **kwargs)) is not None:
            return found
        args, kwargs = tree_map_only(cls, cls.whole, (args, kwargs))
        return func(*args, **kwargs)


_ABOUT = {
    *(getattr(Tensor, name).__get__ for name in ("shape", "dtype", "device", "ndim", "layout", "requires_grad")),
    *(getattr(Tensor, name).__get__ for name in ("is_cuda", "is_leaf", "grad_fn", "is_sparse", "is_nested")),
    *(Tensor.size, Tensor.dim, Tensor.__len__, Tensor.numel, Tensor.is_floating_point, torch.is_floating_point),
}
"""What may be asked without the numbers."""


def _cat(tensors: Sequence[Tensor], dim: int = 0, **more: Any) -> Divided | None:
    """Views one after the other; None where they are not all of one batch's size."""
    if dim or more or not all(isinstance(one, Divided) for one in tensors):
        return None
    parts = [part for one in tensors for part in one.parts]  # type: ignore[attr-defined]
    alike = len({(part.rows, part.bounds.start, part.bounds.stop) for part in parts}) == 1
    return Divided.of(parts, tensors[0]) if alike and len({one.shape[1:] for one in tensors}) == 1 else None


def _chunk(views: Tensor, chunks: int, dim: int = 0) -> tuple[Divided, ...] | None:
    """Each view by itself."""
    if dim or not isinstance(views, Divided) or chunks != len(views.parts):
        return None
    return tuple(Divided.of([part], views) for part in views.parts)


def _item(views: Tensor, key: Any) -> Divided | None:
    """All rows."""
    is_all = isinstance(key, slice) and isinstance(views, Divided) and key.indices(len(views)) == (0, len(views), 1)
    return views if is_all else None  # type: ignore[return-value]


_LAZY: dict[Any, Callable[..., Any]] = {torch.cat: _cat, Tensor.chunk: _chunk, Tensor.__getitem__: _item}
