"""What is kept for testing, and how a set is cut, where its files do not say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltviz.data.longtail import NATURAL, by_class, random
from ltviz.errors import DataError

_HELD_OUT = 4  # Philox stream
SHARE = 5
"""One in so many samples of the smallest class is for testing, and as many of every other class."""
MOST = 500
"""Test samples of a class, at most."""
_UNEVEN = 2


def hold_out(
    labels: NDArray[np.int64], class_names: Sequence[str], where: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions (N_train,) and (N_test,) of the samples to train and to test on, each in their order.

    Every class gives equally many to the test set, a fifth of the smallest class; which ones is the same at all times.

    Raises:
        DataError: a class with fewer than two samples; `where` ends the sentence.
    """
    members = by_class(labels, len(class_names))
    smallest = min(members, key=len)
    if len(smallest) < 2:
        name = class_names[next(c for c, own in enumerate(members) if own is smallest)]
        raise DataError(
            f"every class needs at least 2 samples, one to train and one to test on, but {name[:60]!r} has "
            f"{len(smallest)}: {where}"
        )
    count = min(max(1, len(smallest) // SHARE), MOST)
    draw = random(0, _HELD_OUT)
    test = np.sort(np.concatenate([draw.permutation(own)[:count] for own in members]))
    return np.setdiff1d(np.arange(len(labels)), test), test


def usual_profile(counts: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """The profile of a set of which nobody said how it is to be cut, and a note: uneven classes stay as they are.

    Where they are nearly even, less than two to one, the set has no tail, and an exponential one is cut.
    """
    if max(counts) >= _UNEVEN * min(counts):
        return NATURAL, ()
    return "exp", (f"The classes are nearly even, so a tail is cut; --profile {NATURAL} keeps them as they are.",)
