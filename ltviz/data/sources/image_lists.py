"""imagenet-lt, places-lt and inat18: an official list of `path label` lines, and the images below a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ltviz.data.inputs import ImageFiles
from ltviz.data.longtail import NATURAL, Pool
from ltviz.data.source import Outline, Source, Where, class_sizes
from ltviz.errors import DataError

IMAGE_SIZE = 224
"""Height and width of images where nobody asks for another, as in the papers."""
MAX_LINE = 4096
MAX_LINES = 5_000_000
_SHOWN = 60


@dataclass(frozen=True)
class ImageList:
    """The lines of a list: `paths` below the image folder, (N,) `labels` as they stand, (N,) `lines` from 1.

    `skipped` is a sentence on each line that was left out.
    """

    file: Path
    paths: list[str]
    labels: NDArray[np.int64]
    lines: NDArray[np.int64]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)


def read_list(file: Path, *, most_classes: int, skip_bad: bool = False, image_root: Path | None = None) -> ImageList:
    """A list of `path label` lines, read line by line; paths may hold spaces.

    Args:
        most_classes: labels are 0 to most_classes - 1.
        skip_bad: leave a bad line out and say so, instead of refusing the list.
        image_root: where given, a line whose file is not there is a bad one.

    Raises:
        DataError: the list is missing or no text, or a line of it is bad; the sentence says which.
    """
    kept: list[tuple[str, int, int]] = []
    skipped: list[str] = []
    for number, line in _lines(file):
        entry = _entry(line, most_classes)
        if isinstance(entry, tuple) and image_root is not None and not _is_file(image_root / entry[0]):
            entry = f"an image must be there, but no file {entry[0][:200]} is in {image_root}"
        if isinstance(entry, tuple):
            kept.append((*entry, number))
        elif skip_bad:
            skipped.append(f"{entry}: line {number} of {file}")
        else:
            raise DataError(f"{entry}; mend it, or leave such lines out with --skip-bad: line {number} of {file}")
    if not kept:
        raise DataError(f"a list of images must hold lines `path label`, but none of this one is usable: {file}")
    paths, labels, lines = zip(*kept, strict=True)
    return ImageList(file, list(paths), np.array(labels, np.int64), np.array(lines, np.int64), tuple(skipped))


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that are not empty."""
    try:
        with file.open(encoding="utf-8") as text:
            for number in range(1, MAX_LINES + 1):
                line = rest = text.readline(MAX_LINE)
                if not line:
                    return
                while len(rest) == MAX_LINE and not rest.endswith("\n"):
                    rest = text.readline(MAX_LINE)
                if line.strip():
                    yield number, line
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise DataError(f"a list of images must be readable, but {told}: {file}") from error
    raise DataError(f"a list may have up to {MAX_LINES:,} lines, this one has more: {file}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for the file system
        return False


def _entry(line: str, most_classes: int) -> tuple[str, int] | str:
    """Path and label of a line, or what is wrong with it."""
    if not line.endswith("\n") and len(line) == MAX_LINE:
        return f"a line of a list has up to {MAX_LINE} characters"
    path, _, label = line.strip().rpartition(" ")
    path = path.strip()
    if not path or not (label.isascii() and label.removeprefix("-").isdigit()):
        return f"a line must be a path and the number of its class, got {line.strip()[:_SHOWN]!r}"
    inner = PurePosixPath(path)
    if inner.is_absolute() or ".." in inner.parts:
        return f"a path must lie below --image-root, got {path[:_SHOWN]!r}"
    if len(label) > 9 or not 0 <= int(label) < most_classes:
        return f"a class must be 0 to {most_classes - 1}, got {label[:_SHOWN]}"
    return path, int(label)


def training_classes(train: ImageList) -> NDArray[np.int64]:
    """(C,) lines of each class 0 to C-1, the classes being those of the training list.

    Raises:
        DataError: a class without a line below the largest one; it says where the largest stands.
    """
    sizes = np.bincount(train.labels)
    if sizes.min() == 0:
        largest = int(train.labels.argmax())
        raise DataError(
            f"classes of a list must be numbered 0 to C-1 without gaps, but no line has class {int(sizes.argmin())}, "
            f"while line {train.lines[largest]} has {train.labels[largest]}; number them anew: {train.file}"
        )
    return sizes


def check_classes(held_out: ImageList, num_classes: int, *, skip_bad: bool = False) -> ImageList:
    """The lines of a list for testing whose classes the training list has.

    Raises:
        DataError: a line of another class, unless such lines are left out.
    """
    told = [
        (
            f"a class must be 0 to {num_classes - 1}, as in the training list, got {label}",
            f"line {line} of {held_out.file}",
        )
        for label, line in zip(held_out.labels.tolist(), held_out.lines.tolist(), strict=True)
        if label >= num_classes
    ]
    if not told:
        return held_out
    if not skip_bad:
        raise DataError(f"{told[0][0]}; mend it, or leave such lines out with --skip-bad: {told[0][1]}")
    kept = np.flatnonzero(held_out.labels < num_classes)
    return ImageList(
        held_out.file,
        [held_out.paths[row] for row in kept.tolist()],
        held_out.labels[kept],
        held_out.lines[kept],
        (*held_out.skipped, *(f"{what}: {where}" for what, where in told)),
    )


def class_names(train: ImageList, num_classes: int) -> tuple[str, ...]:
    """A name for each class: the folder that its first image is in, or as much of its path as tells classes apart.

    ImageNet's are WordNet numbers (`train/n01440764/...`), Places' are places (`data_256/a/airfield/...`).
    """
    first = np.full(num_classes, -1, np.int64)
    first[train.labels[::-1]] = np.arange(len(train))[::-1]
    folders = [PurePosixPath(train.paths[row]).parent.parts for row in first.tolist()]
    for depth in range(1, max(map(len, folders), default=0) + 1):
        names = tuple("/".join(parts[-depth:]) for parts in folders)
        if len(set(names)) == num_classes:
            return names
    return tuple(map(str, range(num_classes)))


def skipped_note(skipped: Sequence[str]) -> tuple[str, ...]:
    """One sentence on the lines that were left out, none where all are there."""
    return (f"Lines left out: {len(skipped):,}, the first because {skipped[0]}.",) if skipped else ()


class ImageLists(Source):
    """A set that its paper gives out as lists of images; its tail is the one of the training list."""

    needs_files = True
    reads_images = True
    lists: ClassVar[tuple[str, tuple[str, ...]]]
    """The training list, and those that are taken for testing, the first that is there."""
    folder: ClassVar[str]
    """The folder that the lists are given out in."""
    most_classes: ClassVar[int]
    lists_from: ClassVar[str]
    images_from: ClassVar[str]
    """Where the official files are to be had."""
    mean: ClassVar[tuple[float, ...]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, ...]] = (0.229, 0.224, 0.225)

    def missing(self, where: Where) -> str | None:
        train, tests = self.lists
        if where.data_dir is None:
            lack = "no folder was given"
        elif self._lists(where.data_dir) is None:
            lack = f"not both are in {where.data_dir}"
        elif where.image_root is not None and not where.image_root.is_dir():
            lack = f"there is no folder of images {where.image_root}"
        else:
            return None
        return (
            f"{self.name} needs the lists {train} and {tests[0]} from {self.lists_from}, and the images from "
            f"{self.images_from}, but {lack}; set --data-dir to the folder of the lists and --image-root to the folder "
            "that their paths start from"
        )

    def outline(self, where: Where) -> Outline:
        """From the lists, and from whether their files are there."""
        files = self._files(where)
        size = where.image_size or IMAGE_SIZE
        stamp = tuple((about.st_mtime_ns, about.st_size) for about in (file.stat() for file in files))
        return replace(_outline(self, where, files, stamp), shape=(size, size, 3), mean=self.mean, std=self.std)

    def read(self, where: Where) -> Pool:
        """Nothing is opened but the lists; that each file is there is asked of the file system."""
        train, test = self.read_lists(where, self._files(where))
        names = class_names(train, len(training_classes(train)))
        return Pool(
            train_inputs=self._images(train, where),
            train_labels=train.labels,
            train_ids=np.arange(len(train)),
            test_inputs=self._images(test, where),
            test_labels=test.labels,
            test_ids=len(train) + np.arange(len(test)),
            class_names=names,
            notes=self.notes(train, test),
        )

    def read_lists(self, where: Where, files: tuple[Path, Path]) -> tuple[ImageList, ImageList]:
        """The lists to train and to test on, whose files are there and whose every class has an image in both."""
        train, test = (
            read_list(file, most_classes=self.most_classes, skip_bad=where.skip_bad, image_root=_root(where))
            for file in files
        )
        num_classes = len(training_classes(train))
        test = check_classes(test, num_classes, skip_bad=where.skip_bad)
        class_sizes(test.labels, class_names(train, num_classes), f"{test.file}")
        return train, test

    def _files(self, where: Where) -> tuple[Path, Path]:
        files = None if where.data_dir is None else self._lists(where.data_dir)
        if files is None or self.missing(where):
            raise DataError(self.missing(where))
        return files

    def _lists(self, data_dir: Path) -> tuple[Path, Path] | None:
        """The training list and the one to test on, in the folder that was given or in the one that they come in."""
        train, tests = self.lists
        for place in (data_dir, data_dir / self.folder):
            test = next((place / name for name in tests if (place / name).is_file()), None)
            if test is not None and (place / train).is_file():
                return place / train, test
        return None

    def _images(self, images: ImageList, where: Where) -> ImageFiles:
        size = where.image_size or IMAGE_SIZE
        return ImageFiles(
            images.paths,
            (size, size, 3),
            root=_root(where),
            lines=images.lines,
            list_name=images.file.name,
            stand_ins=images.labels if where.skip_bad else None,
        )

    def notes(self, train: ImageList, test: ImageList) -> tuple[str, ...]:
        other = () if test.file.name == self.lists[1][0] else (f"{test.file.name} was taken as the test set.",)
        return (*skipped_note(train.skipped), *skipped_note(test.skipped), *other)


@lru_cache(maxsize=4)
def _outline(
    source: ImageLists, where: Where, files: tuple[Path, Path], _changed: tuple[tuple[int, int], ...]
) -> Outline:
    """Kept, for a form asks again and again, and half a million files are not looked for each time."""
    train, test = source.read_lists(where, files)
    sizes = training_classes(train)
    return Outline(
        class_names=class_names(train, len(sizes)),
        shape=(),
        train_counts=tuple(sizes.tolist()),
        test_counts=tuple(np.bincount(test.labels, minlength=len(sizes)).tolist()),
        profile=NATURAL,
        notes=source.notes(train, test),
    )


def _root(where: Where) -> Path:
    assert where.data_dir is not None
    return where.image_root or where.data_dir


class ImageNet(ImageLists):
    name = "imagenet-lt"
    title = "ImageNet-LT"
    about = "115,846 photographs of 1,000 classes with 5 to 1,280 each; needs the official lists and ImageNet 2012."
    lists = ("ImageNet_LT_train.txt", ("ImageNet_LT_test.txt", "ImageNet_LT_val.txt"))
    folder = "ImageNet_LT"
    most_classes = 1000
    lists_from = "https://github.com/zhmiao/OpenLongTailRecognition-OLTR"
    images_from = "https://image-net.org/download.php"


class Places(ImageLists):
    name = "places-lt"
    title = "Places-LT"
    about = "62,500 photographs of 365 kinds of places with 5 to 4,980 each; needs the official lists and Places365."
    lists = ("Places_LT_train.txt", ("Places_LT_test.txt", "Places_LT_val.txt"))
    folder = "Places_LT"
    most_classes = 365
    lists_from = "https://github.com/zhmiao/OpenLongTailRecognition-OLTR"
    images_from = "http://places2.csail.mit.edu/download.html"


class INaturalist(ImageLists):
    name = "inat18"
    title = "iNaturalist 2018"
    about = "437,513 photographs of 8,142 species with 2 to 1,000 each; needs the official lists and images."
    lists = ("iNaturalist18_train.txt", ("iNaturalist18_val.txt", "iNaturalist18_test.txt"))
    folder = "iNaturalist18"
    most_classes = 8142
    lists_from = "https://github.com/facebookresearch/classifier-balancing"
    images_from = "https://github.com/visipedia/inat_comp/tree/master/2018"
    mean, std = (0.466, 0.471, 0.380), (0.195, 0.194, 0.192)
