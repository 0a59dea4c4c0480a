"""`ltviz bench measures`: the court of measures, every measure of evenness on clouds whose truth is known.

With --write the verdicts go into the file that the app and the compare page read (`ltviz.metrics.court`).

Fang et al. (ICLR 2024) ask five things of a measure of uniformity; long tails ask more. Each charge is a row of clouds,
of which it is known whether each is as even as the first, or less even than the one before. A measure passes where it
says so: where it stays within `ROOM` of its way from even points to one point, or moves by more.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import ltviz
from ltviz import metrics
from ltviz.metrics.court import RECORDED, Difference

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
    along: tuple[str, ...]
    """What tells the clouds apart, a few letters each."""
    judges: Difference | None = None
    """In what two runs may differ where a measure has passed."""


def _collapsing() -> list[np.ndarray]:
    z = np.random.default_rng(0).standard_normal((POINTS, DIM))
    return [unit(z * (np.arange(DIM) < kept)) for kept in KEPT]


def _moving_away() -> list[np.ndarray]:
    z = np.random.default_rng(0).standard_normal((POINTS, DIM))
    return [unit(z + away / DIM**0.5 * 2) for away in AWAY]


TAILED = (400, 200, 100, 50, 25, 12, 6, 4)
HEAD, TAIL = TAILED[0], sum(TAILED[4:])
SIZES, WIDTHS, KEPT, AWAY = (50_000, 5000, 500, 50), (16, 2, 64, 512), (DIM, DIM // 2, DIM // 4, DIM // 8), (0, 1, 2, 4)
TWICE = ("once", "twice")

CHARGES = (
    Charge(
        "instance cloning",
        "not change where all points are there twice",
        lambda: [even(), np.tile(even(), (2, 1))],
        False,
        TWICE,
    ),
    Charge(
        "feature cloning",
        "grow where all features are there twice",
        lambda: [even(), np.tile(even(), 2) / 2**0.5],
        True,
        TWICE,
    ),
    Charge(
        "feature padding",
        "grow where as many dead features are added",
        lambda: [even(), np.pad(even(), ((0, 0), (0, DIM)))],
        True,
        ("none", f"{DIM}"),
    ),
    Charge("dimensional collapse", "grow as dimensions die", _collapsing, True, tuple(map(str, KEPT))),
    Charge("growing mean", "grow as all points move one way", _moving_away, True, tuple(map(str, AWAY))),
    Charge(
        "number of points",
        "not change with N, 50 to 50,000",
        lambda: [even(n) for n in SIZES],
        False,
        tuple(f"{n:,}" for n in SIZES),
        "points",
    ),
    Charge(
        "dimensions",
        "not change with D, 2 to 512",
        lambda: [even(dim=dim) for dim in WIDTHS],
        False,
        tuple(map(str, WIDTHS)),
        "dimensions",
    ),
    Charge(
        "head cloned",
        "not change where the largest class is there twice",
        lambda: [clumps(TAILED), np.vstack((clumps(TAILED), clumps(TAILED)[:HEAD]))],
        False,
        TWICE,
        "balance",
    ),
    Charge(
        "tail cloned",
        "not change where the four smallest classes are there twice",
        lambda: [clumps(TAILED), np.vstack((clumps(TAILED), clumps(TAILED)[-TAIL:]))],
        False,
        TWICE,
        "balance",
    ),
    Charge(
        "probe unbalanced",
        "not change where the same classes are drawn in other shares",
        lambda: [clumps([100] * CLASSES), clumps(TAILED)],
        False,
        ("even", "tailed"),
        "balance",
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


def hear() -> dict[str, Any]:
    """Every charge against every measure, as plain values: what the file holds."""
    heard = {}
    for charge in CHARGES:
        tried = {name: try_measure(measure, charge) for name, measure in MEASURES.items()}
        heard[charge.name] = {
            "asks": charge.asks,
            "grows": charge.grows,
            "along": list(charge.along),
            "judges": charge.judges,
            "measures": {
                name: {"passed": passed, "curve": [round(value, 4) for value in curve]}
                for name, (passed, curve) in tried.items()
            },
        }
    return heard


def run(argv: Sequence[str] = ()) -> None:
    """Prints a row for each charge and a column for each measure."""
    options = argparse.ArgumentParser("ltviz bench measures", description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="print one JSON object, with the curves")
    options.add_argument("--write", action="store_true", help="keep the verdicts, for the app to show")
    asked = options.parse_args(argv)
    heard = hear()
    if asked.write:
        told = {"date": time.strftime("%Y-%m-%d"), "version": ltviz.__version__, "room": ROOM, "charges": heard}
        RECORDED.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if asked.json:
        print(json.dumps({charge: row["measures"] for charge, row in heard.items()}))
        return
    print("| a measure should … |" + "".join(f" {name} |" for name in MEASURES))
    print("|---|" + "---|" * len(MEASURES))
    for row in heard.values():
        cells = [
            f" {'passed' if one['passed'] else 'failed'} ({one['curve'][-1]:+.2f}) |"
            for one in row["measures"].values()
        ]
        print(f"| {row['asks']} |" + "".join(cells))
