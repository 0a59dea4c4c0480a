"""Phase diagrams: at which imbalance, and at which temperature, penalty or dimension, rare classes end on one point.

Every cell is a run of the class-collapsed loss on free points, one a class, from a random start and without knowing
which classes are alike; the border that theory predicts is computed apart from it, and drawn over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.predicted import minority_threshold, supcon_threshold
from ltviz.geometry.predicted.descent import descend
from ltviz.geometry.predicted.peeled import Peeled
from ltviz.geometry.predicted.prediction import angles_between
from ltviz.geometry.predicted.supcon import SHARPEST, Average, free_points
from ltviz.geometry.regular_simplex import fits
from ltviz.geometry.threads import one_blas_thread

Loss = Literal["supcon", "bcl", "ce"]
Against = Literal["temperature", "dim", "energy"]
OPEN = 0.5
"""Degrees above which tail classes are not one point."""
CLOSE = 0.01
"""How exactly the border of the runs is found, of its ratio."""
NOTHING = 1e-6
"""Of the longest row: shorter ones point nowhere, and are one point, the origin."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """What a phase diagram is of.

    Raises:
        ConfigError: a loss, name or number that breaks its rule.
    """

    loss: Loss
    """"supcon", "bcl" (each class once in a denominator), or "ce" (cross-entropy in norm balls, `layer_peeled`)."""
    against: Against
    """What the rows differ in: "temperature" or "dim" of a contrast, or "energy", E_W E_H, of cross-entropy: the
    stronger the penalty, the less energy."""
    num_head: int = 5
    num_tail: int = 5
    average: Average = "sample"
    temperature: float = 0.1
    """Of a contrast whose rows differ in another thing."""
    seed: int = 0
    """Of the random starts."""

    def __post_init__(self) -> None:
        if self.loss not in get_args(Loss):
            raise ConfigError(f"the loss must be one of {', '.join(get_args(Loss))}, got {self.loss!r:.40}")
        if self.average not in get_args(Average):
            raise ConfigError(f"average must be sample or class, got {self.average!r:.40}")
        rows = ("energy",) if self.loss == "ce" else ("temperature", "dim")
        if self.against not in rows:
            raise ConfigError(f"rows of {self.loss} differ in {' or '.join(rows)}, not in {self.against!r:.40}")
        if self.num_head < 1 or self.num_tail < 2:
            raise ConfigError(
                f"a phase diagram needs 1 head class or more and 2 tail classes or more, got {self.num_head} and "
                f"{self.num_tail}"
            )
        if not (np.isfinite(self.temperature) and self.temperature >= SHARPEST):
            raise ConfigError(f"temperature must be {SHARPEST:g} or more, got {self.temperature:g}")

    @property
    def num_classes(self) -> int:
        return self.num_head + self.num_tail

    def check(self, row: float) -> None:
        """ConfigError where a row cannot be one."""
        if self.against == "temperature":
            ok, rule = row >= SHARPEST, f"{SHARPEST:g} or more"
        elif self.against == "dim":
            ok, rule = row >= 2 and row == int(row), "a whole number of 2 or more"
        else:
            ok, rule = row > 0, "above 0"
        if not (np.isfinite(row) and ok):
            raise ConfigError(f"{self.against} must be {rule}, got {row:g}")


def tail_angle(plane: Plane, row: float, ratio: float) -> float:
    """Smallest angle in degrees between two tail classes where a run of free points ends; of the classifier's rows for
    cross-entropy. At little energy those of rare classes end in the origin, which is one point: 0.

    Args:
        row: temperature, dimension or energy, as `plane.against` says.
        ratio: n_head / n_tail, 1 or more.

    Raises:
        ConfigError: a row or ratio that breaks its rule.

    Example:
        >>> plane = Plane(loss="ce", against="energy")
        >>> round(tail_angle(plane, 5.0, 10.0), 1), round(tail_angle(plane, 5.0, 15.0), 1)
        (58.8, 0.0)
    """
    plane.check(row)
    if not (np.isfinite(ratio) and ratio >= 1):
        raise ConfigError(f"the imbalance must be 1 or more, got {ratio:g}")
    rows = _run(plane, float(row), float(ratio))
    lengths = np.linalg.norm(rows, axis=1)
    if np.sort(lengths[plane.num_head :])[1] < NOTHING * lengths.max():
        return 0.0
    tails = rows[plane.num_head :]
    return float(angles_between(tails)[np.triu_indices(len(tails), 1)].min())


@one_blas_thread()
def _run(plane: Plane, row: float, ratio: float) -> np.ndarray:
    """(C, R) where the classes end."""
    counts = np.array([1.0] * plane.num_head + [1.0 / ratio] * plane.num_tail)
    rng = np.random.default_rng(plane.seed)
    size = plane.num_classes
    if plane.loss == "ce":
        peeled = Peeled(counts, np.ones(size), float(np.sqrt(row)))
        start = np.concatenate([rng.standard_normal(2 * size * size), np.zeros(size)])[None]
        free = np.ones(start.shape, bool)
        free[0, 2 * size * size :] = False
        return peeled.factors(descend(start, peeled.at, free=free))[1]
    shares = counts / counts.sum()
    equal = np.full(size, 1 / size)
    weights, masses = shares if plane.average == "sample" else equal, equal if plane.loss == "bcl" else shares
    dim = int(row) if plane.against == "dim" else max(size - 1, 2)
    tau = row if plane.against == "temperature" else plane.temperature
    return free_points(weights, masses, tau, rng.standard_normal((size, dim)), anneal=True)


def border(plane: Plane, row: float) -> float | None:
    """The imbalance above which theory predicts that the tails of a row are one point: infinity where they never are;
    None below C - 1 dimensions, of which it says nothing.

    Raises:
        ConfigError: a row that breaks its rule.

    Example:
        >>> round(border(Plane(loss="supcon", against="temperature", average="class"), 0.5), 1)
        82.9
    """
    plane.check(row)
    if plane.loss == "ce":
        return minority_threshold(plane.num_head, plane.num_tail, weight_energy=1.0, feature_energy=row)
    if plane.against == "dim" and not fits(plane.num_classes, int(row)):
        return None
    return supcon_threshold(
        plane.num_head,
        plane.num_tail,
        temperature=row if plane.against == "temperature" else plane.temperature,
        average=plane.average,
        denominator="classes" if plane.loss == "bcl" else "samples",
    )


def collapse_of_runs(plane: Plane, row: float, low: float, high: float) -> float | None:
    """The imbalance at which runs of a row close, found by halving between one at which they are open and one at which
    they are closed, to `CLOSE` of itself; None where they are not so.

    Example:
        >>> found = collapse_of_runs(Plane(loss="ce", against="energy"), 5.0, 10.0, 20.0)
        >>> abs(found / 12.192 - 1) < 0.02
        True
    """
    if not (tail_angle(plane, row, low) > OPEN >= tail_angle(plane, row, high)):
        return None
    while high / low > 1 + CLOSE:
        middle = float(np.sqrt(low * high))
        if tail_angle(plane, row, middle) > OPEN:
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))


def cells(
    plane: Plane, rows: np.ndarray, ratios: np.ndarray, known: Mapping[tuple[float, float], float] = {}
) -> Iterator[tuple[int, int, float]]:
    """Row by row the place of each cell and its angle, in degrees: whoever asks for no more of them has stopped.

    Args:
        rows, ratios: (Y,) and (X,).
        known: (row, ratio) -> angle, of cells that need not be run again.

    Raises:
        ConfigError: a row or ratio that breaks its rule, before the first cell.
    """
    for row in rows:
        plane.check(float(row))
    for y, row in enumerate(rows):
        for x, ratio in enumerate(ratios):
            angle = known.get((float(row), float(ratio)))
            yield y, x, tail_angle(plane, float(row), float(ratio)) if angle is None else angle
