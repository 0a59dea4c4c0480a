"""The regular simplex: the configuration that losses with balanced classes converge to."""

from __future__ import annotations

import numpy as np

from ltviz.errors import ConfigError


def fits(num_classes: int, dim: int) -> bool:
    """Whether `num_classes` unit vectors can have equal angles and sum to zero in `dim` dimensions: dim >= C - 1.

    Example:
        >>> fits(4, 3), fits(5, 3)
        (True, False)
    """
    return dim >= num_classes - 1


def ideal_cosine(num_classes: int) -> float:
    """Cosine between any two vertices of the regular simplex, -1/(C-1), in [-1, 0).

    Example:
        >>> ideal_cosine(5)
        -0.25
    """
    if num_classes < 2:
        raise ConfigError(f"The simplex cosine is defined for 2 classes or more, not for {num_classes}.")
    return -1.0 / (num_classes - 1)


def simplex(num_classes: int, dim: int) -> np.ndarray:
    """Unit vectors with pairwise cosine -1/(C-1) and sum zero, in closed form.

    T = sqrt(C/(C-1)) (I - 11'/C) Q, where Q maps the subspace orthogonal to 1 isometrically into R^dim
    (Papyan et al. 2020, "Prevalence of neural collapse", simplex ETF; Li et al. 2022, TSC, section 3.2).

    Args:
        num_classes: C >= 2.
        dim: D >= C - 1; the coordinates past the first C - 1 are zero.

    Returns:
        (C, D) float64, accurate to a few units of machine precision.

    Raises:
        ConfigError: fewer than two classes, or `dim` too small.

    Example:
        >>> vertices = simplex(3, 2)
        >>> (vertices @ vertices.T).round(3)
        array([[ 1. , -0.5, -0.5],
               [-0.5,  1. , -0.5],
               [-0.5, -0.5,  1. ]])
    """
    if num_classes < 2:
        raise ConfigError(f"A regular simplex needs at least 2 classes, got {num_classes}.")
    if not fits(num_classes, dim):
        raise ConfigError(
            f"No regular simplex of {num_classes} classes exists in {dim} dimensions: it needs dim >="
            f" {num_classes - 1}; `optimal_targets` (`ltviz targets --method annealed`) finds the best that exists."
        )
    # Helmert basis of the subspace orthogonal to 1: column k compares class k+1 with the mean of the classes before it.
    k = np.arange(1, num_classes, dtype=np.float64)
    basis = np.triu(np.ones((num_classes, num_classes - 1))) / np.sqrt(k * (k + 1))
    basis[np.arange(1, num_classes), np.arange(num_classes - 1)] = -np.sqrt(k / (k + 1))
    targets = np.zeros((num_classes, dim))
    targets[:, : num_classes - 1] = np.sqrt(num_classes / (num_classes - 1)) * basis
    return targets
