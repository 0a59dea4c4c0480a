from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import DataError

COUNTS = [90, 60, 40, 25, 15, 8]
LIVE = {
    "simplex_deviation_mean", "simplex_deviation_max", "centre_sum", "min_centre_angle", "uniformity", "nc1",
    "effective_rank", "uniformity_wasserstein", "cdnv", "spread_head", "spread_medium", "spread_tail", "kappa_head",
    "kappa_medium", "kappa_tail",
}  # fmt: skip


def apart(keys: set[str]) -> set[str]:
    """What of these keys is measured of training and test points too."""
    return {f"{key}_{part}" for key in keys for part in ("train", "test")} & set(metrics.MEASURES)


def split_of(y: np.ndarray) -> np.ndarray:
    return (np.random.default_rng(3).random(len(y)) < 0.4).astype(np.uint8)


def test_live_keys_are_those_of_the_contract(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    assert set(metrics.measure(z, y)) == LIVE
    accuracies = {f"{p}_{g}" for p in ("accuracy", "accuracy_ncm") for g in ("all", "many", "medium", "few")}
    found = metrics.measure(
        z, y, split=split_of(y), predictions=y, views=(z, z), weights=np.eye(6, 8), bias=np.zeros(6)
    )
    assert set(found) & set(metrics.MEASURES) == LIVE | accuracies | {"alignment", "nc2", "nc3", "nc4"} | (
        apart(LIVE - {"uniformity"})
    )
    behind = {f"{key}_{what}" for key in accuracies for what in ("n", "error")} | {"alignment_n"}
    assert set(found) & set(metrics.BEHIND) == behind, "all classes are behind the rest, which needs no word"
    assert set(found) <= set(metrics.MEASURES) | set(metrics.BEHIND)


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
    z, y = cloud(COUNTS, 16)
    split = np.where(np.random.default_rng(4).random(len(y)) < 0.3, 2, split_of(y))
    found = metrics.measure(
        z, y, split=split, predictions=y, confidence=np.full(len(y), 0.9), views=(z, z), weights=np.eye(6, 16),
        bias=np.zeros(6), targets=geometry.simplex(6, 16), theory=geometry.simplex(6, 5),
        theory_weights=geometry.simplex(6, 5), scores=np.eye(6)[y], labels=np.eye(6)[y], full=True,
    )  # fmt: skip
    found |= metrics.measure(z, y, split=split, features=z, full=True)  # which samples with several labels have none of
    assert set(metrics.MEASURES) <= set(found) <= set(metrics.MEASURES) | set(metrics.BEHIND)
    assert not set(metrics.MEASURES) & set(metrics.BEHIND)
    assert all(type(value) is float and np.isfinite(value) for value in found.values())
    for key, value in found.items():
        entry = (metrics.MEASURES | metrics.BEHIND)[key]
        assert entry.low is None or value >= entry.low - 1e-9, key
        assert entry.high is None or value <= entry.high + 1e-9, key


def test_registry_speaks_in_sentences() -> None:
    for key, entry in (metrics.MEASURES | metrics.BEHIND).items():
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
    assert min(cloud_.kappa[:2]) < found["kappa_head"] < max(cloud_.kappa[:2])
    assert found["nc1"] == metrics.neural_collapse(z, y).nc1
    assert found["effective_rank"] == pytest.approx(metrics.effective_rank(z))


def test_rotation_permutation_and_float32_change_nothing(cloud, rotation) -> None:
    z, y = cloud(COUNTS, 5)
    split = split_of(y)
    expected = metrics.measure(z, y, split=split, full=True, targets=np.eye(6, 5) + 0.1)
    order = np.random.default_rng(0).permutation(len(y))
    turned = z[order] @ rotation(5)
    found = metrics.measure(turned, y[order], split=split[order], full=True, targets=(np.eye(6, 5) + 0.1) @ rotation(5))
    # by random directions, and planes, where D > 3
    sampled = {key for key in expected if key.startswith(("territory", "sliced"))}
    for key in set(expected) - sampled:
        assert found[key] == pytest.approx(expected[key], rel=1e-5, abs=1e-9), key
    single = metrics.measure(z.astype(np.float32), y, split=split)
    for key, value in single.items():
        assert value == pytest.approx(expected[key], rel=1e-4, abs=1e-6), key


def test_rows_that_are_not_unit_are_normalised_for_all_but_neural_collapse(cloud) -> None:
    z, y = cloud(COUNTS, 5)
    raw = z * np.random.default_rng(0).uniform(0.5, 20, len(y))[:, None]
    expected, found = metrics.measure(z, y), metrics.measure(raw, y)
    for key in LIVE - {"nc1", "cdnv"}:
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
    assert metrics.measure(np.array([[0.0, 1.0, 0.0]]), np.array([0]), full=full) == {}
    singles = metrics.measure(np.eye(4), np.arange(4), full=full)
    assert not any(key.startswith(("spread", "kappa", "cap95", "nc1", "tsc_alignment")) for key in singles)
    assert singles["min_centre_angle"] == pytest.approx(90.0) and singles["centre_singles"] == 4
    gaps = metrics.measure(np.eye(4)[[0, 0, 2]], np.array([0, 0, 7]), num_classes=9, full=full)
    assert gaps["centre_classes"] == 2 and gaps["centre_singles"] == 1 and gaps["nc1_classes"] == 1
    same = metrics.measure(np.ones((5, 3)), np.array([0, 0, 1, 1, 2]), full=full)
    assert not any(key.startswith(("nc1", "kappa", "minority", "tsc_alignment", "territory")) for key in same)
    assert same["spread_head"] == pytest.approx(0, abs=1e-5) and same["centre_sum"] == pytest.approx(1)
    opposite = metrics.measure(np.array([[1.0, 0], [-1, 0]]), np.array([0, 0]), full=full)
    assert not any(key.startswith(("spread", "uniformity", "centre")) for key in opposite)


def test_accuracies_need_to_be_known_to_be_of_test_points(cloud) -> None:
    z, y = cloud(COUNTS, 8)
    scores = {"scores": np.eye(6)[y], "labels": np.eye(6)[y]}
    found = metrics.measure(z, y, predictions=y, confidence=np.ones(len(y)), **scores, full=True)
    assert not any(key.startswith(("accuracy", "validation", "calibration", "map")) for key in found)
    assert apart(set(found)) and not apart(set(found)) & set(found)


def test_training_and_test_points_are_measured_apart(cloud) -> None:
    """Test clouds three times as wide: the number of both together is that of neither."""
    tight, y = cloud(COUNTS, 5, noise=0.1)
    wide, same = cloud(COUNTS, 5, noise=0.3)
    assert (y == same).all()
    split = np.where(np.arange(len(y)) % 3, 0, 1)
    z = np.where(split[:, None] == 0, tight, wide)
    found = metrics.measure(z, y, split=split, counts=COUNTS, full=True)
    for part, value in {"train": 0, "test": 1}.items():
        alone = metrics.measure(z[split == value], y[split == value], counts=COUNTS, full=True)
        keys = {key for key in found if key.endswith(f"_{part}") and key in metrics.MEASURES}
        assert len(keys) == 17
        for key in keys:
            assert found[key] == pytest.approx(alone[key.removesuffix(f"_{part}")], rel=1e-9), key
    assert found["spread_head_train"] < 0.5 * found["spread_head_test"]
    assert found["spread_head_train"] < found["spread_head"] < found["spread_head_test"]


def test_an_accuracy_says_how_many_points_it_rests_on_and_what_error_they_leave(cloud) -> None:
    z, y = cloud([60, 60, 60, 60, 60, 9], 8)
    split = np.ones(len(y), int)
    right = np.random.default_rng(0).random(len(y)) < 0.8
    found = metrics.measure(z, y, split=split, predictions=np.where(right | (y == 5), y, (y + 1) % 6))
    share = found["accuracy_all"]
    assert found["accuracy_all_n"] == 309 and found["accuracy_few_n"] == 69
    assert found["accuracy_all_error"] == pytest.approx(np.sqrt(share * (1 - share) / 309), rel=0.02)
    nine = metrics.measure(z[y == 5], y[y == 5], split=split[y == 5], predictions=y[y == 5], num_classes=6)
    assert nine["accuracy_all"] == 1 and 0.05 < nine["accuracy_all_error"] < 0.15, "nine of nine are no certainty"


def test_neural_collapse_is_of_the_features(cloud) -> None:
    z, y = cloud(COUNTS, 3)
    features, same = cloud(COUNTS, 12, noise=0.2)
    assert (y == same).all()
    features = features * (1 + y[:, None])
    weights, bias = np.random.default_rng(0).standard_normal((6, 12)), np.arange(6.0)
    found = metrics.measure(z, y, features=features, weights=weights, bias=bias)
    expected = metrics.neural_collapse(features, y, weights, bias)
    assert {key: found[key] for key in ("nc1", "nc2", "nc3", "nc4")} == dict(expected)
    means = np.stack([features[y == c].mean(axis=0) for c in range(6)])
    assert found["equinorm"] == pytest.approx(metrics.equality(means)["equinorm"]) and found["equinorm"] > 0.3
    assert found["spread_head"] == metrics.measure(z, y)["spread_head"]


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
    z, y = rng.standard_normal((1040, 520)), np.repeat(np.arange(520), 2)
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
