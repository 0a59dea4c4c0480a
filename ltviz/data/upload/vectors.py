"""Embeddings of any type of number as float32 rows that have a place on a sphere, or a sentence why they have none."""

from __future__ import annotations

import numpy as np

from ltviz.data.upload.contents import Categories, Contents, Unreadable, sizes
from ltviz.data.upload.kinds import number_of
from ltviz.errors import DataError

MAX_POINTS = 1_000_000
MAX_DIM = 4096

_SHOWN = 3
_LARGEST = 3.4e38


def stacked(contents: Contents, names: tuple[str, ...]) -> np.ndarray:
    """The array that `names` make: one column of vectors as it is, or columns of numbers side by side."""
    whole = contents.columns[names[0]]
    if len(names) == 1 and isinstance(whole, np.ndarray) and (whole.ndim != 1 or contents.noun == "array"):
        return whole
    dimensions = []
    for name in names:
        column = contents.columns[name]
        if isinstance(column, Unreadable):
            raise DataError(unreadable(contents, name))
        if isinstance(column, Categories) and contents.noun == "column":
            column = _spelled_numbers(contents, name, column)
        if not isinstance(column, np.ndarray) or column.ndim != 1:
            got = "text" if isinstance(column, Categories) else f"an array of shape {sizes(column.shape)}"
            raise DataError(f"Embeddings must be numbers; {contents.noun} '{name[:40]}' is {got}.")
        if name in contents.blanks:
            row, cell = contents.blanks[name]
            got = f"'{cell[:40]}'" if cell else "nothing"
            # NaN that was written as such is refused with all rows that hold it.
            if cell.lower() != "nan":
                raise DataError(f"Embeddings must be numbers; {contents.where(row)}, '{name[:40]}', holds {got}.")
        dimensions.append(column)
    return np.column_stack(dimensions)


def _spelled_numbers(contents: Contents, name: str, column: Categories) -> np.ndarray:
    numbers = [number_of(text) for text in column.names]
    if None in numbers or -1 in column.codes:
        refuse_broken(contents, [name])
    return np.array(numbers, np.float64)[column.codes]


def refuse_broken(contents: Contents, names: list[str]) -> None:
    """Raise DataError for the first of the columns, which hold text, or nothing, where numbers should stand."""
    for name in names:
        column = contents.columns[name]
        if not isinstance(column, Categories):
            raise DataError(unreadable(contents, name))
        bad = [code for code, text in enumerate(column.names) if number_of(text) is None]
        row = int(np.flatnonzero(np.isin(column.codes, [*bad, -1]))[0])
        got = f"'{column.texts()[row][:40]}'" if column.codes[row] >= 0 else "nothing"
        raise DataError(
            f"Embeddings must be numbers; {contents.where(row)}, '{name[:40]}', holds {got}, mend it or name "
            "vector_columns without it."
        )


def unreadable(contents: Contents, name: str) -> str:
    column = contents.columns[name]
    why = column.why if isinstance(column, Unreadable) else "holds no vectors"
    return f"The vectors cannot be read: {contents.noun} '{name[:40]}' {why}."


def as_rows(array: np.ndarray, contents: Contents, notes: list[str], *, directions: bool = True) -> np.ndarray:
    """(N, D) float32, C-contiguous, finite, not normalised; as directions, D is at least 2 and no row is zero."""
    _check_shape(array, 2 if directions else 1)
    if array.dtype.newbyteorder("=") != np.float32 and not contents.untyped:
        notes.append(f"The embeddings were {array.dtype.newbyteorder('=')} and have been {_change(array)} to float32.")
    _refuse_rows(
        ~np.isfinite(array).all(axis=1),
        contents,
        "Embeddings must be finite; {where} NaN or infinity, drop them or retrain.",
    )
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(array, np.float32)
    _refuse_rows(
        ~np.isfinite(rows).all(axis=1) | (np.abs(rows).max(axis=1) > _LARGEST),
        contents,
        "Embeddings must fit float32 (below 3.4e38); {where} larger numbers, divide all rows by one number.",
    )
    _refuse_rows(
        directions & array.any(axis=1) & ~rows.any(axis=1),
        contents,
        "Embeddings must fit float32 (above 1e-45); {where} smaller numbers alone, multiply all rows by one number.",
    )
    _refuse_rows(
        directions & ~rows.any(axis=1),
        contents,
        "A zero row has no direction and no place on a sphere; {where} only zeros, drop them and save again.",
    )
    repeated = _repeated(rows)
    if repeated:
        notes.append(f"{repeated:,} of {len(rows):,} rows repeat another row exactly.")
    return rows


def _repeated(rows: np.ndarray) -> int:
    """How many rows repeat one before them. Only rows that may be equal, by a sum of their bits, are compared."""
    bits = rows.view(np.uint32)
    factors = np.random.default_rng(0).integers(1, 1 << 63, rows.shape[1], np.uint64) | np.uint64(1)
    sums = np.zeros(len(rows), np.uint64)
    for column, factor in enumerate(factors):
        sums += bits[:, column] * factor
    _, first, counts = np.unique(sums, return_inverse=True, return_counts=True)
    maybe = np.flatnonzero(counts[first] > 1)
    return len(maybe) - len({rows[index].tobytes() for index in maybe})


def _check_shape(array: np.ndarray, least_dim: int) -> None:
    if array.dtype.kind == "c":
        raise DataError(
            f"Embeddings must be real numbers; got {array.dtype}, save their real part or their absolute value."
        )
    if array.dtype.kind not in "biuf":
        kind = "text" if array.dtype.kind in "US" else str(array.dtype)[:60]
        raise DataError(f"Embeddings must be numbers; got {kind}, save them as float32.")
    if array.ndim != 2:
        raise DataError(
            f"Embeddings must have the shape (points, dimensions); got {sizes(array.shape)}, reshape them first."
        )
    count, dim = array.shape
    if count < 2:
        raise DataError(f"At least 2 points are needed to measure anything; got {count}, save more rows.")
    if count > MAX_POINTS:
        raise DataError(f"At most {MAX_POINTS:,} points are read; got {count:,}, save a sample of the rows.")
    if dim < least_dim:
        raise DataError(
            f"Embeddings must have at least {least_dim} dimensions to lie on a sphere; got {dim}, save more columns."
        )
    if dim > MAX_DIM:
        raise DataError(
            f"At most {MAX_DIM:,} dimensions are read; got {dim:,}, project them first, by PCA for example."
        )


def _change(array: np.ndarray) -> str:
    if array.dtype.kind == "f":
        return "narrowed" if array.dtype.itemsize > 4 else "widened"
    return "rounded" if array.dtype.itemsize > 2 and np.abs(array.astype(np.float64)).max() > 1 << 24 else "widened"


def _refuse_rows(wrong: np.ndarray | np.bool_, contents: Contents, sentence: str) -> None:
    """Raise DataError where any row is wrong; `{where}` becomes the rows, as a person finds them."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    if len(rows) == 1:
        where = f"{contents.where(int(rows[0]))} holds"
    else:
        places = rows if contents.lines is None else contents.lines[rows]
        kind = "rows" if contents.lines is None else "lines"
        where = f"{len(rows):,} {kind}, first {', '.join(map(str, places[:_SHOWN]))}, hold"
    raise DataError(sentence.format(where=where))
