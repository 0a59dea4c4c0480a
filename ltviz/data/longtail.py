"""The long tail itself: how many samples each class keeps, and which ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltviz.errors import ConfigError

_ORDER, _SUBSET = 0, 1  # Philox streams, so that another use of the same seed never sees the same numbers


def random(seed: int, stream: int, step: int = 0, part: int = 0) -> np.random.Generator:
    """Numbers that depend on (seed, stream, step, part) and on nothing else.

    Philox is counter-based: the numbers of step 7 need none of the steps before it, so a run continued at step 7
    draws what an uninterrupted one would have drawn.
    """
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, part, stream, step]))


def exponential_counts(n_max: int, num_classes: int, imbalance_factor: float) -> list[int]:
    """Training samples per class, `int(n_max * IF ** (-c / (C - 1)))`, class 0 first; at least 1 each.

    Args:
        n_max: samples of class 0, >= 1.
        num_classes: C >= 1.
        imbalance_factor: IF = n_0 / n_(C-1) >= 1; 1 keeps all classes equal.

    Raises:
        ConfigError: a value outside these ranges.

    Source: Cao et al. 2019 (LDAM), `get_img_num_per_cls` of the official code: floor, natural class order.
    """
    if n_max < 1:
        raise ConfigError(f"max_per_class must be at least 1, got {n_max}; try 100")
    if num_classes < 1:
        raise ConfigError(f"num_classes must be at least 1, got {num_classes}")
    if not (math.isfinite(imbalance_factor) and imbalance_factor >= 1):
        raise ConfigError(
            f"imbalance_factor must be at least 1 (samples of the largest class over the smallest), "
            f"got {imbalance_factor}; try 50"
        )
    last = max(num_classes - 1, 1)
    return [max(1, int(n_max * imbalance_factor ** (-c / last))) for c in range(num_classes)]


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What a data set offers before it is cut: every class in its natural number.

    Images are (N, H, W) uint8 or float32, white = `white`; labels (N,) index `class_names`.
    `train_ids` and `test_ids` (N,) int64 number the images within the data set, no number twice.
    """

    train_images: NDArray
    train_labels: NDArray[np.int64]
    train_ids: NDArray[np.int64]
    test_images: NDArray
    test_labels: NDArray[np.int64]
    test_ids: NDArray[np.int64]
    class_names: tuple[str, ...]
    white: float


@dataclass(frozen=True, kw_only=True)
class LongTailed:
    """A long-tailed data set: class 0 has most training samples, the test set is balanced.

    Attributes:
        train_images, test_images: (N, H, W) float32 in [0, 1].
        train_labels, test_labels: (N,) int64, ranked: 0 is the class with most training samples.
        class_names: names by rank.
        counts: (C,) int64, training samples per class, never rising.
        train_ids, test_ids: (N,) int64, where each image stands in the whole data set.
        train_multi, test_multi: (N, C) uint8, 1 for every class that an image shows, where images show several; None
            where each shows one. `counts` are the column sums of train_multi then, every class is positive equally
            often in test_multi, and train_labels and test_labels hold the rarest class of each image.
    """

    name: str
    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    train_ids: NDArray[np.int64]
    test_ids: NDArray[np.int64]
    train_multi: NDArray[np.uint8] | None = None
    test_multi: NDArray[np.uint8] | None = None

    @property
    def num_classes(self) -> int:
        return len(self.counts)


def rank_classes(num_classes: int, seed: int) -> NDArray[np.int64]:
    """(C,) natural class that stands at each rank: another class is rare for each seed."""
    return random(seed, _ORDER).permutation(num_classes).astype(np.int64)


def cut(name: str, pool: Pool, counts: list[int], seed: int, *, test_per_class: int) -> LongTailed:
    """The long-tailed subset of a pool: `counts[k]` training samples of the class at rank k, drawn by seed.

    The test set is the first `test_per_class` images of every class, whatever the seed.
    """
    order = rank_classes(len(counts), seed)
    draw = random(seed, _SUBSET)
    train = [draw.permutation(np.flatnonzero(pool.train_labels == c))[:n] for c, n in zip(order, counts, strict=True)]
    test = [np.flatnonzero(pool.test_labels == c)[:test_per_class] for c in order]
    kept, held = np.concatenate(train), np.concatenate(test)
    return LongTailed(
        name=name,
        train_images=pool.train_images[kept].astype(np.float32) / np.float32(pool.white),
        train_labels=np.repeat(np.arange(len(order)), [len(i) for i in train]),
        test_images=pool.test_images[held].astype(np.float32) / np.float32(pool.white),
        test_labels=np.repeat(np.arange(len(order)), [len(i) for i in test]),
        class_names=tuple(pool.class_names[c] for c in order),
        counts=np.array([len(i) for i in train]),
        train_ids=pool.train_ids[kept],
        test_ids=pool.test_ids[held],
    )
