from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import DataError


@pytest.mark.parametrize(("num_classes", "dim"), [(2, 2), (4, 3), (10, 16), (100, 128)])
def test_a_simplex_deviates_by_nothing(num_classes: int, dim: int) -> None:
    found = metrics.simplex(3.7 * geometry.simplex(num_classes, dim))  # lengths do not matter
    assert found.deviation_mean == pytest.approx(0.0, abs=1e-14)
    assert found.deviation_max == pytest.approx(0.0, abs=1e-14)
    assert found.centre_sum == pytest.approx(0.0, abs=1e-14)
    assert found.smallest_angle == pytest.approx(geometry.best_angle(num_classes, dim), abs=1e-10)
    assert found.fits is True


def test_hand_computed_values_of_three_orthogonal_centres() -> None:
    found = metrics.simplex(np.eye(3))
    assert found.deviation_mean == found.deviation_max == pytest.approx(0.5)
    assert found.centre_sum == pytest.approx(1 / np.sqrt(3))
    assert found.smallest_angle == pytest.approx(90.0)


def test_collapsed_centres_have_deviation_one_plus_one_over_c_minus_one() -> None:
    found = metrics.simplex(np.ones((5, 4)))
    assert found.deviation_mean == found.deviation_max == pytest.approx(1.25)
    assert found.centre_sum == pytest.approx(1.0)
    assert found.smallest_angle == 0.0


def test_small_angles_keep_their_digits() -> None:
    angle = 1e-6
    centres = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)], [-1.0, 0.0]])
    assert metrics.simplex(centres).smallest_angle == pytest.approx(np.degrees(angle), rel=1e-8)


def test_rotation_and_permutation_change_nothing(rotation) -> None:
    centres = np.random.default_rng(0).standard_normal((12, 5))
    expected = dict(metrics.simplex(centres))
    assert dict(metrics.simplex(centres[::-1] @ rotation(5))) == pytest.approx(expected, abs=1e-12)


def test_absent_classes_count_for_the_ideal_cosine_alone() -> None:
    centres = geometry.simplex(6, 5)
    centres[[1, 4]] = [[0.0], [np.nan]]
    found = metrics.simplex(centres)
    assert found.deviation_max == pytest.approx(0.0, abs=1e-14)
    assert found.fits
    assert not metrics.simplex(np.vstack([np.eye(3), -np.eye(3)])).fits


def test_record_reads_as_attributes_and_as_a_mapping() -> None:
    found = metrics.simplex(np.eye(3))
    assert list(found) == ["deviation_mean", "deviation_max", "centre_sum", "smallest_angle", "fits"]
    assert found["centre_sum"] == found.centre_sum and len(found) == 5
    with pytest.raises(KeyError):
        found["nothing"]


@pytest.mark.parametrize("centres", [np.ones(3), np.ones((1, 3)), np.zeros((4, 3)), np.zeros((0, 3))])
def test_too_little_to_compare_is_refused(centres: np.ndarray) -> None:
    with pytest.raises(DataError):
        metrics.simplex(centres)


@pytest.mark.parametrize("count", [95, 96, 97, 300])
def test_centres_in_blocks_are_measured_as_all_at_once(monkeypatch, count: int) -> None:
    from ltviz.metrics import centres as module

    centres = np.random.default_rng(count).normal(size=(count, 9))
    centres[7] = centres[61] + 1e-3
    centres[5] = np.nan
    at_once = metrics.simplex(centres)
    monkeypatch.setattr(module, "FEW_CENTRES", 10)
    in_blocks = metrics.simplex(centres)
    assert in_blocks.deviation_mean == pytest.approx(at_once.deviation_mean, abs=1e-7)
    assert in_blocks.deviation_max == pytest.approx(at_once.deviation_max, abs=1e-6)
    assert in_blocks.smallest_angle == pytest.approx(at_once.smallest_angle, abs=1e-12), "of that pair in float64"
    assert in_blocks.centre_sum == at_once.centre_sum
