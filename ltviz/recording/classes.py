"""A stranger's labels as classes 0 ... C-1, and the samples that have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.arrays import as_array
from ltviz.recording.info import MAX_CLASSES, UNLABELLED


class Classes(NamedTuple):
    """How a caller's labels became classes.

    `labels` (N,) int64, -1 where a sample has none; of each class its name, the caller's own label for it (`values`),
    and its row in the caller's own order of classes (`rows`, (C,) int64).
    """

    labels: np.ndarray
    names: list[str]
    values: list[Any]
    rows: np.ndarray

    def number(self, given: Any) -> np.ndarray:
        """Classes of labels in the caller's values, -1 where none is given; RecordingError for a value that is no
        class."""
        classes = {value: number for number, value in enumerate(self.values)}
        given, absent = _part(given)
        numbers = np.full(given.shape, UNLABELLED, np.int64)
        try:
            numbers[~absent] = [classes[value] for value in given[~absent].tolist()]
        except (KeyError, TypeError) as error:
            value = error.args[0] if isinstance(error, KeyError) else given[~absent][0]
            raise RecordingError(
                f"predictions must be labels of the run's classes; got {value!r:.80}.",
                kind="predictions of unknown classes",
            ) from error
        return numbers


def number_classes(given: Any, class_names: Sequence[str] | Mapping[Any, str] | None) -> Classes:
    """Classes 0 ... C-1 from any labels.

    Whole numbers that are 0 ... C-1 already, or nearly, stay as they are: what a caller reads back is what was given.
    Others (text, negative numbers, mostly gaps) become classes by falling number of samples, equal ones in the order
    of their values. -1, NaN, None and "" are no label: such samples are of no class.

    Args:
        given: (N,) whole numbers or text.
        class_names: names in the order of the values 0 ... C-1 or of the values present, sorted; for text the list of
            all classes; or {label: name}.

    Raises:
        RecordingError: labels that are neither, or a label without a name.
    """
    given, absent = _part(given)
    if given.ndim != 1 or not len(given):
        raise _no_labels(given)
    known = _check_values(given, given[~absent])
    values = _own_order(known, class_names)
    if len(values) > MAX_CLASSES:
        raise RecordingError(f"labels must have at most {MAX_CLASSES:,} classes; got {len(values):,}.")
    row_of = {value: row for row, value in enumerate(values)}
    unknown = [value for value in np.unique(known).tolist() if value not in row_of]
    if unknown:
        raise RecordingError(
            f"class_names must name every label; {unknown[0]!r:.80} and {len(unknown) - 1} more have no name."
        )
    rows = np.array([row_of[value] for value in known.tolist()], np.int64)
    if values == list(range(len(values))):
        order = np.arange(len(values))
    else:
        order = np.argsort(-np.bincount(rows, minlength=len(values)), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    names = _own_names(values, class_names)
    labels = np.full(len(given), UNLABELLED, np.int64)
    labels[~absent] = rank[rows]
    return Classes(labels, [names[row] for row in order], [values[row] for row in order], order)


def _part(given: Any) -> tuple[np.ndarray, np.ndarray]:
    """The labels as an array, and (N,) bool where there is none."""
    if isinstance(given, np.ma.MaskedArray):
        values, absent = _part(given.data)
        return values, absent | np.ma.getmaskarray(given)
    if isinstance(given, list | tuple) and any(isinstance(label, str) or label is None for label in given):
        # numpy would write NaN and None among text as the words "nan" and "None".
        values = np.empty(len(given), object)
        values[:] = given
    else:
        values = as_array(given)
    if values.dtype.kind == "f":
        return values, np.isnan(values) | (values == UNLABELLED)
    if values.dtype.kind == "i":
        return values, values == UNLABELLED
    if values.dtype.kind == "U":
        return values, values == ""
    if values.dtype.kind == "O":
        absent = np.array([_is_absent(value) for value in values.flat], bool)
        return values, absent.reshape(values.shape)
    return values, np.zeros(values.shape, bool)


def _is_absent(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value == "" or value == UNLABELLED or value != value)
    except TypeError:  # pandas' NA does not even say whether it equals itself
        return True
    except ValueError:  # an array, which is no label; the check of the values says so
        return False


def _check_values(given: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The labels that there are, as int64 or text; RecordingError for anything else."""
    if known.dtype.kind == "O" and all(isinstance(label, str) for label in known):
        return known.astype(np.str_)
    if known.dtype.kind == "O" and all(hasattr(label, "__index__") or isinstance(label, float) for label in known):
        known = np.array(known.tolist())
    if known.dtype.kind == "f" and np.isfinite(known).all() and not (known % 1).any() and _are_exact(known):
        known = known.astype(np.int64)
    if known.dtype.kind not in "iubU" or (known.dtype.kind == "u" and len(known) and known.max() >= 2**63):
        raise _no_labels(given)
    return known if known.dtype.kind == "U" else known.astype(np.int64)


def _are_exact(known: np.ndarray) -> bool:
    """Whether floats are small enough that each stands for one whole number, and none has been rounded to another."""
    return not known.size or bool(np.abs(known).max() <= 2 ** (np.finfo(known.dtype).nmant + 1))


def _no_labels(given: np.ndarray) -> RecordingError:
    return RecordingError(
        f"labels must be whole numbers or text, one a sample, shape (N,); got {given.dtype} of shape {given.shape}."
    )


def _own_order(known: np.ndarray, class_names: Sequence[str] | Mapping[Any, str] | None) -> list[Any]:
    """The caller's label of each class, in the caller's order."""
    present = np.unique(known).tolist()
    if isinstance(class_names, Mapping):
        # Whoever names -1 or "" too says what the unlabelled are called; they are no class for it.
        named = [value for value in class_names if not _is_absent(value)]
        return sorted(named) if all(isinstance(value, int) for value in named) else named
    if known.dtype.kind == "U":
        if class_names is not None and "" in class_names:
            raise RecordingError("class_names must not hold '', which marks samples without a label; leave it out.")
        return present if class_names is None else [str(name) for name in class_names]
    top = present[-1] + 1 if present else 0
    if (not present or present[0] >= 0) and (
        len(class_names) >= top if class_names is not None else 2 * len(present) > top
    ):
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


def number_sets(given: Any, class_names: Sequence[str] | Mapping[Any, str] | None) -> tuple[Classes, np.ndarray]:
    """Classes 0 ... C-1 of samples that show several of them, and (N, C) uint8, 1 for every one that a sample shows.

    Each sample has the label of the rarest class that it shows, the last one where several are as rare; -1 where it
    shows none.

    Args:
        given: (N, C) of 0 and 1, or of false and true.
        class_names: a name a column, or {column: name}; its number where left out.

    Raises:
        RecordingError: other values, or a number of names that does not fit.
    """
    sets = as_array(given)
    if sets.ndim != 2 or not sets.size or sets.dtype.kind not in "biuf" or not np.isin(sets, (0, 1)).all():
        raise RecordingError(
            "labels must be whole numbers or text, one a sample, shape (N,), or 0 and 1 of shape (N, C) where samples "
            f"have several; got {sets.dtype} of shape {sets.shape}, with other values than 0 and 1 or none at all."
        )
    if sets.shape[1] > MAX_CLASSES:
        raise RecordingError(f"labels must have at most {MAX_CLASSES:,} classes; got {sets.shape[1]:,}.")
    sets = sets.astype(np.uint8)
    columns = list(range(sets.shape[1]))
    if isinstance(class_names, Mapping) and (missing := [one for one in columns if one not in class_names]):
        raise RecordingError(f"class_names must name every column of labels; {missing[0]} has no name.")
    names = _own_names(columns, class_names)
    order = np.argsort(-sets.sum(axis=0, dtype=np.int64), kind="stable")[::-1]
    labels = order[sets[:, order].argmax(axis=1)]
    labels[~sets.any(axis=1)] = UNLABELLED
    return Classes(labels, names, columns, np.array(columns, np.int64)), sets
