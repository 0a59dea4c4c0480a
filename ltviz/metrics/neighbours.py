"""Accuracy of the nearest class centre and of the nearest samples."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.classes import Classes

BLOCK = 512


def nearest_centre(z: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(N,) int64 class whose centre has the largest cosine with each row of z (N, D).

    Args:
        z: (N, D).
        centres: (C, D) unit rows; NaN rows are classes that nothing is assigned to.

    Raises:
        DataError: no centre present.

    Example:
        >>> import numpy as np
        >>> nearest_centre(np.array([[0.9, 0.1], [0.2, 0.8]]), np.eye(2))
        array([0, 1])
    """
    here = np.flatnonzero(~np.isnan(centres[:, 0]))
    if len(here) == 0:
        raise DataError("Nearest class centre needs at least one class with samples.")
    return here[(z @ centres[here].T.astype(z.dtype, copy=False)).argmax(axis=1)]


def nearest_samples(train: Classes, z: np.ndarray, *, k: int = 20, temperature: float = 0.07) -> np.ndarray:
    """(M,) int64 class by the weighted vote of the k nearest training samples, weight exp(cosine / temperature).

    Args:
        train: grouped training samples, unit rows.
        z: (M, D) unit rows to classify.
        k: neighbours; all where fewer samples exist.
        temperature: > 0.

    Source: Wu et al. 2018, "Unsupervised feature learning via non-parametric instance discrimination", section 3.4.

    Example:
        >>> import numpy as np
        >>> nearest_samples(Classes.of(np.eye(3), np.array([0, 1, 2])), np.array([[0.0, 0.6, 0.8]]), k=1)
        array([2])
    """
    k = min(k, len(train.y))
    out = np.empty(len(z), dtype=np.int64)
    for start in range(0, len(z), BLOCK):
        cosines = z[start : start + BLOCK] @ train.z.T
        near = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        weight = np.exp((np.take_along_axis(cosines, near, axis=1) - 1.0) / temperature)
        votes = np.zeros((len(cosines), train.num_classes))
        np.add.at(votes, (np.arange(len(cosines))[:, None], train.y[near]), weight)
        out[start : start + BLOCK] = votes.argmax(axis=1)
    return out
