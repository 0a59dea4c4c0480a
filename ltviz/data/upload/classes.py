"""Labels of any kind as classes 0 ... C-1, and which rows have none."""

from __future__ import annotations

import numpy as np

from ltviz.data.upload.contents import Categories, Column, Contents, Unreadable, as_categories, listed, sizes
from ltviz.errors import DataError

MAX_CLASSES = 65_535
MAX_NAME = 20_000
UNLABELLED = -1
# A file of text cannot hold NaN or None: these are what numpy and pandas write for them.
UNLABELLED_TEXTS = ("", "-1", "-1.0", "nan", "NaN", "None", "<NA>")

_SHOWN = 3
_EXACT = 2.0**53


def number_classes(
    column: Column, count: int, contents: Contents, notes: list[str], class_names: Column | None = None
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Labels (N,) int32, -1 where a row has none, and the name of each class; None where their numbers name them.

    Whole numbers that are 0 ... C-1, or nearly, stay as they are, and so do indices into `class_names`; others are
    numbered anew in the order of their values and named by them. -1, NaN, None and "" are no class.
    """
    if isinstance(column, Unreadable):
        raise DataError(f"The labels cannot be read: their {contents.noun} {column.why}.")
    column = _one_label_a_row(column, count)
    if isinstance(column, Categories):
        labels, names = _from_text(column, notes)
        if class_names is not None:
            notes.append("The names of classes were left out: the labels are text and name themselves.")
    else:
        numbers = _whole_numbers(column, contents)
        labels, names = _from_numbers(numbers, notes) if class_names is None else _indices(numbers, class_names)
    if names and max(map(len, names)) > MAX_NAME:
        raise DataError(f"Class names of up to {MAX_NAME:,} characters are read; shorten the longest.")
    _note_labels(labels, names, notes)
    return labels, names


def _note_labels(labels: np.ndarray, names: tuple[str, ...] | None, notes: list[str]) -> None:
    known = np.unique(labels[labels != UNLABELLED])
    absent = int((labels == UNLABELLED).sum())
    if not len(known):
        notes.append("No point has a label: all are -1, NaN, None or empty.")
    elif absent:
        notes.append(f"{absent:,} of {len(labels):,} points are unlabelled: their label is -1, NaN, None or empty.")
    if len(known) == 1:
        one = names[known[0]][:40] if names else known[0]
        notes.append(f"All points have one label, {one}: nothing between classes can be measured.")
    if names is None and len(known):
        empty = np.setdiff1d(np.arange(known[-1]), known)
        if len(empty):
            shown = ", ".join(map(str, empty[:_SHOWN])) + (" and others" if len(empty) > _SHOWN else "")
            notes.append(f"The labels have gaps: no point has {shown}.")


def _one_label_a_row(column: np.ndarray | Categories, count: int) -> np.ndarray | Categories:
    if isinstance(column, np.ndarray):
        if column.ndim == 2 and column.shape[1] == 1:
            column = column[:, 0]
        if column.ndim != 1:
            raise DataError(f"Labels must be one class for each point, shape ({count},); got {sizes(column.shape)}.")
        if column.dtype.kind in "US":
            text = as_categories(column)
            if isinstance(text, Unreadable):
                raise DataError("Labels must be UTF-8 text; some are not, save them as str.")
            column = text
    if len(column) != count:
        raise DataError(
            f"There must be one label for each of {count:,} points; got {len(column):,}, save both from one run."
        )
    return column


def _whole_numbers(array: np.ndarray, contents: Contents) -> np.ndarray:
    """The labels as integers or as bool; NaN becomes -1."""
    if array.dtype.kind not in "biuf":
        raise DataError(f"Labels must be whole numbers or text; got {str(array.dtype)[:60]}.")
    if array.dtype.kind != "f":
        return array
    absent = np.isnan(array)
    wrong = np.flatnonzero(~absent & (~np.isfinite(array) | (np.floor(array) != array) | (np.abs(array) > _EXACT)))
    if len(wrong):
        raise DataError(
            f"Labels must be whole numbers below 2^53 or text; {contents.where(int(wrong[0]))} holds "
            f"{array[wrong[0]]:.6g}, save them as integers or name another column."
        )
    return np.where(absent, UNLABELLED, array).astype(np.int64)


def _from_numbers(numbers: np.ndarray, notes: list[str]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    if numbers.dtype.kind == "b":
        return numbers.astype(np.int32), ("False", "True")
    labels = np.full(len(numbers), UNLABELLED, np.int32)
    known = _known(numbers)
    values, codes = np.unique(numbers[known], return_inverse=True)
    _check_number(len(values))
    if not len(values):
        return labels, None
    top = int(values[-1]) + 1
    # What is nearly 0 ... C-1 has classes without samples; what has mostly gaps are numbers of another kind.
    if int(values[0]) < 0 or top > MAX_CLASSES or top >= 2 * len(values):
        labels[known] = codes
        return labels, tuple(map(str, values.tolist()))
    labels[known] = numbers[known]
    return labels, None


def _known(numbers: np.ndarray) -> np.ndarray:
    return np.ones(len(numbers), bool) if numbers.dtype.kind in "ub" else numbers != UNLABELLED


def _indices(numbers: np.ndarray, class_names: Column) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels that are indices into the names that an array of the file gives."""
    known = _known(numbers)
    needed = int(numbers[known].max()) + 1 if known.any() else 0
    if not isinstance(class_names, Categories) or not needed <= len(class_names) <= MAX_CLASSES:
        got = "text" if isinstance(class_names, Categories) else str(getattr(class_names, "dtype", "other"))[:60]
        shape = (len(class_names),) if isinstance(class_names, Categories) else getattr(class_names, "shape", ())
        raise DataError(
            f"class_names must be text, one name for each of {needed} classes; got {got} of shape {sizes(shape)}."
        )
    if known.any() and int(numbers[known].min()) < 0:
        raise DataError(f"Labels must be indices into class_names, or -1; the smallest is {int(numbers[known].min())}.")
    labels = np.full(len(numbers), UNLABELLED, np.int32)
    labels[known] = numbers[known]
    return labels, class_names.texts()


def _from_text(column: Categories, notes: list[str]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    stripped = [name.strip() for name in column.names]
    used = set(np.unique(column.codes).tolist())
    known = sorted({name for code, name in enumerate(stripped) if code in used and name not in UNLABELLED_TEXTS})
    if all(_is_whole(name) for name in known):
        known.sort(key=int)
    _check_number(len(known))
    number = {name: index for index, name in enumerate(known)}
    words = sorted({name for code, name in enumerate(stripped) if code in used} & {"nan", "NaN", "None", "<NA>"})
    if words:
        notes.append(f"The label {listed(words)} was read as no label.")
    spellings = {code for code in used if code >= 0 and stripped[code] in number}
    if len(spellings) > len(number):
        one = next(name for name in known if sum(stripped[code] == name for code in spellings) > 1)
        notes.append(f"Labels that differ only in the spaces around them were read as one class, such as '{one[:40]}'.")
    new = np.array([*(number.get(name, UNLABELLED) for name in stripped), UNLABELLED], np.int32)
    return new[column.codes], tuple(known) or None


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit()


def _check_number(classes: int) -> None:
    if classes > MAX_CLASSES:
        raise DataError(
            f"At most {MAX_CLASSES:,} classes are read; the labels hold {classes:,} different ones, "
            "name another column or leave the labels out."
        )
