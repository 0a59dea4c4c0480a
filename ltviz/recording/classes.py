"""A stranger's labels as classes 0 ... C-1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.info import MAX_CLASSES


class Classes(NamedTuple):
    """How a caller's labels became classes.

    `labels` (N,) int64; of each class its name, the caller's own label for it (`values`), and its row in the caller's
    own order of classes (`rows`, (C,) int64).
    """

    labels: np.ndarray
    names: list[str]
    values: list[Any]
    rows: np.ndarray

    def number(self, given: np.ndarray) -> np.ndarray:
        """Classes of labels in the caller's values; RecordingError for a value that is no class."""
        classes = {value: number for number, value in enumerate(self.values)}
        try:
            return np.array([classes[value] for value in given.ravel().tolist()], np.int64).reshape(given.shape)
        except KeyError as error:
            raise RecordingError(
                f"predictions must be labels of the run's classes; got {error.args[0]!r:.80}."
            ) from error


def number_classes(given: np.ndarray, class_names: Sequence[str] | Mapping[Any, str] | None) -> Classes:
    """Classes 0 ... C-1 from any labels.

    Whole numbers that are 0 ... C-1 already, or nearly, stay as they are: what a caller reads back is what was given.
    Others (text, negative numbers, mostly gaps) become classes by falling number of samples, equal ones in the order
    of their values.

    Args:
        given: (N,) whole numbers or text.
        class_names: names in the order of the values 0 ... C-1 or of the values present, sorted; for text the list of
            all classes; or {label: name}.

    Raises:
        RecordingError: labels that are neither, or a label without a name.
    """
    if given.dtype.kind == "O" and all(isinstance(label, str) for label in given.flat):
        given = given.astype(np.str_)
    if given.dtype.kind == "f" and np.isfinite(given).all() and not (given % 1).any():
        given = given.astype(np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iubU" or not len(given):
        raise RecordingError(
            f"labels must be whole numbers or text, one a sample, shape (N,); got {given.dtype} of shape {given.shape}."
        )
    given = given.astype(np.int64) if given.dtype.kind != "U" else given
    values = _own_order(given, class_names)
    if not 1 <= len(values) <= MAX_CLASSES:
        raise RecordingError(f"labels must have at most {MAX_CLASSES:,} classes; got {len(values):,}.")
    row_of = {value: row for row, value in enumerate(values)}
    unknown = [value for value in np.unique(given).tolist() if value not in row_of]
    if unknown:
        raise RecordingError(
            f"class_names must name every label; {unknown[0]!r:.80} and {len(unknown) - 1} more have no name."
        )
    rows = np.array([row_of[value] for value in given.tolist()], np.int64)
    if values == list(range(len(values))):
        order = np.arange(len(values))
    else:
        order = np.argsort(-np.bincount(rows, minlength=len(values)), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    names = _own_names(values, class_names)
    return Classes(rank[rows], [names[row] for row in order], [values[row] for row in order], order)


def _own_order(given: np.ndarray, class_names: Sequence[str] | Mapping[Any, str] | None) -> list[Any]:
    """The caller's label of each class, in the caller's order."""
    present = np.unique(given).tolist()
    if isinstance(class_names, Mapping):
        named = list(class_names)
        return sorted(named) if all(isinstance(value, int) for value in named) else named
    if given.dtype.kind == "U":
        return present if class_names is None else [str(name) for name in class_names]
    top = present[-1] + 1
    if present[0] >= 0 and (len(class_names) >= top if class_names is not None else 2 * len(present) > top):
        return list(range(top if class_names is None else len(class_names)))
    return present


def _own_names(values: list[Any], class_names: Sequence[str] | Mapping[Any, str] | None) -> list[str]:
    if class_names is None:
        return [str(value) for value in values]
    if isinstance(class_names, Mapping):
        return [str(class_names[value]) for value in values]
    if len(class_names) != len(values):
        raise RecordingError(
            f"class_names must name each of the {len(values)} classes among the labels; got {len(class_names)}."
        )
    return [str(name) for name in class_names]
