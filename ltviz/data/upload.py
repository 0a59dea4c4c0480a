"""Embeddings that somebody uploads: .npy, .npz, .csv, .tsv, .safetensors, and .parquet where pyarrow is installed.

Nothing in the file is trusted. What it is shows in its first bytes, not in its name; what it claims to hold is
compared with caps and with its own size before memory is taken; nothing is unpacked to disk, nothing is unpickled.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ltviz.data import upload_arrays
from ltviz.data.upload_arrays import Contents
from ltviz.errors import DataError

MAX_POINTS = 1_000_000
MAX_DIM = 4096
MAX_CLASSES = 1000
MAX_NAME = 20_000

_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """`embeddings` (N, D) float32 as in the file, finite, no zero row, not normalised; `labels` (N,) int64 or None.

    `class_names[label]` names a label, None where the file has no names. `notes` are sentences that the person should
    read: types that were changed, columns left out, classes without samples.
    """

    embeddings: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_embeddings(path: str | os.PathLike[str]) -> Upload:
    """Embeddings and, where the file holds them, labels.

    Arrays are found by name ("embeddings", "z", "features", "x"; "labels", "y", "targets", "classes"; "class_names"),
    a lone matrix by being alone; columns of a table likewise, a column of text is the labels.

    Raises:
        DataError: one sentence: what is wrong, in which row, and what to do.
    """
    contents = upload_arrays.read(Path(path))
    embeddings, labels, name_array = _chosen(contents)
    notes = list(contents.notes)
    embeddings = _embeddings(embeddings, notes)
    if labels is None:
        return Upload(embeddings, None, None, tuple(notes))
    labels, names = _labels(labels, len(embeddings), notes)
    names = names or contents.class_names
    if names is None and name_array is not None:
        names = _names(name_array, int(labels.max()) + 1)
    if names is not None and max(map(len, names)) > MAX_NAME:
        raise DataError(f"Class names of up to {MAX_NAME:,} characters are read; shorten the longest.")
    return Upload(embeddings, labels, names, tuple(notes))


def _chosen(contents: Contents) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    by_name = {name.lower(): array for name, array in contents.arrays.items()}

    def first(names: tuple[str, ...]) -> np.ndarray | None:
        return next((by_name[name] for name in names if name in by_name), None)

    embeddings = first(upload_arrays.EMBEDDINGS)
    labels = first(upload_arrays.LABELS)
    if embeddings is None:
        matrices = [array for array in by_name.values() if array.ndim == 2]
        if len(by_name) == 1:
            embeddings = next(iter(by_name.values()))
        elif len(matrices) == 1:
            embeddings = matrices[0]
        else:
            held = ", ".join(f"'{name[:40]}'" for name in sorted(by_name)[:8]) or "nothing"
            raise DataError(f"The file must hold an array named 'embeddings'; it holds {held}, rename one.")
    return embeddings, labels, first(upload_arrays.NAMES)


def _embeddings(array: np.ndarray, notes: list[str]) -> np.ndarray:
    if array.dtype.kind == "c":
        raise DataError(
            f"Embeddings must be real numbers; got {array.dtype}, save their real part or their absolute value."
        )
    if array.dtype.kind not in "biuf":
        raise DataError(f"Embeddings must be numbers; got {_kind(array.dtype)}, save them as float32.")
    if array.ndim != 2:
        raise DataError(
            f"Embeddings must have the shape (points, dimensions); got {_sizes(array.shape)}, reshape them first."
        )
    count, dim = array.shape
    if count < 2:
        raise DataError(f"At least 2 points are needed to measure anything; got {count}, save more rows.")
    if count > MAX_POINTS:
        raise DataError(f"At most {MAX_POINTS:,} points are read; got {count:,}, save a sample of the rows.")
    if dim < 2:
        raise DataError(f"Embeddings must have at least 2 dimensions to lie on a sphere; got {dim}, save more columns.")
    if dim > MAX_DIM:
        raise DataError(
            f"At most {MAX_DIM:,} dimensions are read; got {dim:,}, project them first, by PCA for example."
        )
    if array.dtype != np.float32:
        change = "narrowed" if array.dtype.kind == "f" and array.dtype.itemsize > 4 else "widened"
        notes.append(f"The embeddings were {array.dtype.newbyteorder('=')} and have been {change} to float32.")
    _refuse_rows(
        ~np.isfinite(array).all(axis=1), "Embeddings must be finite; {where} NaN or infinity, drop them or retrain."
    )
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(array, np.float32)
    _refuse_rows(
        ~np.isfinite(rows).all(axis=1),
        "Embeddings must fit float32 (below 3.4e38); {where} larger numbers, divide all rows by one number.",
    )
    _refuse_rows(
        ~rows.any(axis=1),
        "A zero row has no direction and no place on a sphere; {where} only zeros, drop them and save again.",
    )
    repeated = count - len({row.tobytes() for row in rows})
    if repeated:
        notes.append(f"{repeated:,} of {count:,} rows repeat another row exactly.")
    return rows


def _labels(array: np.ndarray, count: int, notes: list[str]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"Labels must be one class for each point, shape ({count},); got {_sizes(array.shape)}.")
    if len(array) != count:
        raise DataError(
            f"There must be one label for each of {count:,} points; got {len(array):,}, save both from one run."
        )
    if array.dtype.kind in "US":
        return _text_labels(array, notes)
    if array.dtype.kind not in "biuf":
        raise DataError(f"Labels must be whole numbers or text; got {_kind(array.dtype)}.")
    if array.dtype.kind == "f":
        _refuse_rows(
            ~np.isfinite(array) | (array % 1 != 0), "Labels must be whole numbers; {where} others, round them."
        )
    _refuse_rows(
        array < 0, "Labels must not be negative; {where} negative ones, drop these points or give them a class."
    )
    _refuse_rows(
        array >= MAX_CLASSES,
        f"Labels must be below {MAX_CLASSES:,}, the number of classes that is read; {{where}} larger ones.",
    )
    labels = array.astype(np.int64)
    counts = np.bincount(labels)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        shown = ", ".join(map(str, empty[:_SHOWN])) + (" and others" if len(empty) > _SHOWN else "")
        notes.append(f"The labels have gaps: no point has {shown}.")
    if len(counts) - len(empty) == 1:
        notes.append(f"All points have one label, {labels[0]}: nothing between classes can be measured.")
    return labels, None


def _text_labels(array: np.ndarray, notes: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    found, labels = np.unique(array, return_inverse=True)
    if len(found) > MAX_CLASSES:
        raise DataError(f"At most {MAX_CLASSES:,} classes are read; the labels hold {len(found):,} different texts.")
    if len(found) == 1:
        notes.append("All points have one label: nothing between classes can be measured.")
    try:
        names = tuple(name.decode() if isinstance(name, bytes) else name for name in found.tolist())
    except UnicodeDecodeError as error:
        raise DataError("Labels must be UTF-8 text; some are not, save them as str.") from error
    return labels.astype(np.int64), names


def _names(array: np.ndarray, num_classes: int) -> tuple[str, ...]:
    if array.ndim != 1 or array.dtype.kind != "U" or not num_classes <= len(array) <= MAX_CLASSES:
        raise DataError(
            f"class_names must be text, one name for each of {num_classes} classes; "
            f"got {_kind(array.dtype)} of shape {_sizes(array.shape)}."
        )
    return tuple(array.tolist())


def _refuse_rows(wrong: ArrayLike, sentence: str) -> None:
    """Raise DataError where any row is wrong; `{where}` becomes the rows, counted from 0."""
    rows = np.flatnonzero(np.asarray(wrong))
    if not len(rows):
        return
    shown = ", ".join(map(str, rows[:_SHOWN]))
    where = f"row {shown} (counted from 0) holds" if len(rows) == 1 else f"{len(rows):,} rows, first {shown}, hold"
    raise DataError(sentence.format(where=where))


def _kind(dtype: np.dtype) -> str:
    return "text" if dtype.kind in "US" else f"{dtype}"[:60]


def _sizes(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape[:6]))}{',' if len(shape) == 1 else ''})"
