"""Equal norms and equal angles of class means before normalisation (Papyan, Han and Donoho 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.record import Record


@dataclass(frozen=True, eq=False)
class Equality(Record):
    """Both are 0 for a simplex equiangular tight frame."""

    equinorm: float
    """Standard deviation over mean of the norms of mu_c - mu_G, >= 0."""
    equiangularity: float
    """Standard deviation over pairs of the cosine between mu_a - mu_G and mu_b - mu_G, 0 to 1."""


def equality(means: np.ndarray) -> Equality | None:
    """Equinorm and equiangularity of raw class means about their own mean.

    Args:
        means: (C, D) class means, not normalised; NaN rows are left out.

    Returns:
        Equality, or None where fewer than two means differ from their centre.

    Raises:
        DataError: not two-dimensional.

    Source: Papyan et al. 2020, figures 2 and 3, with mu_G over classes: both would be unfair to rare classes with the
    mean over samples.
    """
    rows = np.asarray(means, dtype=np.float64)
    if rows.ndim != 2:
        raise DataError(f"Class means are an array (C, D), got shape {rows.shape}.")
    rows = rows[~np.isnan(rows).any(axis=1)]
    if len(rows) < 2:
        return None
    centred = rows - rows.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1)
    if norms.min() <= 1e-12 * np.abs(rows).max():
        return None
    units = centred / norms[:, None]
    cosines = (units @ units.T)[np.triu_indices(len(units), 1)]
    return Equality(equinorm=float(norms.std() / norms.mean()), equiangularity=float(cosines.std()))
