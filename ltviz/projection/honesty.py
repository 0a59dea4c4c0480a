"""How far a projected picture can be trusted."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ltviz.geometry.blocks import total_variance

PAIRS = 2000
SAMPLE = 400
"""Points whose neighbourhoods are compared."""
NEIGHBOURS = 10


def honesty(
    embeddings: np.ndarray,
    shown: np.ndarray,
    before: np.ndarray | None = None,
    *,
    linear: bool = True,
    centres: tuple[np.ndarray, np.ndarray] | None = None,
) -> dict[str, float]:
    """The numbers of the honesty meter. What cannot be said is absent.

    Args:
        embeddings: (N, D) points.
        shown: (N, 3) where they are drawn.
        before: (N, 3) where the same points were drawn in the frame before, or None.
        centres: (C, D) class centres and (C, 3) where the picture has them; NaN rows are absent classes.
        linear: the picture is a linear view; only a part of a whole is a share of it, so the others keep no variance.

    Returns:
        kept_variance: share of the variance of the points that the picture shows, 0 to 1.
        trustworthiness: of the 10 nearest neighbours in the picture, over 400 points that are the same at every call;
            see `trustworthiness`.
        kept_angle_order: Spearman correlation between angles of point pairs in the space and in the picture, seen from
            the origin, over 2,000 pairs that are the same at every call; -1 to 1.
        kept_centre_order: the same over all pairs of class centres. A picture can keep the angles of samples, most of
            which are between a few large classes, and lose those of centres.
        jitter: mean distance that a point moved since the frame before, in radii of the sphere. It includes what the
            points moved by themselves.

    Example:
        >>> import numpy as np
        >>> z = np.random.default_rng(0).normal(size=(50, 3))
        >>> {name: round(value, 3) for name, value in honesty(z, z).items()}
        {'kept_variance': 1.0, 'kept_angle_order': 1.0, 'trustworthiness': 0.954}
    """
    found = {}
    if linear and (total := total_variance(embeddings)) > 0:
        found["kept_variance"] = min(1.0, total_variance(shown) / total)
    order = kept_angle_order(embeddings, shown)
    if order is not None:
        found["kept_angle_order"] = order
    between = None if centres is None else kept_centre_order(*centres)
    if between is not None:
        found["kept_centre_order"] = between
    sample = _sample(len(embeddings))
    trust = trustworthiness(embeddings[sample], shown[sample], neighbours=NEIGHBOURS)
    if trust is not None:
        found["trustworthiness"] = trust
    if before is not None and before.shape == shown.shape:
        found["jitter"] = float(np.linalg.norm(shown - before, axis=1).mean())
    return found


def kept_angle_order(embeddings: np.ndarray, shown: np.ndarray) -> float | None:
    """Spearman correlation of pair angles before and after; None where all angles on one side are equal.

    Example:
        >>> import numpy as np
        >>> z = np.random.default_rng(0).normal(size=(50, 3))
        >>> round(kept_angle_order(z, z @ np.eye(3)[::-1]), 3)
        1.0
    """
    if len(embeddings) < 3:
        return None
    return _rank_correlation(embeddings, shown, *_pairs(len(embeddings)))


def kept_centre_order(centres: np.ndarray, shown: np.ndarray) -> float | None:
    """Spearman correlation of the angles between class centres (C, D) and (C, 3), all pairs, seen from the origin.

    None with fewer than three centres, or where all angles on one side are equal, as in a regular simplex.

    Example:
        >>> import numpy as np
        >>> centres = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 1.0, 0]])
        >>> kept_centre_order(centres[:, :2], centres)
        1.0
    """
    here = np.flatnonzero(np.isfinite(centres).all(axis=1) & np.isfinite(shown).all(axis=1))
    if len(here) < 3:
        return None
    first, second = np.triu_indices(len(here), 1)
    return _rank_correlation(centres, shown, here[first], here[second])


def _rank_correlation(embeddings: np.ndarray, shown: np.ndarray, first: np.ndarray, second: np.ndarray) -> float | None:
    before, after = _cosines(embeddings, first, second), _cosines(shown, first, second)
    usable = np.isfinite(before) & np.isfinite(after)
    if usable.sum() < 3:
        return None
    a, b = _ranks(before[usable]), _ranks(after[usable])
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else None


def trustworthiness(embeddings: np.ndarray, shown: np.ndarray, *, neighbours: int) -> float | None:
    """How far neighbours in the picture are neighbours in the space: 1 where they all are, about 0.5 by chance.

    In the space nearness is the angle on the sphere, in the picture the distance between drawn points, which is what an
    eye sees. A neighbour in the picture counts against it by how far it is from being one in the space.

    Args:
        embeddings: (N, D); shown: (N, 3).
        neighbours: k, 1 or more; lowered to less than half of the points.

    Returns:
        0 to 1; None for fewer than 4 points, or where all points of the space or of the picture coincide.

    Source: Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection methods", equation 1.

    Example:
        >>> import numpy as np
        >>> z = np.random.default_rng(0).normal(size=(50, 3))
        >>> trustworthiness(z, z / np.linalg.norm(z, axis=1, keepdims=True), neighbours=5)
        1.0
    """
    n = len(embeddings)
    k = min(neighbours, (n - 1) // 2)
    if k < 1 or n < 4:
        return None
    length = np.sqrt(np.einsum("nd,nd->n", embeddings, embeddings, dtype=np.float64))[:, None]
    units = (embeddings / np.where(length > 0, length, 1)).astype(np.float32)
    cosines = units @ units.T
    centred = np.asarray(shown - shown.mean(axis=0), np.float32)
    square = np.einsum("nd,nd->n", centred, centred)
    distances = square[:, None] + square - 2 * (centred @ centred.T)
    if np.ptp(cosines) == 0 or not square.any():
        return None
    np.fill_diagonal(cosines, np.inf)
    np.fill_diagonal(distances, np.inf)
    near = np.argpartition(distances, k - 1, axis=1)[:, :k]
    # Rank in the space, 1 for the nearest: all that are nearer, the point itself included. Points as near as each other
    # share the best rank: which of them is nearer cannot be held against a picture.
    theirs = np.take_along_axis(cosines, near, axis=1)
    ranks = (cosines[:, None, :] > theirs[:, :, None]).sum(axis=2)
    worst = n * k * (2 * n - 3 * k - 1) / 2
    return float(1.0 - np.maximum(ranks - k, 0).sum() / worst)


@lru_cache(maxsize=32)
def _sample(n: int) -> np.ndarray:
    """Rows of at most 400 points, drawn with a fixed seed."""
    return np.sort(np.random.default_rng(0).permutation(n)[:SAMPLE])


def _pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of different points, drawn with a fixed seed: the meter must not flicker by itself."""
    rng = np.random.default_rng(0)
    first = rng.integers(n, size=PAIRS)
    return first, (first + rng.integers(1, n, size=PAIRS)) % n


def _cosines(points: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    a, b = points[first].astype(np.float64), points[second].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        # rounded, as equal angles that differ in the last digit are ties
        cosine = np.einsum("nd,nd->n", a, b) / np.sqrt(np.einsum("nd,nd->n", a, a) * np.einsum("nd,nd->n", b, b))
        return np.round(cosine, 6)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, ties sharing their mean rank."""
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - 0.5 * (count + 1))[inverse]
