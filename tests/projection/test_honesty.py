from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from ltviz.projection import honesty, kept_angle_order, kept_centre_order, trustworthiness
from ltviz.projection.honesty import _pairs, _sample


def unit(n: int, dim: int, seed: int = 0) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal((n, dim))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


def test_a_faithful_picture_keeps_everything() -> None:
    z = unit(50, 3)
    meter = honesty(z, 0.5 * z, 0.5 * z)
    assert meter["kept_angle_order"] == pytest.approx(1.0)
    assert meter["kept_variance"] == pytest.approx(0.25)
    assert meter["jitter"] == 0.0


def test_angle_order_is_spearmans_with_ties() -> None:
    z = np.round(unit(40, 4), 1)
    z[:10] = z[0]  # many equal points: many ties
    shown = z[:, :3] + 1.0
    first, second = _pairs(len(z))
    assert (first != second).all()

    def cosines(x: np.ndarray) -> np.ndarray:
        x = x.astype(np.float64)
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        return np.round(np.sum(x[first] * x[second], axis=1), 6)

    assert kept_angle_order(z, shown) == pytest.approx(spearmanr(cosines(z), cosines(shown)).statistic, abs=1e-9)


def test_an_unrelated_picture_keeps_no_order() -> None:
    assert abs(kept_angle_order(unit(400, 32), unit(400, 3, seed=9)) or 0) < 0.1


def test_the_meter_does_not_flicker_and_jitter_is_the_mean_move() -> None:
    z, shown = unit(30, 8), unit(30, 3)
    moved = shown + np.array([0.3, 0.0, 0.4])
    first, second = honesty(z, moved, shown), honesty(z, moved, shown)
    assert first == second
    assert first["jitter"] == pytest.approx(0.5, rel=1e-6)


def test_what_cannot_be_said_is_absent() -> None:
    assert honesty(np.ones((4, 5)), np.ones((4, 3))) == {}
    assert "kept_variance" not in honesty(unit(20, 8), unit(20, 3), linear=False), "no part of a whole, no share of it"
    assert "jitter" not in honesty(unit(5, 4), unit(5, 3), unit(6, 3))
    assert kept_angle_order(unit(2, 4), unit(2, 3)) is None
    assert kept_angle_order(unit(5, 4), np.zeros((5, 3))) is None


def test_a_picture_can_keep_the_angles_of_samples_and_lose_those_of_centres() -> None:
    """Two large classes apart along an axis that is shown; five small ones apart along axes that are not."""
    rng = np.random.default_rng(0)
    centres = unit(7, 16, seed=3)
    centres[0], centres[1] = np.eye(16)[0], -np.eye(16)[0]
    labels = np.repeat(np.arange(7), [200, 200, 4, 4, 4, 4, 4])
    z = centres[labels] + 0.1 * rng.standard_normal((len(labels), 16))
    meter = honesty(z, z[:, :3], centres=(centres, centres[:, :3]))
    assert meter["kept_angle_order"] > 0.8 and meter["kept_centre_order"] < meter["kept_angle_order"] - 0.15
    first, second = np.triu_indices(7, 1)

    def cosines(x: np.ndarray) -> np.ndarray:
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        return np.sum(x[first] * x[second], axis=1)

    expected = spearmanr(cosines(centres), cosines(centres[:, :3])).statistic
    assert meter["kept_centre_order"] == pytest.approx(expected, abs=1e-6)


def test_centres_that_are_not_there_say_nothing() -> None:
    centres = unit(6, 8)
    gone = np.where(np.arange(6)[:, None] < 4, centres, np.nan)
    assert kept_centre_order(gone, gone[:, :3]) == kept_centre_order(centres[:4], centres[:4, :3])
    assert kept_centre_order(gone[2:], gone[2:, :3]) is None, "two centres have one angle, which has no order"
    simplex = np.eye(5) - 0.2
    assert kept_centre_order(simplex, simplex[:, :3]) is None, "all angles are equal in the space"


@pytest.mark.parametrize("neighbours", [1, 5, 10])
@pytest.mark.parametrize("dim", [3, 16])
def test_trustworthiness_is_that_of_venna_and_kaski(dim: int, neighbours: int) -> None:
    from sklearn import manifold

    z = unit(120, dim)
    for shown in (z[:, :3], unit(120, 3, seed=4) + 2.0, 0.1 * z[:, :3] + unit(120, 3, seed=5)):
        ours = trustworthiness(z, shown, neighbours=neighbours)
        # on the sphere the nearest by angle are the nearest by distance
        theirs = manifold.trustworthiness(z, shown, n_neighbors=neighbours)
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_trustworthiness_of_a_faithful_and_of_an_unrelated_picture() -> None:
    z = unit(2000, 3)
    assert honesty(z, 0.3 * z)["trustworthiness"] == pytest.approx(1.0, abs=1e-6)
    assert honesty(unit(2000, 32), unit(2000, 3, seed=9))["trustworthiness"] == pytest.approx(0.5, abs=0.06)
    assert len(_sample(2000)) == 400 and len(_sample(30)) == 30 == len(set(_sample(30)))


def test_points_that_coincide_in_the_space_may_be_drawn_in_any_order() -> None:
    z = np.repeat(unit(8, 16), 12, axis=0)
    shown = np.repeat(unit(8, 3, seed=2), 12, axis=0) + 1e-3 * unit(96, 3, seed=3)
    assert trustworthiness(z, shown, neighbours=10) == 1.0


def test_trustworthiness_of_too_few_points_is_absent() -> None:
    assert trustworthiness(unit(3, 4), unit(3, 3), neighbours=5) is None
    assert trustworthiness(np.ones((9, 4)), unit(9, 3), neighbours=2) is None
    assert trustworthiness(unit(9, 4), np.ones((9, 3)), neighbours=2) is None
    assert trustworthiness(unit(4, 4), unit(4, 3), neighbours=50) is not None
