"""What moved between two steps: laws that hold for any classes, and that nothing is lost where steps are joined."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import DataError
from ltviz.metrics.moves import KINDS, Moved, MoveWatch, joined, moved, nearest_class

SAMPLES, CLASSES = 60, 5


def drawn(seed: int) -> np.ndarray:
    """(N,) classes, -1 where nothing is known."""
    return np.random.default_rng(seed).integers(-1, CLASSES, SAMPLES)


def told(found: Moved) -> set[tuple[int, int, int]]:
    return set(zip(found.rows.tolist(), found.before.tolist(), found.after.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_laws(seed: int):
    before, after = drawn(seed), drawn(seed + 10)
    assert not moved(before, before), "who stays has not moved"
    there = told(moved(before, after))
    assert there == {(i, a, b) for i, (a, b) in enumerate(zip(before, after, strict=True)) if min(a, b) >= 0 and a != b}
    assert told(moved(after, before)) == {(i, b, a) for i, a, b in there}, "the way back is the way there, reversed"
    other = np.append(np.random.default_rng(seed).permutation(CLASSES), -1)
    assert told(moved(other[before], other[after])) == {(i, other[a], other[b]) for i, a, b in there}


def test_a_border_lies_midway_and_the_centres_of_the_step_say_where():
    angles = np.radians([0, 44, 46, 90, -100])
    z = np.stack([np.cos(angles), np.sin(angles)], 1)
    centres = np.vstack([np.eye(2), np.full((1, 2), np.nan)])
    assert nearest_class(z, centres).tolist() == [0, 0, 1, 1, 0]
    assert nearest_class(z, centres[::-1]).tolist() == [2, 2, 1, 1, 2], "another order, the same borders"
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    assert nearest_class(z @ turn, centres @ turn).tolist() == [0, 0, 1, 1, 0], "nothing crosses where all turns"
    assert nearest_class(z, centres[2:]).tolist() == [-1] * 5


def test_joined_steps_say_what_the_first_and_the_last_one_say():
    a, b, c = (np.abs(drawn(seed)) for seed in range(3))
    assert told(joined(moved(a, b), moved(b, c))) == told(moved(a, c))
    assert not joined(moved(a, b), moved(b, a))


def test_what_is_not_known_is_compared_with_what_was_last():
    watch = MoveWatch()
    for step, classes in ((0, [0, 0]), (2, [-1, 1]), (3, [1, 1])):
        watch.take(step, {"border": np.array(classes)})
    watch.take(4, {})
    watch.take(2, {"border": np.array([2, 2])})  # late: left out
    found = watch.told()
    assert found.steps.tolist() == [0, 2, 3, 4] and found.joined == found.edition == 0
    assert [told(found.at("border", place)) for place in range(3)] == [set(), {(1, 0, 1)}, {(0, 0, 1)}]
    with pytest.raises(DataError, match="the same N samples"):
        watch.take(5, {"border": np.array([0])})


@pytest.mark.parametrize("most", [0, 100, 10_000])
def test_of_many_changes_the_steps_are_joined_and_the_ends_are_right(most: int):
    states = [np.abs(drawn(seed)) for seed in range(20)]
    watch = MoveWatch(most)
    for step, state in enumerate(states):
        watch.take(10 * step, dict.fromkeys(KINDS, state))
    found = watch.told()
    assert found.steps[0] == 0 and found.steps[-1] == 190
    assert (found.edition > 0) == (found.joined > 0) == (most < 10_000)
    count = sum(map(len, found.found.values()))
    assert count <= most or len(found.steps) == 2
    for at, (step, before) in enumerate(zip(found.steps[1:], found.steps, strict=False)):
        wanted = told(moved(states[before // 10], states[step // 10]))
        assert all(told(found.at(kind, at + 1)) == wanted for kind in KINDS)
