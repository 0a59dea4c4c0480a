"""folder-lt: a folder for each class, with or without train, val and test above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ltviz.bounds import Bounded
from ltviz.data.held_out import hold_out, usual_profile
from ltviz.data.inputs import ImageFiles
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where, class_sizes
from ltviz.errors import DataError

MAX_FILES = 5_000_000
SMALL = 128
"""Pixels of a side up to which images of one size stay as they are."""
IMAGE_SIZE = 224
"""Height and width of larger images, or of several sizes, where nobody asks for another."""
_LOOKED_AT = 64
"""Images whose headers say the size and colour of a folder."""
_TRAIN = ("train", "training")
_TEST = ("test", "testing", "val", "valid", "validation")
_SHOWN = 60


@dataclass(frozen=True)
class ClassFolders:
    """Images by class: `paths` below the folder, sorted within each class, (N,) `labels`; C `class_names`, sorted.

    `left_out` counts the files that are no images by their names.
    """

    folder: Path
    paths: list[str]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    left_out: int

    def __len__(self) -> int:
        return len(self.paths)


@cache
def suffixes() -> frozenset[str]:
    """Endings of the files that Pillow reads, in small letters."""
    from PIL import Image

    Image.init()
    return frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def find(folder: Path) -> tuple[Path, Path | None]:
    """The folder that holds the training classes, and the one of the test classes; None where there is no such one.

    `folder` may be the one around that folder, or itself. Where there is no `test`, `val` is taken.
    """
    if not folder.is_dir():
        raise DataError(f"folder-lt needs a folder of class folders, but there is none: {folder}")
    below = _folders(folder)
    if len(below) == 1 and not _images(folder) and _folders(below[0]):
        return find(below[0])
    named = {one.name.lower(): one for one in below}
    train = next((named[name] for name in _TRAIN if name in named and _folders(named[name])), None)
    if train is None:
        return folder, None
    return train, next((named[name] for name in _TEST if name in named and _folders(named[name])), None)


def scan(folder: Path, *, class_names: Sequence[str] | None = None, skip_bad: bool = False) -> ClassFolders:
    """The images in the class folders of a folder, found by the endings of their names; none is opened.

    Args:
        class_names: the classes of the training folder, for a folder of test images.
        skip_bad: leave classes without images out instead of refusing the folder.

    Raises:
        DataError: fewer than two classes, a class without images, or a test class that is not among the training
            classes.
    """
    found: dict[str, list[str]] = {}
    left_out = 0
    for one in _folders(folder):
        images, others = _images(one), _files(one)
        left_out += len(others) - len(images)
        found[one.name] = [f"{one.name}/{name}" for name in images]
    empty = next((name for name, images in found.items() if not images), None)
    if empty is not None and not skip_bad:
        raise DataError(
            f"every class folder must hold an image that Pillow reads, but {empty[:_SHOWN]!r} holds none; remove it, "
            f"or leave such folders out with --skip-bad: {folder / empty}"
        )
    found = {name: images for name, images in found.items() if images}
    names = tuple(found) if class_names is None else tuple(class_names)
    strange = next((name for name in found if name not in names), None)
    if strange is not None:
        raise DataError(f"test classes must be training classes, but {strange[:_SHOWN]!r} is none: {folder / strange}")
    if len(names) < 2:
        raise DataError(f"folder-lt needs a folder for each of at least 2 classes, got {len(names)}: {folder}")
    sizes = [len(found.get(name, ())) for name in names]
    if sum(sizes) > MAX_FILES:
        raise DataError(f"folder-lt reads up to {MAX_FILES:,} images, this folder holds {sum(sizes):,}: {folder}")
    paths = [path for name in names for path in found.get(name, ())]
    return ClassFolders(folder, paths, np.repeat(np.arange(len(names)), sizes), names, left_out)


def _folders(folder: Path) -> list[Path]:
    return [one for one in _visible(folder) if one.is_dir()]


def _files(folder: Path) -> list[str]:
    return [one.name for one in _visible(folder) if one.is_file()]


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError as error:
        raise DataError(f"a folder of images must be readable ({error.strerror}): {folder}") from error


def _images(folder: Path) -> list[str]:
    known = suffixes()
    return sorted(name for name in _files(folder) if Path(name).suffix.lower() in known)


class FolderOptions(Bounded):
    colour: Literal["auto", "grey", "rgb"] = Field(
        "auto", description="How images are read: grey, rgb, or auto for what the first images of the classes are."
    )


class _Split(NamedTuple):
    """The folder's images: positions to train and to test on in `train` and `test`, which is `train` where no test
    folder is there."""

    train: ClassFolders
    train_rows: NDArray[np.int64]
    test: ClassFolders
    test_rows: NDArray[np.int64]
    notes: tuple[str, ...]


class Folder(Source):
    """The user's own images."""

    name = "folder-lt"
    title = "A folder of images"
    about = "A folder for each class, with or without train and test above them; any images that Pillow reads."
    Options = FolderOptions
    needs_files = True
    reads_images = True

    def missing(self, where: Where) -> str | None:
        if where.data_dir is None:
            looked = "no folder was given"
        elif not where.data_dir.is_dir():
            looked = f"{where.data_dir} is no folder"
        elif (found := len(_folders(find(where.data_dir)[0]))) < 2:
            looked = f"{where.data_dir} holds {found} of them"
        else:
            return None
        return (
            "folder-lt needs a folder that holds a folder of images for each of at least 2 classes (or train and test, "
            f"which do), but {looked}; set --data-dir or LTVIZ_DATA to it"
        )

    def outline(self, where: Where) -> Outline:
        split = self._split(where)
        names = split.train.class_names
        counts = tuple(np.bincount(split.train.labels[split.train_rows], minlength=len(names)).tolist())
        shape, told = _shape(split.train, where)
        return Outline(
            class_names=names,
            shape=shape,
            train_counts=counts,
            test_counts=tuple(np.bincount(split.test.labels[split.test_rows], minlength=len(names)).tolist()),
            profile=usual_profile(counts)[0],
            notes=(*split.notes, *told),
        )

    def read(self, where: Where) -> Pool:
        split = self._split(where)
        names = split.train.class_names
        shape, told = _shape(split.train, where)
        own = split.test is split.train
        return Pool(
            train_inputs=_inputs(split.train, shape, where).subset(split.train_rows),
            train_labels=split.train.labels[split.train_rows],
            train_ids=split.train_rows,
            test_inputs=_inputs(split.test, shape, where).subset(split.test_rows),
            test_labels=split.test.labels[split.test_rows],
            test_ids=split.test_rows + (0 if own else len(split.train)),
            class_names=names,
            notes=(*split.notes, *told),
        )

    def _split(self, where: Where) -> _Split:
        if why := self.missing(where):
            raise DataError(why)
        assert where.data_dir is not None
        train_folder, test_folder = find(where.data_dir)
        train = scan(train_folder, skip_bad=where.skip_bad)
        notes = _left_out(train)
        if test_folder is None:
            test = train
            rows, test_rows = hold_out(train.labels, train.class_names, f"{train_folder}")
            notes += (f"There is no test folder: {len(test_rows):,} images, equally many of each class, are held out.",)
        else:
            test = scan(test_folder, class_names=train.class_names, skip_bad=where.skip_bad)
            class_sizes(test.labels, train.class_names, f"{test_folder}")
            rows, test_rows = np.arange(len(train)), np.arange(len(test))
            notes += _left_out(test)
        even = usual_profile(np.bincount(train.labels[rows]).tolist())[1]
        return _Split(train, rows, test, test_rows, (*notes, *even))


def _left_out(found: ClassFolders) -> tuple[str, ...]:
    if not found.left_out:
        return ()
    return (f"Files without the ending of an image, left out: {found.left_out:,}, in {found.folder}.",)


def _inputs(found: ClassFolders, shape: tuple[int, ...], where: Where) -> ImageFiles:
    return ImageFiles(found.paths, shape, root=found.folder, stand_ins=found.labels if where.skip_bad else None)


def _shape(found: ClassFolders, where: Where) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """(H, W) or (H, W, 3), and a note on what was guessed; by the headers of a few images of all classes."""
    from PIL import Image

    sizes, grey = set(), True
    for row in np.unique(np.linspace(0, len(found) - 1, _LOOKED_AT).astype(int)).tolist():
        try:
            with Image.open(found.folder / found.paths[row]) as image:
                sizes.add(image.size)
                grey = grey and (image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I"))
        except Exception:  # what is wrong with it is said, with its name, where it is read
            continue
    colour = cast(FolderOptions, where.options).colour
    last = () if (grey if colour == "auto" else colour == "grey") else (3,)
    if where.image_size is not None:
        return (where.image_size, where.image_size, *last), ()
    width, height = next(iter(sizes)) if len(sizes) == 1 else (0, 0)
    if 0 < max(width, height) <= SMALL:
        return (height, width, *last), ()
    several = "of one size" if len(sizes) == 1 else "of several sizes"
    note = f"The images are {several} and are read as {IMAGE_SIZE} x {IMAGE_SIZE} pixels; --image-size changes that."
    return (IMAGE_SIZE, IMAGE_SIZE, *last), (note,)
