"""The long tail itself: how many samples each class keeps, and which ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltviz.data.inputs import Inputs
from ltviz.errors import ConfigError

PARETO_POWER = 6
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


def step_counts(n_max: int, num_classes: int, imbalance_factor: float) -> list[int]:
    """As `exponential_counts`, but of two sizes: the first half of the classes has n_max samples, every other class
    `int(n_max / IF)`, at least 1; of an odd number of classes the middle one is small.

    Source: Buda et al. 2018; Cao et al. 2019 (LDAM), `imb_type="step"` of the official code.
    """
    exponential_counts(n_max, num_classes, imbalance_factor)  # the same bounds
    half = num_classes // 2 or 1
    return [n_max] * half + [max(1, int(n_max / imbalance_factor))] * (num_classes - half)


def pareto_counts(n_max: int, num_classes: int, imbalance_factor: float) -> list[int]:
    """As `exponential_counts`, but the sizes are quantiles of a Pareto distribution of power 6.

    Class k has n_max q_k / q_0 samples, with q_k = ((k + 1/2) / C)^(-1/6) - 1 the k-th largest of C equally spaced
    quantiles, and at least n_max / IF. With n_max 1,280, C 1,000 and IF 256 these are 101,000 samples, from 1,280 to 5
    a class; ImageNet-LT, whose sizes were drawn at random, has 115,846 in the same bounds.

    Source: Liu et al. 2019 (OLTR), ImageNet-LT: Pareto distribution with power 6, as `numpy.random.pareto` draws it.
    """
    exponential_counts(n_max, num_classes, imbalance_factor)  # the same bounds
    quantiles = ((np.arange(num_classes) + 0.5) / num_classes) ** (-1 / PARETO_POWER) - 1
    least = max(1, int(n_max / imbalance_factor))
    return np.maximum((n_max * quantiles / quantiles[0]).astype(int), least).tolist()


PROFILES: Mapping[str, Callable[[int, int, float], list[int]]] = {
    "exp": exponential_counts,
    "step": step_counts,
    "pareto": pareto_counts,
}
"""How the sizes of classes fall, by name: of (n_max, num_classes, imbalance_factor)."""
NATURAL = "natural"
"""The profile that cuts nothing: every class as its files have it."""


def measured_factor(counts: Sequence[int] | NDArray[np.int64]) -> float:
    """Samples of the largest class over those of the smallest that has any; 1 where none has.

    >>> measured_factor([1280, 40, 5])
    256.0
    """
    held = [int(count) for count in counts if count > 0]
    return max(held) / min(held) if held else 1.0


@dataclass(frozen=True, kw_only=True)
class Tail:
    """Which class stands at each rank, and how many training samples it keeps.

    Attributes:
        order: (C,) int64, class of the files at each rank.
        counts: training samples by rank, never rising.
        seed: draws which samples of a class are kept.
        profile: one of `PROFILES`, or `NATURAL`.
        test_per_class: test samples of every class, at most; all where None.
        images: training images, where samples are pixels of them; None where each sample is one.
    """

    order: NDArray[np.int64]
    counts: tuple[int, ...]
    seed: int
    profile: str
    test_per_class: int | None
    images: int | None = None


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What a data set offers before it is cut: every class in its natural number.

    Attributes:
        train_inputs, test_inputs: images or vectors, of one shape.
        train_labels, test_labels: (N,) int64, they index `class_names`.
        train_ids, test_ids: (N,) int64 number the samples within the data set, no number twice.
        train_multi, test_multi: (N, C) uint8, 1 for every class that a sample shows, where samples show several.
        notes: sentences on what was guessed or left out while reading.
    """

    train_inputs: Inputs
    train_labels: NDArray[np.int64]
    train_ids: NDArray[np.int64]
    test_inputs: Inputs
    test_labels: NDArray[np.int64]
    test_ids: NDArray[np.int64]
    class_names: tuple[str, ...]
    train_multi: NDArray[np.uint8] | None = None
    test_multi: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LongTailed:
    """A long-tailed data set: class 0 has most training samples, the test set is balanced or as its files have it.

    Attributes:
        train_inputs, test_inputs: images or vectors, of one shape.
        train_labels, test_labels: (N,) int64, ranked: 0 is the class with most training samples.
        class_names: names by rank.
        counts: (C,) int64, training samples per class, never rising.
        train_ids, test_ids: (N,) int64, where each image stands in the whole data set.
        train_multi, test_multi: (N, C) uint8, 1 for every class that an image shows, where images show several; None
            where each shows one. `counts` are the column sums of train_multi then, and train_labels and test_labels
            hold the rarest class of each image.
        mean, std: by channel, of images in [0, 1]; what an encoder sees is less the mean and over the deviation, after
            the augmentation. Empty for none.
        profile: how the sizes fall, one of `PROFILES`, or `NATURAL`.
        policies: how views are made where nobody asks for another way; empty where the shape of the inputs says it.
        notes: sentences on what was guessed or left out while reading.
    """

    name: str
    train_inputs: Inputs
    train_labels: NDArray[np.int64]
    test_inputs: Inputs
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    train_ids: NDArray[np.int64]
    test_ids: NDArray[np.int64]
    train_multi: NDArray[np.uint8] | None = None
    test_multi: NDArray[np.uint8] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    profile: str = "exp"
    policies: str = ""
    notes: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        return len(self.counts)

    @property
    def replaced(self) -> list[str]:
        """A line on each damaged file that another one stands in for, of both sets, as they were found."""
        return list(dict.fromkeys((*self.train_inputs.replaced, *self.test_inputs.replaced)))

    @property
    def num_images(self) -> int:
        """Training images, which are the training samples, or what these are pixels of."""
        return self.train_inputs.num_images


def rank_classes(num_classes: int, seed: int) -> NDArray[np.int64]:
    """(C,) natural class that stands at each rank: another class is rare for each seed."""
    return random(seed, _ORDER).permutation(num_classes).astype(np.int64)


def cut(name: str, pool: Pool, tail: Tail) -> LongTailed:
    """The long-tailed subset of a pool, drawn by seed; no file is opened for it.

    The test set is the first `tail.test_per_class` samples of every class, whatever the seed. Where samples have
    several labels nothing can be drawn by class: all are kept, and only the classes are ranked.
    """
    if pool.train_multi is not None and pool.test_multi is not None:
        return _ranked(name, pool, tail, pool.train_multi[:, tail.order], pool.test_multi[:, tail.order])
    draw, num_classes = random(tail.seed, _SUBSET), len(tail.order)
    members, held_out = by_class(pool.train_labels, num_classes), by_class(pool.test_labels, num_classes)
    train = [draw.permutation(members[c])[:n] for c, n in zip(tail.order, tail.counts, strict=True)]
    test = [held_out[c][: tail.test_per_class] for c in tail.order]
    kept, held = np.concatenate(train), np.concatenate(test)
    return LongTailed(
        name=name,
        train_inputs=pool.train_inputs.subset(kept),
        train_labels=np.repeat(np.arange(num_classes), [len(i) for i in train]),
        test_inputs=pool.test_inputs.subset(held),
        test_labels=np.repeat(np.arange(num_classes), [len(i) for i in test]),
        class_names=tuple(pool.class_names[c] for c in tail.order),
        counts=np.array([len(i) for i in train]),
        train_ids=pool.train_ids[kept],
        test_ids=pool.test_ids[held],
        notes=pool.notes,
    )


def _ranked(
    name: str, pool: Pool, tail: Tail, train_multi: NDArray[np.uint8], test_multi: NDArray[np.uint8]
) -> LongTailed:
    """A pool with several labels as it is, its classes by rank."""
    return LongTailed(
        name=name,
        train_inputs=pool.train_inputs,
        train_labels=rarest(train_multi),
        test_inputs=pool.test_inputs,
        test_labels=rarest(test_multi),
        class_names=tuple(pool.class_names[c] for c in tail.order),
        counts=train_multi.sum(0, dtype=np.int64),
        train_ids=pool.train_ids,
        test_ids=pool.test_ids,
        train_multi=train_multi,
        test_multi=test_multi,
        notes=pool.notes,
    )


def rarest(present: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(N,) the class of highest rank in each row of (N, C) 0/1 labels; every row has one."""
    return present.shape[1] - 1 - present[:, ::-1].argmax(1)


def by_class(labels: NDArray[np.int64], num_classes: int) -> list[NDArray[np.int64]]:
    """Of each class the positions of its samples, in order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels, minlength=num_classes))[:-1])
