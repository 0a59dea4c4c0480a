"""digits-ml: up to four different digits in the cells of a 2 x 2 mosaic, a label for each; no download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import LongTailed, Pool, Tail, random, rarest
from ltviz.data.source import Outline, Where
from ltviz.data.sources.digits import WHITE, Digits

_TRAIN, _TEST = 2, 3  # Philox streams
_CELLS, _SIDE, TEST_PER_CLASS = 4, 8, 100


class DigitsMl(Digits):
    """Mosaics of scikit-learn's digits. The training labels are long-tailed, those of the test set balanced.

    Every label stands for one digit image in one cell; cells without a label are black. Training mosaics are made of
    digits that no test mosaic has. The label for colours and class centres is the rarest class of a mosaic.
    """

    name = "digits-ml"
    title = "Digits, several labels"
    about = "Mosaics of 16 x 16 pixels with one to four different digits of the same set; coloured by the rarest."
    image_shape = (2 * _SIDE, 2 * _SIDE)
    max_per_class = 400
    test_per_class = held_out = TEST_PER_CLASS
    several_labels = True

    def outline(self, where: Where) -> Outline:
        """Mosaics are made as they are asked for, so no class has a natural size."""
        return replace(super().outline(where), train_counts=(), test_counts=(TEST_PER_CLASS,) * 10)

    def available(self, pool: Pool) -> int:
        """Digits may come again in other mosaics, so this only keeps the set in memory."""
        return 10_000

    def test_sizes(self, pool: Pool) -> tuple[int, ...]:
        """As of training mosaics."""
        return (TEST_PER_CLASS,) * len(pool.class_names)

    def compose(self, pool: Pool, tail: Tail) -> LongTailed:
        """`tail.counts[k]` mosaics show the class at rank k; the test set is the same for every seed."""
        train, train_present = _mosaics(
            pool.train_inputs.whole(), pool.train_labels, tail.order, tail.counts, random(tail.seed, _TRAIN)
        )
        natural = np.arange(len(tail.counts))
        test, test_present = _mosaics(
            pool.test_inputs.whole(), pool.test_labels, natural, [TEST_PER_CLASS] * len(natural), random(0, _TEST)
        )
        test_present = test_present[:, tail.order]
        return LongTailed(
            name=self.name,
            train_inputs=HeldInputs(train, WHITE),
            train_labels=rarest(train_present),
            test_inputs=HeldInputs(test, WHITE),
            test_labels=rarest(test_present),
            class_names=tuple(pool.class_names[c] for c in tail.order),
            counts=train_present.sum(0, dtype=np.int64),
            train_ids=np.arange(len(test), len(test) + len(train)),
            test_ids=np.arange(len(test)),
            train_multi=train_present,
            test_multi=test_present,
        )


def deal(counts: Sequence[int], chance: np.random.Generator) -> NDArray[np.uint8]:
    """(N, C) 0/1 labels whose columns sum to `counts` and whose rows hold 1 to 4 labels.

    Each class takes its rows at random among max(2 n_0, half of all labels), so classes meet as independent ones do;
    rows that nobody took are left out. At most half of the rows can be full, so n_0 free ones are always left.
    """
    present = np.zeros((max(2 * max(counts), -(-sum(counts) // 2)), len(counts)), np.uint8)
    for c, n in enumerate(counts):
        free = np.flatnonzero(present.sum(1) < _CELLS)
        present[chance.permutation(free)[:n], c] = 1
    return present[present.any(1)]


def _mosaics(
    digits: NDArray[np.uint8],
    labels: NDArray[np.int64],
    order: NDArray[np.int64],
    counts: Sequence[int],
    chance: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(N, 16, 16) mosaics, 0 to white, and (N, C) labels by rank; no digit comes again before all of its class did."""
    present = deal(counts, chance)
    cells = np.zeros((len(present), _CELLS, _SIDE, _SIDE), np.uint8)
    places = chance.random((len(present), _CELLS)).argsort(1)
    for c, natural in enumerate(order):
        rows = np.flatnonzero(present[:, c])
        own = chance.permutation(np.flatnonzero(labels == natural))
        nth = present[rows, :c].sum(1)  # labels of lower rank have taken the first places
        cells[rows, places[rows, nth]] = digits[np.resize(own, len(rows))]
    grid = cells.reshape(-1, 2, 2, _SIDE, _SIDE).swapaxes(2, 3)
    return grid.reshape(-1, 2 * _SIDE, 2 * _SIDE), present
