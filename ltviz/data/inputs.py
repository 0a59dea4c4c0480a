"""What an encoder reads of each sample, an image or a vector, whether it lies in memory or in a file of its own.

    images = HeldInputs(np.zeros((100, 32, 32, 3), np.uint8))      # 100 colour images
    photos = ImageFiles(["cat/1.jpg", "dog/7.png"], (224, 224, 3), root=Path("photos"))
    photos.read(np.array([1]))                                      # (1, 224, 224, 3) uint8, decoded now

Images are uint8 until they are on the device, a quarter of what floats take; `white` says which value is white.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltviz.data.pictures import BadPicture, Picked, decode, read_labels, read_picture
from ltviz.errors import DataError

HELD_BYTES = 1 << 30
"""Files are decoded once and kept in memory where all that is asked for takes no more."""
Index = NDArray[np.int64]


class Inputs(ABC):
    """N inputs of one shape: images (H, W) or (H, W, 3), or vectors (F,)."""

    shape: tuple[int, ...]
    """Of one input."""
    white: float
    """The value of white, by which images are divided; 1 for vectors and float images."""
    dtype: np.dtype
    """uint8, or float32 for vectors and images that are in [0, 1] already."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, index: Index) -> NDArray:
        """(len(index), *shape) of `dtype`: the inputs at these positions, in this order, each as often as it is named.

        Raises:
            DataError: a file that is missing or damaged.
        """

    @abstractmethod
    def subset(self, index: Index) -> Inputs:
        """The inputs at these positions; files are not opened for it."""

    @property
    def replaced(self) -> Sequence[str]:
        """A line on each file that was found bad while reading and replaced by another one, as they were found."""
        return ()

    @property
    def num_images(self) -> int:
        """Images or vectors, which are the inputs, or what these are pixels of."""
        return len(self)

    @property
    def is_vectors(self) -> bool:
        return len(self.shape) == 1

    @property
    def nbytes(self) -> int:
        """Bytes that all of them take in memory."""
        return len(self) * math.prod(self.shape) * self.dtype.itemsize

    def whole(self) -> NDArray:
        """(N, *shape) of `dtype`: all of them, in order; errors as of `read`."""
        return self.read(np.arange(len(self)))

    def blocks(self, rows: int) -> Iterator[Index]:
        """Positions of all inputs in order, `rows` at a time."""
        for first in range(0, len(self), rows):
            yield np.arange(first, min(first + rows, len(self)))

    def join(self, further: Inputs) -> Inputs:
        """These inputs, and others of the same shape and kind after them."""
        return JoinedInputs([self, further])

    def hold(self, most_bytes: int = HELD_BYTES) -> Inputs:
        """The same inputs in memory where they take at most so many bytes, else as they are."""
        if isinstance(self, HeldInputs) or self.nbytes > most_bytes:
            return self
        return HeldInputs(self.whole(), self.white)


class HeldInputs(Inputs):
    """Inputs in memory.

    Args:
        array: uint8 images (N, H, W) or (N, H, W, 3), images of these shapes as floats, or vectors (N, F) as floats;
            floats are kept as float32.
        white: of images; 255 for uint8 and 1 for floats where None.

    Raises:
        DataError: another dtype or shape, or floats that are not finite.
    """

    def __init__(self, array: NDArray, white: float | None = None):
        if array.dtype.kind == "f":
            array = array.astype(np.float32, copy=False)
        colour = array.ndim == 4 and array.shape[3] == 3
        fits = array.dtype == np.float32 if array.ndim == 2 else array.dtype in (np.uint8, np.float32)
        if not (fits and (colour or array.ndim in (2, 3)) and 0 not in array.shape[1:]):
            raise DataError(
                "inputs must be uint8 or float images (N, H, W) or (N, H, W, 3), or float vectors (N, F), "
                f"got {array.dtype} of shape {array.shape}"
            )
        if array.dtype == np.float32 and not np.isfinite(array).all():
            raise DataError(
                f"inputs must be finite, but {int((~np.isfinite(array)).sum())} numbers are NaN or infinite"
            )
        self.array = array
        self.shape, self.dtype = array.shape[1:], array.dtype
        self.white = (255.0 if array.dtype == np.uint8 else 1.0) if white is None else white

    def __len__(self) -> int:
        return len(self.array)

    def read(self, index: Index) -> NDArray:
        return self.array[index]

    def subset(self, index: Index) -> HeldInputs:
        return HeldInputs(self.array[index], self.white)


class ImageFiles(Inputs):
    """Images that are decoded when they are read; nothing of the size of the set is kept but the list of names.

    An image is resized so that it covers (H, W) and cut to it around its centre (`pictures.decode`), several at a time
    in threads. A file that cannot be decoded ends the reading with a sentence. With `stand_ins` it is replaced by the
    next file with the same number, always by the same one, and `replaced` tells of it: that a file is damaged is only
    found when it is decoded, and to decode all files first would take as long as the training's first epoch. To know
    before, `ltviz data NAME --check` decodes everything.

    Args:
        paths: of the files, below `root`.
        shape: (H, W) for grey, (H, W, 3) for colour.
        root: folder that all paths are in.
        lines: (N,) line of each file in the list that named it, from 1, for messages.
        list_name: of that list.
        stand_ins: (N,) a number for each file, as a rule its class; only a file of the same number may replace one.
    """

    dtype = np.dtype(np.uint8)
    white = 255.0
    _decoded_by = staticmethod(read_picture)

    def __init__(
        self,
        paths: list[str],
        shape: tuple[int, ...],
        *,
        root: Path | None = None,
        lines: NDArray[np.integer] | None = None,
        list_name: str = "",
        stand_ins: NDArray[np.integer] | None = None,
    ):
        if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
            raise ValueError(f"shape must be (H, W) or (H, W, 3), got {shape}")
        self.shape, self.root = tuple(shape), root
        self._paths, self._lines, self._list_name, self._stand_ins = paths, lines, list_name, stand_ins
        self._replaced: dict[str, str] = {}  # path -> what happened, shared with all subsets

    def __len__(self) -> int:
        return len(self._paths)

    def path(self, at: int) -> Path:
        """Of the file at a position."""
        return self.root / self._paths[at] if self.root else Path(self._paths[at])

    def where(self, at: int) -> str:
        """The file at a position, and the line that named it, for the end of a message."""
        if self._lines is None:
            return str(self.path(at))
        return f"{self.path(at)} (line {self._lines[at]}{f' of {self._list_name}' if self._list_name else ''})"

    def read(self, index: Index) -> NDArray:
        out = np.empty((len(index), *self.shape), np.uint8)
        places = [Picked(self.path(int(at)), row) for row, at in enumerate(index)]
        for row, bad in decode(places, out, self._decoded_by):
            at = int(index[row])
            if self._stand_ins is None:
                raise DataError(f"{bad}: {self.where(at)}")
            self._replace(at, bad, out[row : row + 1])
        return out

    def subset(self, index: Index) -> ImageFiles:
        some = type(self)(
            [self._paths[at] for at in index.tolist()],
            self.shape,
            root=self.root,
            lines=None if self._lines is None else self._lines[index],
            list_name=self._list_name,
            stand_ins=None if self._stand_ins is None else self._stand_ins[index],
        )
        some._replaced = self._replaced
        return some

    @property
    def replaced(self) -> Sequence[str]:
        return tuple(self._replaced.values())

    def damaged(self, rows: int) -> list[str]:
        """A sentence on each file that cannot be decoded; decodes all of them, `rows` at a time."""
        out = np.empty((rows, *self.shape), np.uint8)
        found = []
        for index in self.blocks(rows):
            places = [Picked(self.path(int(at)), row) for row, at in enumerate(index)]
            found += [f"{bad}: {self.where(int(index[row]))}" for row, bad in decode(places, out, self._decoded_by)]
        return found

    def _replace(self, at: int, bad: BadPicture, out: NDArray[np.uint8]) -> None:
        """Puts the next readable file of the same number into `out`, (1, *shape)."""
        assert self._stand_ins is not None
        alike = np.flatnonzero(self._stand_ins == self._stand_ins[at])
        after = np.roll(alike, -int(np.searchsorted(alike, at)) - 1)[:-1]
        for other in after.tolist():
            if not decode([Picked(self.path(other), 0)], out, self._decoded_by):
                told = f"{bad}, so {self._paths[other]} of its class stands in: {self.where(at)}"
                self._replaced.setdefault(self._paths[at], told)
                return
        raise DataError(f"{bad}, and no other image of its class can be read in its place: {self.where(at)}")


class LabelFiles(ImageFiles):
    """Labels of pixels, (H, W) uint8 of each file, resized and cut as the images that they belong to."""

    _decoded_by = staticmethod(read_labels)


class JoinedInputs(Inputs):
    """Inputs of the same shape, one part after the other."""

    def __init__(self, parts: Sequence[Inputs]):
        first = parts[0]
        if any((part.shape, part.white, part.dtype) != (first.shape, first.white, first.dtype) for part in parts):
            told = " and ".join(f"{part.dtype} {part.shape} with white {part.white:g}" for part in parts)
            raise DataError(f"training and test inputs must be alike, got {told}")
        self.parts = list(parts)
        self.shape, self.white, self.dtype = first.shape, first.white, first.dtype
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, index: Index) -> NDArray:
        out = np.empty((len(index), *self.shape), self.dtype)
        for rows, part, own in self._split(index):
            out[rows] = part.read(own)
        return out

    def subset(self, index: Index) -> JoinedInputs:
        """ValueError for positions that do not keep the order of the parts."""
        split = list(self._split(index))
        if len(index) and not np.array_equal(np.concatenate([rows for rows, _, _ in split]), np.arange(len(index))):
            raise ValueError("a subset of joined inputs must keep the order of the parts")
        return JoinedInputs([part.subset(own) for _, part, own in split])

    @property
    def replaced(self) -> Sequence[str]:
        return tuple(dict.fromkeys(line for part in self.parts for line in part.replaced))

    def _split(self, index: Index) -> Iterator[tuple[Index, Inputs, Index]]:
        """Of each part: the rows of the result that it fills, the part, and its own positions."""
        of = np.searchsorted(self._ends, index, side="right")
        for number, part in enumerate(self.parts):
            rows = np.flatnonzero(of == number)
            yield rows, part, index[rows] - (self._ends[number] - len(part))
