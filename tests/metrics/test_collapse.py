from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import ConfigError, DataError


def test_values_equal_the_official_code(golden: Path) -> None:
    cases = sorted((golden / "neural_collapse").glob("*.npz"))
    assert cases
    for case in cases:
        with np.load(case) as stored:
            found = metrics.neural_collapse(
                stored["input__features"],
                stored["input__labels"],
                stored["input__classifier_weight"],
                stored["input__classifier_bias"],
            )
            assert found.nc1 == pytest.approx(float(stored["out__nc1_collapse"]), rel=1e-9)
            assert found.nc2 == pytest.approx(float(stored["out__nc2_etf_of_W"]), rel=1e-9)
            assert found.nc3 == pytest.approx(float(stored["out__nc3_WH_relation"]), rel=1e-9)
            assert found.nc4 == pytest.approx(float(stored["out__nc4_ncc_mismatch_rate"]), abs=1e-12)


def test_perfect_collapse_is_zero_throughout() -> None:
    means = 5 * geometry.simplex(6, 8) + 1.0  # a common offset moves nothing
    y = np.repeat(np.arange(6), [9, 9, 9, 9, 9, 9])
    found = metrics.neural_collapse(means[y], y, geometry.simplex(6, 8), np.zeros(6))
    assert max(found.nc1, found.nc2, found.nc3, found.nc4) == pytest.approx(0.0, abs=1e-12)


def test_nc1_of_isotropic_noise_has_a_closed_form() -> None:
    rng = np.random.default_rng(0)
    means, y = 10 * geometry.simplex(4, 3), np.repeat(np.arange(4), 20_000)
    z = means[y] + 0.5 * rng.standard_normal((80_000, 3))
    # S_W = .25 I, S_B = 100 C/(C-1) / C I on 3 axes: tr = 3 * .25 / (100 / 3), over C = 4
    assert metrics.neural_collapse(z, y).nc1 == pytest.approx(3 * 0.25 * 3 / 100 / 4, rel=0.02)


def test_the_two_global_means_differ_under_imbalance_and_agree_without() -> None:
    rng = np.random.default_rng(1)
    means = rng.standard_normal((5, 12))
    for counts, same in (([50, 20, 8, 4, 2], False), ([16] * 5, True)):
        y = np.repeat(np.arange(5), counts)
        z = means[y] + 0.1 * rng.standard_normal((len(y), 12))
        weights = rng.standard_normal((5, 12))
        a = metrics.neural_collapse(z, y, weights)
        b = metrics.neural_collapse(z, y, weights, global_mean="classes")
        assert (a.nc3 == pytest.approx(b.nc3, rel=1e-9)) is same
        assert a.nc2 == b.nc2


def test_nc4_counts_disagreement_with_the_nearest_mean() -> None:
    z = np.array([[0.0, 0], [0, 2], [10, 0], [10, 2]])
    y = np.array([0, 0, 1, 1])
    agrees = metrics.neural_collapse(z, y, np.array([[-1.0, 0], [1, 0]]), np.array([5.0, -5.0]))
    assert agrees.nc4 == 0.0
    always_one = metrics.neural_collapse(z, y, np.zeros((2, 2)), np.array([0.0, 1.0]))
    assert always_one.nc4 == 0.5


def test_rotation_permutation_and_scale(cloud, rotation) -> None:
    z, y = cloud([30, 12, 6, 3], 5)
    weights = np.random.default_rng(0).standard_normal((4, 5))
    expected = dict(metrics.neural_collapse(z, y, weights, np.ones(4)))
    order = np.random.default_rng(1).permutation(len(y))
    turned = rotation(5)
    found = metrics.neural_collapse(3 * z[order] @ turned, y[order], weights @ turned, np.full(4, 3.0))
    assert dict(found) == pytest.approx(expected, rel=1e-9)


def test_what_is_not_given_or_not_there_is_absent(cloud) -> None:
    z, y = cloud([30, 12, 6], 5)
    assert set(metrics.neural_collapse(z, y)) == {"nc1"}
    assert set(metrics.neural_collapse(z, y, np.ones((3, 5)))) == {"nc1", "nc2", "nc3"}
    missing = metrics.neural_collapse(z, y, np.eye(4, 5), np.zeros(4))
    assert missing.nc3 is None and missing.nc4 is not None
    assert not set(metrics.neural_collapse(z[y == 0], y[y == 0]))


def test_classes_of_one_sample_are_no_collapse() -> None:
    """Each is its own mean: no scatter and no disagreement, whatever was learned."""
    found = metrics.neural_collapse(np.eye(4), np.arange(4), np.eye(4), np.zeros(4))
    assert set(found) == {"nc2", "nc3"}


def test_single_samples_do_not_flatter_the_nearest_mean() -> None:
    z, y = np.array([[1.0, 0], [1, 0.1], [-1, 0]]), np.array([0, 0, 1])
    wrong = metrics.neural_collapse(z, y, np.array([[-1.0, 0], [1, 0]]), np.zeros(2))
    assert wrong.nc4 == 1.0
    right_on_the_single = metrics.neural_collapse(z, y, np.array([[0.0, 0], [1, 0]]), np.zeros(2))
    assert right_on_the_single.nc4 == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 700.0])
def test_means_in_one_place_are_no_collapse(dtype: type, scale: float) -> None:
    y = np.repeat([0, 1, 2], [5, 3, 2])
    z = np.full((10, 7), scale / 3, dtype)
    assert set(metrics.neural_collapse(z, y, np.eye(3, 7), np.zeros(3))) == {"nc2"}


def test_bad_input_is_refused() -> None:
    z, y = np.eye(3), np.arange(3)
    with pytest.raises(DataError, match="weights"):
        metrics.neural_collapse(z, y, np.ones((3, 4)))
    with pytest.raises(DataError, match="bias"):
        metrics.neural_collapse(z, y, np.eye(3), np.ones(2))
    with pytest.raises(ConfigError, match="without weights"):
        metrics.neural_collapse(z, y, bias=np.ones(3))
    with pytest.raises(ConfigError, match="global_mean"):
        metrics.neural_collapse(z, y, global_mean="median")  # type: ignore[arg-type]
