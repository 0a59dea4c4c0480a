"""digits-seg: digits on a textured ground, a label for each pixel; no download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ltviz.bounds import Bounded
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import LongTailed, Pool, Tail, random
from ltviz.data.pixels import UNLABELLED, LabelMaps, Pixels
from ltviz.data.source import Outline, Source, Where
from ltviz.data.sources.digits import WHITE, Digits

_TRAIN, _TEST = 4, 5  # Philox streams
SIDE, _CELL, _DIGIT = 32, 16, 8
_CELLS = (SIDE // _CELL) ** 2
INK = 4
"""A pixel of a digit's image is of the digit where it is brighter, of 16, and ground elsewhere."""
_GROUND = 6.0  # brightest, of 16
TEST_PER_CLASS = 30
BACKGROUND = 0


class DigitsSegOptions(Bounded):
    pixels: int = Field(8, ge=1, le=SIDE * SIDE, description="Labelled pixels that a batch takes of each image.")


class DigitsSeg(Source):
    """Mosaics of 32 x 32 pixels with up to four digits of scikit-learn's, whose samples are pixels.

    The background is the head class. The sizes of a run are those of digits: the digit at rank k is placed
    `tail.counts[k]` times in training, and every digit equally often in the test set, which is the same for every seed.
    """

    name = "digits-seg"
    title = "Digits, labelled pixels"
    about = "Mosaics of 32 x 32 pixels, digits of the same set on a textured ground; each pixel is a sample."
    class_names = ("background", *Digits.class_names)
    image_shape = (SIDE, SIDE)
    max_per_class = 200
    Options = DigitsSegOptions

    def outline(self, where: Where) -> Outline:
        """How many pixels a class has in training is only known once the mosaics are made (`foresee`)."""
        test = _test_set().labels
        counts = tuple(np.bincount(test.ravel(), minlength=len(self.class_names)).tolist())
        return replace(super().outline(where), test_counts=counts, policies="noise")

    def read(self, where: Where) -> DigitPool:
        """The digits that mosaics are made of."""
        pool, options = Digits().read(where), where.options
        assert isinstance(options, DigitsSegOptions)
        given = {one.name: getattr(pool, one.name) for one in fields(pool)}
        return DigitPool(**{**given, "class_names": self.class_names}, pixels=options.pixels)

    def sizes(self, pool: Pool) -> tuple[int, ...]:
        """Digits may come again in other mosaics, so this only keeps the set in memory."""
        return (10_000,) * len(self.class_names)

    def foresee(self, where: Where, tail: Tail) -> Tail:
        made = _training_set(tuple(tail.order.tolist()), tail.counts, tail.seed)
        order, counts = _ranks(made)
        return replace(tail, order=order, counts=tuple(counts.tolist()), images=len(made.images))

    def compose(self, pool: Pool, tail: Tail) -> LongTailed:
        assert isinstance(pool, DigitPool)
        train = _training_set(tuple(tail.order.tolist()), tail.counts, tail.seed)
        test, (order, counts) = _test_set(), _ranks(train)
        rank = np.argsort(order)
        return LongTailed(
            name=self.name,
            train_inputs=_pixels(train, pool.pixels, rank),
            train_labels=rank[train.labels.ravel()],
            test_inputs=_pixels(test, pool.pixels, rank),
            test_labels=rank[test.labels.ravel()],
            class_names=tuple(self.class_names[c] for c in order),
            counts=counts,
            train_ids=np.arange(test.labels.size, test.labels.size + train.labels.size),
            test_ids=np.arange(test.labels.size),
            notes=pool.notes,
        )


@dataclass(frozen=True, kw_only=True)
class DigitPool(Pool):
    """Digits, and how many pixels of a mosaic a batch is to take."""

    pixels: int


@dataclass(frozen=True)
class Mosaics:
    images: NDArray[np.uint8]
    """(M, 32, 32), 0 to 16."""
    labels: NDArray[np.uint8]
    """(M, 32, 32), 0 for the background, 1 + d for digit d."""


def _pixels(made: Mosaics, each: int, rank: NDArray[np.int64]) -> Pixels:
    """All pixels of all mosaics."""
    number = np.arange(made.labels.size)
    ranks = np.full(256, UNLABELLED, np.int16)
    ranks[: len(rank)] = rank
    maps = LabelMaps(HeldInputs(made.labels), ranks)
    return Pixels(HeldInputs(made.images, WHITE), number // SIDE**2, number % SIDE**2, each=each, maps=maps)


def _ranks(made: Mosaics) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(C,) classes, most pixels first, and (C,) their pixels."""
    counts = np.bincount(made.labels.ravel(), minlength=len(DigitsSeg.class_names))
    order = np.argsort(-counts, kind="stable")
    return order, counts[order]


@lru_cache(maxsize=4)
def _training_set(order: tuple[int, ...], counts: tuple[int, ...], seed: int) -> Mosaics:
    """The k-th of the ten digits in `order` is placed `counts[k]` times, k from 1: the background's rank is skipped,
    and counts[0] is nobody's."""
    digits = [c - 1 for c in order if c != BACKGROUND]
    pool = Digits().read(Where())
    placed = dict(zip(digits, counts[1:], strict=True))
    return _mosaics(pool.train_inputs.whole(), pool.train_labels, placed, random(seed, _TRAIN))


@lru_cache(maxsize=1)
def _test_set() -> Mosaics:
    pool = Digits().read(Where())
    placed = dict.fromkeys(range(len(Digits.class_names)), TEST_PER_CLASS)
    return _mosaics(pool.test_inputs.whole(), pool.test_labels, placed, random(0, _TEST))


def _mosaics(
    digits: NDArray[np.uint8], labels: NDArray[np.int64], placed: Mapping[int, int], chance: np.random.Generator
) -> Mosaics:
    """Mosaics with two digits on average, each in a quarter of its own; no digit comes again before all of its class
    did.

    Args:
        placed: digit -> how often.
    """
    which = np.concatenate(
        [np.resize(chance.permutation(np.flatnonzero(labels == c)), n) for c, n in sorted(placed.items())]
    )
    num = -(-2 * len(which) // _CELLS)
    cells = chance.permutation(num * _CELLS)[: len(which)]
    image, quarter = cells // _CELLS, cells % _CELLS
    corner = np.stack([quarter // 2, quarter % 2]) * _CELL + chance.integers(_CELL - _DIGIT + 1, size=(2, len(which)))
    rows, columns = corner[:, :, None] + np.arange(_DIGIT)
    at = image[:, None, None], rows[:, :, None], columns[:, None]
    ink = digits[which] > INK
    images, truth = _ground(num, chance), np.full((num, SIDE, SIDE), BACKGROUND, np.uint8)
    images[at] = np.where(ink, digits[which], images[at])
    truth[at] = np.where(ink, 1 + labels[which, None, None], BACKGROUND)
    return Mosaics(images, truth)


def _ground(num: int, chance: np.random.Generator) -> NDArray[np.uint8]:
    """(num, 32, 32) three waves of random direction and length each, from black to a third of white, and grain."""
    down, right = np.mgrid[:SIDE, :SIDE] / SIDE
    turn, cycles, phase = chance.random((3, num, 3, 1, 1))
    angle = np.pi * turn
    waves = np.sin(2 * np.pi * ((2 + 6 * cycles) * (np.cos(angle) * down + np.sin(angle) * right) + phase)).mean(1)
    grain = chance.normal(0, 0.15, waves.shape)
    return np.rint(np.clip((waves + grain + 1) / 2, 0, 1) * _GROUND).astype(np.uint8)
