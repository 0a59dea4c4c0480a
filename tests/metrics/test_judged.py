"""One judge for the frames of all methods: what their features say, whatever their spheres do."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz import metrics
from ltviz.metrics.judged import IN_FRAMES, JUDGE_OF
from ltviz.metrics.linear_probe import LARGEST_LIVE_PROBE

Y = np.repeat(np.arange(3), (30, 20, 10))
SPLIT = (np.arange(len(Y)) % 2).astype(np.uint8)


def features(size: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(len(Y), size)) + 3 * np.eye(3, size)[Y]).astype(np.float32)


def judged(seen: np.ndarray, **more) -> dict[str, float]:
    sphere = np.random.default_rng(1).normal(size=(len(Y), 3))  # says nothing of the classes
    return metrics.measure(sphere, Y, split=SPLIT, features=seen, **more)


def test_nearest_mean_reads_features_and_not_the_sphere() -> None:
    seen, test = features(), SPLIT == 1
    unit = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    means = np.stack([unit[(c == Y) & ~test].mean(0) for c in range(3)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    right = (unit[test] @ means.T).argmax(1) == Y[test]
    found = judged(seen)
    assert found["accuracy_ncm_all_features"] == pytest.approx(right.mean())
    assert found["accuracy_ncm_few_features"] == pytest.approx(right[Y[test] == 2].mean())
    assert found["accuracy_ncm_all"] < 0.7 < found["accuracy_ncm_all_features"]
    assert found["accuracy_probe_all_features"] > 0.8


def test_a_row_of_zeros_has_no_direction_and_stops_nobody() -> None:
    seen = features()
    seen[:2] = 0
    found = judged(seen)
    assert {kind.format("all") for kinds in IN_FRAMES.values() for kind in kinds} - {"accuracy_all"} <= found.keys()


def test_what_is_not_known_is_absent() -> None:
    sphere = features(3)
    without = metrics.measure(sphere, Y, split=SPLIT)
    assert not [key for key in without if key.endswith("_features")], "nobody gave features"
    several = judged(features(), scores=np.eye(3)[Y], labels=np.eye(3)[Y])
    assert not [key for key in several if key.endswith("_features")], "one label of several says little"
    wide = judged(features(LARGEST_LIVE_PROBE + 1))
    assert "accuracy_ncm_all_features" in wide and "accuracy_probe_all_features" not in wide, "too slow for a frame"
    assert "accuracy_probe_all_features" in judged(features(LARGEST_LIVE_PROBE + 1), full=True)


def test_places_show_one_judge_and_all_that_it_may_be_asked() -> None:
    for place in ("table", "curves", "report", "report_curves", "summary", "findings", "panel"):
        for judge in IN_FRAMES:
            shown = [JUDGE_OF[one.key] for one in metrics.shown_in(place, judge) if one.key in JUDGE_OF]
            assert shown and {*shown} <= {judge, "own" if judge != "own" else "ncm"}, (place, judge)
            assert shown[0] == judge
        alone = [one.key for one in metrics.shown_in(place) if one.key in JUDGE_OF]
        assert {JUDGE_OF[key] for key in alone} == {"own"}
    labels = [one.label_in("table") for one in metrics.shown_in("table", "ncm") if one.key in JUDGE_OF]
    assert labels[0] == "Many, nearest mean" and labels[-1] == "Few, own" and len(set(labels)) == len(labels)
