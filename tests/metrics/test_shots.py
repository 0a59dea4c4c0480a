from __future__ import annotations

import numpy as np
import pytest

from ltviz import metrics
from ltviz.errors import DataError


def test_official_rule_at_its_bounds() -> None:
    groups = metrics.shot_groups([500, 101, 100, 20, 19, 1])
    assert [list(g) for _, g in groups.items()] == [[0, 1], [2, 3], [4, 5]]
    assert groups.rule == "many > 100 samples, few < 20"
    np.testing.assert_array_equal(groups.of_classes(), [0, 0, 1, 1, 2, 2])


def test_cifar100_lt_has_35_35_30_classes() -> None:
    counts = [int(500 * 0.01 ** (c / 99)) for c in range(100)]
    groups = metrics.shot_groups(counts)
    assert [len(g) for _, g in groups.items()] == [35, 35, 30]


@pytest.mark.parametrize(("n", "sizes"), [(1, [1, 0, 0]), (2, [1, 0, 1]), (3, [1, 1, 1]), (10, [3, 4, 3])])
def test_thirds_where_a_group_would_be_empty(n: int, sizes: list[int]) -> None:
    groups = metrics.shot_groups(np.full(n, 1000))
    assert [len(g) for _, g in groups.items()] == sizes
    assert groups.rule.startswith("thirds of the classes")
    assert sorted(groups.of_classes()) == [0] * sizes[0] + [1] * sizes[1] + [2] * sizes[2]


def test_thirds_go_by_count_and_not_by_index() -> None:
    groups = metrics.shot_groups([3, 90, 40, 80, 5, 50])
    assert [list(g) for _, g in groups.items()] == [[1, 3], [2, 5], [0, 4]]


@pytest.mark.parametrize("counts", [[], [[1, 2]], [1, -1], [1.0, np.nan]])
def test_counts_that_are_none_are_refused(counts: list) -> None:
    with pytest.raises(DataError):
        metrics.shot_groups(counts)


def test_group_accuracy_is_the_mean_of_class_accuracies() -> None:
    counts = [200, 150, 50, 5]
    y = np.array([0, 0, 0, 0, 1, 2, 2, 3])
    predictions = np.array([0, 0, 0, 1, 1, 2, 0, 0])
    found = metrics.shot_accuracy(predictions, y, counts)
    assert found.all == pytest.approx(5 / 8)
    assert found.many == pytest.approx((3 / 4 + 1) / 2)
    assert found.medium == pytest.approx(1 / 2)
    assert found.few == 0.0
    np.testing.assert_allclose(found.per_class, [0.75, 1, 0.5, 0])


def test_classes_without_samples_are_left_out() -> None:
    found = metrics.shot_accuracy(np.array([0, 1]), np.array([0, 1]), [200, 150, 50, 5])
    assert found.few is None and found.medium is None
    assert set(found) == {"all", "many", "per_class"}
    nothing = metrics.shot_accuracy(np.array([], int), np.array([], int), [200, 50, 5])
    assert nothing.all is None


def test_answers_that_do_not_match_are_refused() -> None:
    with pytest.raises(DataError, match="one prediction"):
        metrics.shot_accuracy(np.zeros(3), np.zeros(2, int), [5, 5])
    with pytest.raises(DataError, match=r"0 \.\.\. 1"):
        metrics.shot_accuracy(np.zeros(1), np.array([2]), [5, 5])
