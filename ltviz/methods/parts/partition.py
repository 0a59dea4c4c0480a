r"""Sums of log-partition functions: the denominators of contrastive losses, without N x N numbers.

`weighted_sum` gives \sum_i w_i \log Z_i of a `Contrast`, and where that pays the kernels of `fused` compute value and
gradient at once.

Legend: R anchors, M columns, D dimensions.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from ltviz.methods.parts import fused
from ltviz.methods.parts.contrast import Contrast
from ltviz.methods.parts.similarities import observing
from ltviz.methods.parts.tracing import is_transformed

SMALLEST_FUSED = 1 << 18
"""Number of similarities from which the fused kernels are faster than plain autograd (CPU, one thread)."""


def weighted_sum(
    contrast: Contrast, weights: Tensor, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None = None
) -> Tensor:
    """The sum of weights (R,) times `Contrast.log_partition`; for large R x M with memory of a few rows times M."""
    if len(x) * len(y) < SMALLEST_FUSED or _is_plain(contrast, weights):
        return (weights * contrast.log_partition(x, y, tau, extra)).sum()
    if torch.compiler.is_compiling():
        return _call_operator(contrast, False, weights, x, y, tau, extra)
    return _FusedSum.apply(_kernel(contrast, weights, x, y, tau, extra), x, y, tau, extra)  # pyright: ignore[reportReturnType]


def weighted_pair_sum(contrast: Contrast, weights: Tensor, z: Tensor, others: Tensor | None, tau: Tensor) -> Tensor:
    """`weighted_sum` where the columns are the anchors themselves (none its own), then `others`."""
    columns = z if others is None else torch.cat([z, others])
    if contrast.against_own or len(z) ** 2 < SMALLEST_FUSED or _is_plain(contrast, weights):
        return weighted_sum(contrast, weights, z, columns, tau)
    if torch.compiler.is_compiling():
        return _call_operator(contrast, True, weights, z, others, tau, None)
    if not (reads_are_free(z) and fused.fit_unshifted(tau, columns)):
        return weighted_sum(contrast, weights, z, columns, tau)
    return _FusedSum.apply(fused.Pairs(contrast, weights), z, others, tau)  # pyright: ignore[reportReturnType]


def reads_are_free(x: Tensor) -> bool:
    """Whether to read a value of `x` waits for nothing: on any other device than the CPU shapes alone choose."""
    return x.device.type == "cpu"


def is_had_at_once(num_pairs: int) -> bool:
    """Whether anchors, columns and positives are few enough, and nobody looks, for `attracted_sum`."""
    return (
        num_pairs < SMALLEST_FUSED
        and not torch.compiler.is_compiling()
        and observing() is None
        and not is_transformed()
    )


def attracted_sum(
    contrast: Contrast, weights: Tensor, z: Tensor, others: Tensor | None, tau: Tensor, pulls: Tensor
) -> Tensor:
    """`weighted_pair_sum` minus the pulls (R, M) times the similarities over tau; where `is_had_at_once` says so.

    No gradient flows into weights, pulls and what the contrast holds.
    """
    return _FusedSum.apply(fused.Dense(contrast, weights, pulls), z, others, tau)  # pyright: ignore[reportReturnType]


def _kernel(
    contrast: Contrast, weights: Tensor, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None
) -> fused.Rows | fused.ShiftedRows:
    """The fastest one that these numbers allow."""
    plain = contrast.own_bias is None and (contrast.bias is None or contrast.bias.ndim == 1)
    if plain and reads_are_free(x) and fused.fit_unshifted(tau, x, y, extra=extra):
        return fused.Rows(contrast, weights)
    return fused.ShiftedRows(contrast, weights)


def _is_plain(contrast: Contrast, weights: Tensor) -> bool:
    # who looks needs a table; the kernels know no rules of torch.func, and no gradients of weights and biases
    given = (weights, contrast.bias, contrast.own_bias)
    return observing() is not None or is_transformed() or any(t is not None and t.requires_grad for t in given)


def _call_operator(
    contrast: Contrast,
    pairs: bool,
    weights: Tensor,
    x: Tensor,
    y: Tensor | None,
    tau: Tensor,
    extra: Tensor | None,
) -> Tensor:
    needs = [t is not None and t.requires_grad for t in (x, y, tau, extra)]
    rows, columns = (None, None) if contrast.labels is None else contrast.labels
    flags = (pairs, contrast.skip_self, contrast.against_own, needs)
    return _fused_sum(x, y, tau, extra, weights, contrast.bias, rows, columns, contrast.own_bias, *flags)[0]


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
        kernel = _kernel(contrast, weights, x, y, tau, extra)
        value, found = kernel.value_and_gradients(x, y, tau, extra, needs=tuple(needs))
    else:
        columns = x if y is None else torch.cat([x, y])
        if reads_are_free(x) and fused.fit_unshifted(tau, columns):
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
