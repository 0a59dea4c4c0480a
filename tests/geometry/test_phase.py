from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.geometry.phase import Plane, border, cells, collapse_of_runs, tail_angle


@pytest.mark.parametrize(
    ("plane", "row", "low", "high", "threshold"),
    [
        ({"loss": "ce", "against": "energy"}, 5.0, 10.0, 20.0, 12.19),
        ({"loss": "ce", "against": "energy", "num_head": 3, "num_tail": 7}, 5.0, 200.0, 300.0, 245.5),
        ({"loss": "supcon", "against": "temperature", "num_head": 2, "num_tail": 2}, 0.5, 100.0, 200.0, 132.6),
        ({"loss": "supcon", "against": "temperature", "average": "class"}, 0.5, 60.0, 100.0, 82.9),
        ({"loss": "supcon", "against": "temperature", "average": "class"}, 1.0, 10.0, 20.0, 16.9),
    ],
)
def test_runs_that_know_nothing_of_groups_close_where_theory_says(
    plane: dict[str, Any], row: float, low: float, high: float, threshold: float
) -> None:
    found = collapse_of_runs(Plane(**plane), row, low, high)
    assert found == pytest.approx(threshold, rel=0.02)
    assert border(Plane(**plane), row) == pytest.approx(threshold, rel=0.005)


def test_five_and_five_never_close_by_sample() -> None:
    plane = Plane(loss="supcon", against="temperature")
    assert border(plane, 0.5) == np.inf
    assert tail_angle(plane, 0.5, 1e4) == pytest.approx(72.2, abs=0.1)
    assert collapse_of_runs(plane, 0.5, 10.0, 1e4) is None


@pytest.mark.parametrize(("energy", "ratio"), [(1.25, 3.16), (1.25, 31.6), (2.5, 100.0)])
def test_rows_without_length_are_one_point_wherever_rounding_leaves_them(energy: float, ratio: float) -> None:
    plane = Plane(loss="ce", against="energy")
    assert ratio > border(plane, energy)
    assert tail_angle(plane, energy, ratio) == pytest.approx(0, abs=0.01)


def test_balanced_denominators_by_class_stay_a_simplex() -> None:
    plane = Plane(loss="bcl", against="temperature", average="class")
    assert tail_angle(plane, 0.3, 500.0) == pytest.approx(np.degrees(np.arccos(-1 / 9)), abs=1e-3)


def test_theory_says_nothing_in_too_few_dimensions() -> None:
    plane = Plane(loss="supcon", against="dim", num_head=2, num_tail=3)
    assert border(plane, 3) is None
    assert border(plane, 4) is not None
    assert 0 < tail_angle(plane, 2, 10.0) < 90


def test_cells_come_one_by_one_and_known_ones_are_not_run_again() -> None:
    plane = Plane(loss="ce", against="energy", num_head=2, num_tail=2)
    walk = cells(plane, np.array([5.0]), np.array([1.0, 3.0]), {(5.0, 1.0): -1.0})
    assert next(walk) == (0, 0, -1.0)
    assert next(walk)[:2] == (0, 1)
    walk.close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"loss": "ce", "against": "temperature"}, "rows of ce differ in energy"),
        ({"loss": "nothing", "against": "energy"}, "the loss must be one of"),
        ({"loss": "supcon", "against": "dim", "num_tail": 1}, "2 tail classes or more"),
        ({"loss": "supcon", "against": "dim", "average": "both"}, "average must be sample or class"),
        ({"loss": "supcon", "against": "dim", "temperature": 0.0}, "temperature must be 0.01 or more"),
    ],
)
def test_planes_are_checked(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Plane(**options)


def test_rows_and_ratios_are_checked() -> None:
    plane = Plane(loss="supcon", against="dim")
    with pytest.raises(ConfigError, match=r"dim must be a whole number of 2 or more, got 2\.5"):
        list(cells(plane, np.array([3.0, 2.5]), np.array([1.0])))
    with pytest.raises(ConfigError, match=r"the imbalance must be 1 or more, got 0\.5"):
        tail_angle(plane, 3, 0.5)
