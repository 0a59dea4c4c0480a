"""Comparisons over seeds: known intervals, symmetry, coverage, family error, and words that claim no more than that."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from ltviz.errors import DataError
from ltviz.metrics.comparison import Comparison, block_interval, compare, correct, holm, share_error, told_apart


def seeds(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def judge(first: dict[int, float], second: dict[int, float], measure: str = "centre_sum", **more) -> Comparison:
    return compare(first, second, measure=measure, names=("BCL", "SupCon"), **more)


# ---------------------------------------------------------------------- what it says


def test_the_sentence_of_a_difference() -> None:
    found = judge(seeds(0.31, 0.30, 0.28), seeds(0.46, 0.42, 0.37))
    assert found.sentence() == (
        "BCL's centre sum (all samples) is lower than SupCon's by 0.12 [0.05, 0.19], p = 0.02 over only 3 seeds"
    )
    assert (found.wins, found.n, found.better, found.methods) == (3, 3, "BCL", 2)
    five = judge(seeds(0.31, 0.30, 0.28, 0.3, 0.3), seeds(0.46, 0.42, 0.37, 0.4, 0.4))
    assert five.sentence().endswith("p < 0.001 over 5 seeds"), "five are no longer called few"


def test_an_interval_that_holds_zero_claims_nothing() -> None:
    found = judge(seeds(0.30, 0.30, 0.30), seeds(0.25, 0.40, 0.38))
    assert found.low is not None and found.high is not None and found.low < 0 < found.high
    assert found.sentence() == (
        "BCL's centre sum (all samples) cannot be told from SupCon's: lower by 0.043 [-0.159, 0.246], p = 0.45 over "
        "only 3 seeds"
    )
    assert found.better is None and not found.differs


def test_nothing_is_claimed_that_falls_by_correction() -> None:
    one = judge(seeds(0.31, 0.30, 0.28), seeds(0.46, 0.42, 0.37))
    other = judge(seeds(0.1, 0.5, 0.2), seeds(0.3, 0.1, 0.4), "uniformity")
    assert one.differs and one.family == 1
    alone, _ = correct([one, other])
    assert alone.differs and alone.corrected == pytest.approx(2 * one.p) and alone.p == one.p and alone.family == 2
    among, *_ = correct([one, other, other])
    assert not among.differs and among.better is None and "cannot be told from" in among.sentence()
    assert (among.low, among.high) == (one.low, one.high), "the interval is of the difference by itself"
    few = judge(seeds(1.0), seeds(2.0))
    assert correct([few, one]) == [few, one], "what has no p is no comparison to correct for"


@pytest.mark.parametrize("n, said", [(1, "1 seed"), (2, "2 seeds")])
def test_fewer_than_three_seeds_are_too_few(n: int, said: str) -> None:
    found = judge(seeds(*[0.1] * n), seeds(*[0.6] * n))
    name = "BCL's centre sum (all samples)"
    assert found.sentence() == f"Too few seeds to tell: {name} is lower by 0.50 against SupCon's in {said}"
    assert found.low is None and found.p is None and found.better is None


def test_no_common_seed_is_said() -> None:
    found = judge({0: 1.0}, {1: 2.0})
    assert found.n == 0 and found.difference is None
    assert found.sentence() == "BCL and SupCon have no seed in common in which centre sum (all samples) was measured"


def test_units_are_those_of_the_measure() -> None:
    accuracy = judge(seeds(0.80, 0.81, 0.82), seeds(0.70, 0.70, 0.70), "accuracy_few")
    assert "is higher than SupCon's by 11.0 points [8.5, 13.5], p = 0.0027" in accuracy.sentence()
    angle = judge(seeds(30.0, 31.0, 32.0), seeds(20.0, 20.0, 20.0), "min_centre_angle")
    assert "by 11.0° [8.5, 13.5]" in angle.sentence()
    assert "NC1" in judge(seeds(3, 3, 3), seeds(1, 1, 1), "nc1").sentence()
    small = judge(seeds(0.0, 0.0, 0.0), seeds(0.0011, 0.0012, 0.0013))
    assert "by 0.0012 [0.0010, 0.0014]" in small.sentence()


def test_equal_runs_are_the_same() -> None:
    found = judge(seeds(0.5, 0.5, 0.5), seeds(0.5, 0.5, 0.5))
    name = "BCL's centre sum (all samples)"
    assert found.sentence() == f"{name} cannot be told from SupCon's: the same, p = 1 over only 3 seeds"
    rounded = judge(seeds(0.3, 0.3, 0.3), seeds(*[0.1 + 0.2] * 3))
    assert rounded.difference == 0 and not rounded.differs, "the last digit of a sum is no difference"


# ---------------------------------------------------------------------- what it computes


def test_two_methods_are_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 7))
    found, known = judge(seeds(*a), seeds(*b)), stats.ttest_rel(a, b)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))


def test_methods_with_all_seeds_pool_the_error_of_the_two_way_layout() -> None:
    """Against ordinary least squares on dummy variables, which knows nothing of blocks."""
    values = np.array([[2.0, 3.1, 2.4, 5.0], [1.0, 2.6, 1.1, 4.4], [3.0, 3.9, 3.9, 5.9], [0.0, 1.6, 1.0, 2.7]])
    n, m = values.shape
    design = np.hstack([np.kron(np.eye(n), np.ones((m, 1))), np.tile(np.eye(m)[:, 1:], (n, 1))])
    _, squares, rank, _ = np.linalg.lstsq(design, values.ravel(), rcond=None)
    degrees = n * m - rank
    error = np.sqrt(2 * squares[0] / degrees / n)
    one, two, three, four = (seeds(*column) for column in values.T)
    found = judge(one, four, beside=[two, three])
    assert found.difference is not None and found.low is not None
    own = (values[:, 0] - values[:, 3]).var(ddof=1)
    assert own < 2 * squares[0] / degrees * 1.5, "the layout is one in which pooling counts"
    expected = max(error, np.sqrt(own / n))
    assert found.difference - found.low == pytest.approx(stats.t.ppf(0.975, degrees) * expected)
    assert found.methods == 4
    without = judge(one, four, beside=[two, {0: 1.0, 1: 2.0}])
    assert without.methods == 3, "a method that lacks a seed of the pair stays out"


def test_the_pairs_own_scatter_counts_where_it_is_larger() -> None:
    quiet = [seeds(1.0, 2.0, 3.0), seeds(1.1, 2.1, 3.1), seeds(0.9, 1.9, 2.9)]
    found = judge(seeds(4.0, 1.0, 7.0), quiet[0], beside=quiet[1:])
    assert found.low is not None and found.difference is not None
    own = np.std([3.0, -1.0, 4.0], ddof=1) / np.sqrt(3)
    assert found.difference - found.low == pytest.approx(stats.t.ppf(0.975, 6) * own)


def test_only_common_seeds_with_finite_values_count() -> None:
    found = judge({0: 1.0, 1: np.nan, 2: 4.0, 7: 9.0}, {0: 0.5, 1: 0.5, 2: 1.0, 8: 0.0})
    assert found.n == 2 and found.difference == pytest.approx((0.5 + 3.0) / 2)


def test_swapping_negates() -> None:
    rng = np.random.default_rng(3)
    for n in (3, 5, 12):
        a, b, c = (seeds(*row) for row in rng.normal(size=(3, n)))
        one, other = judge(a, b, beside=[c]), judge(b, a, beside=[c])
        assert one.difference == pytest.approx(-other.difference)
        assert (one.wins, one.p) == (other.wins, pytest.approx(other.p))
        assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))


def test_holm_steps_down() -> None:
    assert holm([]).tolist() == [] and holm([0.04]).tolist() == [0.04]
    for p in permutations([0.01, 0.02, 0.04, 0.5]):
        expected = {0.01: 0.04, 0.02: 0.06, 0.04: 0.08, 0.5: 0.5}
        assert holm(p).tolist() == pytest.approx([expected[one] for one in p])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("level", [0, 1, 95])
def test_levels_outside_are_refused(level: float) -> None:
    with pytest.raises(DataError, match=f"between 0 and 1, got {level}"):
        judge(seeds(1, 2, 3), seeds(1, 2, 3), level=level)
    with pytest.raises(DataError, match="0 or larger"):
        judge(seeds(1, 2, 3), seeds(1, 2, 3), image_error=-1)


# ---------------------------------------------------------------------- how often it is right

METHODS, REPEATS = 5, 4000


def runs(n: int, errors: str, *, scales: tuple[float, ...] = (1.0,) * METHODS) -> np.ndarray:
    """(REPEATS, n, METHODS): no method differs from another, seeds do."""
    rng = np.random.default_rng([n, errors == "t3"])
    shape = (REPEATS, n, METHODS)
    error = rng.normal(size=shape) if errors == "normal" else rng.standard_t(3, size=shape)
    return 2 * rng.normal(size=(REPEATS, n, 1)) + error * scales


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("errors", ["normal", "t3"])
def test_intervals_cover_and_families_keep_their_error(n: int, errors: str) -> None:
    values = runs(n, errors)
    p = np.empty((REPEATS, METHODS - 1))
    for other in range(1, METHODS):
        # against the first method, as against a baseline
        beside = [c for c in range(1, METHODS) if c != other]
        mean, half, p[:, other - 1] = block_interval(values[..., [other, 0, *beside]])
        assert np.mean(np.abs(mean) <= half) >= 0.945
    mean, half, _ = block_interval(values[..., :2])
    assert np.mean(np.abs(mean) <= half) >= 0.93, "two methods alone"
    assert np.mean([holm(row).min() < 0.05 for row in p]) <= 0.06


def test_the_percentile_bootstrap_that_was_here_would_not_cover() -> None:
    """Three seeds: all 27 resamples reach from the lowest to the highest pair, whatever the level."""
    pairs = runs(3, "normal")[..., 0] - runs(3, "normal")[..., 1]
    assert np.mean((pairs.min(axis=1) <= 0) & (pairs.max(axis=1) >= 0)) == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("n, least", [(3, 0.88), (5, 0.9), (10, 0.92)])
def test_one_method_that_scatters_more_costs_what_the_documentation_says(n: int, least: float) -> None:
    mean, half, _ = block_interval(runs(n, "normal", scales=(3, 1, 1, 1, 1)))
    assert np.mean(np.abs(mean) <= half) >= least


# ---------------------------------------------------------------------- test images


def test_the_error_of_an_accuracy_is_that_of_its_images() -> None:
    assert share_error(0.5, [496]) == pytest.approx(0.5 / np.sqrt(500))
    assert share_error(0.8, [250, 250]) == pytest.approx(share_error(0.8, [500]))
    assert share_error(0.8, [10, 490]) > 2 * share_error(0.8, [500]), "the mean of two classes is as sure as the rarer"
    assert share_error(1.0, [12]) > 0.05, "12 of 12 right leave an error"
    for share, images in ((1.2, [5]), (0.5, []), (0.5, [3, 0])):
        with pytest.raises(DataError):
            share_error(share, images)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_the_error_of_images_covers(share: float) -> None:
    rng = np.random.default_rng(0)
    found = rng.binomial(200, share, size=2000) / 200
    errors = {value: share_error(value, [200]) for value in np.unique(found)}
    centre = (found * 200 + 2) / 204
    half = 1.96 * np.array([errors[value] for value in found])
    assert np.mean(np.abs(centre - share) <= half) >= 0.93


def test_one_point_on_five_hundred_images_is_noise() -> None:
    steady = {"first": seeds(0.81, 0.812, 0.811, 0.809, 0.81), "second": seeds(0.80, 0.801, 0.80, 0.80, 0.80)}
    assert judge(**steady, measure="accuracy_all").differs, "the seeds alone would say so"
    error = np.hypot(share_error(0.81, [500]), share_error(0.8, [500]))
    found = judge(**steady, measure="accuracy_all", image_error=float(error))
    assert not found.differs and found.high is not None and found.low is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.02), "nearly a normal interval"
    assert told_apart({"CE": 0.8, "LA": 0.81, "BCL": 0.9}, "CE", [500]) == {"LA": False, "BCL": True}
    assert told_apart({"CE": 0.8}, "CE", [500]) == {}


def test_accuracies_are_corrected_for_the_number_of_methods() -> None:
    base = {"CE": 0.8, "A": 0.855}
    assert told_apart(base, "CE", [500]) == {"A": True}
    many = base | {f"B{i}": 0.8 for i in range(9)}
    assert not any(told_apart(many, "CE", [500]).values())
