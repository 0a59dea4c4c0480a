"""Geometries that do not depend on the counts."""

from __future__ import annotations

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.predicted.prediction import Prediction, checked_dim
from ltviz.geometry.regular_simplex import simplex


def predicted_relu(num_classes: int, *, dim: int | None = None) -> Prediction:
    """Supervised contrast behind a ReLU head: an orthogonal frame, for every count, temperature and average.

    Rows of features that are 0 or more have cosines of 0 or more, and the loss grows with each of them, so that all are
    0 in the only minimum [proven]. The same holds for every loss that falls where different classes turn apart. Kini et
    al. (ICLR 2024) prove it for finite batches that hold every class.

    Args:
        num_classes: C >= 1.
        dim: D >= C; without it C.

    Returns:
        `means` (C, D), the first C axes; `value` is 0, the sum of all cosines between classes.

    Raises:
        ConfigError: no class, or fewer dimensions than classes.

    Example:
        >>> float(predicted_relu(3).mean_angles[0, 1])
        90.0
    """
    width = num_classes if dim is None else dim
    if num_classes < 1 or width < num_classes:
        raise ConfigError(
            f"An orthogonal frame of {num_classes} classes needs one class or more and dim >= C, got dim = {width}."
        )
    return Prediction(
        title="Orthogonal frame",
        means=np.eye(num_classes, width),
        weights=None,
        value=0.0,
        gap=0.0,
        basis="proven",
        penalty="none: features are unit vectors of numbers that are 0 or more",
        source="Kini et al. 2024 (finite batches that hold every class); population: ltviz",
    )


def predicted_simplex(num_classes: int, *, dim: int | None = None, source: str = "", basis: str = "") -> Prediction:
    """The regular simplex, where a method sets it as its targets or treats every class alike.

    Args:
        num_classes: C >= 2.
        dim: D, C - 1 or more; without it C - 1.
        source, basis: of the method's claim; a fixed set of targets is "proven".

    Returns:
        `means` (C, D); `value` is the cosine between any two.

    Raises:
        ConfigError: fewer than two classes, or dim below C - 1.

    Example:
        >>> round(predicted_simplex(5).value, 3)
        -0.25
    """
    checked_dim("The regular simplex", num_classes, dim)
    return Prediction(
        title="Regular simplex",
        means=simplex(num_classes, num_classes - 1 if dim is None else dim),
        weights=None,
        value=-1.0 / (num_classes - 1),
        gap=0.0,
        basis="proven" if basis not in ("derived", "found") else basis,  # pyright: ignore[reportArgumentType]
        penalty="none: features are unit vectors, and no class counts more than another",
        source=source or "Papyan et al. 2020, simplex ETF",
    )
