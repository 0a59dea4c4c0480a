from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.geometry import match_targets, optimal_targets


def test_matching_equals_the_official_code(golden: Path) -> None:
    cases = sorted((golden / "tsc_matching").glob("*.npz"))
    assert cases
    for case in cases:
        with np.load(case) as stored:
            found = match_targets(stored["input__class_means"], stored["input__targets_CxD"])
            np.testing.assert_array_equal(found, stored["out__target_index_of_class"])
            total = np.sum(stored["input__class_means"] * stored["input__targets_CxD"][found])
            assert total == pytest.approx(float(stored["out__total_similarity"]), rel=1e-12)


def test_matching_is_the_best_of_all_permutations() -> None:
    rng = np.random.default_rng(0)
    means, targets = rng.standard_normal((6, 3)), optimal_targets(6, 3)
    best = max(permutations(range(6)), key=lambda p: float(np.sum(means * targets[list(p)])))
    np.testing.assert_array_equal(match_targets(means, targets), best)


def test_matching_follows_permuted_targets_and_ignores_a_rotation_of_both() -> None:
    rng = np.random.default_rng(1)
    means, targets = rng.standard_normal((8, 4)), optimal_targets(8, 4)
    found = match_targets(means, targets)
    order = rng.permutation(8)
    np.testing.assert_array_equal(order[match_targets(means, targets[order])], found)
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    np.testing.assert_array_equal(match_targets(means @ rotation, targets @ rotation), found)


def test_classes_never_seen_take_what_is_left_over() -> None:
    targets = optimal_targets(4, 3)
    means = np.vstack([targets[2], np.zeros(3), targets[0], np.zeros(3)])
    found = match_targets(means, targets)
    assert found[0] == 2 and found[2] == 0
    assert sorted(found) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("means", "targets"),
    [
        (np.ones((3, 2)), np.ones((3, 3))),
        (np.ones((3, 2)), np.ones((2, 2))),
        (np.ones(3), np.ones((3, 3))),
        (np.full((2, 2), np.nan), np.ones((2, 2))),
    ],
)
def test_bad_input_is_refused(means: np.ndarray, targets: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="match_targets"):
        match_targets(means, targets)
