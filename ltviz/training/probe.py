"""Which samples the frames show: chosen once, so that every point can be followed through the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltviz.data.longtail import LongTailed, random

_STREAM = 20  # Philox stream
TRAIN, TEST = 0, 1


@dataclass(frozen=True, kw_only=True)
class ProbeSet:
    """The watched samples, training samples first, each part ordered by class.

    Attributes:
        images: (N, H, W) float32 in [0, 1].
        labels: (N,) int32 by rank.
        split: (N,) uint8, 0 train, 1 test.
        sample_ids: (N,) int64, place in the whole data set.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int32]
    split: NDArray[np.uint8]
    sample_ids: NDArray[np.int64]

    @property
    def thumbnails(self) -> NDArray[np.uint8]:
        """(N, H, W), 0 to 255."""
        return np.rint(np.clip(self.images, 0, 1) * 255).astype(np.uint8)


def quotas(sizes: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
    """(C,) samples to show of each class: as equal as possible, so that small classes are shown whole.

    The result never exceeds `sizes`, sums to min(budget, sizes.sum()), and differs by at most 1 between classes that
    are not shown whole.
    """
    left, level = budget, 0
    for place, size in enumerate(np.sort(sizes)):
        level = left // (len(sizes) - place)
        if size > level:  # this class and all larger ones are cut to the same level
            break
        left -= size
    taken = np.minimum(sizes, level) if level < sizes.max() else sizes.copy()
    taken[np.flatnonzero(sizes > taken)[: max(0, budget - taken.sum())]] += 1
    return taken


def choose(data: LongTailed, *, points: int, seed: int) -> ProbeSet:
    """At most `points` samples: half from the training set (small classes whole), the others from the test set.

    What one half leaves over goes to the other.
    """
    num_train, num_test = len(data.train_labels), len(data.test_labels)
    test_budget = min(num_test, max(points // 2, points - num_train))
    draw = random(seed, _STREAM)

    def pick(labels: NDArray, budget: int) -> NDArray:
        take = quotas(np.bincount(labels, minlength=data.num_classes), budget)
        return np.concatenate([np.sort(draw.permutation(np.flatnonzero(labels == c))[:n]) for c, n in enumerate(take)])

    train, test = pick(data.train_labels, points - test_budget), pick(data.test_labels, test_budget)
    return ProbeSet(
        images=np.concatenate([data.train_images[train], data.test_images[test]]),
        labels=np.concatenate([data.train_labels[train], data.test_labels[test]]).astype(np.int32),
        split=np.repeat(np.array([TRAIN, TEST], np.uint8), [len(train), len(test)]),
        sample_ids=np.concatenate([data.train_ids[train], data.test_ids[test]]),
    )
