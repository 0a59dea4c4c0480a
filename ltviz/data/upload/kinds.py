"""What columns may be called, and what can be told of a column by its values alone."""

from __future__ import annotations

import re
from typing import TypeGuard

import numpy as np

from ltviz.data.upload.contents import Categories

EMBEDDINGS = ("embeddings", "embedding", "z", "features", "feature", "x", "vectors", "vector", "emb")
LABELS = ("labels", "label", "targets", "target", "classes", "class", "y")
CLASS_NAMES = ("class_names", "classnames", "label_names")
IDS = ("id", "ids", "sample_id", "sample_ids", "index", "idx", "uuid", "__index_level_0__", "unnamed: 0")
NAMES = ("name", "names", "filename", "filenames", "file_name", "file", "path", "paths", "image_path")
SPLITS = ("split", "splits", "subset")
NUMBERED = re.compile(r"(|.*?[^ _.\-\[(])[ _.\-\[(]*+(\d{1,9})[\])]*")


def length(column: object) -> int:
    if isinstance(column, np.ndarray):
        return column.shape[0] if column.ndim else -1
    return len(column) if isinstance(column, Categories) else -1


def is_flat(column: object) -> bool:
    return isinstance(column, Categories) or (isinstance(column, np.ndarray) and column.ndim == 1)


def is_scalar(column: object) -> TypeGuard[np.ndarray]:
    return isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype.kind in "iuf"


def is_whole(column: object) -> TypeGuard[np.ndarray]:
    return is_scalar(column) and bool(np.isfinite(column).all() and (column % 1 == 0).all())


def is_id(column: object) -> bool:
    """Whether each row has its own: what repeats may be whose row it is, not which."""
    if isinstance(column, Categories):
        return len(set(column.codes.tolist())) == len(column) and -1 not in column.codes
    return is_whole(column) and len(np.unique(column)) == len(column)


def is_row_number(column: object) -> bool:
    if not is_whole(column) or len(column) < 3:
        return False
    return bool(column[0] in (0, 1) and (np.diff(column) == 1).all())


def is_broken(column: object) -> bool:
    """Whether most of a column of text are numbers: a dimension with an odd cell in it."""
    if not isinstance(column, Categories):
        return False
    number = np.array([*(number_of(name) is not None for name in column.names), True])
    return 2 * int(number[column.codes].sum()) >= len(column) and not number[:-1].all()


def is_spelled_number(column: object) -> bool:
    """Whether a column of text is of numbers that were left as they are spelled: 007, or beyond 2^53."""
    return isinstance(column, Categories) and all(number_of(name) is not None for name in column.names)


def number_of(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
