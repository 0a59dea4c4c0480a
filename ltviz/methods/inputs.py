"""What every loss asks of its arguments: shapes, labels, temperature, precision.

Legend of shape suffixes: B samples, V views, N rows (samples times views), K queue slots, C classes, D dimensions.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import ParamSpec

import torch
import torch.nn.functional as F
from torch import Tensor

P = ParamSpec("P")


def full_precision(loss: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Run a loss with autocast off and 16-bit features as float32.

    A bf16 logit at temperature 0.1 carries an error of 0.04, so similarities and sums are taken in float32 at least;
    gradients come back in the caller's dtype. Where feature tensors differ in dtype the wider one is used.
    """

    @functools.wraps(loss)
    def run(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        features = [t for t in (*args, *kwargs.values()) if isinstance(t, Tensor) and _holds_features(t)]
        dtype = functools.reduce(torch.promote_types, (t.dtype for t in features), torch.float32)
        cast = {id(t): t.to(dtype) for t in features}
        device = features[0].device.type if features else "cpu"
        with torch.autocast(device, enabled=False):
            return loss(
                *(cast.get(id(value), value) for value in args),  # pyright: ignore[reportCallIssue]
                **{name: cast.get(id(value), value) for name, value in kwargs.items()},
            )

    return run


def unit(x: Tensor) -> Tensor:
    """Rows of x (..., D) over their lengths, in float32 at least: 16-bit ones would be 0.4 % too long or short."""
    return F.normalize(x.to(torch.promote_types(x.dtype, torch.float32)), dim=-1)


def _holds_features(value: Tensor) -> bool:
    # counts and temperatures have fewer axes; they follow the features' dtype instead of setting it
    return value.is_floating_point() and value.ndim >= 2


def check_views(loss: str, z: Tensor) -> None:
    """z must be (B, V, D)."""
    if z.ndim != 3:
        raise ValueError(
            f"{loss}: z must have 3 axes (samples, views, dimensions) but has shape {tuple(z.shape)}; "
            "give single views as z[:, None]"
        )
    if 0 in z.shape:
        raise ValueError(f"{loss}: z must hold at least one sample, view and dimension but has shape {tuple(z.shape)}")


def check_shape(loss: str, name: str, value: Tensor, shape: tuple[int | None, ...], because: str) -> None:
    """`value` must have exactly `shape` (None: any size); sizes that would broadcast are refused too."""
    given = tuple(value.shape)
    if len(given) != len(shape) or any(want not in (None, have) for want, have in zip(shape, given, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{loss}: {name} must have shape ({wanted}) {because}, but has shape {given}")


def check_labels(loss: str, name: str, y: Tensor, size: int, because: str, num_classes: int | None = None) -> Tensor:
    """Labels as int64 (size,), each in 0 ... num_classes - 1 where that is given."""
    check_shape(loss, name, y, (size,), because)
    if y.is_floating_point() or y.dtype == torch.bool:
        raise ValueError(f"{loss}: {name} must hold integer class labels, but is {y.dtype}; give {name}.long()")
    y = y.long()
    if num_classes is not None and size and not 0 <= int(y.min()) <= int(y.max()) < num_classes:
        raise ValueError(
            f"{loss}: {name} must hold labels from 0 to {num_classes - 1}, "
            f"but holds {int(y.min())} to {int(y.max())}; relabel the classes"
        )
    return y


def check_temperature(loss: str, temperature: float | Tensor, like: Tensor) -> Tensor:
    """The temperature as a 0-d tensor beside `like`, gradient kept."""
    if isinstance(temperature, Tensor) and temperature.ndim:
        raise ValueError(
            f"{loss}: temperature must be a number or a 0-d tensor, "
            f"but has shape {tuple(temperature.shape)}; give temperature.squeeze()"
        )
    tau = torch.as_tensor(temperature, dtype=like.dtype, device=like.device)
    if not 0 < (value := float(tau.detach())) < math.inf:
        raise ValueError(f"{loss}: temperature must be positive and finite, but is {value:g}; try 0.1")
    return tau


def check_choice(loss: str, name: str, value: str, choices: tuple[str, ...]) -> None:
    """`value` must be one of `choices`."""
    if value not in choices:
        raise ValueError(f"{loss}: {name} must be one of {', '.join(choices)}, but is {value!r}")


def reduce(loss: str, values: Tensor, reduction: str) -> Tensor:
    """The mean of per-anchor values, or the values themselves."""
    check_choice(loss, "reduction", reduction, ("mean", "none"))
    return values.mean() if reduction == "mean" else values


def nothing(*tensors: Tensor) -> Tensor:
    """A scalar 0 that still hangs on these tensors, so that gradients of it are zeros instead of missing."""
    return torch.stack([(tensor * 0.0).sum() for tensor in tensors]).sum()


def log_prior(loss: str, counts: Tensor, num_classes: int, like: Tensor) -> Tensor:
    """log of each class's share of the training set, (C,); an empty class gets log 1e-12 instead of minus infinity."""
    check_shape(loss, "counts", counts, (num_classes,), f"for {num_classes} classes")
    counts = counts.to(like)
    total = counts.sum()
    if not (float(counts.min()) >= 0 and 0 < float(total) < math.inf):
        raise ValueError(f"{loss}: counts must be finite, not negative and not all zero, but are {counts.tolist()}")
    return (counts / total).clamp_min(1e-12).log()
