"""Linear views: a turn of the space, and a shadow of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry import procrustes
from ltviz.projection.base import Fit, Projection
from ltviz.projection.placement import LinearPlacement

# Share of the view before that a smoothed view keeps: of the views compared on a SupCon run with d = 64 it had the
# least jitter, a quarter of that of an unlocked PCA.
MEMORY = 0.8


class LinearProjection(Projection):
    """Each view is turned to lie as close as possible to the one before (Procrustes), and where `memory` is above 0 it
    moves only part of the way."""

    memory: ClassVar[float] = 0.0
    walk = 64

    @abstractmethod
    def axes(self, embeddings: np.ndarray, centres: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        """(D, 3) float64 with orthonormal columns for this frame; `before` is the matrix of the view to follow."""

    def fit(
        self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray], before: Fit | None
    ) -> LinearPlacement:
        last = None if before is None else before.placement.arrays["matrix"]
        if last is not None and len(last) != embeddings.shape[1]:
            raise DataError(
                f"A projection follows one run of one dimension: {len(last)} before, {embeddings.shape[1]} now."
            )
        matrix = self.axes(embeddings, centres, last)
        return LinearPlacement(matrix if last is None else self._lock(matrix, last))

    def restore(self, arrays: Mapping[str, np.ndarray], embeddings: np.ndarray) -> LinearPlacement:
        matrix = arrays.get("matrix")
        if matrix is None or matrix.dtype.kind != "f" or len(matrix) != embeddings.shape[1]:
            raise DataError(f"A view of {embeddings.shape[1]} dimensions needs a matrix with as many rows.")
        return LinearPlacement(matrix)

    def _lock(self, matrix: np.ndarray, last: np.ndarray) -> np.ndarray:
        # The columns span a space of directions; only the turn within it is free to choose.
        turned = matrix @ procrustes(matrix, last)
        return orthonormal(self.memory * last + (1 - self.memory) * turned) if self.memory else turned


def orthonormal(matrix: np.ndarray) -> np.ndarray:
    """The matrix with orthonormal columns that is closest to a (D, 3) one of full rank: its polar factor."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return left @ right


def principal_axes(points: np.ndarray, dim: int) -> np.ndarray:
    """(dim, 3) first three principal axes of points (K, dim) about their mean, completed where they have fewer.

    Signs are fixed, the largest entry of a column positive, so that the same points always give the same view.
    """
    if dim < 3:
        return np.eye(dim, 3)
    centred = points - points.mean(axis=0) if len(points) else np.zeros((1, dim))
    if len(centred) > dim:
        _, vectors = np.linalg.eigh(centred.T @ centred)
        axes = vectors[:, ::-1][:, :3]
    else:
        # rows of a full V' beyond the rank complete the basis
        axes = np.linalg.svd(centred, full_matrices=True)[2][:3].T
    return axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(3)] < 0, -1.0, 1.0)
