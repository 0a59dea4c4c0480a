from __future__ import annotations

import numpy as np
import pytest

from ltviz import metrics
from ltviz.errors import DataError


def test_embeddings_that_say_all_reach_the_ceilings() -> None:
    y = np.arange(40) % 4
    found = metrics.measure(np.eye(4)[y], y, views=(np.eye(16), np.eye(16)), full=True)
    assert found["information_labels"] == pytest.approx(np.log(4), abs=1e-6)
    assert found["information_labels_ceiling"] == pytest.approx(np.log(4))
    assert found["information_inputs"] == pytest.approx(np.log(16), abs=1e-6)
    assert found["information_inputs_ceiling"] == pytest.approx(np.log(16))


def test_embeddings_that_say_nothing_are_worth_nothing() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((4000, 8))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    y = rng.integers(0, 3, 4000)
    split = np.arange(4000) % 2
    found = metrics.measure(z, y, split=split, full=True)
    assert found["information_labels"] < 0.01
    assert metrics.information_with_views(z[:64], z[64:128]).value < 0.05


def test_the_ceiling_of_labels_is_their_entropy_and_not_that_of_equal_classes() -> None:
    y = np.repeat([0, 1], [90, 10])
    bound = metrics.information_with_labels(np.eye(2)[y], y, np.eye(2))
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert bound.ceiling == pytest.approx(entropy)
    assert bound.value == pytest.approx(entropy, abs=1e-3)


def test_a_bound_is_never_above_what_is_known_exactly() -> None:
    """One sample of four stands where the other class does: a channel whose information is known."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 20_000)
    seen = np.where(rng.random(len(y)) < 0.25, 1 - y, y)
    exact = np.log(2) + 0.25 * np.log(0.25) + 0.75 * np.log(0.75)
    bound = metrics.information_with_labels(np.eye(2)[seen], y, np.eye(2))
    assert exact - 0.02 < bound.value < exact + 0.01


def test_test_samples_are_told_by_the_centres_of_training_samples() -> None:
    y = np.tile([0, 1], 50)
    split = np.repeat([0, 1], 50).astype(np.uint8)
    z = np.where(split[:, None] == 0, np.eye(2)[y], np.eye(2)[1 - y])
    assert metrics.measure(z, y, split=split, full=True)["information_labels"] == 0.0


def test_a_live_measurement_takes_it_where_it_is_asked_to() -> None:
    y = np.arange(40) % 4
    z = np.eye(4)[y]
    assert "information_labels" not in metrics.measure(z, y)
    assert "information_labels" in metrics.measure(z, y, also=("information_labels",))


def test_what_cannot_be_measured_is_absent_or_refused() -> None:
    y = np.zeros(5, np.int64)
    z = np.random.default_rng(0).standard_normal((5, 3))
    found = metrics.measure(z, y, views=(np.eye(4), np.eye(4)), full=True)
    assert not {key for key in found if key.startswith("information")}
    with pytest.raises(DataError, match="centre of every class"):
        metrics.information_with_labels(z, y, np.full((1, 3), np.nan))
    with pytest.raises(DataError, match="2 samples or more"):
        metrics.information_with_views(z[:1], z[:1])
