"""What a data set must say about itself to be offered: one subclass of `Source` in one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np

from ltviz.data.longtail import LongTailed, Pool, cut
from ltviz.errors import DataError


class Source(ABC):
    """A labelled image set that can be cut into a long tail.

    The class attributes are enough for a form; only `read` opens files.
    """

    name: ClassVar[str]
    """On the command line and in links: "digits-lt"."""
    title: ClassVar[str]
    about: ClassVar[str]
    """One plain sentence."""
    class_names: ClassVar[tuple[str, ...]]
    image_shape: ClassVar[tuple[int, int]]
    max_per_class: ClassVar[int]
    """Training samples of the largest class where the user gives no number."""
    test_per_class: ClassVar[int]
    """Test samples of every class, at most."""
    needs_files: ClassVar[bool] = False
    several_labels: ClassVar[bool] = False
    """Whether an image may show several classes; methods are for one kind or the other."""

    @abstractmethod
    def read(self, data_dir: Path | None) -> Pool:
        """Every image of the set.

        Raises:
            DataError: the files are missing or damaged; the sentence says where they were looked for.
        """

    def available(self, pool: Pool) -> int:
        """Training samples that every class can have.

        Raises:
            DataError: a label without a name, or a class without samples.
        """
        return int(class_sizes(pool.train_labels, pool.class_names, self.name).min())

    def compose(self, pool: Pool, counts: list[int], seed: int) -> LongTailed:
        """The long-tailed set with `counts[k]` training samples of the class at rank k, and a balanced test set."""
        smallest = int(class_sizes(pool.test_labels, pool.class_names, self.name).min())
        return cut(self.name, pool, counts, seed, test_per_class=min(self.test_per_class, smallest))

    def missing(self, data_dir: Path | None) -> str | None:
        """The sentence that `read` would fail with for want of files; None where the files are there."""
        return None


def class_sizes(labels: np.ndarray, class_names: tuple[str, ...], where: str) -> np.ndarray:
    """(C,) samples per class.

    Raises:
        DataError: a label without a name, or a class without samples.
    """
    if len(labels) and int(labels.max()) >= len(class_names):
        raise DataError(f"{where} must hold labels 0 to {len(class_names) - 1}, but has the label {labels.max()}")
    sizes = np.bincount(labels, minlength=len(class_names))
    if sizes.min() == 0:
        raise DataError(
            f"{where} must hold at least one image of every class, but has none of class {class_names[sizes.argmin()]}"
        )
    return sizes
