"""A few images of a data set as a run would train on them, for a look before it does. No torch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltviz.data import registry
from ltviz.recording.probe import make_thumbnails

CLASSES, EACH = 4, 6
"""Classes that are shown, half of them the largest and half the smallest, and training images of each."""


class Sample(NamedTuple):
    """Some training images of one class."""

    rank: int
    name: str
    size: int
    """Training images of the class in all."""
    images: NDArray[np.uint8]
    """(n, H, W) grey or (n, H, W, 3) colour, n at most `EACH`, of at most 32 x 32 pixels."""


def preview(name: str, **cut: Any) -> tuple[Sample, ...]:
    """Images of the largest and the smallest classes; none of vectors. Sets in memory are read whole, of image files
    those few.

    Args:
        cut: what `registry.load` takes.

    Raises:
        ConfigError, DataError: as `registry.load`.

    Example:
        >>> rarest = preview("digits-lt", imbalance_factor=20)[-1]
        >>> rarest.name, rarest.size, rarest.images.shape
        ('4', 6, (6, 8, 8))
    """
    if len(registry.describe(name, **cut).image_shape) < 2:
        return ()
    data = registry.load(name, **cut)
    ranks = range(data.num_classes)
    shown = dict.fromkeys([*ranks[: CLASSES // 2], *ranks[-(CLASSES // 2) :]])
    return tuple(_sample(data, rank) for rank in shown)


def _sample(data: registry.LongTailed, rank: int) -> Sample:
    rows = np.flatnonzero(data.train_labels == rank if data.train_multi is None else data.train_multi[:, rank])
    some = rows[:EACH]
    images = make_thumbnails(data.train_inputs.pictures(some), len(some))
    return Sample(rank, data.class_names[rank], len(rows), images)
