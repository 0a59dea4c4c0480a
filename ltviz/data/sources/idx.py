"""mnist-lt and fashion-mnist-lt from the standard IDX files, compressed or not.

An IDX file is a big-endian header (two zero bytes, type 8 = uint8, number of axes, one uint32 per axis) and the bytes
of the array (LeCun et al., http://yann.lecun.com/exdb/mnist). Its header is believed only after the file's own size
has confirmed it, so a file of 16 bytes cannot ask for gigabytes.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where, class_sizes
from ltviz.errors import DataError

MAX_BYTES = 2**30
"""No array of an IDX file may be larger; MNIST's images are 47 MB."""
_CHUNK = 2**20
_DEFLATE_LIMIT = 1032
"""A compressed byte holds at most this many bytes (zlib's technical details): a larger claim is a lie."""
_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read_idx(path: Path, axes: int) -> np.ndarray:
    """The uint8 array of an IDX file with `axes` axes; read-only.

    Raises:
        DataError: not an IDX file of bytes, a size that the file cannot hold, or a damaged file.
    """
    try:
        with gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb") as file:
            shape = _read_header(file, path, axes)
            return np.frombuffer(_read_exactly(file, path, math.prod(shape)), np.uint8).reshape(shape)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"an IDX file must be readable to its end, but reading stopped ({error}): {path}") from error


def _read_header(file: BinaryIO | gzip.GzipFile, path: Path, axes: int) -> tuple[int, ...]:
    head = file.read(4 + 4 * axes)
    if len(head) < 4 + 4 * axes or head[:4] != bytes((0, 0, 8, axes)):
        raise DataError(
            f"an IDX file of bytes with {axes} axes begins with 0 0 8 {axes}, got {head[:4].hex(' ')}: {path}"
        )
    shape = struct.unpack(f">{axes}I", head[4:])
    size, stored = math.prod(shape), path.stat().st_size
    room = stored * _DEFLATE_LIMIT if path.suffix == ".gz" else stored - len(head)
    if not 0 < size <= min(room, MAX_BYTES):
        claim = " x ".join(map(str, shape))
        raise DataError(
            f"the header of an IDX file must fit its size, but {stored} bytes claim to hold {claim}: {path}"
        )
    return shape


def _read_exactly(file: BinaryIO | gzip.GzipFile, path: Path, size: int) -> bytes:
    parts, left = [], size
    while left:  # piece by piece: memory grows with what is there, not with what the header claims
        part = file.read(min(left, _CHUNK))
        if not part:
            raise DataError(
                f"an IDX file must hold the {size} bytes of its header, but ends after {size - left}: {path}"
            )
        parts.append(part)
        left -= len(part)
    if file.read(1):
        raise DataError(f"an IDX file must end after the {size} bytes of its header, but goes on: {path}")
    return b"".join(parts)


class Idx(Source):
    """A set of four IDX files under their standard names."""

    image_shape = (28, 28)
    max_per_class = 1000
    test_per_class = 300
    needs_files = True
    folders: ClassVar[tuple[str, ...]]
    """Where the files may stand under the data folder, most specific first."""
    sizes_of: ClassVar[tuple[tuple[int, ...], tuple[int, ...]]]
    """Training and test images of each class in the standard files."""
    not_this: ClassVar[tuple[str, tuple[int, ...]]]
    """Name and training class sizes of the set that uses the same file names: a mix-up would show wrong names."""

    def missing(self, where: Where) -> str | None:
        """None where all four files are found."""
        return None if self._find(where.data_dir) else self._missing_sentence(where.data_dir)

    def outline(self, where: Where) -> Outline:
        """Of the files that are found; without any, what the standard ones hold."""
        files = self._find(where.data_dir)
        counts = self.sizes_of if files is None else tuple(self._count(files[place]) for place in (1, 3))
        return replace(super().outline(where), train_counts=counts[0], test_counts=counts[1])

    def read(self, where: Where) -> Pool:
        files = self._find(where.data_dir)
        if files is None:
            raise DataError(self._missing_sentence(where.data_dir))
        train_images, train_labels = _read_pair(files[0], files[1])
        test_images, test_labels = _read_pair(files[2], files[3])
        if train_images.shape[1:] != test_images.shape[1:]:
            raise DataError(
                f"training and test images must have one size, but are {train_images.shape[1:]} and "
                f"{test_images.shape[1:]}: {files[0].parent}"
            )
        sizes = class_sizes(train_labels, self.class_names, f"{files[1]}")
        class_sizes(test_labels, self.class_names, f"{files[3]}")
        other, other_sizes = self.not_this
        if tuple(sizes) == other_sizes:
            raise DataError(
                f"{self.name} needs its own files, but these are those of {other} (both use the same file names); "
                f"put {self.title} into a folder {self.folders[0]} beside it: {files[0].parent}"
            )
        return Pool(
            train_inputs=HeldInputs(train_images),
            train_labels=train_labels,
            train_ids=np.arange(len(train_labels)),
            test_inputs=HeldInputs(test_images),
            test_labels=test_labels,
            test_ids=len(train_labels) + np.arange(len(test_labels)),
            class_names=self.class_names,
        )

    def _count(self, labels: Path) -> tuple[int, ...]:
        return tuple(class_sizes(read_idx(labels, 1), self.class_names, f"{labels}").tolist())

    def _places(self, data_dir: Path | None) -> list[Path]:
        return [] if data_dir is None else [*(data_dir / folder for folder in self.folders), data_dir]

    def _find(self, data_dir: Path | None) -> list[Path] | None:
        for place in self._places(data_dir):
            found = [_either(place / name) for name in _FILES]
            if all(found):
                return [path for path in found if path]
        return None

    def _missing_sentence(self, data_dir: Path | None) -> str:
        names = ", ".join(f"{name}[.gz]" for name in _FILES)
        places = self._places(data_dir)
        looked = f"not all of them are in {' or '.join(map(str, places))}" if places else "no folder was given"
        return f"{self.name} needs the files {names}, but {looked}; set --data-dir or LTVIZ_DATA to their folder"


def _either(path: Path) -> Path | None:
    return next((p for p in (path, path.with_name(path.name + ".gz")) if p.is_file()), None)


def _read_pair(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1).astype(np.int64)
    if len(images) != len(labels):
        raise DataError(
            f"every image needs one label, but {images_path} has {len(images)} and {labels_path} {len(labels)}"
        )
    return images, labels


_MNIST_SIZES = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
_MNIST_TEST_SIZES = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)


class Mnist(Idx):
    name = "mnist-lt"
    title = "MNIST"
    about = "70,000 handwritten digits of 28 x 28 pixels; needs the four IDX files."
    class_names = tuple("0123456789")
    folders = ("mnist", "MNIST/raw")
    sizes_of = (_MNIST_SIZES, _MNIST_TEST_SIZES)
    not_this = ("Fashion-MNIST", (6000,) * 10)


class FashionMnist(Idx):
    name = "fashion-mnist-lt"
    title = "Fashion-MNIST"
    about = "70,000 pictures of clothes, 28 x 28 pixels; needs the four IDX files."
    class_names = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
    folders = ("fashion-mnist", "FashionMNIST/raw")
    sizes_of = ((6000,) * 10, (1000,) * 10)
    not_this = ("MNIST", _MNIST_SIZES)
