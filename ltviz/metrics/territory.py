"""How much of the sphere each class owns: the part that lies nearer to its centre than to any other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.centres import unit_centres
from ltviz.metrics.classes import one_place
from ltviz.metrics.declaration import Measure, Value, declare, family
from ltviz.metrics.neighbours import nearest_centre
from ltviz.metrics.shots import GROUPS
from ltviz.metrics.space import Space

SAMPLES = 20_000


def territory(centres: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Share of the sphere's area that is nearest to each class centre.

    Exact in 2-D (arcs) and in 3-D (spherical Voronoi cells, where four centres or more span the space); otherwise the
    share of 20,000 uniform directions, with a standard error below 0.0036.

    Args:
        centres: (C, D), normalised here; zero or NaN rows are absent classes and own nothing.
        seed: of the uniform directions, where they are needed.

    Returns:
        (C,) float64, sum 1. Centres that coincide share their cell equally.

    Raises:
        DataError: no centre present.

    Example:
        >>> import numpy as np
        >>> territory(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])).round(3)
        array([0.375, 0.375, 0.25 ])
    """
    units = unit_centres(centres)
    here = np.flatnonzero(~np.isnan(units[:, 0]))
    if len(here) == 0:
        raise DataError("Territory needs at least one class with samples.")
    distinct, cell = np.unique(np.round(units[here], 9), axis=0, return_inverse=True)
    cell = cell.ravel()
    share = np.zeros(len(units))
    share[here] = _shares(distinct, seed)[cell] / np.bincount(cell)[cell]
    return share


def _shares(units: np.ndarray, seed: int) -> np.ndarray:
    count, dim = units.shape
    if count == 1:
        return np.ones(1)
    if dim == 2:
        return _arcs(units)
    # rank 3 about the origin and about a point: fewer centres, or centres on one circle, have cells without corners
    if dim == 3 and count >= 4 and np.linalg.matrix_rank(units - units[0], tol=1e-6) == 3:
        from scipy.spatial import SphericalVoronoi  # slow to import, and needed here alone

        cells = SphericalVoronoi(units / np.linalg.norm(units, axis=1, keepdims=True), threshold=1e-8)
        areas = cells.calculate_areas()
        return areas / areas.sum()
    directions = np.random.default_rng(seed).standard_normal((SAMPLES, dim)).astype(np.float32)
    return np.bincount(nearest_centre(directions, units), minlength=count) / SAMPLES


def _arcs(units: np.ndarray) -> np.ndarray:
    angle = np.arctan2(units[:, 1], units[:, 0])
    order = np.argsort(angle)
    after = np.diff(angle[order], append=angle[order[0]] + 2 * np.pi)
    share = np.empty(len(units))
    share[order] = (after + np.roll(after, 1)) / (4 * np.pi)
    return share


@declare(
    family(
        Measure(
            key="territory_{}",
            title="Territory, {}",
            unit="share",
            low=0,
            high=1,
            short="Share of the sphere that lies nearest to the centres of {}.",
            formula=r"|\{v : \arg\max_c v \cdot m_c \in group\}| / |S|",
            source="spherical Voronoi cells",
            caution="Compare with the share of classes in the group, not of samples.",
            order=43,
        ),
        GROUPS,
    ),
    full=True,
)
def territory_of_groups(space: Space) -> Mapping[str, Value]:
    # one class owns the sphere whatever it does, and centres that coincide would share it as if by merit
    if space.present.sum() < 2 or one_place(space.centres[space.present]):
        return {}
    share = territory(space.centres)
    return {f"territory_{name}": float(share[members].sum()) for name, members in space.groups.items() if len(members)}
