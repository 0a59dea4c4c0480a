"""cifar10-lt and cifar100-lt: the official files, cut as the papers' official code cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltviz.data.sources import cifar_batches, cifar_files
from ltviz.data.sources.cifar_files import Layout
from ltviz.errors import ConfigError, DataError

PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
OFFICIAL_BATCH = 10_000
"""Images of one of CIFAR-10's five training batches: fewer than five of this size are no whole set."""

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


class Images(NamedTuple):
    """A whole set: images (N, 32, 32, 3) uint8 and labels (N,) int64 in the order of the files."""

    train: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def read_images(place: Path, layouts: Sequence[Layout], class_names: tuple[str, ...]) -> Images:
    """Every image of the set in a folder or archive, in the python version or the binary one.

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
    return Images(
        np.concatenate([batches[name][0] for name in train]),
        np.concatenate([batches[name][1] for name in train]),
        np.ascontiguousarray(batches[layout.test][0]),
        batches[layout.test][1],
        found,
        notes,
    )


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
