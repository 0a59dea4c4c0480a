"""Rotation of one configuration onto another."""

from __future__ import annotations

import numpy as np

from ltviz.errors import ConfigError


def turned_onto(rows: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Rows turned as a whole, mirrored where that is better, so that they come closest to their goals.

    Args:
        rows: (K, R), R <= D, in coordinates of their own.
        goals: (K, D); those with NaN are not aimed at.

    Returns:
        (K, D) float64 with the inner products of `rows`.

    Raises:
        ConfigError: another number of goals, fewer dimensions than the rows have, or rows that are not finite.

    Example:
        >>> import numpy as np
        >>> turned_onto(np.array([[1.0], [-1.0]]), np.array([[0.0, 0.5], [np.nan, np.nan]]))
        array([[ 0.,  1.],
               [ 0., -1.]])
    """
    source, goal = np.asarray(rows, np.float64), np.asarray(goals, np.float64)
    if source.ndim != 2 or goal.ndim != 2 or len(source) != len(goal) or source.shape[1] > goal.shape[1]:
        raise ConfigError(
            f"turned_onto takes rows (K, R) and goals (K, D) with D >= R, got {source.shape} and {goal.shape}."
        )
    if not np.isfinite(source).all():
        raise ConfigError("turned_onto takes finite rows; NaN or infinity was given.")
    aimed = np.isfinite(goal).all(axis=1)
    left, _, right = np.linalg.svd(source[aimed].T @ goal[aimed], full_matrices=False)
    return source @ left @ right


def procrustes(a: np.ndarray, b: np.ndarray, *, reflect: bool = True) -> np.ndarray:
    """The orthogonal matrix R that brings `a @ R` closest to `b` in least squares (Schoenemann 1966).

    Args:
        a, b: (K, D) corresponding points, about the origin.
        reflect: allow a mirror image. Set False for a proper rotation, det R = 1.

    Returns:
        (D, D) float64 orthogonal.

    Raises:
        ConfigError: shapes differ, are not two-dimensional, or values are not finite.

    Example:
        >>> import numpy as np
        >>> turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
        >>> points = np.array([[1.0, 0.0], [0.0, 2.0]])
        >>> np.allclose(procrustes(points, points @ turn), turn)
        True
    """
    source = np.asarray(a, dtype=np.float64)
    goal = np.asarray(b, dtype=np.float64)
    if source.ndim != 2 or source.shape != goal.shape:
        raise ConfigError(f"procrustes takes two arrays of one shape (K, D), got {source.shape} and {goal.shape}.")
    cross = source.T @ goal
    if not np.isfinite(cross).all():
        raise ConfigError("procrustes takes finite points; NaN or infinity was given.")
    left, _, right = np.linalg.svd(cross)
    if not reflect and np.linalg.det(left @ right) < 0:
        left[:, -1] = -left[:, -1]
    return left @ right
