"""Where points of the space are drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ltviz.errors import DataError

NEIGHBOURS = 8
"""Embedded samples between which another point is placed."""
BLOCK = 1024


class Placement(ABC):
    """Puts points (K, D) of one frame's space into the picture, the unit ball in 3-D."""

    linear: ClassVar[bool]
    """Whether sums and multiples keep their place: only then can a force be drawn in the picture."""

    @abstractmethod
    def place(self, points: np.ndarray) -> np.ndarray:
        """(K, 3) float32 for points (K, D); rows that are not finite become NaN, the origin stays the origin."""

    @property
    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """What must be kept to make it again."""


class LinearPlacement(Placement):
    """`points @ matrix`, the columns of `matrix` (D, 3) float64 orthonormal, the rows where D is 2.

    Raises:
        DataError: another matrix.
    """

    linear = True

    def __init__(self, matrix: np.ndarray) -> None:
        matrix = np.asarray(matrix, np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != 3 or not np.isfinite(matrix).all():
            raise DataError(f"A linear view is a finite matrix (D, 3), got {matrix.shape}.")
        gram = matrix.T @ matrix if len(matrix) >= 3 else matrix @ matrix.T
        if np.abs(gram - np.eye(len(gram))).max() > 1e-3:
            raise DataError("The columns of a linear view must be orthonormal.")
        self.matrix = matrix

    def place(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(points, np.float32) @ self.matrix.astype(np.float32)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {"matrix": self.matrix}


class NeighbourPlacement(Placement):
    """A map without a formula: samples lie where they were put, all else between the samples that are nearest to it.

    A point is drawn at the mean of its 8 nearest samples on the sphere, each weighted by one over its squared distance;
    on a sample it is drawn exactly there. Between clusters that is a place between them, whatever the map would say.

    Args:
        samples: (N, D) the samples' directions.
        shown: (N, 3) where they were put, inside the unit ball.
        on_sphere: the picture is the unit sphere, and what lies between samples lies on it as well.

    Raises:
        DataError: shapes that do not match, values beyond the unit ball.
    """

    linear = False

    def __init__(self, samples: np.ndarray, shown: np.ndarray, *, on_sphere: bool = False) -> None:
        shown = np.asarray(shown)
        if samples.ndim != 2 or shown.shape != (len(samples), 3) or shown.dtype.kind != "f":
            raise DataError(f"A map of samples {samples.shape} needs as many places (N, 3), got {shown.shape}.")
        length = np.linalg.norm(shown, axis=1)
        if not (length <= 1.001).all() or (on_sphere and not (length >= 0.999).all()):
            raise DataError(f"Places must lie {'on the unit sphere' if on_sphere else 'in the unit ball'}.")
        self.shown = shown.astype(np.float32)
        self.on_sphere = on_sphere
        self._samples = _directions(samples)

    def place(self, points: np.ndarray) -> np.ndarray:
        points = np.asarray(points, np.float32)
        placed = np.full((len(points), 3), np.nan, np.float32)
        for start in range(0, len(points), BLOCK):
            block = points[start : start + BLOCK]
            finite = np.isfinite(block).all(axis=1)
            placed[start : start + BLOCK][finite] = self._between(_directions(block[finite])) * block[finite].any(
                axis=1, keepdims=True
            )
        return placed

    def _between(self, directions: np.ndarray) -> np.ndarray:
        count = min(NEIGHBOURS, len(self._samples))
        near = np.argpartition(directions @ self._samples.T, -count, axis=1)[:, -count:]
        # Differences, as a cosine cannot tell apart what is nearer than a thousandth.
        gap = self._samples[near] - directions[:, None]
        square = np.einsum("knd,knd->kn", gap, gap).astype(np.float64)
        exact = square == 0
        weight = np.where(exact.any(axis=1, keepdims=True), exact, 1.0 / np.where(exact, 1.0, square))
        weight /= weight.sum(axis=1, keepdims=True)
        middle = np.einsum("kn,knd->kd", weight, self.shown[near].astype(np.float64))
        return _directions(middle) if self.on_sphere else middle

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {"shown": self.shown}


def _directions(points: np.ndarray) -> np.ndarray:
    """Rows of unit length; rows of zero stay."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.where(length > 0, length, 1)
