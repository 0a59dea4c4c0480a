from __future__ import annotations

import numpy as np
import pytest

from ltviz import metrics
from ltviz.errors import DataError
from ltviz.geometry import kappa, resultant_length, sample_von_mises_fisher
from ltviz.metrics.clouds import common_kappas


@pytest.mark.parametrize("dim", [3, 128, 1024])
def test_kappa_of_each_class_is_within_three_percent(dim: int) -> None:
    truth = np.array([1.0, 5.0]) * dim
    clouds = [sample_von_mises_fisher(np.eye(dim)[c], k, 3000, seed=c) for c, k in enumerate(truth)]
    found = metrics.spread(np.vstack(clouds), np.repeat([0, 1], 3000), 2)
    np.testing.assert_allclose(found.kappa, truth, rtol=0.03)


def test_angles_equal_a_loop_over_classes(cloud) -> None:
    z, y = cloud([40, 13, 2, 1], 4)
    found = metrics.spread(z, y, 4)
    for c in range(4):
        rows = z[y == c]
        centre = rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))
        angles = np.degrees(np.arccos(np.clip(rows @ centre, -1, 1)))
        assert found.mean_angle[c] == pytest.approx(angles.mean(), abs=1e-6)
        assert found.cap95[c] == pytest.approx(np.quantile(angles, 0.95), abs=1e-6)
    np.testing.assert_array_equal(found.count, [40, 13, 2, 1])


def test_points_on_a_circle_around_the_pole_have_its_angle() -> None:
    polar, turn = np.radians(20), np.linspace(0, 2 * np.pi, 50, endpoint=False)
    z = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.full(50, np.cos(polar))], axis=1)
    found = metrics.spread(z, np.zeros(50, int), 1)
    assert found.mean_angle[0] == pytest.approx(20.0, abs=1e-10)
    assert found.cap95[0] == pytest.approx(20.0, abs=1e-10)


def test_absent_single_and_cancelling_classes_say_what_they_cannot_show() -> None:
    z = np.array([[1.0, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, 1]])
    found = metrics.spread(z, np.array([0, 1, 1, 3, 3]), 5)
    np.testing.assert_array_equal(found.count, [1, 2, 0, 2, 0])
    np.testing.assert_array_equal(found.mean_angle, [0, np.nan, np.nan, 0, np.nan])
    # samples that coincide would have an infinite one
    np.testing.assert_array_equal(np.isnan(found.kappa), [True, False, True, True, True])
    assert found.kappa[1] == 0.0  # opposite samples: no direction at all


def test_a_common_kappa_is_that_of_classes_that_share_one() -> None:
    truth = 20.0
    clouds = [sample_von_mises_fisher(np.eye(3)[c], truth, 2000, seed=c) for c in range(3)]
    shared = metrics.Classes.of(np.vstack(clouds), np.repeat([0, 1, 2], 2000))
    assert common_kappas(shared, [np.arange(3)]) == pytest.approx(truth, rel=0.03)


def test_a_common_kappa_is_not_that_of_one_tight_class() -> None:
    """The mean of 1249, 7, 9 and 6 is 318, which is true of none of the four."""
    each = [1249.0, 7.0, 9.0, 6.0]
    clouds = [sample_von_mises_fisher(np.eye(3)[0], k, 4000, seed=c) for c, k in enumerate(each)]
    (found,) = common_kappas(metrics.Classes.of(np.vstack(clouds), np.repeat(np.arange(4), 4000)), [np.arange(4)])
    lengths = resultant_length(np.array(each), 3)
    assert found == pytest.approx(kappa(lengths.mean(), 3), rel=0.03) and 9 < found < 10


def test_a_common_kappa_leaves_out_what_has_none() -> None:
    z = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]])
    classes = metrics.Classes.of(z, np.array([0, 0, 1, 1, 2]), 4).normalised()
    coincide, wide, single, none = common_kappas(classes, [np.array([c]) for c in range(4)])
    assert np.isnan([coincide, single, none]).all() and wide > 0
    both = common_kappas(classes, [np.arange(4)])
    assert both > wide, "a class in one place is as tight as can be, and counts as that"


def test_rows_are_normalised_and_float32_agrees(cloud) -> None:
    z, y = cloud([30, 20, 10], 6)
    expected = metrics.spread(z, y, 3)
    for other in (z * np.linspace(0.1, 9, 60)[:, None], z.astype(np.float32)):
        found = metrics.spread(other, y, 3)
        np.testing.assert_allclose(found.mean_angle, expected.mean_angle, rtol=1e-5)
        np.testing.assert_allclose(found.kappa, expected.kappa, rtol=1e-5)


def test_rotation_permutation_and_renaming(cloud, rotation) -> None:
    z, y = cloud([30, 20, 10], 5)
    expected = metrics.spread(z, y, 3)
    order = np.random.default_rng(0).permutation(len(y))
    renamed = np.array([2, 0, 1])
    found = metrics.spread(z[order] @ rotation(5), renamed[y[order]], 3)
    np.testing.assert_allclose(found.mean_angle[renamed], expected.mean_angle, rtol=1e-10)
    np.testing.assert_allclose(found.kappa[renamed], expected.kappa, rtol=1e-6)
    np.testing.assert_allclose(found.cap95[renamed], expected.cap95, rtol=1e-10)


@pytest.mark.parametrize(
    ("z", "y", "match"),
    [
        (np.eye(3), np.array([0, 1]), "shapes"),
        (np.eye(3), np.array([0, 1, 7]), r"0 \.\.\. 2"),
        (np.eye(3), np.array([0, -1, 1]), r"0 \.\.\. 2"),
        (np.eye(3), np.array([0.0, 1.0, 2.0]), "integers"),
        (np.full((3, 3), np.nan), np.array([0, 1, 2]), "finite"),
        (np.zeros((3, 3)), np.array([0, 1, 2]), "zero"),
        (np.ones(3), np.array([0, 1, 2]), "shape"),
    ],
)
def test_bad_input_is_refused(z: np.ndarray, y: np.ndarray, match: str) -> None:
    with pytest.raises(DataError, match=match):
        metrics.spread(z, y, 3)
