"""CIFAR's batches as arrays: the python version (`pickled`) and the binary one.

Source: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltviz.data.sources.pickled import as_text, read_pickled_dictionary
from ltviz.errors import DataError

SIDE = 32
PIXELS = 3 * SIDE * SIDE
_SHOWN = 60


def python_batch(data: bytes, label_key: str, num_classes: int, where: str) -> tuple[NDArray[np.uint8], NDArray]:
    """Images (N, 32, 32, 3) and labels (N,) int64 of a python batch; the images share memory with `data`.

    Args:
        label_key: "labels" (CIFAR-10) or "fine_labels" (CIFAR-100).

    Raises:
        DataError: a damaged or hostile batch, another number of labels than of images, a label out of range.
    """
    held = read_pickled_dictionary(data, where)
    for key in ("data", label_key):
        if key not in held:
            keys = ", ".join(repr(str(name)[:_SHOWN]) for name in list(held)[:8])
            raise DataError(f"a batch of CIFAR must hold {key!r}, but this one holds {keys}: {where}")
    pixels, labels = held["data"], held[label_key]
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        got = f"{pixels.dtype} of {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise DataError(f"'data' of a CIFAR batch must be uint8 of (N, {PIXELS}), got {got}: {where}")
    if isinstance(labels, np.ndarray):
        labels = labels.tolist() if labels.ndim == 1 else None
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise DataError(f"{label_key!r} of a CIFAR batch must be a list of whole numbers: {where}")
    return _checked(pixels, labels, num_classes, where)


def binary_batch(data: bytes, label_bytes: int, num_classes: int, where: str) -> tuple[NDArray[np.uint8], NDArray]:
    """Images (N, 32, 32, 3) and labels (N,) int64 of a binary batch; the images share memory with `data`.

    Args:
        label_bytes: bytes of labels before each image, of which the last is the class: 1 (CIFAR-10), or 2 (CIFAR-100,
            whose first is the superclass).

    Raises:
        DataError: a file that ends within an image, or a label out of range.
    """
    row = label_bytes + PIXELS
    if not data or len(data) % row:
        raise DataError(
            f"a binary batch of CIFAR must have {row:,} bytes an image, but {len(data):,} are no whole number of them; "
            f"get the official file again: {where}"
        )
    rows = np.frombuffer(data, np.uint8).reshape(-1, row)
    return _checked(rows[:, label_bytes:], rows[:, label_bytes - 1].tolist(), num_classes, where)


def _checked(
    pixels: NDArray[np.uint8], labels: list[int], num_classes: int, where: str
) -> tuple[NDArray[np.uint8], NDArray]:
    if len(pixels) != len(labels) or not labels:
        raise DataError(
            f"a batch of CIFAR must have one label an image, but has {len(labels):,} labels and {len(pixels):,} "
            f"images: {where}"
        )
    wrong = next((row for row, label in enumerate(labels) if not 0 <= label < num_classes), None)
    if wrong is not None:
        raise DataError(
            f"labels must be 0 to {num_classes - 1}, but image {wrong} (counted from 0) has {labels[wrong]}: {where}"
        )
    return pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1), np.array(labels, np.int64)


def python_names(data: bytes, key: str, where: str) -> tuple[str, ...]:
    """Names of the classes in the file of names of the python version.

    Raises:
        DataError: a damaged or hostile file, or one without a list of names under `key`.
    """
    names = read_pickled_dictionary(data, where).get(key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str | bytes) for name in names):
        raise DataError(f"the file of CIFAR's class names must hold a list {key!r}: {where}")
    return tuple(as_text(name) for name in names)


def binary_names(data: bytes, where: str) -> tuple[str, ...]:
    """Names of the classes in the text file of the binary version, one a line.

    Raises:
        DataError: text that is not UTF-8, or none.
    """
    try:
        names = tuple(line.strip() for line in data.decode().splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise DataError(f"the file of CIFAR's class names must be text, one a line: {where}") from error
    if not names:
        raise DataError(f"the file of CIFAR's class names must hold one a line, but is empty: {where}")
    return names
