"""`ltviz bench measures`: the court of measures, every measure of evenness on clouds whose truth is known.

Fang et al. (ICLR 2024) ask five things of a measure of uniformity; long tails ask more. Each charge is a row of clouds,
of which it is known whether each is as even as the first, or less even than the one before. A measure passes where it
says so: where it stays within `ROOM` of its way from even points to one point, or moves by more.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ltviz import metrics

ROOM = 0.02
"""Share of the way from an even cloud to one point within which two values are the same."""
POINTS, DIM, CLASSES = 1000, 16, 8
Measure = Callable[[np.ndarray], float]

MEASURES: Mapping[str, Measure] = {
    "uniformity": metrics.uniformity,
    "uniformity_wasserstein": metrics.uniformity_wasserstein,
    "mmd_sphere": metrics.mmd_sphere,
    "sliced_wasserstein_sphere": metrics.sliced_wasserstein_sphere,
    "effective_rank": lambda z: -metrics.effective_rank(z) / z.shape[1],
}
"""Lower is more even; the rank is a share of the dimensions, and turned round."""


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def even(n: int = POINTS, dim: int = DIM, seed: int = 0) -> np.ndarray:
    """(n, dim) uniform points."""
    return unit(np.random.default_rng(seed).standard_normal((n, dim)))


def clumps(counts: Sequence[int], dim: int = DIM, seed: int = 0) -> np.ndarray:
    """Clouds of classes around fixed centres, as many points of each as counted."""
    centres = even(len(counts), dim, seed=99)
    y = np.repeat(np.arange(len(counts)), counts)
    return unit(centres[y] + 0.3 * np.random.default_rng(seed).standard_normal((len(y), dim)) / dim**0.5)


@dataclass(frozen=True)
class Charge:
    """What a measure is tried for."""

    name: str
    asks: str
    """What it should do, one phrase."""
    clouds: Callable[[], Sequence[np.ndarray]]
    grows: bool
    """Whether each cloud is less even than the one before; else all are alike."""


def _collapsing() -> list[np.ndarray]:
    z = np.random.default_rng(0).standard_normal((POINTS, DIM))
    return [unit(z * (np.arange(DIM) < kept)) for kept in (DIM, DIM // 2, DIM // 4, DIM // 8)]


def _moving_away() -> list[np.ndarray]:
    z = np.random.default_rng(0).standard_normal((POINTS, DIM))
    return [unit(z + away / DIM**0.5 * 2) for away in (0.0, 1.0, 2.0, 4.0)]


CHARGES = (
    Charge(
        "instance cloning",
        "not change where all points are there twice",
        lambda: [even(), np.tile(even(), (2, 1))],
        False,
    ),
    Charge(
        "feature cloning",
        "grow where all features are there twice",
        lambda: [even(), np.tile(even(), 2) / 2**0.5],
        True,
    ),
    Charge(
        "feature padding",
        "grow where as many dead features are added",
        lambda: [even(), np.pad(even(), ((0, 0), (0, DIM)))],
        True,
    ),
    Charge("dimensional collapse", "grow as dimensions die", _collapsing, True),
    Charge("growing mean", "grow as all points move one way", _moving_away, True),
    Charge("number of points", "not change with N, 50 to 5,000", lambda: [even(n) for n in (5000, 500, 50)], False),
    Charge("dimensions", "not change with D, 2 to 256", lambda: [even(dim=dim) for dim in (16, 2, 64, 256)], False),
    Charge(
        "head cloned",
        "not change where the largest class is there twice",
        lambda: [clumps([400, 200, 100, 50, 25, 12, 6, 4]), clumps([800, 200, 100, 50, 25, 12, 6, 4])],
        False,
    ),
    Charge(
        "probe unbalanced",
        "not change where the same classes are drawn in other shares",
        lambda: [clumps([100] * CLASSES), clumps([400, 200, 100, 50, 25, 12, 6, 4])],
        False,
    ),
)


def try_measure(measure: Measure, charge: Charge) -> tuple[bool, list[float]]:
    """The verdict, and the curve behind it: 0 is the first cloud, 1 is all points in one place."""
    clouds = charge.clouds()
    place = np.tile(np.eye(1, clouds[0].shape[1]), (len(clouds[0]), 1))
    first = measure(clouds[0])
    way = measure(place) - first
    curve = [(measure(cloud) - first) / way for cloud in clouds]
    if charge.grows:
        return all(b - a > ROOM for a, b in pairwise(curve)), curve
    return max(map(abs, curve)) <= ROOM, curve


def run(argv: Sequence[str] = ()) -> None:
    """Prints a row for each charge and a column for each measure."""
    options = argparse.ArgumentParser("ltviz bench measures", description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="print one JSON object, with the curves")
    asked = options.parse_args(argv)
    found = {
        charge.name: {name: try_measure(measure, charge) for name, measure in MEASURES.items()} for charge in CHARGES
    }
    if asked.json:
        plain = {
            charge: {name: {"passed": passed, "curve": curve} for name, (passed, curve) in row.items()}
            for charge, row in found.items()
        }
        print(json.dumps(plain))
        return
    print("| a measure should … |" + "".join(f" {name} |" for name in MEASURES))
    print("|---|" + "---|" * len(MEASURES))
    for charge in CHARGES:
        cells = [f" {'passed' if ok else 'failed'} ({curve[-1]:+.2f}) |" for ok, curve in found[charge.name].values()]
        print(f"| {charge.asks} |" + "".join(cells))
