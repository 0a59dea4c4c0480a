"""Rules for what a method lets be seen in a frame: marks on the sphere, readings, forces. Each gives them as stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.marks import PRIMITIVES, Shown, primitive_of, primitive_with
from ltviz.recording.arrays import Sizes, check_classes, check_column, check_mapping, check_name, check_points

MAX_PARTS = 16
"""Methods whose forces a frame may hold, and parts of each."""


def check_marks(given: Mapping[str, Any], sizes: Sizes) -> dict[str, Shown]:
    """Key -> value of a primitive, whose columns become arrays; a mapping of columns is one, too."""
    given = check_mapping("marks", given, sizes.where)
    return {check_name(key): _check_mark(f"marks['{key}']", shown, sizes) for key, shown in given.items()}


def check_readings(given: Mapping[str, Any], sizes: Sizes) -> dict[str, np.ndarray]:
    """Key -> (C,) or (1,) float32, NaN where nothing is known."""
    given = check_mapping("readings", given, sizes.where)
    return {check_name(key): _check_reading(f"readings['{key}']", values, sizes) for key, values in given.items()}


def check_forces(given: Mapping[str, Mapping[str, Any]], sizes: Sizes) -> dict[str, dict[str, np.ndarray]]:
    """Method -> part -> (C, D) float32."""
    for name, parts in check_mapping("forces", given, sizes.where).items():
        check_mapping(f"forces['{name}']", parts, sizes.where)
        if len(given) > MAX_PARTS or len(parts) > MAX_PARTS:
            raise RecordingError(
                f"forces at {sizes.where} must be at most {MAX_PARTS} methods and parts; {name} has more."
            )
    return {
        check_name(method): {
            check_name(part): _check_by_class(f"forces['{method}']['{part}']", force, sizes)
            for part, force in parts.items()
        }
        for method, parts in given.items()
    }


def check_pulls(given: Any, sizes: Sizes) -> np.ndarray | None:
    """(C, C, D) float32."""
    if given is None:
        return None
    array = np.asarray(given)
    classes = array.shape[0] if array.ndim == 3 and sizes.classes is None else sizes.classes
    if array.ndim != 3 or array.shape[:2] != (classes, classes):
        raise RecordingError(
            f"pulls at {sizes.where} must be numbers of shape (C, C, D), one row for each two of "
            f"{'the' if classes is None else classes} classes; got {array.dtype} of shape {array.shape}."
        )
    rows = array.reshape(-1, array.shape[2])
    return check_points("pulls", rows, sizes.where, sizes.dim).reshape(array.shape)


def _check_mark(name: str, given: Any, sizes: Sizes) -> Shown:
    typed = isinstance(given, tuple(PRIMITIVES.values()))
    columns = given._asdict() if typed else given
    if not isinstance(columns, Mapping):
        raise RecordingError(f"{name} at {sizes.where} must be Points, Segments, Caps or Vectors; got {given!r:.80}.")
    columns = {column: values for column, values in columns.items() if values is not None}
    primitive = primitive_with(columns.keys())
    if primitive is None or (typed and primitive != primitive_of(given)):
        rule = "; ".join(f"{primitive}: {', '.join(kind._fields)}" for primitive, kind in PRIMITIVES.items())
        raise RecordingError(
            f"{name} at {sizes.where} must hold the columns of a primitive ({rule}); got {', '.join(columns):.80}."
        )
    kind = PRIMITIVES[primitive]
    checked: dict[str, np.ndarray] = {}
    for column in kind._fields:
        if column in columns:
            rows = len(next(iter(checked.values()))) if checked else None
            checked[column] = _check_mark_column(f"{name}.{column}", column, columns[column], rows, sizes)
    return kind(**checked)


def _check_mark_column(name: str, column: str, given: Any, rows: int | None, sizes: Sizes) -> np.ndarray:
    """A column of a primitive, by its name; `rows` are those of the first column, None for that one itself."""
    if column == "rows":
        return _check_by_class(name, given, sizes)
    if column in ("places", "a", "b"):
        array = check_points(name, given, sizes.where, sizes.dim)
        if rows is not None and len(array) != rows:
            raise RecordingError(f"{name} at {sizes.where} must have {rows} rows like the others; got {len(array)}.")
        return array
    assert rows is not None
    if column == "y":
        return check_classes(name, given, sizes.where, rows, sizes.classes)
    if column == "angle":  # where there is no cap, nothing is known of its width
        given = np.nan_to_num(np.asarray(given, np.float32), nan=0.0)
    array = check_column(name, given, sizes.where, rows).astype(np.float32)
    most, unit = (180.0, "degrees") if column == "angle" else (np.inf, "steps")
    if rows and not (array.min() >= 0 and array.max() <= most):
        rule = f"0 to {most:g} {unit}" if most < np.inf else f"0 {unit} or more"
        raise RecordingError(f"{name} at {sizes.where} must be {rule}; got {array.min():g} to {array.max():g}.")
    return array


def _check_reading(name: str, given: Any, sizes: Sizes) -> np.ndarray:
    array = np.atleast_1d(np.asarray(given))
    shapes = ((1,), array.shape[:1] if sizes.classes is None else (sizes.classes,))
    if array.shape not in shapes or array.dtype.kind not in "biuf":
        raise RecordingError(
            f"{name} at {sizes.where} must be one number, or one for each of {sizes.classes} classes; "
            f"got {array.dtype} of shape {array.shape}."
        )
    array = np.ascontiguousarray(array, np.float32)
    return np.where(np.isfinite(array), array, np.nan).astype(np.float32)


def _check_by_class(name: str, given: Any, sizes: Sizes) -> np.ndarray:
    array = check_points(name, given, sizes.where, sizes.dim)
    if sizes.classes is not None and len(array) != sizes.classes:
        raise RecordingError(
            f"{name} at {sizes.where} must have one row for each of {sizes.classes} classes; got {len(array)}."
        )
    return array
