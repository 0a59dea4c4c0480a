"""Which samples the frames show: chosen once, so that every point can be followed through the run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ltviz.data.inputs import Inputs
from ltviz.data.longtail import LongTailed, random
from ltviz.data.pixels import Pixels, mark
from ltviz.recording.probe import make_thumbnails

_STREAM, _HELD_STREAM = 20, 23  # Philox streams
TRAIN, TEST, VALIDATION = 0, 1, 2
_THUMBNAIL_ROWS = 256


@dataclass(frozen=True, kw_only=True)
class ProbeSet:
    """The watched samples, training samples first, each part ordered by class.

    Attributes:
        inputs: N images or vectors; in memory, unless they are files of more than `HELD_BYTES`.
        labels: (N,) int32 by rank.
        split: (N,) uint8, 0 train, 1 test, 2 validation.
        sample_ids: (N,) int64, place in the whole data set.
        multi: (N, C) uint8, 1 for every class that a sample shows, where samples have several labels; labels holds the
            rarest then.
    """

    inputs: Inputs
    labels: NDArray[np.int32]
    split: NDArray[np.uint8]
    sample_ids: NDArray[np.int64]
    multi: NDArray[np.uint8] | None = None

    @cached_property
    def thumbnails(self) -> NDArray[np.uint8] | None:
        """(N, H, W) or (N, H, W, 3), 0 to 255, of at most 32 x 32 pixels; None of vectors. Where samples are pixels,
        each is marked in its image."""
        if self.inputs.is_vectors:
            return None
        parts = []
        for index in self.inputs.blocks(_THUMBNAIL_ROWS):
            images = self.inputs.read(index)
            if images.dtype != np.uint8 or self.inputs.white != 255:
                share = np.clip(images.astype(np.float32) / np.float32(self.inputs.white), 0, 1)
                images = np.rint(share * 255).astype(np.uint8)
            parts.append(make_thumbnails(images, len(images)))
        thumbnails = np.concatenate(parts)
        return mark(thumbnails, *self.inputs.shares()) if isinstance(self.inputs, Pixels) else thumbnails


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


def choose(data: LongTailed, *, points: int, seed: int, validation_share: float = 0.0) -> ProbeSet:
    """At most `points` samples: half from the training set (small classes whole), the others from the test set.

    What one half leaves over goes to the other. Of the samples from the test set `validation_share` of each class are
    for validation, at least one of a class that keeps a test sample. The same samples are shown whatever the share.
    """
    num_train, num_test = len(data.train_labels), len(data.test_labels)
    test_budget = min(num_test, max(points // 2, points - num_train))
    draw = random(seed, _STREAM)

    def pick(labels: NDArray, budget: int) -> NDArray:
        take = quotas(np.bincount(labels, minlength=data.num_classes), budget)
        return np.concatenate([np.sort(draw.permutation(np.flatnonzero(labels == c))[:n]) for c, n in enumerate(take)])

    train, test = pick(data.train_labels, points - test_budget), pick(data.test_labels, test_budget)
    return ProbeSet(
        inputs=data.train_inputs.subset(train).join(data.test_inputs.subset(test)).hold(),
        labels=np.concatenate([data.train_labels[train], data.test_labels[test]]).astype(np.int32),
        split=np.concatenate(
            [np.full(len(train), TRAIN, np.uint8), _held_out(data.test_labels[test], validation_share, seed)]
        ),
        sample_ids=np.concatenate([data.train_ids[train], data.test_ids[test]]),
        multi=(
            None
            if data.train_multi is None or data.test_multi is None
            else np.concatenate([data.train_multi[train], data.test_multi[test]])
        ),
    )


def _held_out(labels: NDArray, validation_share: float, seed: int) -> NDArray[np.uint8]:
    """(N,) TEST or VALIDATION for each held-out sample."""
    split = np.full(len(labels), TEST, np.uint8)
    if validation_share == 0:
        return split
    draw = random(seed, _HELD_STREAM)
    for c in np.unique(labels):
        here = draw.permutation(np.flatnonzero(labels == c))
        split[here[: min(max(1, round(validation_share * len(here))), len(here) - 1)]] = VALIDATION
    return split
