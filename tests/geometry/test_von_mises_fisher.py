from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy.special import betaincinv, ive
from scipy.stats import ks_2samp, uniform_direction, vonmises_fisher

from ltviz.errors import ConfigError
from ltviz.geometry import cap, kappa, resultant_length, sample_von_mises_fisher


def ratio_by_power_series(dim: int, x: str) -> float:
    """I_{d/2}(x) / I_{d/2-1}(x) in 60 decimal digits; all terms are positive, so no digit is lost."""
    with localcontext() as context:
        context.prec = 60
        order, argument = Decimal(dim) / 2 - 1, Decimal(x)

        def series(v: Decimal) -> Decimal:
            term = total = Decimal(1)
            k = 0
            while term > total * Decimal("1e-55"):
                k += 1
                term *= argument * argument / (4 * k * (v + k))
                total += term
            return total

        return float(argument / (2 * (order + 1)) * series(order + 1) / series(order))


@pytest.mark.parametrize("dim", [2, 3, 4, 16, 41, 42, 43, 64, 128, 512, 2048])
@pytest.mark.parametrize("x", ["0.000001", "0.1", "1", "7", "50", "300", "3000"])
def test_ratio_and_its_inverse_agree_with_60_digits(dim: int, x: str) -> None:
    expected = ratio_by_power_series(dim, x)
    assert float(resultant_length(float(x), dim)) == pytest.approx(expected, rel=1e-7)
    assert float(kappa(expected, dim)) == pytest.approx(float(x), rel=1e-6)


@pytest.mark.parametrize("dim", [2, 3, 10, 100])
def test_ratio_agrees_with_scipy_where_scipy_does_not_underflow(dim: int) -> None:
    x = np.array([0.5, 5.0, 50.0, 500.0])
    np.testing.assert_allclose(resultant_length(x, dim), ive(dim / 2, x) / ive(dim / 2 - 1, x), rtol=1e-7)


def test_three_dimensions_have_a_closed_form() -> None:
    x = np.geomspace(0.1, 1e6, 50)
    np.testing.assert_allclose(resultant_length(x, 3), 1 / np.tanh(x) - 1 / x, rtol=1e-8)


@pytest.mark.parametrize("dim", [2, 3, 128, 2048])
def test_kappa_is_increasing_from_zero_to_infinity(dim: int) -> None:
    length = np.concatenate(
        [
            [0.0],
            np.geomspace(1e-8, 1e-2, 100),
            np.linspace(0.011, 0.999, 500),
            1 - np.geomspace(5e-4, 1e-14, 100),
            [1.0],
        ]
    )
    found = kappa(length, dim)
    assert found[0] == 0.0 and np.isinf(found[-1])
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("dim", [3, 32, 128, 2048])
def test_kappa_of_samples_is_within_three_percent(dim: int) -> None:
    truth = 2.5 * dim
    samples = sample_von_mises_fisher(np.eye(dim)[1], truth, 3000)
    np.testing.assert_allclose(np.linalg.norm(samples, axis=1), 1.0, atol=1e-12)
    assert float(kappa(np.linalg.norm(samples.mean(axis=0)), dim)) == pytest.approx(truth, rel=0.03)


@pytest.mark.parametrize(("dim", "concentration"), [(2, 3.0), (3, 0.0), (3, 20.0), (8, 15.0)])
def test_samples_have_the_distribution_that_scipy_samples(dim: int, concentration: float) -> None:
    axis = np.ones(dim) / np.sqrt(dim)
    ours = sample_von_mises_fisher(axis, concentration, 4000, seed=1) @ axis
    if concentration == 0:
        reference = uniform_direction(dim).rvs(4000, random_state=np.random.default_rng(2)) @ axis
    else:
        reference = vonmises_fisher(axis, concentration).rvs(4000, random_state=np.random.default_rng(2)) @ axis
    assert ks_2samp(ours, reference).pvalue > 0.01


def test_impossible_distributions_are_refused() -> None:
    with pytest.raises(ConfigError, match="axis"):
        sample_von_mises_fisher(np.zeros(3), 1.0, 5)
    with pytest.raises(ConfigError, match="kappa"):
        sample_von_mises_fisher(np.ones(3), np.inf, 5)


def test_kappa_keeps_shape_and_nan() -> None:
    found = kappa(np.array([[0.3, np.nan], [0.0, 0.9]]), 5)
    assert found.shape == (2, 2)
    assert np.isnan(found[0, 1]) and not np.isnan(found[[0, 1, 1], [0, 0, 1]]).any()
    assert kappa(0.3, 5).shape == ()


def test_impossible_lengths_and_dimensions_are_refused() -> None:
    for length in (-0.1, 1.1):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            kappa(length, 3)
    with pytest.raises(ConfigError, match="dim >= 2"):
        kappa(0.5, 1)
    with pytest.raises(ConfigError, match="kappa"):
        resultant_length(-1.0, 3)


SHARES = (0.05, 0.5, 0.95, 0.999)


@pytest.mark.parametrize("share", SHARES)
def test_a_cap_in_three_dimensions_has_a_closed_form(share: float) -> None:
    concentration = np.concatenate([[1e-9], np.geomspace(1e-6, 1e9, 60)])
    one_less_cosine = -np.log1p(share * np.expm1(-2 * concentration)) / concentration
    exact = np.rad2deg(2 * np.arcsin(np.sqrt(one_less_cosine / 2)))
    np.testing.assert_allclose(cap(concentration, 3, share), exact, rtol=1e-10)


@pytest.mark.parametrize("dim", [2, 3, 4, 17, 512, 20_000])
@pytest.mark.parametrize("share", SHARES)
def test_a_cap_of_the_uniform_distribution_is_a_quantile_of_a_beta_one(dim: int, share: float) -> None:
    # (1 - cos) / 2 of uniform directions is Beta((d-1)/2, (d-1)/2)
    exact = 2 * np.arcsin(np.sqrt(betaincinv((dim - 1) / 2, (dim - 1) / 2, share)))
    assert float(cap(0.0, dim, share)) == pytest.approx(float(np.rad2deg(exact)), rel=1e-9)


@pytest.mark.parametrize("dim", [2, 3, 8, 64, 512])
@pytest.mark.parametrize("relative", [0.5, 2.5, 50.0])
def test_a_cap_holds_its_share_of_samples(dim: int, relative: float) -> None:
    axis = np.eye(dim)[0]
    cosines = sample_von_mises_fisher(axis, relative * dim, 20_000, seed=3) @ axis
    for share in SHARES[:3]:
        held = (cosines >= np.cos(np.deg2rad(cap(relative * dim, dim, share)))).mean()
        assert held == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 20_000))


@pytest.mark.parametrize("dim", [2, 3, 128, 2048])
def test_a_cap_narrows_with_concentration_to_a_point(dim: int) -> None:
    found = cap(np.concatenate([np.geomspace(1e-3, 1e8, 200) * dim, [np.inf]]).reshape(3, 67), dim)
    assert found.shape == (3, 67)
    assert (np.diff(found.ravel()) < 0).all() and found[-1, -1] == 0.0 and found[0, 0] < 180
    assert np.isnan(cap(np.nan, dim))


def test_caps_refuse_what_has_no_meaning() -> None:
    with pytest.raises(ConfigError, match="dim >= 2"):
        cap(1.0, 1)
    with pytest.raises(ConfigError, match="kappa must be >= 0, got -1"):
        cap(np.array([3.0, -1.0]), 3)
    for share in (0.0, 1.0, 95.0, np.nan):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            cap(1.0, 3, share)
