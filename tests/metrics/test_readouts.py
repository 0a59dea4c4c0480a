"""Nearest centre, nearest samples, balanced probe, calibration, average precision."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score

from ltviz import metrics
from ltviz.errors import ConfigError, DataError


def test_nearest_centre_is_the_largest_cosine_and_never_an_absent_class() -> None:
    centres = np.array([[1.0, 0], [np.nan, np.nan], [0, 1], [-1, 0]])
    z = np.array([[0.9, 0.1], [0.1, 0.9], [-0.9, 0.2]])
    np.testing.assert_array_equal(metrics.nearest_centre(z, centres), [0, 2, 3])
    with pytest.raises(DataError):
        metrics.nearest_centre(z, np.full((2, 2), np.nan))


def test_nearest_samples_equal_a_loop(cloud) -> None:
    z, y = cloud([700, 60, 15], 4, noise=0.7)
    new, _ = cloud([40, 40, 40], 4, noise=0.7, seed=0)
    train = metrics.Classes.of(z, y)
    expected = []
    for row in new:
        cosines = z @ row
        near = np.argsort(-cosines)[:20]
        votes = np.bincount(y[near], weights=np.exp((cosines[near] - 1) / 0.07), minlength=3)
        expected.append(votes.argmax())
    np.testing.assert_array_equal(metrics.nearest_samples(train, new), expected)
    few = metrics.Classes.of(z[:3], y[:3], 3)
    assert set(metrics.nearest_samples(few, new)) <= set(y[:3])  # fewer samples than k


def test_balanced_probe_equals_weighted_ridge_regression(cloud) -> None:
    z, y = cloud([200, 40, 10], 5, noise=0.8)
    weight = (1 / (3 * np.bincount(y)))[y]
    rows = np.hstack([z, np.ones((len(z), 1))])
    reference = Ridge(alpha=1e-3, fit_intercept=False).fit(rows, np.eye(3)[y], sample_weight=weight)
    found = metrics.balanced_probe(metrics.Classes.of(z, y), z)
    np.testing.assert_array_equal(found, reference.predict(rows).argmax(axis=1))
    with pytest.raises(ConfigError):
        metrics.balanced_probe(metrics.Classes.of(z, y), z, ridge=0.0)


def test_calibration_error_of_hand_made_bins() -> None:
    # bins (8/15, 9/15] and (14/15, 1]: |0.5 - 0.55| and |1 - 1|, half of the samples each
    confidence = np.array([0.55, 0.55, 1.0, 1.0])
    assert metrics.expected_calibration_error(confidence, [True, False, True, True]) == pytest.approx(0.025)
    assert metrics.expected_calibration_error(np.ones(5), np.zeros(5)) == 1.0
    assert metrics.expected_calibration_error(np.zeros(2), np.zeros(2)) == 0.0
    for confidence, right in [([1.2], [1]), ([np.nan], [1]), ([], []), ([0.5], [1, 0])]:
        with pytest.raises(DataError):
            metrics.expected_calibration_error(confidence, right)


def test_average_precision_equals_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((60, 4)) < [0.5, 0.2, 0.05, 0.0]).astype(int)
    scores = np.round(rng.random((60, 4)) + 0.3 * labels, 1)
    found = metrics.mean_average_precision(scores, labels, [200, 50, 5, 4])
    expected = [average_precision_score(labels[:, c], scores[:, c]) for c in range(3)]
    np.testing.assert_allclose(found.per_class[:3], expected)
    assert np.isnan(found.per_class[3])
    assert found.all == pytest.approx(np.mean(expected))
    assert found.few == pytest.approx(expected[2])
    for s, y in [(scores, labels[:, :2]), (scores, labels + 1), (scores * np.nan, labels)]:
        with pytest.raises(DataError):
            metrics.mean_average_precision(s, y, [200, 50, 5, 4])
