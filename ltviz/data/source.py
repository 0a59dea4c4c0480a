"""What a data set must say about itself to be offered: one subclass of `Source` in one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from ltviz.data.longtail import LongTailed, Pool, Tail, cut
from ltviz.errors import DataError


class NoOptions(BaseModel):
    """Of sets that leave nothing to choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where the files of a data set are, and how they are read.

    Attributes:
        data_dir: folder of the files, absolute; `--data-dir`, else the variable LTVIZ_DATA, else None.
        image_root: folder that the paths in lists start from, absolute; None where nobody said.
        image_size: height and width in pixels that image files are read with; the set's own where None.
        skip_bad: leave out what cannot be read, and count it, instead of refusing.
        options: of the set's `Options`.
    """

    data_dir: Path | None = None
    image_root: Path | None = None
    image_size: int | None = None
    skip_bad: bool = False
    options: BaseModel = field(default_factory=NoOptions)


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What is known of a data set once its lists are opened, and before any image is.

    Attributes:
        class_names: in the order of the files.
        shape: of one input, (H, W), (H, W, 3) or (F,).
        train_counts, test_counts: samples of each class that the files hold; empty where only `read` knows.
        max_per_class: training samples of the largest class where the user gives no number; all that every class has
            where None. The smallest class of the files bounds it, so that any class can be the largest.
        test_per_class: test samples of every class, at most; all where None.
        profile: how the sizes fall where the user names no profile, one of `longtail.PROFILES`, or `longtail.NATURAL`.
        keeps_order: whether a cut leaves the classes in the order of the files, instead of an order drawn by seed.
        mean, std: by channel, of images in [0, 1]; what encoders see is normalised by them. Empty for none.
        policies: names of the view policies where the user gives none, separated by commas, one a view and the last for
            all further ones; empty where the shape of the inputs says it.
        notes: sentences on what was guessed or left out.
    """

    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    train_counts: tuple[int, ...] = ()
    test_counts: tuple[int, ...] = ()
    max_per_class: int | None = None
    test_per_class: int | None = None
    profile: str = "exp"
    keeps_order: bool = False
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    policies: str = ""
    notes: tuple[str, ...] = ()


class Source(ABC):
    """A labelled set of images or vectors that can be cut into a long tail.

    A set whose classes and shape are known beforehand says them in its class attributes and needs `read` alone. Others
    define `outline` and `missing` too; those open lists of names and headers, and never all images.
    """

    name: ClassVar[str]
    """On the command line and in links: "digits-lt"."""
    title: ClassVar[str]
    about: ClassVar[str]
    """One plain sentence."""
    Options: ClassVar[type[BaseModel]] = NoOptions
    """What may be chosen of this set alone, as flags `--data.NAME`: a frozen model that forbids other names, whose
    fields all have bounds and a description."""
    needs_files: ClassVar[bool] = False
    """Whether it is read from `Where.data_dir`."""
    reads_images: ClassVar[bool] = False
    """Whether it reads image files, so that `Where.image_root` and `Where.image_size` mean something."""
    several_labels: ClassVar[bool] = False
    """Whether an image may show several classes; methods are for one kind or the other."""

    class_names: ClassVar[tuple[str, ...]] = ()
    image_shape: ClassVar[tuple[int, ...]] = ()
    max_per_class: ClassVar[int | None] = None
    """These four as in `Outline`."""
    test_per_class: ClassVar[int | None] = None

    def outline(self, where: Where) -> Outline:
        """What the set holds, from lists and headers.

        Raises:
            DataError: the files are missing or damaged.
        """
        return Outline(
            class_names=self.class_names,
            shape=self.image_shape,
            max_per_class=self.max_per_class,
            test_per_class=self.test_per_class,
        )

    @abstractmethod
    def read(self, where: Where) -> Pool:
        """Every sample of the set. Image files are listed, and decoded when they are used (`ImageFiles`).

        Raises:
            DataError: the files are missing or damaged; the sentence says where they were looked for.
        """

    def available(self, pool: Pool) -> int:
        """Training samples that every class can have.

        Raises:
            DataError: a label without a name, or a class without samples.
        """
        return min(self.sizes(pool))

    def sizes(self, pool: Pool) -> tuple[int, ...]:
        """Training samples of each class of the pool.

        Raises:
            DataError: a label without a name, or a class without samples.
        """
        if pool.train_multi is None:
            return tuple(class_sizes(pool.train_labels, pool.class_names, self.name).tolist())
        sizes = pool.train_multi.sum(0, dtype=np.int64)
        _refuse_empty(sizes, pool.class_names, self.name)
        return tuple(sizes.tolist())

    def test_sizes(self, pool: Pool) -> tuple[int, ...]:
        """Test samples of each class of the pool, where every class is to have equally many; errors as of `sizes`."""
        return tuple(class_sizes(pool.test_labels, pool.class_names, f"the test set of {self.name}").tolist())

    def compose(self, pool: Pool, tail: Tail) -> LongTailed:
        """The long-tailed set with `tail.counts[k]` training samples of the class at rank k."""
        return cut(self.name, pool, tail)

    def foresee(self, where: Where, tail: Tail) -> Tail:
        """The classes by rank and the training samples of each that `compose` will give, where they are others than
        those of the tail, and the images where samples are pixels."""
        return tail

    def missing(self, where: Where) -> str | None:
        """The sentence that `read` would fail with for want of files: which files, from where, where to put them; None
        where they are there."""
        return None


def class_sizes(labels: np.ndarray, class_names: tuple[str, ...], where: str) -> np.ndarray:
    """(C,) samples per class.

    Raises:
        DataError: a label without a name, or a class without samples.
    """
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(class_names):
        outside = int(labels.min()) if labels.min() < 0 else int(labels.max())
        raise DataError(f"{where} must hold labels 0 to {len(class_names) - 1}, but has the label {outside}")
    sizes = np.bincount(labels, minlength=len(class_names))
    _refuse_empty(sizes, class_names, where)
    return sizes


def _refuse_empty(sizes: np.ndarray, class_names: tuple[str, ...], where: str) -> None:
    if sizes.min() == 0:
        raise DataError(
            f"{where} must hold at least one image of every class, but has none of class {class_names[sizes.argmin()]}"
        )
