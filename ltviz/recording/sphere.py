"""Points of any length as directions, which is all that a sphere can show."""

from __future__ import annotations

import numpy as np

from ltviz.errors import RecordingError

UNIT_TOLERANCE = 1e-3
_PLAIN = {np.dtype(np.float32): (1e-30, 1e30), np.dtype(np.float64): (1e-250, 1e250)}
"""Squared lengths that numbers of a type can be trusted with."""


def on_sphere(name: str, array: np.ndarray, step: int) -> tuple[np.ndarray, str | None]:
    """(rows, D) float32 directions of the rows of `array`, a copy, and a sentence where they were not of length 1.

    Rows of length 1, to a thousandth, stay as they are.

    Raises:
        RecordingError: other than (rows, D) numbers, NaN or infinity, or a row of zeros.
    """
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise RecordingError(
            f"{name} at step {step} must be numbers of shape (rows, D); got {array.dtype} of shape {array.shape}.",
            kind=f"{name} of another shape",
        )
    if array.dtype not in _PLAIN:
        array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    least, most = _PLAIN[array.dtype]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        square = np.einsum("nd,nd->n", array, array)
    if ((square > least) & (square < most)).all():  # nor is any of them NaN
        return _unit(name, array, np.sqrt(square), np.sqrt(square))
    return _of_any_length(name, array.astype(np.float64), step)


def _of_any_length(name: str, array: np.ndarray, step: int) -> tuple[np.ndarray, str | None]:
    # The largest number of each row first: the square of 1e-200 is 0, that of 1e200 infinite.
    largest = np.abs(array).max(axis=1, initial=0)
    if not np.isfinite(largest).all():
        row = int(np.flatnonzero(~np.isfinite(largest))[0])
        raise RecordingError(
            f"{name} at step {step} must be finite; row {row} holds NaN or infinity, lower the learning rate.",
            kind=f"NaN or infinity in {name}",
        )
    if not largest.all():
        row = int(np.flatnonzero(largest == 0)[0])
        raise RecordingError(
            f"{name} at step {step} must have a direction; row {row} is zero and has no place on a sphere.",
            kind=f"a row of zeros in {name}",
        )
    scaled = array / largest[:, None]
    inner = np.linalg.norm(scaled, axis=1)
    with np.errstate(over="ignore"):  # a length of more than 1.8e308 is told as infinite
        return _unit(name, array, largest * inner, inner, scaled)


def _unit(
    name: str, array: np.ndarray, lengths: np.ndarray, inner: np.ndarray, scaled: np.ndarray | None = None
) -> tuple[np.ndarray, str | None]:
    """`array`, or `scaled` (it where left out) divided by its own lengths, `inner`, where `lengths` are not 1."""
    if np.abs(lengths - 1).max(initial=0) <= UNIT_TOLERANCE:
        return array.astype(np.float32), None
    about = f"The rows of {name} were not of length 1 ({lengths.min():.3g} to {lengths.max():.3g}); their directions "
    rows = (array if scaled is None else scaled) / inner[:, None]
    return rows.astype(np.float32, copy=False), f"{about}are shown."
