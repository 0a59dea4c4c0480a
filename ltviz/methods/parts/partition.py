r"""Log-partition functions: the denominators of contrastive losses.

Each contrastive loss is, for anchor i, a log-sum-exp over the columns a that i is compared with, minus what its
positives bring. The second part is linear and cheap. The first is N x N, and it alone lives here:

    \log Z_i = \log \sum_a \exp( x_i \cdot y_a / \tau + b_{ia} )

`Contrast` says which columns count and how much. `log_partition` gives every \log Z_i by plain autograd;
`weighted_sum` gives \sum_i w_i \log Z_i, and where that pays the kernels of `fused` compute value and gradient at once.

Legend: R anchors, M columns, D dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from ltviz.methods.parts import fused
from ltviz.methods.parts.tracing import is_transformed

SMALLEST_FUSED = 1 << 18
"""Number of similarities from which the fused kernels are faster than plain autograd (CPU, one thread)."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Which columns stand in the denominator of each anchor, and with what weight."""

    skip_self: bool = False
    """Column i is left out for anchor i."""
    bias: Tensor | None = None
    """(M,) or (R, M): log-weight of each column."""
    labels: tuple[Tensor, Tensor] | None = None
    """Classes of the anchors (R,) and of the columns (M,); needed by the two fields below."""
    own_bias: Tensor | None = None
    """(R,): added to the logits of the columns of the anchor's own class; the same for anchors of one class."""
    against_own: bool = False
    """Give log Z_i minus the log-sum-exp over the columns of the own class: -log of that class's share of Z_i.
    An anchor without such columns gives 0."""

    def sorted_by(self, order: Tensor) -> Contrast:
        """The same after anchors, and the columns that are these anchors, are put into another order."""

        def rearrange(values: Tensor) -> Tensor:
            return torch.cat([values[order], values[len(order) :]])

        labels = None if self.labels is None else (rearrange(self.labels[0]), rearrange(self.labels[1]))
        bias = None if self.bias is None else rearrange(self.bias)
        own_bias = None if self.own_bias is None else rearrange(self.own_bias)
        return replace(self, bias=bias, labels=labels, own_bias=own_bias)

    def logits(self, x: Tensor, y: Tensor, tau: Tensor | float, start: int = 0) -> tuple[Tensor, Tensor | None]:
        """Logits (r, M) of anchors start ... start + r, and the mask of own-class columns where it is needed."""
        rows = slice(start, start + len(x))
        logits = (x / tau) @ y.T
        if self.bias is not None:
            logits = logits + (self.bias if self.bias.ndim == 1 else self.bias[rows])
        own = None
        if self.labels is not None:
            own = self.labels[0][rows, None] == self.labels[1]
            if self.own_bias is not None:
                logits = logits + own * self.own_bias[rows, None]
        if self.skip_self:
            # in place: neither a product's nor a sum's gradient needs its own value
            logits.diagonal(start).fill_(-math.inf)
            if own is not None:
                own.diagonal(start).fill_(False)
        return logits, own if self.against_own else None

    def log_partition(self, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None = None) -> Tensor:
        """log Z_i of every anchor, (R,), by plain autograd; memory R x M.

        Args:
            x, y: anchors (R, D) and columns (M, D).
            tau: 0-d temperature.
            extra: (R,) logit of one more column of each anchor's own, such as its momentum key.
        """
        logits, own = self.logits(x, y, tau)
        total = logits.logsumexp(1)
        if extra is not None:
            total = torch.logaddexp(total, extra)
        if own is None:
            return total
        lonely = ~own.any(1)
        numerator = logits.masked_fill(~(own | lonely[:, None]), -math.inf).logsumexp(1)
        return (total - numerator).masked_fill(lonely, 0.0)

    def weighted_sum(self, weights: Tensor, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None = None) -> Tensor:
        """The sum of weights (R,) times `log_partition`; for large R x M with memory of a few rows times M."""
        if len(x) * len(y) < SMALLEST_FUSED or self._is_plain(weights):
            return (weights * self.log_partition(x, y, tau, extra)).sum()
        if torch.compiler.is_compiling():
            return self._call_operator(False, weights, x, y, tau, extra)
        return _FusedSum.apply(self.kernel(weights, x, y, tau, extra), x, y, tau, extra)  # pyright: ignore[reportReturnType]

    def weighted_pair_sum(self, weights: Tensor, z: Tensor, others: Tensor | None, tau: Tensor) -> Tensor:
        """`weighted_sum` where the columns are the anchors themselves (none its own), then `others`."""
        columns = z if others is None else torch.cat([z, others])
        if self.against_own or len(z) ** 2 < SMALLEST_FUSED or self._is_plain(weights):
            return self.weighted_sum(weights, z, columns, tau)
        if torch.compiler.is_compiling():
            return self._call_operator(True, weights, z, others, tau, None)
        if not fused.fit_unshifted(tau, columns):
            return self.weighted_sum(weights, z, columns, tau)
        return _FusedSum.apply(fused.Pairs(self, weights), z, others, tau)  # pyright: ignore[reportReturnType]

    def kernel(
        self, weights: Tensor, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None
    ) -> fused.Rows | fused.ShiftedRows:
        """The fastest one that these numbers allow."""
        plain = self.own_bias is None and (self.bias is None or self.bias.ndim == 1)
        if plain and fused.fit_unshifted(tau, x, y, extra=extra):
            return fused.Rows(self, weights)
        return fused.ShiftedRows(self, weights)

    def _is_plain(self, weights: Tensor) -> bool:
        # the kernels know no rules of torch.func, and no gradients of weights and biases
        given = (weights, self.bias, self.own_bias)
        return is_transformed() or any(t is not None and t.requires_grad for t in given)

    def _call_operator(
        self, pairs: bool, weights: Tensor, x: Tensor, y: Tensor | None, tau: Tensor, extra: Tensor | None
    ) -> Tensor:
        needs = [t is not None and t.requires_grad for t in (x, y, tau, extra)]
        rows, columns = (None, None) if self.labels is None else self.labels
        flags = (pairs, self.skip_self, self.against_own, needs)
        return _fused_sum(x, y, tau, extra, weights, self.bias, rows, columns, self.own_bias, *flags)[0]


class Kernel(Protocol):
    """Computes a scalar and its gradients at once, and the scalar alone by autograd."""

    def dense(self, *inputs: Any) -> Tensor: ...

    def value_and_gradients(self, *inputs: Any, needs: tuple[bool, ...]) -> tuple[Tensor, list[Tensor | None]]: ...


class _FusedSum(torch.autograd.Function):
    """A scalar whose gradient is computed together with its value; differentiated twice, it falls back on `dense`."""

    @staticmethod
    def forward(ctx: Any, kernel: Kernel, *inputs: Tensor | None) -> Tensor:
        value, gradients = kernel.value_and_gradients(*inputs, needs=ctx.needs_input_grad[1:])
        ctx.kernel = kernel
        ctx.save_for_backward(*inputs, *gradients)
        return value

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        half = len(ctx.saved_tensors) // 2
        given, gradients = ctx.saved_tensors[:half], ctx.saved_tensors[half:]
        if not torch.is_grad_enabled():
            return None, *(None if g is None else g * grad_output for g in gradients)
        wanted = [i for i, needed in enumerate(ctx.needs_input_grad[1:]) if needed]
        # an input may have been made of another one, whose gradient must not count it: each gets a name of its own
        inputs: list[Any] = [None if t is None else t.view_as(t) for t in given]
        found = torch.autograd.grad(
            ctx.kernel.dense(*inputs), [inputs[i] for i in wanted], grad_output, create_graph=True, allow_unused=True
        )
        by_position = dict(zip(wanted, found, strict=True))
        return None, *(by_position.get(i) for i in range(half))


_Found = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@torch.library.custom_op("ltviz::fused_sum", mutates_args=())
def _fused_sum(
    x: Tensor,
    y: Tensor | None,
    tau: Tensor,
    extra: Tensor | None,
    weights: Tensor,
    bias: Tensor | None,
    row_labels: Tensor | None,
    column_labels: Tensor | None,
    own_bias: Tensor | None,
    pairs: bool,
    skip_self: bool,
    against_own: bool,
    needs: list[bool],
) -> _Found:
    """The fused kernels as an operator that stands in a graph of `torch.compile` as it is: the sum of weights times
    log Z, and its gradients in x, y, tau and extra, empty where not needed. With `pairs` the columns are x, then y."""
    labels = None if row_labels is None or column_labels is None else (row_labels, column_labels)
    contrast = Contrast(skip_self=skip_self, bias=bias, labels=labels, own_bias=own_bias, against_own=against_own)
    if not pairs:
        assert y is not None
        kernel = contrast.kernel(weights, x, y, tau, extra)
        value, found = kernel.value_and_gradients(x, y, tau, extra, needs=tuple(needs))
    else:
        columns = x if y is None else torch.cat([x, y])
        if fused.fit_unshifted(tau, columns):
            value, found = fused.Pairs(contrast, weights).value_and_gradients(x, y, tau, needs=tuple(needs[:3]))
        else:
            kernel = fused.ShiftedRows(contrast, weights)
            needed = needs[0] or needs[1]
            value, (of_rows, of_columns, of_tau, _) = kernel.value_and_gradients(
                x, columns, tau, None, needs=(needed, needed, needs[2], False)
            )
            found = [None, None, of_tau]
            if of_rows is not None and of_columns is not None:
                found[:2] = of_rows + of_columns[: len(x)], of_columns[len(x) :].clone()
    found = [*found, *[None] * (4 - len(found))]
    found = [g if g is not None and needed else x.new_empty(0) for g, needed in zip(found, needs, strict=True)]
    return value, *found  # pyright: ignore[reportReturnType]


@_fused_sum.register_fake
def _(x: Tensor, y: Tensor | None, tau: Tensor, extra: Tensor | None, *rest: Any) -> _Found:
    needed = zip((x, y, tau, extra), rest[-1], strict=True)
    found = (torch.empty_like(like) if like is not None and need else x.new_empty(0) for like, need in needed)
    return x.new_empty(()), *found  # pyright: ignore[reportReturnType]


def _keep_gradients(ctx: Any, inputs: tuple[Any, ...], output: _Found) -> None:
    ctx.needs = inputs[-1]
    ctx.save_for_backward(*output[1:])


def _scale_gradients(ctx: Any, grad_value: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    scaled = [g * grad_value if need else None for g, need in zip(ctx.saved_tensors, ctx.needs, strict=True)]
    return *scaled, *[None] * 9


_fused_sum.register_autograd(_scale_gradients, setup_context=_keep_gradients)
