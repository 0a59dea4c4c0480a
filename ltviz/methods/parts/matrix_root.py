r"""The square root of a matrix with derivatives of every order, also where eigenvalues coincide.

The gradient of `torch.linalg.eigvalsh` is right there, and its second derivative divides by differences of eigenvalues.
Here slopes are solutions X of the Sylvester equation R X + X R = G with R the root, which divide by sums of roots; and
the slopes of X are solutions of it again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_SMALLEST = 1e-15  # of the largest eigenvalue; below, a direction is dead and its slope cut off there


def root_trace(matrix: Tensor) -> Tensor:
    """tr(S^{1/2}) of a symmetric matrix (D, D) without negative eigenvalues but for rounding."""
    if torch.compiler.is_compiling():
        values = torch.linalg.eigvalsh(matrix)
        return torch.maximum(values, _SMALLEST * values[-1:].detach()).sqrt().sum()
    return _Root.apply(matrix).diagonal(dim1=-2, dim2=-1).sum(-1)  # pyright: ignore[reportAttributeAccessIssue]


def _decomposed(matrix: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(matrix)
    return torch.maximum(values, _SMALLEST * values[..., -1:].clamp_min(torch.finfo(values.dtype).tiny)), vectors


class _Root(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(matrix: Tensor) -> Tensor:
        values, vectors = _decomposed(matrix)
        return (vectors * values.sqrt()[..., None, :]) @ vectors.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Sylvester.apply(*ctx.saved_tensors, grad_output)  # pyright: ignore[reportReturnType]

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Sylvester.apply(*ctx.saved_tensors, tangent)  # pyright: ignore[reportReturnType]


class _Sylvester(torch.autograd.Function):
    """X with R X + X R = G of symmetric R (D, D) and G (D, D)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(root: Tensor, given: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(root)
        values = torch.maximum(values, _SMALLEST**0.5 * values[..., -1:].clamp_min(torch.finfo(values.dtype).tiny))
        turned = vectors.mT @ given @ vectors / (values[..., None] + values[..., None, :])
        return vectors @ turned @ vectors.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        root, found = ctx.saved_tensors
        back: Tensor = _Sylvester.apply(root, grad_output)  # pyright: ignore[reportAssignmentType]
        return -(back @ found.mT + found.mT @ back), back

    @staticmethod
    def jvp(ctx: Any, of_root: Tensor | None, of_given: Tensor | None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        root, found = ctx.saved_tensors
        change = torch.zeros_like(found) if of_given is None else of_given
        if of_root is not None:
            change = change - of_root @ found - found @ of_root
        return _Sylvester.apply(root, change)  # pyright: ignore[reportReturnType]
