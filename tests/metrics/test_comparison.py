"""Paired comparisons: known intervals, symmetry, coverage, and words that claim no more than the seeds allow."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ltviz.errors import DataError
from ltviz.metrics.comparison import Comparison, compare


def seeds(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def judge(first: dict[int, float], second: dict[int, float], measure: str = "centre_sum", **more) -> Comparison:
    return compare(first, second, measure=measure, names=("BCL", "SupCon"), **more)


def test_the_sentence_of_a_clear_difference() -> None:
    found = judge(seeds(0.31, 0.30, 0.28), seeds(0.46, 0.42, 0.37))
    assert found.sentence() == "BCL's centre sum is lower than SupCon's by 0.12 [0.09, 0.15], 3 of 3 seeds"
    assert (found.wins, found.n, found.better) == (3, 3, "BCL")
    assert found.caution is not None and "1 of 4 cases" in found.caution


def test_an_interval_that_holds_zero_claims_nothing() -> None:
    found = judge(seeds(0.30, 0.30, 0.30), seeds(0.25, 0.40, 0.38))
    assert found.low is not None and found.high is not None and found.low < 0 < found.high
    assert found.sentence() == (
        "BCL's centre sum cannot be told from SupCon's: lower by 0.043 [-0.050, 0.100], lower in 2 of 3 seeds"
    )
    assert found.better is None and found.caution is None and not found.is_clear


@pytest.mark.parametrize("n, said", [(1, "1 seed"), (2, "2 seeds")])
def test_fewer_than_three_seeds_are_too_few(n: int, said: str) -> None:
    found = judge(seeds(*[0.1] * n), seeds(*[0.6] * n))
    assert found.sentence() == f"Too few seeds to tell: BCL's centre sum is lower by 0.50 against SupCon's in {said}"
    assert found.low is None and found.better is None


def test_no_common_seed_is_said() -> None:
    found = judge({0: 1.0}, {1: 2.0})
    assert found.n == 0 and found.difference is None
    assert found.sentence() == "BCL and SupCon have no seed in common in which centre sum was measured"


def test_only_common_seeds_with_finite_values_count() -> None:
    found = judge({0: 1.0, 1: np.nan, 2: 4.0, 7: 9.0}, {0: 0.5, 1: 0.5, 2: 1.0, 8: 0.0})
    assert found.n == 2 and found.difference == pytest.approx((0.5 + 3.0) / 2)


def test_units_are_those_of_the_measure() -> None:
    accuracy = judge(seeds(0.80, 0.81, 0.82), seeds(0.70, 0.70, 0.70), "accuracy_few")
    assert accuracy.sentence() == (
        "BCL's accuracy (rare classes) is higher than SupCon's by 11.0 points [10.0, 12.0], 3 of 3 seeds"
    )
    angle = judge(seeds(30.0, 31.0, 32.0), seeds(20.0, 20.0, 20.0), "min_centre_angle")
    assert "by 11.0° [10.0, 12.0]" in angle.sentence()
    assert "NC1" in judge(seeds(3, 3, 3), seeds(1, 1, 1), "nc1").sentence()
    small = judge(seeds(0.0, 0.0, 0.0), seeds(0.0011, 0.0012, 0.0013))
    assert "by 0.0012 [0.0011, 0.0013]" in small.sentence()


def test_equal_runs_are_the_same() -> None:
    found = judge(seeds(0.5, 0.5, 0.5), seeds(0.5, 0.5, 0.5))
    assert found.sentence() == "BCL's centre sum cannot be told from SupCon's: the same"


def test_swapping_negates() -> None:
    rng = np.random.default_rng(3)
    for n in (3, 5, 6, 12):
        a, b = seeds(*rng.normal(size=n)), seeds(*rng.normal(size=n))
        one, other = judge(a, b), judge(b, a)
        assert one.difference == pytest.approx(-other.difference)
        assert one.wins == other.wins
        if n <= 6:  # beyond, each draws the same rows, so this holds there too
            assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))


def test_the_interval_of_few_is_counted_over_all_resamples() -> None:
    values = [0.0, 1.0, 5.0, 9.0, 12.0]
    means = np.sort([np.mean(chosen) for chosen in product(values, repeat=5)])
    found = judge(seeds(*values), seeds(*[0.0] * 5))
    # Student's 97.5 % point at 4 degrees is 2.776; sqrt(5/4) * 2.776 = 3.104, and the normal tail there is 0.000955
    k = int(np.ceil(0.000955 * len(means)))
    assert (found.low, found.high) == (pytest.approx(means[k - 1]), pytest.approx(means[-k]))
    assert found.low < np.quantile(means, 0.025), "wider than the plain percentile interval"


def test_many_seeds_are_drawn_the_same_each_time_and_cover() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(150):
        values = seeds(*(rng.normal(0.3, 1.0, 8)))
        one = judge(values, seeds(*[0.0] * 8))
        assert one == judge(values, seeds(*[0.0] * 8))
        assert one.low is not None and one.high is not None
        hits += one.low <= 0.3 <= one.high
    assert hits / 150 == pytest.approx(0.95, abs=0.04)


def test_levels_outside_are_refused() -> None:
    with pytest.raises(DataError, match="between 0 and 1, got 95"):
        judge(seeds(1, 2, 3), seeds(1, 2, 3), level=95)
