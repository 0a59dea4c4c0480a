from __future__ import annotations

import numpy as np
import pytest

from ltviz import metrics
from ltviz.errors import DataError
from ltviz.geometry import predicted_ce, predicted_supcon, simplex

COUNTS = np.array([40, 20, 8, 4])


def points(means: np.ndarray, each: int = 3) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(len(means)).repeat(each)
    return means[y], y


def turned(rows: np.ndarray, dim: int) -> np.ndarray:
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((dim, dim)))[0]
    return np.pad(rows, ((0, 0), (0, dim - rows.shape[1]))) @ frame


def test_means_that_are_where_theory_says_are_off_by_nothing_however_turned() -> None:
    told = predicted_supcon(COUNTS, temperature=0.1)
    z, y = points(turned(told.means, 7))
    found = metrics.measure(z, y, counts=COUNTS, theory=told.means)
    assert found["theory_error_mean"] == pytest.approx(0.0, abs=1e-6)
    assert found["theory_error_max"] == pytest.approx(0.0, abs=1e-6)
    off = np.abs(told.mean_angles - np.degrees(np.arccos(-1 / 3)))[np.triu_indices(4, 1)]
    assert found["theory_simplex_mean"] == pytest.approx(off.mean())
    assert found["theory_simplex_max"] == pytest.approx(off.max())
    assert off.max() > 1


def test_a_class_that_stands_beside_is_seen_in_degrees() -> None:
    told = np.eye(3)
    moved = np.array([[1.0, 0, 0], [0, 1, 0], [0, np.sin(np.radians(10)), np.cos(np.radians(10))]])
    z, y = points(moved)
    found = metrics.measure(z, y, theory=told)
    assert found["theory_error_max"] == pytest.approx(10.0, abs=1e-6)
    assert found["theory_error_mean"] == pytest.approx(10.0 / 3, abs=1e-6)


def test_theory_is_held_against_training_samples_where_they_are_known() -> None:
    told = np.eye(3)
    z, y = points(np.roll(np.eye(3), 1, axis=0), each=2)
    wrong = -np.abs(np.random.default_rng(0).standard_normal(z.shape))
    both, split = np.vstack([z, wrong]), np.repeat([0, 1], len(y)).astype(np.uint8)
    found = metrics.measure(both, np.tile(y, 2), split=split, theory=told)
    assert found["theory_error_max"] == pytest.approx(0.0, abs=1e-6)


def test_a_classifier_is_compared_with_the_features_about_what_is_common_to_all() -> None:
    told = predicted_ce(COUNTS)
    assert told.weights is not None
    z, y = points(simplex(4, 5))
    features, weights = turned(told.means, 6)[y] + 3.0, turned(told.weights, 6) - 2.0
    found = metrics.measure(
        z, y, counts=COUNTS, features=features, weights=weights, theory=told.means, theory_weights=told.weights
    )
    for key in ("theory_error_max", "theory_weight_error_max"):
        assert found[key] == pytest.approx(0.0, abs=1e-5), key
    assert found["theory_weight_simplex_mean"] > 1
    assert not {key for key in metrics.measure(z, y, theory=told.means) if "weight" in key}


def test_absent_classes_are_left_out_and_nothing_is_measured_of_one() -> None:
    told = np.eye(4)
    z, y = points(np.eye(4)[:2])
    found = metrics.measure(z, y, num_classes=4, theory=told)
    assert found["theory_error_max"] == pytest.approx(0.0, abs=1e-6)
    unknown = np.full((4, 4), np.nan)
    assert not {key for key in metrics.measure(z, y, num_classes=4, theory=unknown) if key.startswith("theory")}
    assert not {key for key in metrics.measure(z, y, num_classes=4) if key.startswith("theory")}


def test_the_simplex_is_no_yardstick_where_it_does_not_fit() -> None:
    z, y = points(np.random.default_rng(0).standard_normal((6, 3)))
    found = metrics.measure(z, y, theory=np.eye(6))
    assert "theory_error_mean" in found
    assert "theory_simplex_mean" not in found


def test_another_number_of_classes_is_refused() -> None:
    z, y = points(np.eye(3))
    with pytest.raises(DataError, match="one predicted direction"):
        metrics.measure(z, y, theory=np.eye(4))
