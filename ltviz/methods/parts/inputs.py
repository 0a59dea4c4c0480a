"""What every loss asks of its arguments: shapes, labels, temperature, precision.

Labels, counts and masks may be lists or numpy arrays: `check_labels`, `check_numbers` and `check_mask` make tensors of
them. Vectors must be tensors, since a gradient is asked of them. Where values are not to be read (`checks_values`)
shapes are checked and values are not.

Legend of shape suffixes: B samples, V views, N rows (samples times views), K queue slots, C classes, D dimensions.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ParamSpec

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ltviz.methods.parts.tracing import checks_values, is_traced

P = ParamSpec("P")
_SHORTEST = 1e-12  # of a row that is divided by its length, as `F.normalize` has it
Labels = Tensor | NDArray[Any] | Sequence[int]
"""Integer class labels."""
Numbers = Tensor | NDArray[Any] | Sequence[float]
"""A number for each class."""
Mask = Tensor | NDArray[Any] | Sequence[Sequence[bool]]


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
        off = nullcontext() if not torch.is_autocast_enabled(device) else torch.autocast(device, enabled=False)
        with off:
            return loss(
                *(cast.get(id(value), value) for value in args),  # pyright: ignore[reportCallIssue]
                **{name: cast.get(id(value), value) for name, value in kwargs.items()},
            )

    return run


def unit(x: Tensor) -> Tensor:
    """Rows of x (..., D) over their lengths, in float32 at least: 16-bit ones would be 0.4 % too long or short."""
    if x.dtype != torch.float32:
        x = x.to(torch.promote_types(x.dtype, torch.float32))
    return F.normalize(x, dim=-1) if is_traced() or not x.requires_grad else _Unit.apply(x)  # pyright: ignore[reportReturnType]


class _Unit(torch.autograd.Function):
    """`F.normalize` of rows, whose gradient takes it ten operations and this three."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min_(_SHORTEST)
        rows = x / lengths
        ctx.save_for_backward(x, rows, lengths)
        return rows

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, rows, lengths = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of the gradient is asked for
            lengths = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(_SHORTEST)
            rows = x / lengths
            return (grad_output - rows * (grad_output * rows).sum(-1, keepdim=True)) / lengths
        along = (grad_output * rows).sum(-1, keepdim=True)
        return torch.addcmul(grad_output, rows, along, value=-1).div_(lengths)


def _holds_features(value: Tensor) -> bool:
    # counts and temperatures have fewer axes; they follow the features' dtype instead of setting it
    return value.is_floating_point() and value.ndim >= 2


def check_vectors(loss: str, name: str, value: object) -> None:
    """`value` must be a floating tensor, through which gradients can flow."""
    if not isinstance(value, Tensor):
        remedy = "" if value is None else f"; give torch.as_tensor({name})"
        raise ValueError(f"{loss}: {name} must be a torch.Tensor, but is {_kind(value)}{remedy}")
    if not value.is_floating_point():
        raise ValueError(f"{loss}: {name} must hold floating numbers, but is {value.dtype}; give {name}.float()")


def check_views(loss: str, z: Tensor) -> None:
    """z must be (B, V, D)."""
    check_vectors(loss, "z", z)
    if z.ndim != 3:
        raise ValueError(
            f"{loss}: z must have 3 axes (samples, views, dimensions) but has shape {tuple(z.shape)}; "
            "give single views as z[:, None]"
        )
    if 0 in z.shape:
        raise ValueError(f"{loss}: z must hold at least one sample, view and dimension but has shape {tuple(z.shape)}")


def check_rows(loss: str, name: str, value: Tensor, shape: tuple[int | None, ...], because: str) -> None:
    """`value` must be a floating tensor of exactly `shape`, see `check_shape`."""
    check_vectors(loss, name, value)
    check_shape(loss, name, value, shape, because)


def check_samples(loss: str, name: str, value: Tensor) -> None:
    """`value` must be a floating tensor (B, K) with at least one row and one column."""
    check_rows(loss, name, value, (None, None), "(samples, " + ("classes)" if name == "logits" else "dimensions)"))
    if not value.numel():
        raise ValueError(f"{loss}: {name} must hold at least one row and column, but has shape {tuple(value.shape)}")


def check_shape(loss: str, name: str, value: Tensor, shape: tuple[int | None, ...], because: str) -> None:
    """`value` must have exactly `shape` (None: any size); sizes that would broadcast are refused too."""
    given = tuple(value.shape)
    if len(given) != len(shape) or any(want not in (None, have) for want, have in zip(shape, given, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{loss}: {name} must have shape ({wanted}) {because}, but has shape {given}")


def check_labels(
    loss: str, name: str, y: Labels, size: int, because: str, like: Tensor, num_classes: int | None = None
) -> Tensor:
    """Labels as int64 (size,) beside `like`, each in 0 ... num_classes - 1 where that is given."""
    y = _tensor(loss, name, y, like, "integer class labels")
    if not y.numel() and not y.is_floating_point():
        y = y.long()
    check_shape(loss, name, y, (size,), because)
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise ValueError(f"{loss}: {name} must hold integer class labels, but is {y.dtype}; give {name}.long()")
    y = y.long()
    if num_classes is not None and size and checks_values():
        lowest, highest = (int(bound) for bound in y.aminmax())
        if not 0 <= lowest <= highest < num_classes:
            raise ValueError(
                f"{loss}: {name} must hold labels from 0 to {num_classes - 1}, "
                f"but holds {lowest} to {highest}; relabel the classes"
            )
    return y


def check_numbers(
    loss: str, name: str, value: Numbers | Mask, shape: tuple[int | None, ...], because: str, like: Tensor
) -> Tensor:
    """Numbers of this shape, in the dtype and on the device of `like`."""
    value = _tensor(loss, name, value, like, "numbers")
    check_shape(loss, name, value, shape, because)
    return value.to(like)


def check_mask(loss: str, name: str, value: Mask, shape: tuple[int, ...], because: str, like: Tensor) -> Tensor:
    """Yes or no for each entry, bool; numbers other than 0 mean yes."""
    value = _tensor(loss, name, value, like, "yes or no for each entry")
    check_shape(loss, name, value, shape, because)
    return value if value.dtype == torch.bool else value != 0


def _tensor(loss: str, name: str, value: object, like: Tensor, content: str) -> Tensor:
    """`value` beside `like`, in a dtype of its own."""
    if isinstance(value, Tensor):
        return value.to(like.device)
    try:
        if value is None or isinstance(value, str | bytes | dict | set):
            raise TypeError
        made = torch.as_tensor(value, device=like.device)
        if made.is_floating_point() and isinstance(value, Sequence):  # 0.1 is another number in float32
            made = torch.as_tensor(value, dtype=torch.promote_types(like.dtype, torch.float32), device=like.device)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ValueError(
            f"{loss}: {name} must hold {content}, as a tensor, an array or a list, but is {_kind(value)}"
        ) from None
    # a list without entries has the dtype of a float
    return made if made.numel() or not isinstance(value, Sequence) else made.long()


def _kind(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, list | tuple) and value:
        return f"a {type(value).__name__} of {type(value[0]).__name__}"
    return f"of type {type(value).__name__}"


def check_temperature(loss: str, temperature: float | Tensor, like: Tensor) -> Tensor:
    """The temperature as a 0-d tensor beside `like`, gradient kept."""
    if isinstance(temperature, Tensor):
        if temperature.ndim:
            raise ValueError(
                f"{loss}: temperature must be a number or a 0-d tensor, "
                f"but has shape {tuple(temperature.shape)}; give temperature.squeeze()"
            )
        value = float(temperature.detach()) if checks_values() else 1.0
    else:
        try:
            value = temperature = float(temperature)
        except (TypeError, ValueError):
            raise ValueError(
                f"{loss}: temperature must be a number or a 0-d tensor, but is {_kind(temperature)}; try 0.1"
            ) from None
    if not 0 < value < math.inf:
        raise ValueError(f"{loss}: temperature must be positive and finite, but is {value:g}; try 0.1")
    if isinstance(temperature, Tensor):
        return temperature.to(like.device, like.dtype)
    return like.new_full((), temperature)  # filled on the device: a number that is copied there makes CUDA wait


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


def log_prior(loss: str, counts: Numbers, num_classes: int, like: Tensor) -> Tensor:
    """log of each class's share of the training set, (C,); an empty class gets log 1e-12 instead of minus infinity."""
    counts = checked_counts(loss, counts, num_classes, like)
    return (counts / counts.sum()).clamp_min(1e-12).log()


def checked_counts(loss: str, counts: Numbers, num_classes: int, like: Tensor) -> Tensor:
    """Training samples of each class, (C,) beside `like`: not negative, and not all zero."""
    counts = check_numbers(loss, "counts", counts, (num_classes,), f"for {num_classes} classes", like)
    if checks_values() and not (float(counts.detach().min()) >= 0 and 0 < float(counts.detach().sum()) < math.inf):
        raise ValueError(f"{loss}: counts must be finite, not negative and not all zero, but are {counts.tolist()}")
    return counts
