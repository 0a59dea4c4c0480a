"""Mean intersection over union, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from ltviz.errors import DataError
from ltviz.metrics import FINAL, confusion, mean_overlap
from ltviz.recording.evaluation import Evaluation

COUNTS = np.array([500, 50, 5])


def test_by_hand() -> None:
    y = np.array([0, 0, 0, 0, 1, 1, 2, -1])
    predicted = np.array([0, 0, 0, 1, 1, 2, 2, 0])
    found = mean_overlap(confusion(predicted, y, 3), COUNTS)
    assert found.per_class == pytest.approx([3 / 4, 1 / 3, 1 / 2]), "the pixel without a label counts nowhere"
    assert (found.many, found.medium, found.few) == pytest.approx((3 / 4, 1 / 3, 1 / 2))
    assert found.all == pytest.approx((3 / 4 + 1 / 3 + 1 / 2) / 3)


def test_as_scikit_learn_over_several_images_together() -> None:
    chance = np.random.default_rng(0)
    y = chance.choice(6, size=(4, 200), p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
    predicted = np.where(chance.random(y.shape) < 0.7, y, chance.integers(6, size=y.shape))
    confused = sum(confusion(p, t, 6) for p, t in zip(predicted, y, strict=True))
    found = mean_overlap(confused, np.array([300, 200, 60, 50, 9, 8]))
    each = jaccard_score(y.ravel(), predicted.ravel(), average=None)
    assert found.per_class == pytest.approx(each, abs=1e-12)
    assert found.all == pytest.approx(jaccard_score(y.ravel(), predicted.ravel(), average="macro"), abs=1e-12)
    assert found.few == pytest.approx(each[4:].mean())


def test_a_class_that_is_nowhere_is_left_out_and_one_that_is_only_predicted_is_not() -> None:
    found = mean_overlap(confusion(np.array([0, 0, 1]), np.array([0, 0, 0]), 3), COUNTS)
    assert found.per_class[:2] == pytest.approx([2 / 3, 0]) and np.isnan(found.per_class[2])
    assert found.few is None and found.all == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "predicted, y, told",
    [([0, 1], [0], "one prediction"), ([0, 3], [0, 0], "predictions must lie"), ([0], [-2], "labels must lie")],
)
def test_bad_input_is_refused(predicted: list[int], y: list[int], told: str) -> None:
    with pytest.raises(DataError, match=told):
        confusion(np.array(predicted), np.array(y), 3)


def test_it_is_declared_and_told_at_the_end_alone() -> None:
    told = Evaluation(step=1, test_images=[1], miou={"all": 0.5, "few": 0.25}).measures()
    assert told == {"final_miou_all_own": 0.5, "final_miou_few_own": 0.25}
    assert {"table", "summary", "findings"} <= set(FINAL["final_miou_few_own"].shown)
