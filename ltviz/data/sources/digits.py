"""digits-lt: the 1,797 handwritten digits that come with scikit-learn (8 x 8 pixels), no download."""

from __future__ import annotations

import gzip
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np

from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where
from ltviz.errors import DataError

WHITE = 16.0
TEST_PER_CLASS = 50
_COUNTS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)


class Digits(Source):
    name = "digits-lt"
    title = "Digits"
    about = "1,797 handwritten digits of 8 x 8 pixels (UCI, bundled with scikit-learn)."
    class_names = tuple("0123456789")
    image_shape = (8, 8)
    max_per_class = 120
    test_per_class = TEST_PER_CLASS
    held_out: ClassVar[int] = TEST_PER_CLASS
    """Digits of every class that training never sees."""

    def outline(self, where: Where) -> Outline:
        return replace(
            super().outline(where),
            train_counts=tuple(n - TEST_PER_CLASS for n in _COUNTS),
            test_counts=(TEST_PER_CLASS,) * len(_COUNTS),
        )

    def read(self, where: Where) -> Pool:
        """The test set is `held_out` images of every class, the same for every seed; training draws on the others."""
        table = _read_table()
        images, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
        shuffled = np.random.default_rng(0).permutation(len(labels))  # writers follow one another in the file
        by_class = [shuffled[labels[shuffled] == c] for c in range(len(self.class_names))]
        test = np.concatenate([ids[: self.held_out] for ids in by_class])
        train = np.concatenate([ids[self.held_out :] for ids in by_class])
        return Pool(
            train_inputs=HeldInputs(images[train], WHITE),
            train_labels=labels[train],
            train_ids=train,
            test_inputs=HeldInputs(images[test], WHITE),
            test_labels=labels[test],
            test_ids=test,
            class_names=self.class_names,
        )


def _read_table() -> np.ndarray:
    """(1797, 65) uint8: 64 pixels of 0 to 16, then the label.

    Read from scikit-learn's file instead of by `load_digits`: importing scikit-learn takes longer than the whole start.
    """
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError(
            "digits-lt needs scikit-learn, which is not installed; try `python -m pip install scikit-learn`"
        )
    path = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            return np.loadtxt(file, delimiter=",").astype(np.uint8)
    except (OSError, ValueError) as error:
        raise DataError(f"digits-lt could not be read from scikit-learn's own file ({error}): {path}") from error
