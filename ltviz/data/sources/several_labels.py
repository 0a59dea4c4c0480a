"""What the sets with several labels an image share: a list of images to train on, one to test on, and 0/1 labels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltviz.data.inputs import ImageFiles
from ltviz.data.longtail import NATURAL, LongTailed, Pool, Tail, rarest
from ltviz.data.source import Outline, Source, Where
from ltviz.errors import ConfigError, DataError

MAX_IDS = 1_000_000
MAX_ID = 100
IMAGE_SIZE = 224
"""Height and width of images where nobody asks for another, as in the papers."""
_SHOWN = 60


class Listed(NamedTuple):
    """Ids of images, and the line of each in `file`, from 1."""

    file: Path
    ids: list[str]
    lines: list[int]


def read_ids(file: Path) -> Listed:
    """Ids of images, one a line; what follows an id on its line is left.

    Raises:
        DataError: a file that is missing, no text or empty, or an id that would lead out of the folder of images.
    """
    try:
        with file.open(encoding="utf-8") as text:
            found = [(words[0], number) for number, line in enumerate(text, 1) if (words := line.split())]
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no text of one id a line"
        raise DataError(f"a list of ids must be readable, but {told}: {file}") from error
    if not 0 < len(found) <= MAX_IDS:
        raise DataError(f"a list of ids must hold 1 to {MAX_IDS:,} lines, got {len(found):,}: {file}")
    wrong = next((one for one in found if not (one[0].replace("_", "").isalnum() and len(one[0]) <= MAX_ID)), None)
    if wrong is not None:
        raise DataError(
            f"an id has up to {MAX_ID} letters, digits and _, got {wrong[0][:_SHOWN]!r}: line {wrong[1]} of {file}"
        )
    return Listed(file, [one for one, _ in found], [number for _, number in found])


@dataclass(frozen=True)
class Shown:
    """Images and what they show: `paths` below a folder, (N,) `lines` of the list that named them, (N, C) `present` 0/1
    labels, and sentences on what was left out."""

    paths: list[str]
    lines: NDArray[np.int64]
    list_name: str
    present: NDArray[np.uint8]
    notes: tuple[str, ...] = ()


class Annotated(NamedTuple):
    """A whole set as its files have it; `root` is the folder that paths start from."""

    class_names: tuple[str, ...]
    root: Path
    train: Shown
    test: Shown


def gather(listed: Listed, of: Callable[[str], tuple[str, NDArray[np.uint8]]], root: Path, *, skip_bad: bool) -> Shown:
    """What the listed images show.

    Args:
        of: path below `root` and (C,) labels of an id; a DataError makes it a bad one.
        skip_bad: leave bad images out and count them.

    Raises:
        DataError: a bad image, or none that can be used; the sentence names its line.
    """
    paths, lines, present, bad = [], [], [], []
    for one, line in zip(listed.ids, listed.lines, strict=True):
        try:
            path, shown = of(one)
            if not (root / path).is_file():
                raise DataError(f"an image must be there, but no such file exists: {root / path}")
        except DataError as error:
            bad.append(f"{error} (line {line} of {listed.file})")
            if not skip_bad:
                raise DataError(bad[0]) from error
        else:
            paths.append(path)
            lines.append(line)
            present.append(shown)
    if not paths:
        raise DataError(f"a list of ids must name an image that can be used, but the first is not: {bad[0]}")
    notes = (f"Images left out: {len(bad):,}, the first because {bad[0]}.",) if bad else ()
    return Shown(paths, np.array(lines), listed.file.name, np.stack(present), notes)


def _of_classes(shown: Shown, classes: NDArray[np.int64]) -> Shown:
    """The images that show one of these classes."""
    present = shown.present[:, classes]
    kept = np.flatnonzero(present.any(1))
    none = len(shown.paths) - len(kept)
    notes = (f"Images of {shown.list_name} that show none of the classes, left out: {none:,}.",) if none else ()
    if not len(kept):
        raise DataError(f"a set needs images that show one of its classes, but none does: {shown.list_name}")
    return Shown(
        [shown.paths[row] for row in kept.tolist()],
        shown.lines[kept],
        shown.list_name,
        present[kept],
        (*shown.notes, *notes),
    )


class SeveralLabels(Source):
    """A set with several labels an image. No image can be left out for one class without taking it from another, so the
    tail is that of the list."""

    needs_files = True
    reads_images = True
    several_labels = True
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)

    @abstractmethod
    def annotated(self, where: Where) -> Annotated:
        """What the lists and annotations say; `missing` has said that the files are there."""

    def outline(self, where: Where) -> Outline:
        (names, _, train, test), notes = self._read(where)
        size = where.image_size or IMAGE_SIZE
        return Outline(
            class_names=names,
            shape=(size, size, 3),
            train_counts=tuple(train.present.sum(0, dtype=np.int64).tolist()),
            test_counts=tuple(test.present.sum(0, dtype=np.int64).tolist()),
            profile=NATURAL,
            mean=self.mean,
            std=self.std,
            notes=notes,
        )

    def read(self, where: Where) -> Pool:
        (names, root, train, test), notes = self._read(where)
        size = where.image_size or IMAGE_SIZE
        train_images, test_images = (
            ImageFiles(
                shown.paths,
                (size, size, 3),
                root=root,
                lines=shown.lines,
                list_name=shown.list_name,
                stand_ins=rarest(shown.present) if where.skip_bad else None,
            )
            for shown in (train, test)
        )
        return Pool(
            train_inputs=train_images,
            train_labels=rarest(train.present),
            train_ids=np.arange(len(train.paths)),
            test_inputs=test_images,
            test_labels=rarest(test.present),
            test_ids=len(train.paths) + np.arange(len(test.paths)),
            class_names=names,
            train_multi=train.present,
            test_multi=test.present,
            notes=notes,
        )

    def compose(self, pool: Pool, tail: Tail) -> LongTailed:
        """Everything that the list names, the classes by rank.

        Raises:
            ConfigError: another profile than that of the list, or a number of samples.
        """
        held = np.zeros(0) if pool.train_multi is None else pool.train_multi.sum(0, dtype=np.int64)[tail.order]
        if tail.profile != NATURAL or list(tail.counts) != held.tolist():
            raise ConfigError(
                f"{self.name} is taken as its list has it, for its images show several classes: profile must be "
                f"{NATURAL} without max_per_class, got {tail.profile} with {max(tail.counts)} of the largest class"
            )
        return super().compose(pool, tail)

    def _read(self, where: Where) -> tuple[Annotated, tuple[str, ...]]:
        """The set, and notes. Its classes are those that a training image shows, so that a short list is one too."""
        if why := self.missing(where):
            raise DataError(why)
        found = self.annotated(where)
        classes = np.flatnonzero(found.train.present.any(0))
        if len(classes) < 2:
            raise DataError(f"the training images must show at least 2 classes, got {len(classes)}: {found.root}")
        train, test = (_of_classes(shown, classes) for shown in (found.train, found.test))
        names = tuple(found.class_names[c] for c in classes)
        fewer = len(found.class_names) - len(names)
        notes = (
            (f"Classes that no training image shows, left out: {fewer} of {len(found.class_names)}.",) if fewer else ()
        )
        return Annotated(names, found.root, train, test), (*notes, *train.notes, *test.notes)
