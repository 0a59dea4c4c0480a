"""Measures of very many points, estimated from some of them, with the error that this leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ltviz.recording.drawn import draw_evenly

MOST_MEASURED = 20_000
"""Points that all measures are taken of, the slow ones among them: those take all pairs."""
PARTS = 6
"""Into which the measured points are dealt: how much they differ says how much another draw would."""

Progress = Callable[[float], None]
"""Is told the share that is done, 0 to 1; what it raises ends the measuring."""
Measuring = Callable[[np.ndarray, Progress], Mapping[str, float]]
"""Measures the samples with these indices."""


class Measured(dict[str, float]):
    """Key -> value of each measure, and what they rest on."""

    def __init__(self, values: Mapping[str, float], errors: Mapping[str, float], drawn: int, points: int) -> None:
        super().__init__(values)
        self.errors = dict(errors)
        """Standard error of those that are estimates, in their own unit; empty where all points were measured."""
        self.drawn, self.points = drawn, points
        """Points that were measured, and that there are."""

    @property
    def sampled(self) -> bool:
        return self.drawn < self.points


def estimate(
    measuring: Measuring, labels: np.ndarray, most: int = MOST_MEASURED, progress: Progress = lambda share: None
) -> Measured:
    """What `measuring` finds of `most` samples, drawn evenly from each class, or of all where they are not more.

    Standard errors are those of random groups: the drawn samples are dealt class by class into six parts, each of which
    is measured alone; the parts' standard deviation over the root of their number is the error of the whole, times
    sqrt(1 - n / N) for a finite number of points. What depends on how many points there are, such as the largest of
    many angles, differs more between small parts: its error is too large rather than too small.

    Args:
        labels: (N,) of all samples, -1 for none.

    Source: Wolter 2007, "Introduction to Variance Estimation", chapter 2.

    Example:
        >>> y = np.arange(40_000) % 2
        >>> x = np.random.default_rng(0).normal(size=40_000)
        >>> found = estimate(lambda rows, _: {"mean": float(x[rows].mean())}, y, 10_000)
        >>> abs(found["mean"]) < 4 * found.errors["mean"] < 0.1
        True
    """
    count = len(labels)
    if count <= most:
        return Measured(measuring(np.arange(count), progress), {}, count, count)
    rows = draw_evenly(labels, most)
    # A part is a sixth of the points, and a 36th of the pairs.
    whole = PARTS / (PARTS + 1)
    values = measuring(rows, lambda share: progress(whole * share))
    found = []
    for part in _dealt(rows, labels):
        progress(whole + (1 - whole) * len(found) / PARTS)
        found.append(measuring(part, lambda share: None))
    left = np.sqrt((1 - len(rows) / count) / PARTS)
    errors = {
        key: float(left * np.std([part[key] for part in found], ddof=1))
        for key in values
        if all(key in part for part in found)
    }
    return Measured(values, errors, len(rows), count)


def _dealt(rows: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The rows in `PARTS` parts, each with as many of each class as can be."""
    rows = np.random.default_rng(1).permutation(rows)
    rows = rows[np.argsort(labels[rows], kind="stable")]
    return [np.sort(rows[start::PARTS]) for start in range(PARTS)]
