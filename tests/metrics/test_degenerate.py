"""What too little data makes of every measure: absent, or a number that flatters nobody."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz import metrics
from ltviz.errors import DataError

PERFECT_CENTRES = {"two opposite classes of one sample each"}
"""Their centres are as far apart as can be, which is true: `centre_singles` says that a centre is one sample."""
OF_CENTRES = (
    *("simplex_deviation", "centre_sum", "min_centre_angle", "packing_gap", "tsc_uniformity"),
    "tsc_neighbour_uniformity",
)


def cases() -> dict[str, tuple[np.ndarray, np.ndarray, int]]:
    """Name -> points, labels, number of classes."""
    rng = np.random.default_rng(0)
    axis = np.eye(3)[[0]]
    cloud = rng.standard_normal((24, 3))
    cloud /= np.linalg.norm(cloud, axis=1, keepdims=True)
    third = np.full((24, 3), 3**-0.5)
    return {
        "one sample": (axis, np.array([0]), 1),
        "one sample of nine classes": (axis, np.array([0]), 9),
        "one class": (cloud, np.zeros(24, int), 1),
        "one class of nine": (cloud, np.zeros(24, int), 9),
        "one sample a class": (cloud, np.arange(24), 24),
        "one sample a class, in one place": (third, np.arange(24), 24),
        "all in one place": (third, np.arange(24) % 6, 6),
        "all in one place, in 2-D": (np.tile([[0.6, 0.8]], (24, 1)), np.arange(24) % 6, 6),
        "one class in one place": (third, np.zeros(24, int), 1),
        "two opposite points of one class": (np.vstack((axis, -axis)), np.array([0, 0]), 1),
        "two opposite classes of one sample each": (np.vstack((axis, -axis)), np.array([0, 1]), 2),
        "every class cancels out": (np.tile(np.vstack((axis, -axis)), (6, 1)), np.repeat([0, 1, 2], 4), 3),
        "classes without samples": (cloud, np.where(np.arange(24) % 2, 3, 7), 9),
    }


def splits(n: int) -> dict[str, np.ndarray | None]:
    return {
        "unknown": None,
        "all train": np.zeros(n, int),
        "all test": np.ones(n, int),
        "all validation": np.full(n, 2),
        "mixed": np.arange(n) // 2 % 2,
    }


def everything(z: np.ndarray, y: np.ndarray, num_classes: int, split: np.ndarray | None) -> dict[str, float]:
    """All that can be asked, with a classifier that is always right and sure."""
    return metrics.measure(
        z, y, num_classes=num_classes, split=split, predictions=y, confidence=np.ones(len(y)), views=(z, z),
        weights=np.eye(num_classes, z.shape[1]), bias=np.zeros(num_classes), scores=np.eye(num_classes)[y],
        labels=np.eye(num_classes)[y], full=True,
    )  # fmt: skip


def flattering(found: dict[str, float], name: str) -> set[str]:
    """Measures with a better end that stand at it, up to what float32 can tell. The answers were always right: they
    and the views, which coincide, have earned it where they say on how many samples."""
    earned = ("accuracy", "validation", "map", "calibration", "alignment")
    out = set()
    for key, value in found.items():
        entry = metrics.MEASURES.get(key)
        if entry is None or entry.better is None or key.startswith(earned):
            continue
        end = entry.low if entry.better == "lower" else entry.high
        if end is not None and abs(value - end) < 1e-5:
            out.add(key)
    return {key for key in out if not (name in PERFECT_CENTRES and key.startswith(OF_CENTRES))}


@pytest.mark.parametrize("name", cases())
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_nothing_degenerate_looks_perfect(name: str, kind: type) -> None:
    z, y, num_classes = cases()[name]
    for part, split in splits(len(y)).items():
        found = everything(z.astype(kind), y, num_classes, split)
        assert all(np.isfinite(value) for value in found.values())
        assert flattering(found, name) == set(), part
        # without an upper end: the concentration of samples that coincide, the room of a tail beside a collapsed head
        assert all(value < 1e5 for value in found.values()), part
        assert not any(key.startswith("accuracy") and num_classes == 1 for key in found), part


@pytest.mark.parametrize("name", cases())
def test_what_is_left_out_is_said(name: str) -> None:
    z, y, num_classes = cases()[name]
    found, count = everything(z, y, num_classes, None), np.bincount(y, minlength=num_classes)
    groups = metrics.shot_groups(count)
    for group, members in groups.items():
        several = (count[members] >= 2).sum()
        if f"spread_{group}" in found:
            assert several == found.get(f"spread_{group}_classes", len(members))
    if "nc1" in found:
        assert (count >= 2).sum() == found.get("nc1_classes", num_classes)
    if "centre_sum" in found:
        assert (count > 0).sum() == found.get("centre_classes", num_classes)
        assert (count == 1).sum() == found.get("centre_singles", 0)


def test_accuracies_of_classes_in_one_place_are_those_of_nothing() -> None:
    """Every centre is as near as every other: the first class would win, and get all of its points right."""
    z, y, num_classes = cases()["all in one place"]
    found = metrics.measure(z, y, num_classes=num_classes, split=np.arange(24) // 2 % 2, full=True)
    assert not any(key.startswith("accuracy") for key in found)


def test_views_in_one_place_are_not_aligned() -> None:
    z = np.tile(np.eye(3)[[0]], (5, 1))
    assert "alignment" not in metrics.measure(z, np.zeros(5, int), views=(z, z))


def test_average_precision_without_anything_to_rank_is_absent() -> None:
    found = metrics.mean_average_precision(np.ones((4, 2)), np.array([[1, 0], [1, 0], [1, 1], [1, 0]]), [5, 1])
    assert np.isnan(found.per_class[0]) and found.per_class[1] == 0.25


def test_two_means_have_equal_norms_whatever_was_learned() -> None:
    z, y, _ = cases()["classes without samples"]
    assert not {"equinorm", "equiangularity"} & set(metrics.measure(z, y, full=True))


def test_no_samples_are_refused() -> None:
    with pytest.raises(DataError, match="N >= 1"):
        metrics.measure(np.zeros((0, 3)), np.zeros(0, int))
