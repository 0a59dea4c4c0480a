"""The profile of the tail, and which samples it keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltviz.data import registry
from ltviz.data.longtail import PROFILES, exponential_counts, pareto_counts, random, rank_classes, step_counts
from ltviz.errors import ConfigError

Profile = Callable[[int, int, float], list[int]]


def test_counts_are_those_of_the_official_code(golden: Path) -> None:
    files = sorted((golden / "lt_counts").glob("*.npz"))
    assert len(files) == 8
    for file in files:
        case = np.load(file)
        num_classes = int(case["param__num_classes"])
        factor = round(1 / float(case["param__imb_factor"]))
        assert exponential_counts(50_000 // num_classes, num_classes, factor) == case["out__counts_per_class"].tolist()


@pytest.mark.parametrize("n_max, num_classes, factor", [(120, 10, 50), (1, 3, 100), (1000, 2, 7.5), (5, 100, 1e6)])
def test_counts_follow_the_formula_and_leave_no_class_empty(n_max: int, num_classes: int, factor: float) -> None:
    counts = exponential_counts(n_max, num_classes, factor)
    assert counts == [max(1, int(n_max * factor ** (-c / (num_classes - 1)))) for c in range(num_classes)]
    assert counts[0] == n_max and counts == sorted(counts, reverse=True)


def test_one_class_and_factor_one_keep_everything() -> None:
    assert exponential_counts(7, 1, 100) == [7]
    assert exponential_counts(9, 4, 1) == [9, 9, 9, 9]


@pytest.mark.parametrize(
    "n_max, num_classes, factor", [(0, 10, 50), (10, 0, 50), (10, 10, 0.99), (10, 10, float("nan"))]
)
def test_impossible_profiles_are_refused(n_max: int, num_classes: int, factor: float) -> None:
    with pytest.raises(ConfigError, match=r"must be at least 1"):
        exponential_counts(n_max, num_classes, factor)


def test_steps_are_two_sizes_as_in_the_official_code() -> None:
    assert step_counts(5000, 10, 100) == [5000] * 5 + [50] * 5
    assert step_counts(500, 5, 7) == [500] * 2 + [71] * 3, "the middle class of an odd number is small"
    assert step_counts(10, 1, 100) == [10] and step_counts(3, 4, 1000) == [3, 3, 1, 1]


def test_pareto_sizes_come_near_those_of_imagenet_lt() -> None:
    counts = pareto_counts(1280, 1000, 256)
    assert counts[0] == 1280 and counts[-1] == 5 and counts == sorted(counts, reverse=True)
    assert sum(counts) == pytest.approx(115_846, rel=0.15)
    drawn = np.sort(np.random.default_rng(0).pareto(6, (400, 1000)))[:, ::-1].mean(0)
    quantiles = (np.arange(1000) + 0.5) / 1000
    middle = slice(100, 900)
    np.testing.assert_allclose((quantiles ** (-1 / 6) - 1)[middle], drawn[middle], rtol=0.02)
    assert pareto_counts(9, 1, 3) == [9] and min(pareto_counts(50, 10, 1e6)) == 1


@pytest.mark.parametrize("profile", PROFILES.values())
def test_no_profile_takes_impossible_numbers_or_leaves_a_class_empty(profile: Profile) -> None:
    for n_max, num_classes, factor in ((0, 10, 50), (10, 0, 50), (10, 10, 0.99)):
        with pytest.raises(ConfigError, match=r"must be at least 1"):
            profile(n_max, num_classes, factor)
    for n_max in (1, 7, 1000):
        counts = profile(n_max, 13, 100)
        assert counts[0] == n_max and min(counts) >= 1 and counts == sorted(counts, reverse=True) and len(counts) == 13


def test_numbers_depend_on_seed_stream_and_step_alone() -> None:
    first = random(3, 1, 700).random(4)
    random(3, 1, 699).random(1000)
    np.testing.assert_array_equal(random(3, 1, 700).random(4), first)
    for other in (random(4, 1, 700), random(3, 2, 700), random(3, 1, 701)):
        assert not np.array_equal(other.random(4), first)


def test_each_seed_makes_another_class_rare() -> None:
    orders = [tuple(rank_classes(10, seed)) for seed in range(20)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({order[-1] for order in orders}) > 5


def test_subset_has_ranked_labels_the_profile_and_a_balanced_test_set() -> None:
    data = registry.load("digits-lt", imbalance_factor=50, seed=1)
    assert data.counts.tolist() == exponential_counts(120, 10, 50)
    np.testing.assert_array_equal(np.bincount(data.train_labels), data.counts)
    np.testing.assert_array_equal(np.bincount(data.test_labels), np.full(10, 50))
    images = data.train_inputs.whole()
    assert images.dtype == np.uint8 and images.min() == 0 and images.max() == data.train_inputs.white == 16
    assert len(set(data.train_ids) | set(data.test_ids)) == len(data.train_ids) + len(data.test_ids)


def test_names_go_with_their_images_whatever_the_order_of_classes() -> None:
    """The image with a given id is the same picture, and its class the same name, for every seed and factor."""
    one = registry.load("digits-lt", imbalance_factor=50, seed=1)
    two = registry.load("digits-lt", imbalance_factor=5, seed=2)
    picture = {
        i: (image, one.class_names[y])
        for i, image, y in zip(one.train_ids, one.train_inputs.whole(), one.train_labels, strict=True)
    }
    shared = 0
    for i, image, y in zip(two.train_ids, two.train_inputs.whole(), two.train_labels, strict=True):
        if i in picture:
            np.testing.assert_array_equal(picture[i][0], image)
            assert picture[i][1] == two.class_names[y]
            shared += 1
    assert shared > 100
    assert sorted(one.test_ids) == sorted(two.test_ids), "the test set does not depend on seed or factor"
