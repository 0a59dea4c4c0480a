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

from ltviz.methods import fused

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
        if len(x) * len(y) < SMALLEST_FUSED:
            return (weights * self.log_partition(x, y, tau, extra)).sum()
        plain = self.own_bias is None and (self.bias is None or self.bias.ndim == 1)
        if plain and fused.fit_unshifted(tau, x, y, extra=extra):
            kernel = fused.Rows(self, weights)
        else:
            kernel = fused.ShiftedRows(self, weights)
        return _FusedSum.apply(kernel, x, y, tau, extra)  # pyright: ignore[reportReturnType]

    def weighted_pair_sum(self, weights: Tensor, z: Tensor, others: Tensor | None, tau: Tensor) -> Tensor:
        """`weighted_sum` where the columns are the anchors themselves (none its own), then `others`."""
        columns = z if others is None else torch.cat([z, others])
        if self.against_own or len(z) ** 2 < SMALLEST_FUSED or not fused.fit_unshifted(tau, columns):
            return self.weighted_sum(weights, z, columns, tau)
        return _FusedSum.apply(fused.Pairs(self, weights), z, others, tau)  # pyright: ignore[reportReturnType]


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
        inputs, gradients = ctx.saved_tensors[:half], ctx.saved_tensors[half:]
        if not torch.is_grad_enabled():
            return None, *(None if g is None else g * grad_output for g in gradients)
        wanted = [i for i, needed in enumerate(ctx.needs_input_grad[1:]) if needed]
        found = torch.autograd.grad(
            ctx.kernel.dense(*inputs), [inputs[i] for i in wanted], grad_output, create_graph=True, allow_unused=True
        )
        by_position = dict(zip(wanted, found, strict=True))
        return None, *(by_position.get(i) for i in range(half))
