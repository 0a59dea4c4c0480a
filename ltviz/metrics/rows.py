"""What measures of bare rows ask of them."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError


def finite_rows(what: str, z: np.ndarray, *, least: int = 1, dim: int = 1) -> np.ndarray:
    """Rows (N, D) as float64.

    Args:
        what: begins the sentence of the error: "Uniformity".
        least: smallest N.
        dim: smallest D.

    Raises:
        DataError: not two-dimensional, too few rows or columns, or not finite.

    Example:
        >>> finite_rows("A distance", [[1, 0]]).dtype
        dtype('float64')
    """
    try:
        rows = np.asarray(z, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} takes an array of numbers (N, D), got {type(z).__name__}.") from None
    if rows.ndim != 2 or len(rows) < least or rows.shape[1] < dim:
        raise DataError(f"{what} takes points (N, D) with N >= {least} and D >= {dim}, got shape {rows.shape}.")
    if not np.isfinite(rows).all():
        raise DataError(f"{what} takes finite points; NaN or infinity was given.")
    return rows
