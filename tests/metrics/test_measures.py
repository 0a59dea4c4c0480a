from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import DataError

COUNTS = [90, 60, 40, 25, 15, 8]
LIVE = {
    "simplex_deviation_mean", "simplex_deviation_max", "centre_sum", "min_centre_angle", "uniformity", "nc1",
    "effective_rank", "spread_head", "spread_medium", "spread_tail", "kappa_head", "kappa_medium", "kappa_tail",
}  # fmt: skip


def split_of(y: np.ndarray) -> np.ndarray:
    return (np.random.default_rng(3).random(len(y)) < 0.4).astype(np.uint8)


def test_live_keys_are_those_of_the_contract(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    assert set(metrics.measure(z, y)) == LIVE
    accuracies = {f"{p}_{g}" for p in ("accuracy", "accuracy_ncm") for g in ("all", "many", "medium", "few")}
    found = metrics.measure(
        z, y, split=split_of(y), predictions=y, views=(z, z), weights=np.eye(6, 8), bias=np.zeros(6)
    )
    assert set(found) == LIVE | accuracies | {"alignment", "nc2", "nc3", "nc4"}


def test_validation_points_are_neither_test_nor_train(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    split = np.where(np.random.default_rng(4).random(len(y)) < 0.3, 2, split_of(y))
    answers = np.where(split == 2, y, (y + 1) % 6)
    found = metrics.measure(z, y, split=split, predictions=answers, full=True)
    assert found["validation_all"] == 1 and found["accuracy_all"] == 0
    alone = metrics.measure(z[split != 2], y[split != 2], split=split[split != 2], counts=np.bincount(y), full=True)
    for key in ("accuracy_ncm_all", "accuracy_knn_all", "accuracy_probe_all"):
        assert found[key] == pytest.approx(alone[key]), key


def test_every_key_has_its_entry_and_every_entry_can_be_measured(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    split = np.where(np.random.default_rng(4).random(len(y)) < 0.3, 2, split_of(y))
    found = metrics.measure(
        z, y, split=split, predictions=y, confidence=np.full(len(y), 0.9), views=(z, z), weights=np.eye(6, 8),
        bias=np.zeros(6), targets=geometry.simplex(6, 8), scores=np.eye(6)[y], labels=np.eye(6)[y], full=True,
    )  # fmt: skip
    assert set(found) == set(metrics.MEASURES)
    assert all(type(value) is float and np.isfinite(value) for value in found.values())
    for key, value in found.items():
        entry = metrics.MEASURES[key]
        assert entry.low is None or value >= entry.low - 1e-9, key
        assert entry.high is None or value <= entry.high + 1e-9, key


def test_registry_speaks_in_sentences() -> None:
    for key, entry in metrics.MEASURES.items():
        assert entry.key == key
        for sentence in (entry.short, *([entry.caution] if entry.caution else [])):
            assert sentence[0].isupper() and sentence.endswith("."), key
        assert "{" not in entry.title + entry.short, key
        assert "\n" not in entry.short and entry.formula and entry.source
    assert "3 dimensions" in str(metrics.MEASURES["simplex_deviation_max"].caution)


def test_values_are_those_of_the_single_functions(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    found = metrics.measure(z, y)
    cloud_ = metrics.spread(z, y, 6)
    centres = np.stack([z[y == c].mean(axis=0) for c in range(6)])
    assert found["uniformity"] == metrics.uniformity(z)
    assert found["centre_sum"] == pytest.approx(metrics.simplex(centres).centre_sum)
    assert found["min_centre_angle"] == pytest.approx(metrics.simplex(centres).smallest_angle)
    assert found["spread_tail"] == pytest.approx(cloud_.mean_angle[4:].mean())
    assert found["kappa_head"] == pytest.approx(cloud_.kappa[:2].mean())
    assert found["nc1"] == metrics.neural_collapse(z, y).nc1
    assert found["effective_rank"] == pytest.approx(metrics.effective_rank(z))


def test_rotation_permutation_and_float32_change_nothing(cloud, rotation) -> None:
    z, y = cloud(COUNTS, 5)
    split = split_of(y)
    expected = metrics.measure(z, y, split=split, full=True, targets=np.eye(6, 5) + 0.1)
    order = np.random.default_rng(0).permutation(len(y))
    turned = z[order] @ rotation(5)
    found = metrics.measure(turned, y[order], split=split[order], full=True, targets=(np.eye(6, 5) + 0.1) @ rotation(5))
    sampled = {key for key in expected if key.startswith("territory")}  # by random directions where D > 3
    for key in set(expected) - sampled:
        assert found[key] == pytest.approx(expected[key], rel=1e-5, abs=1e-9), key
    single = metrics.measure(z.astype(np.float32), y, split=split)
    for key, value in single.items():
        assert value == pytest.approx(expected[key], rel=1e-4, abs=1e-6), key


def test_rows_that_are_not_unit_are_normalised_for_all_but_neural_collapse(cloud) -> None:
    z, y = cloud(COUNTS, 5)
    raw = z * np.random.default_rng(0).uniform(0.5, 20, len(y))[:, None]
    expected, found = metrics.measure(z, y), metrics.measure(raw, y)
    for key in LIVE - {"nc1"}:
        assert found[key] == pytest.approx(expected[key], rel=1e-6), key
    assert found["nc1"] == metrics.neural_collapse(raw, y).nc1 != pytest.approx(expected["nc1"], rel=0.1)


def test_accuracies_are_those_of_test_points_and_nothing_leaks_from_them(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    split = split_of(y)
    predictions = np.where(split == 1, y, (y + 1) % 6)
    found = metrics.measure(z, y, split=split, predictions=predictions)
    assert found["accuracy_all"] == found["accuracy_few"] == 1.0
    train, test = split == 0, split == 1
    centres = np.stack([z[train & (y == c)].mean(axis=0) for c in range(6)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    ncm = (z[test] @ centres.T).argmax(axis=1)
    assert found["accuracy_ncm_all"] == pytest.approx(np.mean(ncm == y[test]))
    assert not any(key.startswith("accuracy") for key in metrics.measure(z, y, split=np.zeros(len(y)), predictions=y))


def test_counts_define_the_groups(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    found = metrics.measure(z, y, counts=[500, 50, 400, 30, 5, 300])
    angle = metrics.spread(z, y).mean_angle
    assert found["spread_head"] == pytest.approx(angle[[0, 2, 5]].mean())
    assert found["spread_tail"] == pytest.approx(angle[4])


@pytest.mark.parametrize("full", [False, True])
def test_what_cannot_be_measured_is_absent(full: bool) -> None:
    alone = metrics.measure(np.array([[0.0, 1.0, 0.0]]), np.array([0]), full=full)
    assert set(alone) <= {"effective_rank", "tsc_alignment", "territory_head"}
    singles = metrics.measure(np.eye(4), np.arange(4), full=full)
    assert not any(key.startswith(("spread", "kappa", "cap95")) for key in singles)
    assert singles["min_centre_angle"] == pytest.approx(90.0)
    gaps = metrics.measure(np.eye(4)[[0, 0, 2]], np.array([0, 0, 7]), num_classes=9, full=full)
    same = metrics.measure(np.ones((5, 3)), np.array([0, 0, 1, 1, 2]), full=full)
    opposite = metrics.measure(np.array([[1.0, 0], [-1, 0]]), np.array([0, 0]), full=full)
    for found in (alone, singles, gaps, same, opposite):
        assert all(np.isfinite(value) for value in found.values())


def test_perfect_collapse_to_a_simplex() -> None:
    y = np.repeat(np.arange(10), 7)
    found = metrics.measure(geometry.simplex(10, 16)[y].astype(np.float32), y, full=True)
    assert found["simplex_deviation_max"] == pytest.approx(0.0, abs=1e-6)
    assert found["centre_sum"] == pytest.approx(0.0, abs=1e-6)
    assert found["nc1"] == pytest.approx(0.0, abs=1e-10)
    assert found["effective_rank"] == pytest.approx(9.0, abs=1e-5)
    assert found["packing_gap"] == pytest.approx(0.0, abs=1e-4)
    assert found["minority_collapse"] == pytest.approx(1.0, abs=1e-5)


def test_large_spectra_are_left_to_the_full_set() -> None:
    rng = np.random.default_rng(0)
    z, y = rng.standard_normal((520, 520)), np.arange(520)
    assert not {"effective_rank", "nc1"} & set(metrics.measure(z, y))
    assert {"effective_rank", "nc1"} <= set(metrics.measure(z, y, full=True))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"counts": [1, 2]}, "Labels"),
        ({"counts": np.ones(6), "num_classes": 7}, "Class counts"),
        ({"split": np.zeros(3)}, "split"),
        ({"predictions": np.zeros(3)}, "predictions"),
        ({"views": (np.ones((2, 3)), np.ones((3, 3)))}, "Alignment"),
        ({"targets": np.eye(3), "full": True}, "one target"),
        ({"scores": np.ones((2, 6)), "labels": np.ones((2, 6))}, "Scores"),
    ],
)
def test_bad_input_is_refused(cloud, options: dict, match: str) -> None:
    z, y = cloud(COUNTS, 8)
    with pytest.raises(DataError, match=match):
        metrics.measure(z, y, **options)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_embeddings_that_are_not_finite_are_refused(cloud, bad: float) -> None:
    z, y = cloud(COUNTS, 8)
    z[17, 3] = bad
    with pytest.raises(DataError, match="finite"):
        metrics.measure(z, y)


def test_inputs_are_left_as_they_are(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    z *= 3
    kept = z.copy(), y.copy()
    metrics.measure(z, y, split=split_of(y), full=True)
    np.testing.assert_array_equal(z, kept[0])
    np.testing.assert_array_equal(y, kept[1])
