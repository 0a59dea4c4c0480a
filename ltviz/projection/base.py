"""What a projection is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry import procrustes
from ltviz.geometry.threads import one_blas_thread
from ltviz.projection.honesty import honesty

# Share of the view before that a smoothed view keeps: of the views compared on a SupCon run with d = 64 it had the
# least jitter, a quarter of that of an unlocked PCA.
MEMORY = 0.8


class Projection(ABC):
    """A linear view of the sphere in 3-D that follows a run, frame by frame.

    One object belongs to one run: each view is turned to lie as close as possible to the one before, and where `memory`
    is above 0 it moves only part of the way, so that what moves in the picture are the points and not the camera.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    """Name in menus."""
    short: ClassVar[str]
    """One sentence for hover text."""
    memory: ClassVar[float] = 0.0

    def __init__(self) -> None:
        self._matrix: np.ndarray | None = None
        self._shown: np.ndarray | None = None

    @abstractmethod
    def fit(self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray]) -> np.ndarray:
        """(D, 3) float64 with orthonormal columns for this frame. Rows of `centres` are all finite, perhaps none."""

    @one_blas_thread()
    def update(
        self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray] | None = None
    ) -> tuple[np.ndarray, dict[str, float]]:
        """The view of the next frame of the run, and how far it can be trusted.

        Args:
            embeddings: (N, D) finite.
            centres: (C, D) class centres; NaN rows are absent classes.
            landmarks: name -> (K, D).

        Returns:
            matrix (D, 3) float32: `embeddings @ matrix` is the picture; the origin stays the origin, and no point of
            the sphere leaves the unit ball; honesty: kept_variance, kept_angle_order, jitter from the second frame on.

        Raises:
            DataError: shapes that do not match, or another dimension than in the frame before.
        """
        points, middle = np.asarray(embeddings), np.asarray(centres)
        if points.ndim != 2 or middle.ndim != 2 or points.shape[1] != middle.shape[1] or len(points) == 0:
            raise DataError(
                f"A projection takes embeddings (N, D) and class centres (C, D), got {points.shape} and {middle.shape}."
            )
        if self._matrix is not None and len(self._matrix) != points.shape[1]:
            raise DataError(
                f"A projection follows one run of one dimension: {len(self._matrix)} before, {points.shape[1]} now."
            )
        present = middle[np.isfinite(middle).all(axis=1)].astype(np.float64)
        matrix = self._follow(self.fit(points, present, landmarks or {}))
        shown = (points @ matrix.astype(np.float32)).astype(np.float64)
        meter = honesty(points, shown, self._shown)
        self._matrix, self._shown = matrix, shown
        return matrix.astype(np.float32), meter

    def _follow(self, matrix: np.ndarray) -> np.ndarray:
        if self._matrix is None:
            return matrix
        # The columns span a plane of directions; only the turn within it is free to choose.
        turned = matrix @ procrustes(matrix, self._matrix)
        return orthonormal(self.memory * self._matrix + (1 - self.memory) * turned) if self.memory else turned


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
