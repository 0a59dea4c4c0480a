"""A view that keeps class centres apart."""

from __future__ import annotations

import numpy as np

from ltviz.projection.base import anchors, present
from ltviz.projection.linear import MEMORY, LinearProjection, orthonormal, principal_axes

TEMPERATURES = (0.5, 0.15, 0.05)
# Weight of equal distances from the origin, so that no centre is drawn on top of it.
EVENNESS = 0.5


class SpreadCentres(LinearProjection):
    """The view in which the smallest angle between projected class centres is largest, found by descent.

    Principal axes of a simplex are arbitrary, and a centre can land on the origin; this view keeps ten
    classes 65 degrees apart. It starts from the view before, in the first frame from the principal axes of the centres.
    """

    name = "spread"
    order = 30
    title = "Centres apart"
    short = "The view that keeps the drawn class centres as far apart as it can; angles are not to scale."
    memory = MEMORY
    walk = 8  # a descent at each costs ten times as much as principal axes

    def axes(self, embeddings: np.ndarray, centres: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        from scipy.optimize import minimize  # half a second to import, and the other views do without

        dim = embeddings.shape[1]
        start = principal_axes(anchors(centres, embeddings), dim) if before is None else before
        centres = present(centres)
        if len(centres) < 2 or dim <= 3:
            return start
        # Directions outside the span of the centres change nothing: descend in its coordinates, at most C of them.
        basis = np.linalg.svd(centres, full_matrices=False)[2]
        inside = centres @ basis.T
        view = basis @ start
        # A view that is exactly degenerate (a centre on the origin) has no gradient out of it.
        view = view + 0.05 * np.random.default_rng(0).standard_normal(view.shape)
        for temperature in TEMPERATURES if before is None else TEMPERATURES[-1:]:
            found = minimize(
                _crowding,
                view.ravel(),
                args=(inside, temperature),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": 60},
            )
            view = found.x.reshape(view.shape)
        return orthonormal(basis.T @ view) if np.linalg.matrix_rank(view) == 3 else start


def _crowding(flat: np.ndarray, centres: np.ndarray, temperature: float) -> tuple[float, np.ndarray]:
    """Soft largest cosine of projected centres plus unevenness of their radii, and its gradient in the view (K, 3)."""
    view = flat.reshape(centres.shape[1], 3)
    # The view is free here and orthonormal only in the end: a penalty on its Gram matrix keeps the two close.
    shown = centres @ view
    radius = np.sqrt(np.einsum("cd,cd->c", shown, shown) + 1e-12)
    unit = shown / radius[:, None]
    weight = unit @ unit.T
    np.fill_diagonal(weight, -np.inf)
    largest = float(weight.max())
    weight = np.exp((weight - largest) / temperature)
    total = float(weight.sum())
    pull = weight @ unit * (2.0 / total)
    slope = (pull - unit * np.einsum("cd,cd->c", unit, pull)[:, None]) / radius[:, None]
    mean = float(radius.mean())
    uneven = radius / mean - 1.0
    slope += (2.0 * EVENNESS / (len(radius) * mean)) * (uneven - np.mean(uneven * radius) / mean)[:, None] * unit
    gram = view.T @ view - np.eye(3)
    value = largest + temperature * np.log(total) + EVENNESS * float(np.mean(uneven**2)) + float(np.sum(gram**2))
    return float(value), (centres.T @ slope + 4.0 * view @ gram).ravel()
