"""Rules for the arrays of a frame, whoever they come from. Each gives the array as it is stored, or RecordingError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ltviz.errors import RecordingError
from ltviz.marks import is_key
from ltviz.recording.info import MAX_CLASSES


class Sizes(NamedTuple):
    """What the arrays of one frame are held against."""

    where: str
    """For the sentence, such as "step 42"."""
    samples: int
    classes: int | None
    """None where run.json cannot be read: then numbers of classes are not compared."""
    dim: int
    targets: int = 0
    """Rows of the landmark "targets"."""


def as_array(value: Any) -> np.ndarray:
    """A numpy array of `value`; torch tensors are taken off their graph and device, without importing torch.

    Numbers that are masked become NaN, since what stands beneath a mask is nobody's measurement.

    Raises:
        RecordingError: rows of different lengths, a sparse array, or what is no array at all.
    """
    if hasattr(value, "toarray") or (hasattr(value, "to_dense") and str(value.layout) != "torch.strided"):
        way = "toarray" if hasattr(value, "toarray") else "to_dense"
        raise RecordingError(
            f"Arrays must be dense; got a sparse {type(value).__name__}, give its .{way}().", kind="a sparse array"
        )
    try:
        return _as_array(value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        about = " ".join(str(error).split())[:200]
        raise RecordingError(
            f"An array must hold rows of one length; a {type(value).__name__} cannot be read as one ({about}).",
            kind="what is no array",
        ) from error


def _as_array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        value = value.numpy()
    if isinstance(value, np.ma.MaskedArray) and value.dtype.kind in "biuf" and np.ma.is_masked(value):
        numbers = value.data if value.dtype.kind == "f" else value.data.astype(np.float64)
        return np.where(np.ma.getmaskarray(value), np.nan, numbers)
    return np.asarray(value)


def check_name(name: Any) -> str:
    """A name that may stand in a tensor's name."""
    if not is_key(name):
        raise RecordingError(
            f"A name of landmarks, samples, marks, readings or forces must be 1 to 60 letters, digits, _ and -; "
            f"got {name!r:.80}."
        )
    return name


def check_mapping(name: str, given: Any, where: str) -> Mapping[str, Any]:
    """A mapping from names, which a stranger's file may hold as one array."""
    if not isinstance(given, Mapping):
        raise RecordingError(f"{name} at {where} must be a mapping from names; got {type(given).__name__}.")
    return given


def check_points(name: str, array: Any, where: str, dim: int | None) -> np.ndarray:
    """(rows, D) float32, finite; D is `dim` where that is given, else 2 or more."""
    array = np.asarray(array)
    if array.ndim != 2 or array.shape[1] < 2 or array.dtype.kind not in "fiu":
        raise RecordingError(
            f"{name} at {where} must be numbers of shape (rows, D), D >= 2; got {array.dtype} of shape {array.shape}.",
            kind=f"{name} of another shape",
        )
    if dim is not None and array.shape[1] != dim:
        raise RecordingError(
            f"{name} at {where} must have {dim} columns like all embeddings of the run; got {array.shape[1]}.",
            kind=f"{name} of another shape",
        )
    array = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise RecordingError(
            f"{name} at {where} must be finite; row {row} holds NaN or infinity, lower the learning rate.",
            kind=f"NaN or infinity in {name}",
        )
    return array


def check_column(name: str, array: Any, where: str, count: int) -> np.ndarray:
    """(count,) finite numbers: float16 as it is, other floats as float32, whole numbers as int32."""
    array = np.asarray(array)
    if array.shape != (count,) or array.dtype.kind not in "biuf":
        raise RecordingError(
            f"{name} at {where} must be one number for each of {count} points; "
            f"got {array.dtype} of shape {array.shape}.",
            kind=f"{name} of another shape",
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise RecordingError(
            f"{name} at {where} must be finite; it holds NaN or infinity.", kind=f"NaN or infinity in {name}"
        )
    narrow = np.int32 if array.dtype.kind != "f" else np.float16 if array.dtype == np.float16 else np.float32
    return np.ascontiguousarray(array, narrow)


def check_classes(name: str, array: Any, where: str, count: int, num_classes: int | None) -> np.ndarray:
    """(count,) int32 classes from 0 to num_classes - 1; None: to the most that a run may have."""
    array = np.asarray(array)
    if array.dtype.kind not in "iu":
        raise RecordingError(f"{name} at {where} must be whole numbers; got {array.dtype}.")
    array = check_column(name, array, where, count)
    limit = MAX_CLASSES if num_classes is None else num_classes
    if count and not (array.min() >= 0 and array.max() < limit):
        raise RecordingError(
            f"{name} at {where} must lie in [0, {limit}), one number a class; got {array.min()} to {array.max()}."
        )
    return array
