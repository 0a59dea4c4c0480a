"""Equal norms and equal angles of class means before normalisation (Papyan, Han and Donoho 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.classes import one_place
from ltviz.metrics.declaration import Measure, Value, declare
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.space import Space


@dataclass(frozen=True, eq=False)
class Equality(NamedValues):
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

    Example:
        >>> import numpy as np
        >>> found = equality(np.eye(4) * [1, 1, 1, 2])
        >>> round(found.equinorm, 3), round(found.equiangularity, 3)
        (0.23, 0.235)
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


# ---------------------------------------------------------------------- measures


@declare(
    Measure(
        key="equinorm",
        title="Equal norms",
        low=0,
        better="lower",
        short="How much the lengths of the class means of the features differ, seen from their middle: 0 is equal.",
        formula=r"\operatorname{std}_c \|\mu_c - \mu_G\| / \operatorname{mean}_c \|\mu_c - \mu_G\|",
        source="Papyan et al. 2020, fig. 2",
        caution="Where only unit embeddings are known it is of these, and tells how unevenly classes spread rather "
        "than norms.",
        order=51,
    ),
    Measure(
        key="equiangularity",
        title="Equal angles",
        low=0,
        high=1,
        better="lower",
        short="How much the angles between class means of the features differ, seen from their middle: 0 is equal.",
        formula=r"\operatorname{std}_{a<b} \cos(\mu_a - \mu_G, \mu_b - \mu_G)",
        source="Papyan et al. 2020, fig. 3",
        caution="Where only unit embeddings are known it is of these.",
        order=52,
    ),
    of_sphere=False,
)
def norms_and_angles(space: Space) -> Mapping[str, Value]:
    """Of features in every frame, of embeddings where time does not matter. Nothing for two classes, whose means always
    lie equally far from their middle, or for means in one place."""
    means = space.seen.means[space.seen.present]
    if not (space.full or space.own_features) or len(means) < 3 or one_place(means):
        return {}
    return dict(equality(means) or {})
