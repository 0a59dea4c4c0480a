"""What a prediction is: directions of class means and classifier rows, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ltviz.errors import ConfigError

Basis = Literal["proven", "derived", "found"]
"""A theorem; a derivation of ours that numbers agree with; the best arrangement of a search, which may not be the best
there is."""
NEARLY = 0.9999


@dataclass(frozen=True, eq=False, kw_only=True)
class Prediction:
    """The geometry in which a loss ends, where features are free vectors. A limit, not a forecast: a trained network
    need not get there.

    Means and weights stand in one coordinate system, which may be turned as a whole: compare angles, or turn it onto
    what is to be compared (`procrustes`).
    """

    title: str
    """Which theory this is: "SELI"."""
    means: np.ndarray
    """(C, R) float64: the mean of each class, relative lengths included; unit rows where features are unit vectors."""
    weights: np.ndarray | None
    """(C, R) float64: the classifier's row of each class, in the same coordinates; None where the loss has none."""
    value: float
    """What was minimised, at the minimum; each function says what that is."""
    basis: Basis
    """How sure it is."""
    penalty: str
    """What holds the features and weights in bounds, one sentence: theories that charge them differently disagree."""
    source: str
    """Who says so."""
    gap: float | None = None
    """A bound on `value` less the true minimum, from the dual problem; None where nothing bounds it."""
    unique: bool = True
    """Whether every minimum has these angles. Below C - 1 dimensions it is one of several: never draw it as the
    answer."""

    @property
    def mean_angles(self) -> np.ndarray:
        """(C, C) degrees between the means of two classes, 0 on the diagonal."""
        return angles_between(self.means)

    @property
    def weight_angles(self) -> np.ndarray | None:
        """(C, C) degrees between the classifier's rows of two classes; None without a classifier."""
        return None if self.weights is None else angles_between(self.weights)


@dataclass(frozen=True)
class Groups:
    """Classes with one count are exchangeable: in the minimum of a convex loss all of a group stand alike."""

    member: np.ndarray
    """(C,) the group of each class."""
    count: np.ndarray
    """(K,) float64 samples of one class of the group; group 0 has most."""
    size: np.ndarray = field(repr=False)
    """(K,) float64 classes in the group."""

    @classmethod
    def of(cls, counts: np.ndarray) -> Groups:
        negated, member, size = np.unique(-counts, return_inverse=True, return_counts=True)
        return cls(member, -negated, size.astype(np.float64))

    def spread(self, centre: np.ndarray, within: np.ndarray) -> np.ndarray:
        """(C, R) rows of classes: of the group's centre (K, r), and of a regular simplex around it in dimensions of its
        own, whose members are at the distance `within` (K,) from it, below 0 on the other side."""
        apart = int((self.size - 1).sum())
        rows = np.zeros((len(self.member), centre.shape[1] + apart))
        rows[:, : centre.shape[1]] = centre[self.member]
        at = centre.shape[1]
        for group, size in enumerate(self.size.astype(int)):
            if size > 1:
                rows[self.member == group, at : at + size - 1] = within[group] * _simplex(size)
            at += size - 1
        return rows


def _simplex(size: int) -> np.ndarray:
    from ltviz.geometry.regular_simplex import simplex

    return simplex(size, size - 1)


def angles_between(rows: np.ndarray) -> np.ndarray:
    """(C, C) degrees between rows (C, R), exact for small angles and for opposite rows too; NaN for a row of zeros.

    Example:
        >>> angles_between(np.array([[2.0, 0.0], [0.0, 1.0], [1e-9, 1.0]])).round(9)[1]
        array([9.0e+01, 0.0e+00, 5.7e-08])
    """
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = np.divide(rows, lengths, out=np.full(rows.shape, np.nan), where=lengths > 0)
    cosines = np.clip(units @ units.T, -1.0, 1.0)
    angles = np.degrees(np.arccos(cosines))
    for row, column in np.argwhere(np.triu(np.abs(cosines) > NEARLY, 1)):  # where the arc cosine loses digits
        apart, together = np.linalg.norm(units[row] - units[column]), np.linalg.norm(units[row] + units[column])
        angles[row, column] = angles[column, row] = np.degrees(2 * np.arctan2(apart, together))
    np.fill_diagonal(angles, np.where(np.isnan(units[:, 0]), np.nan, 0.0))
    return angles


def checked_counts(what: str, counts: object, *, least: int = 2) -> np.ndarray:
    """(C,) float64 counts, all above 0.

    Raises:
        ConfigError: another shape, too few classes, or a count that is no number above 0.
    """
    try:
        array = np.asarray(counts, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(f"{what} takes the samples of each class, (C,) numbers, got {counts!r:.80}.") from None
    if array.ndim != 1 or len(array) < least:
        raise ConfigError(f"{what} takes counts (C,) of {least} classes or more, got shape {array.shape}.")
    bad = np.flatnonzero(~(np.isfinite(array) & (array > 0)))
    if len(bad):
        raise ConfigError(
            f"{what} takes counts above 0, but class {bad[0]} has {array[bad[0]]:g}; leave out classes without samples."
        )
    return array


def checked_dim(what: str, num_classes: int, dim: int | None) -> None:
    """ConfigError where `dim` is given and too small for the theory, with the least that is not."""
    if dim is not None and dim < num_classes - 1:
        raise ConfigError(
            f"{what} of {num_classes} classes is known from dim = {num_classes - 1} (C - 1) on, got dim = {dim}."
        )


def into(rows: np.ndarray, dim: int | None) -> np.ndarray:
    """Rows with zeros appended up to `dim` columns; as they are without `dim`."""
    if dim is None or dim <= rows.shape[1]:
        return rows
    return np.pad(rows, ((0, 0), (0, dim - rows.shape[1])))


def positive(what: str, name: str, value: object, low: float = 0.0) -> float:
    """A number above `low`, or `low` itself where that is above 0.

    Raises:
        ConfigError: it is not.
    """
    number = float(value) if isinstance(value, int | float | np.integer | np.floating) else float("nan")
    if not (low < number < np.inf or number == low > 0):
        rule = f"{low:g} or more" if low else "above 0"
        raise ConfigError(f"{what}: {name} must be a number {rule}, got {value!r:.40}.")
    return number
