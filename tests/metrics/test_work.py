"""Work of forces: laws of a line integral along great circles."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import DataError
from ltviz.metrics.work import work


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def walk(seed: int = 0, steps: int = 12, count: int = 5, dim: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.arange(steps) * 8, unit(np.cumsum(rng.normal(size=(steps, count, dim)), axis=0) + 3)


def test_parts_add_up_and_what_points_off_the_sphere_does_nothing() -> None:
    steps, places = walk()
    rng = np.random.default_rng(1)
    pull, push = rng.normal(size=(2, *places.shape))
    found = work(steps, places, {"pull": pull, "push": push, "all": pull + push, "off": 3 * places})
    np.testing.assert_allclose(found.done["pull"] + found.done["push"], found.done["all"], atol=1e-12)
    np.testing.assert_allclose(found.done["off"], 0, atol=1e-12)
    assert (found.done["all"][0] == 0).all() and found.moved[0] == pytest.approx(0)


def test_the_way_back_undoes_the_way() -> None:
    steps, places = walk()
    force = np.random.default_rng(2).normal(size=places.shape)
    there = work(steps, places, {"f": force}).done["f"][-1]
    back = work(steps, places[::-1], {"f": force[::-1]}).done["f"][-1]
    np.testing.assert_allclose(there, -back, atol=1e-12)


@pytest.mark.parametrize("steps", [20, 200])
def test_work_of_a_potential_is_what_it_fell_by(steps: int) -> None:
    """Loss -u.z has force u along the sphere: the error of the rule falls with the square of the step."""
    t = np.linspace(0, 1, steps)[:, None]
    places = unit(np.stack([np.cos(2 * t), np.sin(2 * t), t**2], axis=2))
    u = np.array([0.3, -1.0, 2.0])
    found = work(np.arange(steps), places, {"u": np.broadcast_to(u, places.shape)})
    fallen = (places[-1] - places[0]) @ u
    np.testing.assert_allclose(found.done["u"][-1], fallen, atol=40 / steps**2 / 20)


def test_who_stands_still_or_is_not_known_is_moved_by_nobody() -> None:
    places = np.tile(unit(np.ones((1, 2, 3))), (3, 1, 1))
    places[1, 1] = np.nan
    found = work(np.arange(3), places, {"f": np.ones((3, 2, 3))})
    assert (found.done["f"] == 0).all() and np.isnan(found.moved[1, 1]) and found.moved[2, 1] == 0
    opposite = np.array([[[1.0, 0.0]], [[-1.0, 0.0]]])
    assert work(np.arange(2), opposite, {"f": np.ones((2, 1, 2))}).moved[1, 0] == pytest.approx(180)


def test_what_does_not_fit_is_refused() -> None:
    places = np.ones((2, 1, 3)) / 3**0.5
    with pytest.raises(DataError, match="growing steps"):
        work(np.array([3, 3]), places, {})
    with pytest.raises(DataError, match="part 'pull' has shape"):
        work(np.arange(2), places, {"pull": np.ones((2, 2, 3))})


def test_the_doubt_is_what_half_of_the_steps_would_have_told_otherwise() -> None:
    steps, places = walk(steps=9)
    force = np.random.default_rng(3).normal(size=places.shape)
    found = work(steps, places, {"f": force})
    even = work(steps[::2], places[::2], {"f": force[::2]}).done["f"][-1]
    kept = [0, 1, 3, 5, 7, 8]
    odd = work(steps[kept], places[kept], {"f": force[kept]}).done["f"][-1]
    wanted = np.abs(np.stack([even, odd]) - found.done["f"][-1]).max(0)
    np.testing.assert_allclose(found.doubt["f"], wanted, atol=1e-12)
    assert np.isinf(work(steps[:2], places[:2], {"f": force[:2]}).doubt["f"]).all()


def test_a_steady_pull_is_told_and_noise_is_not() -> None:
    t = np.linspace(0, 1, 30)[:, None]
    places = unit(np.stack([np.cos(t), np.sin(t), 0 * t], axis=2))
    steady = np.broadcast_to([0.0, 1.0, 0.0], places.shape)
    noise = np.random.default_rng(0).normal(size=places.shape) * 30
    some, every = 8 * np.arange(30), np.arange(30)
    assert work(some, places, {"pull": steady}).tells(0)
    assert not work(some, places, {"pull": steady, "noise": noise}).tells(0)
    assert work(every, places, {"pull": steady, "noise": noise}).tells(0), "nothing is left out"
