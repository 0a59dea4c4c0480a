"""Samples grouped by class, summed once for all measures that need class means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.class_sums import class_sums, sorted_by_class

# Below this length the mean of unit vectors has no direction that float32 embeddings could tell from noise.
SHORTEST_MEAN = 1e-6
# Rows that differ by less than this share of their largest entry lie in one place, as far as float32 can tell.
ONE_PLACE = 1e-6
# Degrees below which float32 cannot tell an angle between two directions from none.
SMALLEST_ANGLE = 1e-4
UNLABELLED = -1
"""The label of a sample that has none: no measure sees it. The same number as in recordings."""


@dataclass(frozen=True, eq=False)
class Classes:
    """Embeddings and labels, sorted by class.

    Rows are kept as given (float32 or float64); sums are float64.
    """

    z: np.ndarray
    """(N, D) float, as given."""
    y: np.ndarray
    """(N,) int64."""
    num_classes: int
    """C, absent classes included."""
    order: np.ndarray
    """(N,) int64 permutation that sorts the samples by class."""
    count: np.ndarray
    """(C,) int64 samples of each class."""
    means: np.ndarray
    """(C, D) float64 means of the rows as given; zeros where the class has no sample."""

    @classmethod
    def of(cls, z: np.ndarray, y: np.ndarray, num_classes: int | None = None) -> Classes:
        """Check and group.

        Args:
            z: (N, D) embeddings, N >= 1, finite.
            y: (N,) integer labels in 0 ... C-1.
            num_classes: C; default the largest label + 1.

        Raises:
            DataError: shapes that do not match, labels out of range or not integers, values that are not finite.
        """
        z = np.asarray(z)
        y = np.asarray(y)
        if z.dtype not in (np.float32, np.float64):
            z = z.astype(np.float64)
        if z.ndim != 2 or z.size == 0 or y.shape != z.shape[:1]:
            raise DataError(
                f"Measures take embeddings (N, D) with N >= 1 and labels (N,), got shapes {z.shape} and {y.shape}."
            )
        if y.dtype.kind not in "iu":
            raise DataError(f"Labels must be integers 0 ... C-1, got dtype {y.dtype}; relabel them first.")
        y = y.astype(np.int64, copy=False)
        low, high = int(y.min()), int(y.max())
        if num_classes is None:
            num_classes = high + 1
        if low < 0 or high >= num_classes:
            raise DataError(
                f"Labels must lie in 0 ... {num_classes - 1} for {num_classes} classes, got {low} to {high}."
            )
        order, _ = sorted_by_class(y, num_classes)
        sums, count = class_sums(z, y, num_classes)
        means = sums / np.maximum(count, 1)[:, None]
        if not np.isfinite(means).all():
            raise DataError("Embeddings must be finite; NaN or infinity was found, so the run has probably diverged.")
        return cls(z, y, num_classes, order, count, means)

    @classmethod
    def of_labelled(cls, z: np.ndarray, y: np.ndarray, num_classes: int | None = None) -> Classes:
        """`of` the samples that have a label; those of -1 are left out, so that N counts the others.

        Raises:
            DataError: as `of`, or no sample has a label.
        """
        z, y = np.asarray(z), np.asarray(y)
        labelled = y != UNLABELLED
        if y.shape != z.shape[:1] or y.ndim != 1 or labelled.all():
            return cls.of(z, y, num_classes)
        if not labelled.any():
            raise DataError("Measures of classes take at least one labelled sample, but every label is -1 (none).")
        return cls.of(z[labelled], y[labelled], num_classes)

    def normalised(self) -> Classes:
        """The same samples as unit rows; itself where they are unit already.

        Raises:
            DataError: a row of length zero.
        """
        rows = normalise(self.z)
        return self if rows is self.z else Classes.of(rows, self.y, self.num_classes)

    @cached_property
    def present(self) -> np.ndarray:
        """(K,) int64 classes with at least one sample."""
        return np.flatnonzero(self.count)

    @cached_property
    def several(self) -> np.ndarray:
        """(C,) bool: classes with two samples or more. A single sample is its own mean and has no scatter."""
        return self.count >= 2

    @cached_property
    def one_place(self) -> bool:
        """Whether all samples coincide: what compares classes, or scatter with distance, is 0/0 then."""
        return one_place(self.z)

    @cached_property
    def starts(self) -> np.ndarray:
        """(K,) int64 position in `order` of the first sample of each present class."""
        return np.cumsum(self.count)[self.present] - self.count[self.present]

    @cached_property
    def resultant(self) -> np.ndarray:
        """(C,) float64 length of each class mean, 0 for absent classes."""
        return np.sqrt(np.einsum("cd,cd->c", self.means, self.means))

    @cached_property
    def centres(self) -> np.ndarray:
        """(C, D) float64 unit class centres; NaN rows where a class is absent or its mean has no direction."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.resultant[:, None] > SHORTEST_MEAN, self.means / self.resultant[:, None], np.nan)

    def average(self, values: np.ndarray) -> np.ndarray:
        """(C,) mean over each class of one value a sample, (N,); NaN for absent classes."""
        out = np.full(self.num_classes, np.nan)
        out[self.present] = np.bincount(self.y, weights=values, minlength=self.num_classes)[self.present]
        out[self.present] /= self.count[self.present]
        return out


def one_place(rows: np.ndarray) -> bool:
    """Whether all of the finite rows (N, D), N >= 1, coincide as far as float32 can tell."""
    few = rows[:: max(1, len(rows) // 16)]  # enough to see that they do not, as almost always
    return _coincide(few) and _coincide(rows)


def _coincide(rows: np.ndarray) -> bool:
    return bool(np.ptp(rows, axis=0).max() <= ONE_PLACE * np.abs(rows).max())


def normalise(z: np.ndarray) -> np.ndarray:
    """Unit rows (N, D) of finite rows (N, D), same float dtype; `z` itself where it is unit to float32 precision.

    Raises:
        DataError: a row of length zero, which has no direction.

    Example:
        >>> import numpy as np
        >>> normalise(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]])
    """
    square = np.einsum("nd,nd->n", z, z)
    if np.abs(square - 1).max() < 4e-6:
        return z
    # squares of very long or very short float32 rows leave the range of float32
    length = np.linalg.norm(z.astype(np.float64), axis=1)
    if length.min() == 0:
        raise DataError(f"Row {int(length.argmin())} of the embeddings is zero and has no direction on the sphere.")
    return (z / length[:, None]).astype(z.dtype, copy=False)


def images_of_classes(images: np.ndarray, y: np.ndarray, num_classes: int) -> np.ndarray:
    """(C,) int64 different images that the points of each class are of.

    Example:
        >>> images_of_classes(np.array([7, 7, 8, 8]), np.array([0, 0, 0, 1]), 3).tolist()
        [2, 1, 0]
    """
    pairs = np.unique(np.stack([y, images], axis=1), axis=0) if len(y) else np.zeros((0, 2), np.int64)
    return np.bincount(pairs[:, 0], minlength=num_classes)
