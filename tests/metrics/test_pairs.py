from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import DataError


def test_every_pair_stands_in_exactly_one_part_of_the_split() -> None:
    centres = np.random.default_rng(0).standard_normal((9, 4))
    groups = metrics.shot_groups([300, 200, 150, 90, 50, 30, 9, 5, 2])
    split = metrics.pair_split(centres, groups)
    units = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    of = groups.of_classes()
    names = ["head", "medium", "tail"]
    seen: dict[str, list[float]] = {}
    for a in range(9):
        for b in range(a + 1, 9):
            key = "_".join(names[g] for g in sorted((of[a], of[b])))
            seen.setdefault(key, []).append(float(units[a] @ units[b]))
    assert set(seen) == set(split)
    for key, cosines in seen.items():
        assert split[key].smallest_angle == pytest.approx(np.degrees(np.arccos(max(cosines))))
        assert split[key].mean_angle == pytest.approx(np.degrees(np.mean(np.arccos(cosines))))
        assert split[key].deviation_mean == pytest.approx(np.mean(np.abs(np.array(cosines) + 1 / 8)))


def test_minority_collapse_is_one_for_a_simplex_and_zero_for_a_collapsed_tail() -> None:
    groups = metrics.shot_groups(np.geomspace(500, 5, 9))
    centres = geometry.simplex(9, 8)
    assert metrics.minority_collapse(centres, groups) == pytest.approx(1.0)
    centres[groups.tail] = centres[groups.tail[0]]
    assert metrics.minority_collapse(centres, groups) == 0.0


def test_groups_without_two_present_classes_say_nothing() -> None:
    groups = metrics.shot_groups([200, 50, 5])
    split = metrics.pair_split(np.eye(3), groups)
    assert split["head_head"].smallest_angle is None
    assert split["head_tail"].smallest_angle == pytest.approx(90.0)
    assert metrics.minority_collapse(np.eye(3), groups) is None
    absent = np.eye(3)
    absent[2] = np.nan
    assert metrics.pair_split(absent, groups)["head_tail"].smallest_angle is None


def test_groups_of_other_classes_are_refused() -> None:
    with pytest.raises(DataError, match="as many as the groups"):
        metrics.pair_split(np.eye(4), metrics.shot_groups([200, 50, 5]))


def test_equality_of_a_simplex_and_of_unequal_norms() -> None:
    means = 2.0 * geometry.simplex(5, 6) + 3.0
    found = metrics.equality(means)
    assert found is not None
    assert found.equinorm == pytest.approx(0.0, abs=1e-12) and found.equiangularity == pytest.approx(0.0, abs=1e-12)
    # about their mean 0 the rows have lengths 1, 1, 3, 3 and cosines -1 (twice) and 0 (four times)
    found = metrics.equality(np.array([[1.0, 0], [-1, 0], [0, 3], [0, -3]]))
    assert found is not None
    assert found.equinorm == pytest.approx(0.5)
    assert found.equiangularity == pytest.approx(np.std([-1, 0, 0, 0, 0, -1]))
    assert metrics.equality(np.ones((3, 2))) is None


def test_target_angles() -> None:
    centres = np.array([[2.0, 0], [0, 1], [np.nan, np.nan]])
    found = metrics.target_angles(centres, np.array([[1.0, 1], [0, -4], [1, 0]]))
    np.testing.assert_allclose(found, [45, 180, np.nan])
    with pytest.raises(DataError, match="one target"):
        metrics.target_angles(centres, np.eye(2))
