from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.geometry import layer_peeled, minority_threshold, predicted_supcon, supcon_tail_limit, supcon_threshold
from tests.geometry.test_predicted import load, step


def test_minority_thresholds_are_the_stored_ones() -> None:
    held, _ = load("minority_threshold_00.npz")
    names = ("num_head", "num_tail", "weight_energy", "feature_energy")
    for heads, tails, weight, feature, wanted in zip(
        *(held[f"input__{name}"] for name in names), held["out__threshold"], strict=True
    ):
        found = minority_threshold(int(heads), int(tails), weight_energy=weight, feature_energy=feature)
        assert found == pytest.approx(wanted, rel=1e-6)


def test_rare_classes_of_the_layer_peeled_model_meet_at_the_threshold() -> None:
    threshold = minority_threshold(3, 2, feature_energy=4.0)
    below, above = (layer_peeled(step(3, 2, threshold * by), feature_energy=4.0) for by in (0.99, 1.01))
    assert below.weight_angles is not None
    assert above.weight_angles is not None
    assert below.weight_angles[3, 4] > 5
    assert above.weight_angles[3, 4] < 1e-3


@pytest.mark.parametrize(
    ("heads", "tails", "temperature", "average", "wanted"),
    [
        (2, 2, 0.5, "sample", 132.6),
        (2, 2, 0.2, "sample", 4696),
        (2, 8, 0.5, "sample", 530.5),
        (3, 7, 0.5, "sample", np.inf),
        (5, 5, 0.5, "sample", np.inf),
        (5, 5, 0.5, "class", 82.9),
        (5, 5, 1.0, "class", 16.9),
        (10, 90, 0.5, "class", 983),
    ],
)
def test_supcon_collapses_where_it_was_seen_to(
    heads: int, tails: int, temperature: float, average: str, wanted: float
) -> None:
    found = supcon_threshold(heads, tails, temperature=temperature, average=average)
    assert found == pytest.approx(wanted, rel=4e-3)


def test_rare_classes_of_supcon_meet_at_the_threshold() -> None:
    threshold = supcon_threshold(2, 3, temperature=0.4)
    below, above = (predicted_supcon(step(2, 3, threshold * by), temperature=0.4) for by in (0.99, 1.01))
    assert below.mean_angles[3, 4] > 3
    assert above.mean_angles[3, 4] < 1e-3


def test_a_balanced_denominator_by_class_never_collapses() -> None:
    assert supcon_threshold(5, 5, temperature=0.5, average="class", denominator="classes") == np.inf
    assert supcon_threshold(5, 5, temperature=0.5, denominator="classes") < 100


def test_the_limit_of_rare_classes_is_the_stored_one() -> None:
    held, _ = load("supcon_tail_limit_00.npz")
    found = [
        supcon_tail_limit(int(heads), temperature=float(tau))
        for heads, tau in zip(held["input__num_head"], held["input__temperature"], strict=True)
    ]
    np.testing.assert_allclose(found, held["out__cosine"], atol=1e-9)


def test_the_program_comes_to_the_limit() -> None:
    far = predicted_supcon(step(4, 6, 1e8), temperature=0.5).mean_angles[8, 9]
    assert np.cos(np.radians(far)) == pytest.approx(supcon_tail_limit(4, temperature=0.5), abs=1e-5)


def test_the_limit_is_finite_at_the_coldest_temperatures() -> None:
    assert supcon_tail_limit(5, temperature=1e-4) == 1.0
    assert supcon_tail_limit(1, temperature=0.5) == 1.0
    assert 0 < supcon_tail_limit(1000, temperature=10.0) < 1


def test_numbers_of_classes_are_checked() -> None:
    with pytest.raises(ConfigError, match="num_tail must be a whole number of 2 or more, got 1"):
        minority_threshold(5, 1)
    with pytest.raises(ConfigError, match="num_head must be a whole number of 1 or more, got 0"):
        supcon_threshold(0, 5, temperature=0.5)
    with pytest.raises(ConfigError, match="temperature must be a number above 0"):
        supcon_tail_limit(5, temperature=-1)
