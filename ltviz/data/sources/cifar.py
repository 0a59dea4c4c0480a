"""cifar10-lt and cifar100-lt: the official files, cut as the papers' official code cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import NATURAL, LongTailed, Pool, Tail
from ltviz.data.source import Outline, Source, Where, class_sizes
from ltviz.data.sources import cifar_batches, cifar_files
from ltviz.data.sources.cifar_files import Layout
from ltviz.errors import ConfigError, DataError

PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
OFFICIAL_BATCH = 10_000
"""Images of one of CIFAR-10's five training batches: fewer than five of this size are no whole set."""

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
"""Of CIFAR-10's training images; the official codes take them for CIFAR-100 too (LDAM, BCL)."""

TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_HUNDRED = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
    "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
    "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster "
    "man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck "
    "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
    "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger "
    "tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)
HUNDRED = tuple(_HUNDRED.split())


class Batches(NamedTuple):
    """The batches of a set in the order of the files: images (N, 32, 32, 3) uint8 and labels (N,) int64 of each."""

    train: list[tuple[NDArray[np.uint8], NDArray[np.int64]]]
    test: tuple[NDArray[np.uint8], NDArray[np.int64]]
    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def read_batches(place: Path, layouts: Sequence[Layout], class_names: tuple[str, ...]) -> Batches:
    """Every batch of the set in a folder or archive, in the python version or the binary one.

    Args:
        class_names: the official ones, for a set whose file of names is not there.

    Raises:
        DataError: missing, damaged or hostile files.
    """
    known = {name for layout in layouts for name in (*layout.train, layout.test, layout.names)}
    batches: dict[str, tuple[NDArray, NDArray]] = {}
    names: dict[str, tuple[str, ...]] = {}
    for name, data in cifar_files.contents(place, known):
        layout = next(one for one in layouts if name in (*one.train, one.test, one.names))
        where = str(place / name) if place.is_dir() else f"{place} ({name})"
        if name == layout.names:
            names[name] = _names(layout, data, where)
        elif layout.label_bytes:
            batches[name] = cifar_batches.binary_batch(data, layout.label_bytes, len(class_names), where)
        else:
            batches[name] = cifar_batches.python_batch(data, layout.label_key, len(class_names), where)
    layout = next((one for one in layouts if one.test in batches and one.train[0] in batches), None)
    if layout is None:
        raise DataError(
            f"a set of CIFAR needs {layouts[0].train[0]} and {layouts[0].test} (or {layouts[1].train[0]} and "
            f"{layouts[1].test}), but not both are there: {place}"
        )
    train, notes = _whole(layout, batches, place)
    found = names.get(layout.names, class_names)
    if len(found) != len(class_names):
        raise DataError(f"{layout.names} must name {len(class_names)} classes, but names {len(found)}: {place}")
    return Batches([batches[name] for name in train], batches[layout.test], found, notes)


def _names(layout: Layout, data: bytes, where: str) -> tuple[str, ...]:
    if layout.label_bytes:
        return cifar_batches.binary_names(data, where)
    return cifar_batches.python_names(data, layout.names_key, where)


def _whole(
    layout: Layout, batches: dict[str, tuple[NDArray, NDArray]], place: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The training batches that there are, and a note where a set of smaller ones than the official has fewer."""
    there = tuple(name for name in layout.train if name in batches)
    absent = [name for name in layout.train if name not in batches]
    gap = there != layout.train[: len(there)]
    if absent and (gap or any(len(batches[name][1]) >= OFFICIAL_BATCH for name in there)):
        raise DataError(
            f"CIFAR has the training batches {layout.train[0]} to {layout.train[-1]}, but {', '.join(absent)} "
            f"{'is' if len(absent) == 1 else 'are'} not there; get the official files from {PAGE}: {place}"
        )
    if not absent:
        return there, ()
    return there, (
        f"{', '.join(absent)} not there: the set is of {', '.join(there)} alone, smaller than the official.",
    )


def official_subset(labels: NDArray[np.int64], counts: Sequence[int], rand_number: int) -> NDArray[np.int64]:
    """Positions of the training images that the official code keeps, class after class in the order it keeps them.

    Args:
        labels: (N,) of all training images in the order of the files.
        counts: (C,) images that each class keeps, at most.
        rand_number: the official name of the seed, 0 to 2**32 - 1.

    Raises:
        ConfigError: a seed that the official code cannot take.

    Source: Cao et al. 2019 (LDAM), `IMBALANCECIFAR10.gen_imbalanced_data` of the official code, which the codes of BCL,
    PaCo, GML and ProCo share: numpy's legacy generator is seeded once and shuffles the positions of each class.
    """
    if not 0 <= rand_number < 2**32:
        raise ConfigError(
            f"seed must be 0 to {2**32 - 1} for a CIFAR-LT of the official code, got {rand_number}; try 0"
        )
    legacy = np.random.RandomState(rand_number)
    kept = []
    for c, count in enumerate(counts):
        own = np.flatnonzero(labels == c)
        legacy.shuffle(own)
        kept.append(own[:count])
    return np.concatenate(kept)


class Cifar(Source):
    """A set of CIFAR in the order of its files. `--seed` is the official `rand_number`, and the classes keep the order
    of the files: class 0 is the largest whatever the seed, as in all published numbers."""

    needs_files = True
    image_shape = (cifar_batches.SIDE, cifar_batches.SIDE, 3)
    layouts: ClassVar[tuple[Layout, Layout]]
    official_sizes: ClassVar[tuple[int, int]]
    """Training and test images of each class in the official files."""

    def missing(self, where: Where) -> str | None:
        if self._find(where):
            return None
        python = self.layouts[0]
        looked = "no folder was given" if where.data_dir is None else f"it is not at {where.data_dir}"
        return (
            f"{self.name} needs the official archive {python.archive} or its folder {python.folder} (the binary "
            f"version will do too) from {PAGE}, but {looked}; set --data-dir or LTVIZ_DATA to it or to the "
            "folder around it"
        )

    def outline(self, where: Where) -> Outline:
        """Of the files that are found; without any, what the official ones hold."""
        place = self._find(where)
        names, notes = self.class_names, ()
        train, test = ((n,) * len(names) for n in self.official_sizes)
        if place is not None:
            names, train, test, notes = _sizes(place, _stamp(place), self.layouts, names)
        return Outline(
            class_names=names,
            shape=self.image_shape,
            train_counts=train,
            test_counts=test,
            keeps_order=True,
            mean=MEAN,
            std=STD,
            notes=notes,
        )

    def read(self, where: Where) -> Pool:
        place = self._find(where)
        if place is None:
            raise DataError(self.missing(where))
        found = read_batches(place, self.layouts, self.class_names)
        test_images, test_labels = found.test
        class_sizes(test_labels, found.class_names, f"{place}")
        train_labels = np.concatenate([labels for _, labels in found.train])
        return Pool(
            train_inputs=HeldInputs(np.concatenate([images for images, _ in found.train])),
            train_labels=train_labels,
            train_ids=np.arange(len(train_labels)),
            test_inputs=HeldInputs(np.ascontiguousarray(test_images)),
            test_labels=test_labels,
            test_ids=len(train_labels) + np.arange(len(test_labels)),
            class_names=found.class_names,
            notes=found.notes,
        )

    def _find(self, where: Where) -> Path | None:
        return None if where.data_dir is None else cifar_files.find(self.layouts, where.data_dir)

    def compose(self, pool: Pool, tail: Tail) -> LongTailed:
        """The subset that the official code keeps for the same seed, in its order."""
        whole = super().compose(pool, tail)
        if tail.profile == NATURAL:
            return whole
        kept = official_subset(pool.train_labels, tail.counts, tail.seed)
        return replace(
            whole,
            train_inputs=pool.train_inputs.subset(kept),
            train_labels=pool.train_labels[kept],
            train_ids=pool.train_ids[kept],
        )


def _stamp(place: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes where a file of a folder, or the archive, does."""
    files = [place] if place.is_file() else sorted(place.iterdir())
    return tuple((file.name, about.st_mtime_ns, about.st_size) for file in files for about in [file.stat()])


@lru_cache(maxsize=8)
def _sizes(
    place: Path, _changed: tuple[tuple[str, int, int], ...], layouts: tuple[Layout, ...], class_names: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    """Class names, training and test images of each class, and notes; kept, for a form asks again and again."""
    found = read_batches(place, layouts, class_names)
    train, test = np.concatenate([labels for _, labels in found.train]), found.test[1]
    train_sizes, test_sizes = (class_sizes(labels, found.class_names, f"{place}").tolist() for labels in (train, test))
    return found.class_names, tuple(train_sizes), tuple(test_sizes), found.notes


class CifarTen(Cifar):
    name = "cifar10-lt"
    title = "CIFAR-10"
    about = "60,000 colour photographs of 32 x 32 pixels in 10 classes, cut as in the papers; needs the official files."
    class_names = TEN
    layouts = (cifar_files.TEN_PYTHON, cifar_files.TEN_BINARY)
    official_sizes = (5000, 1000)


class CifarHundred(Cifar):
    name = "cifar100-lt"
    title = "CIFAR-100"
    about = (
        "60,000 colour photographs of 32 x 32 pixels in 100 classes, cut as in the papers; needs the official files."
    )
    class_names = HUNDRED
    layouts = (cifar_files.HUNDRED_PYTHON, cifar_files.HUNDRED_BINARY)
    official_sizes = (500, 100)
