"""What forces have done on the way: who has moved a class, or a sample, since a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError

Gains = dict[str, np.ndarray]
"""Part of a force -> (T - 1, N), its work from each of T steps to the next; (T - 2, N), to the one after that."""


@dataclass(frozen=True)
class Work:
    """The work of each part of a force along the way of N points, summed from the first of T steps.

    Attributes:
        steps: (T,) int64, growing.
        done: part -> (T, N) float64, loss: what the part did by then, 0 at the first step. Above 0 it was along with
            the way, below 0 against it, and 0 where the point did not move or moved across the force.
        doubt: part -> (N,) float64 >= 0, loss: how far the last row of `done` is from what half of the steps would have
            told, every second one from the first or from the second on, whichever is farther; inf with two steps. Where
            it is as large as what was done, more steps would tell something else.
        moved: (T, N) float64, degrees from the place at the first step; NaN where one of the two is not known.
    """

    steps: np.ndarray
    done: Mapping[str, np.ndarray]
    doubt: Mapping[str, np.ndarray]
    moved: np.ndarray

    def tells(self, column: int) -> bool:
        """Whether enough steps are known to say who moved a point: every one, or the doubt is below half of the largest
        work."""
        if len(self.steps) > 1 and (np.diff(self.steps) == 1).all():
            return True
        most = max((abs(done[-1, column]) for done in self.done.values()), default=0.0)
        return max((doubt[column] for doubt in self.doubt.values()), default=np.inf) < most / 2


def work(steps: np.ndarray, places: np.ndarray, forces: Mapping[str, np.ndarray]) -> Work:
    r"""The work $\int F \cdot dz$ of forces along the great circles between places, by the trapezoid rule.

    A force is minus the gradient of a sample's loss by its embedding, so what all parts have done together is the loss
    that moving has paid off, as far as the others stood still. It tells which part the way went along with. It does not
    tell that the part alone moved the point: the network moves all embeddings at once.

    Where forces are known at some steps only, what lies between is left out. Measured on digits-lt (imbalance 50, 600
    steps of SupCon, BCL and TSC, d 3) against forces at every step: with every eighth one, the four largest classes are
    right to 5 to 40 % of their largest part and the tail is not (40 to 290 %), for most batches hold none of it.
    `Work.doubt` finds that out by itself: it leaves nearly all such classes untold.

    Example:
        >>> quarter = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
        >>> force = {"pull": np.array([[[0.0, 2.0]], [[-2.0, 0.0]]])}
        >>> found = work(np.array([0, 8]), quarter, force)
        >>> round(found.done["pull"][-1].item(), 4), found.moved[-1].item()
        (3.1416, 90.0)

    Args:
        steps: (T,) integers, growing.
        places: (T, N, D) unit rows; a row that is not finite is a place not known, and the ways to and from it count
            for nothing.
        forces: part -> (T, N, D), loss per radian; what points off the sphere does no work.

    Raises:
        DataError: shapes that do not fit one another, or steps that do not grow.
    """
    steps, places = np.asarray(steps, dtype=np.int64), np.asarray(places, dtype=np.float64)
    if places.ndim != 3 or steps.shape != places.shape[:1] or not len(steps) or (np.diff(steps) <= 0).any():
        raise DataError(
            f"Work takes growing steps (T,) and places (T, N, D) with T >= 1, got shapes {steps.shape} and "
            f"{places.shape}; sort the steps and give each once."
        )
    return summed(steps, gains(places, forces), gains(places, forces, lag=2), places)


def gains(places: np.ndarray, forces: Mapping[str, np.ndarray], lag: int = 1) -> Gains:
    """The work of each part from every place to the one `lag` later; arguments and errors as in `work`."""
    start, end = places[:-lag], places[lag:]
    there, back = _ways(start, end), _ways(end, start)
    found = {}
    for name, given in forces.items():
        force = np.asarray(given, dtype=np.float64)
        if force.shape != places.shape:
            raise DataError(
                f"Each place needs one force: the part {name!r} has shape {force.shape}, places {places.shape}."
            )
        found[name] = ((force[:-lag] * there).sum(2) - (force[lag:] * back).sum(2)) / 2
    return found


def summed(steps: np.ndarray, singles: Gains, doubles: Gains, places: np.ndarray) -> Work:
    """The work that was gained from each step to the next, and to the one after that, of the parts in `singles`."""
    done = {
        name: np.concatenate([np.zeros((1, gained.shape[1])), np.cumsum(gained, 0)]) for name, gained in singles.items()
    }
    doubt = {name: _doubt(gained, doubles[name]) for name, gained in singles.items()}
    return Work(steps, done, doubt, np.degrees(_angle(places[:1], places)))


def _doubt(single: np.ndarray, double: np.ndarray) -> np.ndarray:
    if not len(double):
        return np.full(single.shape[1], np.inf)
    whole, coarse = single.sum(0), []
    for first in (0, 1):
        jumps = double[first::2]
        covered = first + 2 * len(jumps)
        coarse.append(single[:first].sum(0) + jumps.sum(0) + single[covered:].sum(0))
    return np.abs(np.stack(coarse) - whole).max(0)


def _ways(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The tangents (..., D) at unit rows, as long as the angle, along which the great circles to others begin."""
    across = end - (start * end).sum(-1, keepdims=True) * start
    size = np.linalg.norm(across, axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        way = across / size * _angle(start, end)[..., None]
    # nothing is known of the direction to the same place, to the opposite one, and where a place is not known
    return np.where(np.isfinite(way), way, 0.0)


def _angle(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Radians between unit rows, exact for small ones too."""
    return 2 * np.arctan2(np.linalg.norm(start - end, axis=-1), np.linalg.norm(start + end, axis=-1))
