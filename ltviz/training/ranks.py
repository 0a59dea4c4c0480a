"""Several processes that take each step together: the encoder's rows are divided among them, all else is done by each.

An encoder is where the time goes, and its rows know of one another through batch norm alone. So each rank reads and
augments its share of the samples (`Divided`), passes it through the encoder, and then all ranks hold all features, in
the order of the batch. Losses, queues, prototypes, matching and momentum are computed by every rank on the whole batch,
as one process would: what a paper says of its batch holds of all ranks' rows together, and a method need not know that
there are ranks.

Gradients follow from that. Each rank's loss is the whole loss, not a part of it; through the gathered features a rank
hears of its own rows alone, so the slopes of encoder weights are parts, which are added up, and all other slopes are
whole on every rank.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn
from torch.overrides import TorchFunctionMode

from ltviz.data.divided import Divided
from ltviz.errors import TrainingError

Arrays = dict[str, np.ndarray]
DIVIDED = "divided_among_ranks"
"""Name of the flag on an encoder, and on its copies, whose rows are divided."""
_HEAD = 1024  # bytes that a message has without a second broadcast
_BUCKET = 2**24  # entries of gradients that travel at once


class Ranks:
    """This process among those that train together, and what they tell one another.

    torch's default process group must stand; messages and states travel through the CPU, rows and gradients from where
    they are.

    Attributes:
        rank: of this process, from 0, which leads.
        size: how many there are.
    """

    def __init__(self, rank: int, size: int):
        self.rank, self.size = rank, size
        self._working = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Ranks:
        return self  # encoders are copied, with the hooks that know of the ranks; there is one group all the same

    # ------------------------------------------------------------------ rows

    def divide(self, encoder: nn.Module) -> None:
        """Has the rows of this encoder, and of every copy of it, divided inside `working`."""
        setattr(encoder, DIVIDED, True)
        encoder.register_forward_pre_hook(self._take_own)
        encoder.register_forward_hook(self._gather_all, always_call=True)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Inside, all ranks take the same step; outside encoders are as ever, so that one rank may look at them."""
        self._working = True
        try:
            yield
        finally:
            self._working = False

    def own(self, rows: int) -> slice:
        """This rank's rows of so many; sizes differ by one at most.

        Raises:
            TrainingError: fewer rows than ranks.
        """
        if rows < self.size:
            raise TrainingError(
                f"an encoder must be given at least as many rows as there are ranks ({self.size}), got {rows}; "
                "try a larger batch size, or fewer devices"
            )
        return slice(self.rank * rows // self.size, (self.rank + 1) * rows // self.size)

    def _take_own(self, encoder: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if not self._working:
            return None
        (x,) = given
        views = len(x.parts) if isinstance(x, Divided) else 1
        own = x.own() if isinstance(x, Divided) else x[self.own(len(x))]
        _Division.enter(encoder, self, len(x), len(own), views)
        return (own,)

    def _gather_all(self, encoder: nn.Module, given: tuple[Tensor, ...], features: Tensor | None) -> Tensor | None:
        division = _Division.leave(encoder)
        if division is None or not isinstance(features, Tensor):
            return None  # outside of a step, or the encoder failed
        each = len(features) // division.own_rows
        return _Gather.apply(features, self, division.rows, each, division.views)  # type: ignore[no-any-return]

    def sum_gradients(self, method: nn.Module, trained: Iterable[nn.Parameter]) -> None:
        """Makes every rank's gradients those of the whole batch, and equal to the last bit."""
        parts = {
            id(parameter)
            for module in method.modules()
            if getattr(module, DIVIDED, False)
            for parameter in module.parameters()
        }
        known = [(p.grad, id(p) in parts) for p in trained if p.grad is not None]
        for dtype in dict.fromkeys(gradient.dtype for gradient, _ in known):
            for bucket in _buckets([one for one in known if one[0].dtype == dtype]):
                # what is whole on every rank is averaged: a rank whose sums were in another order may not drift off
                flat = torch.cat([(grad if part else grad / self.size).reshape(-1) for grad, part in bucket])
                distributed.all_reduce(flat)
                for (gradient, _), summed in zip(bucket, flat.split([grad.numel() for grad, _ in bucket]), strict=True):
                    gradient.copy_(summed.view_as(gradient))

    # ------------------------------------------------------------------ messages

    def tell(self, message: Mapping[str, Any]) -> None:
        """Rank 0 says something, JSON, to all others, each of whom must `hear` it."""
        text = json.dumps(message).encode()
        head = torch.zeros(_HEAD, dtype=torch.uint8)
        block = len(text).to_bytes(8, "little") + text[: _HEAD - 8]
        head[: len(block)] = torch.frombuffer(bytearray(block), dtype=torch.uint8)
        distributed.broadcast(head, src=0)
        if rest := text[_HEAD - 8 :]:
            distributed.broadcast(torch.frombuffer(bytearray(rest), dtype=torch.uint8), src=0)

    def hear(self) -> dict[str, Any]:
        """What rank 0 says next; waits for it."""
        head = torch.zeros(_HEAD, dtype=torch.uint8)
        distributed.broadcast(head, src=0)
        block = head.numpy().tobytes()
        length = int.from_bytes(block[:8], "little")
        text = block[8 : 8 + length]
        if length > _HEAD - 8:
            rest = torch.zeros(length - (_HEAD - 8), dtype=torch.uint8)
            distributed.broadcast(rest, src=0)
            text += rest.numpy().tobytes()
        return json.loads(text)

    def spread(self, groups: Mapping[str, Arrays] | None) -> dict[str, Arrays]:
        """Arrays of rank 0, by group and name, on every rank; the others give None."""
        if groups is not None:
            named = [(group, name, array) for group, arrays in groups.items() for name, array in arrays.items()]
            self.tell(
                {
                    "groups": list(groups),
                    "arrays": [[group, name, array.dtype.str, array.shape] for group, name, array in named],
                }
            )
            for _, _, array in named:
                if array.size:
                    flat = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
                    distributed.broadcast(torch.from_numpy(flat.copy()), src=0)
            return dict(groups)
        told = self.hear()
        found: dict[str, Arrays] = {group: {} for group in told["groups"]}
        for group, name, dtype, shape in told["arrays"]:
            array = np.empty(shape, np.dtype(dtype))
            if array.size:
                flat = torch.empty(array.nbytes, dtype=torch.uint8)
                distributed.broadcast(flat, src=0)
                array = np.frombuffer(flat.numpy().tobytes(), np.dtype(dtype)).reshape(shape).copy()
            found[group][name] = array
        return found


def _buckets(known: list[tuple[Tensor, bool]]) -> Iterator[list[tuple[Tensor, bool]]]:
    bucket: list[tuple[Tensor, bool]] = []
    entries = 0
    for one in known:
        if bucket and entries + one[0].numel() > _BUCKET:
            yield bucket
            bucket, entries = [], 0
        bucket.append(one)
        entries += one[0].numel()
    if bucket:
        yield bucket


class _Gather(torch.autograd.Function):
    """Features of all ranks' rows, in the order of the batch; backwards each rank takes its own.

    The rows are those of `views` views, one after the other, and a rank has the same rows of each. `each` features are
    made of a row.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, ranks: Ranks, rows: int, each: int, views: int) -> Tensor:
        num = rows // views
        bounds = [each * (rank * num // ranks.size) for rank in range(ranks.size + 1)]
        sizes = [end - begin for begin, end in itertools.pairwise(bounds)]
        ctx.views, ctx.own = views, slice(bounds[ranks.rank], bounds[ranks.rank + 1])
        wide = features.new_zeros((views, max(sizes), *features.shape[1:]))
        wide[:, : sizes[ranks.rank]] = features.unflatten(0, (views, -1))
        parts = [torch.empty_like(wide) for _ in sizes]
        distributed.all_gather(parts, wide)
        return torch.cat([part[:, :size] for part, size in zip(parts, sizes, strict=True)], 1).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        return slopes[0].unflatten(0, (ctx.views, -1))[:, ctx.own].flatten(0, 1).contiguous(), None, None, None, None


class _Sum(torch.autograd.Function):
    """The sum over ranks; what depends on it does so on every rank, so its slopes are summed likewise."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        total = slopes[0].contiguous().clone()
        distributed.all_reduce(total)
        return total


class _Division(TorchFunctionMode):
    """An encoder on its way over a rank's own rows; batch norm inside looks at the rows of all ranks.

    Caught where it is computed, so that every kind of layer that asks torch for a batch norm is served.
    """

    _current: ClassVar[list[tuple[nn.Module, _Division]]] = []  # of encoders that are at it, the innermost last

    def __init__(self, rows: int, own_rows: int, views: int):
        super().__init__()
        self.rows, self.own_rows, self.views = rows, own_rows, views

    @classmethod
    def enter(cls, encoder: nn.Module, ranks: Ranks, rows: int, own_rows: int, views: int = 1) -> None:
        division = cls(rows, own_rows, views)
        division.__enter__()
        cls._current.append((encoder, division))

    @classmethod
    def leave(cls, encoder: nn.Module) -> _Division | None:
        """None where that encoder's rows are not divided now."""
        if not cls._current or cls._current[-1][0] is not encoder:
            return None
        _, division = cls._current.pop()
        division.__exit__(None, None, None)
        return division

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.batch_norm:
            return _batch_norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`F.batch_norm` over the rows of all ranks, each of which gives its own."""
    if not training:
        return F.batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    wide = x if x.dtype == torch.float64 else x.float()
    axes = [axis for axis in range(x.dim()) if axis != 1]
    shape = [-1 if axis == 1 else 1 for axis in range(x.dim())]
    here = wide.new_tensor([x.numel() / x.shape[1]])
    told = _Sum.apply(torch.cat([wide.sum(axes), here]))
    count = told[-1].detach()
    mean = told[:-1] / count
    off = wide - mean.view(shape)
    var = _Sum.apply((off * off).sum(axes)) / count
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            running_var.lerp_((var * (count / (count - 1))).to(running_var.dtype), momentum)
    found = off * (var + eps).rsqrt().view(shape)
    if weight is not None:
        found = found * weight.view(shape)
    if bias is not None:
        found = found + bias.view(shape)
    return found.to(x.dtype)
