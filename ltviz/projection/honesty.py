"""How far a projected picture can be trusted."""

from __future__ import annotations

import numpy as np

PAIRS = 2000


def honesty(embeddings: np.ndarray, shown: np.ndarray, before: np.ndarray | None = None) -> dict[str, float]:
    """The numbers of the honesty meter. What cannot be said is absent.

    Args:
        embeddings: (N, D) points.
        shown: (N, 3) where they are drawn.
        before: (N, 3) where the same points were drawn in the frame before, or None.

    Returns:
        kept_variance: share of the variance of the points that the picture shows, 0 to 1.
        kept_angle_order: Spearman correlation between angles of point pairs in the space and in the picture, seen from
            the origin, over 2,000 pairs that are the same at every call; -1 to 1.
        jitter: mean distance that a point moved since the frame before, in radii of the sphere. It includes what the
            points moved by themselves.
    """
    found = {}
    total = float(np.var(embeddings, axis=0, dtype=np.float64).sum())
    if total > 0:
        found["kept_variance"] = min(1.0, float(np.var(shown, axis=0, dtype=np.float64).sum()) / total)
    order = kept_angle_order(embeddings, shown)
    if order is not None:
        found["kept_angle_order"] = order
    if before is not None and before.shape == shown.shape:
        found["jitter"] = float(np.linalg.norm(shown - before, axis=1).mean())
    return found


def kept_angle_order(embeddings: np.ndarray, shown: np.ndarray) -> float | None:
    """Spearman correlation of pair angles before and after; None where all angles on one side are equal."""
    if len(embeddings) < 3:
        return None
    first, second = _pairs(len(embeddings))
    before, after = _cosines(embeddings, first, second), _cosines(shown, first, second)
    usable = np.isfinite(before) & np.isfinite(after)
    if usable.sum() < 3:
        return None
    a, b = _ranks(before[usable]), _ranks(after[usable])
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else None


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
