"""What a method lets be seen beside its points: pairs that belong together, memories, readings, forces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.arrays import check_classes, check_column, check_name, check_points, group

MAX_PARTS = 16
"""Methods whose forces a frame may hold, and parts of each."""


class Links(NamedTuple):
    """K pairs of places that belong together, such as two views of one image."""

    a: np.ndarray
    """(K, D) float32."""
    b: np.ndarray
    """(K, D) float32."""
    y: np.ndarray
    """(K,) int32: the class whose colour each pair has."""


class Cloud(NamedTuple):
    """K points that a method remembers, such as the keys in its queue."""

    points: np.ndarray
    """(K, D) float32."""
    y: np.ndarray
    """(K,) int32 classes."""
    age: np.ndarray
    """(K,) float32 training steps since each was stored, 0 or more."""


@dataclass(frozen=True, slots=True, eq=False)
class Insight:
    """What one frame holds of it.

    `links`, `clouds`: name -> `Links`, `Cloud`. `readings`: name -> (C,) or (1,) float32, NaN where nothing is known.
    `forces`: method -> part -> (C, D) float32, the force on the batch's samples of each class, zero where it had none;
    the run's own method is one, the others are what-ifs. Parts: "total", "positives", "head", "medium", "tail",
    "targets", "prior".
    """

    links: dict[str, Links] = field(default_factory=dict)
    clouds: dict[str, Cloud] = field(default_factory=dict)
    readings: dict[str, np.ndarray] = field(default_factory=dict)
    forces: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


def make_insight(
    where: str,
    *,
    num_classes: int | None,
    dim: int,
    links: Mapping[str, Any] | None = None,
    clouds: Mapping[str, Any] | None = None,
    readings: Mapping[str, Any] | None = None,
    forces: Mapping[str, Mapping[str, Any]] | None = None,
) -> Insight:
    """An insight from a writer's values, checked; RecordingError names the first that does not fit.

    Args:
        where: for the sentence, such as "step 42".
        links: name -> (a, b, y); clouds: name -> (points, y, age).
    """
    for name, tugs in (forces or {}).items():
        if len(forces or {}) > MAX_PARTS or len(tugs) > MAX_PARTS:
            raise RecordingError(f"forces at {where} must be at most {MAX_PARTS} methods and parts; {name} has more.")
    return Insight(
        {check_name(name): _links(name, given, where, num_classes, dim) for name, given in (links or {}).items()},
        {check_name(name): _cloud(name, given, where, num_classes, dim) for name, given in (clouds or {}).items()},
        {check_name(name): _reading(name, given, where, num_classes) for name, given in (readings or {}).items()},
        {
            check_name(method): {
                check_name(part): _forces(f"forces['{method}']['{part}']", given, where, num_classes, dim)
                for part, given in parts.items()
            }
            for method, parts in (forces or {}).items()
        },
    )


def encode_insight(insight: Insight) -> dict[str, np.ndarray]:
    """The tensors of the frame's file."""
    arrays = {f"readings.{name}": values for name, values in insight.readings.items()}
    for kind, held in (("links", insight.links), ("clouds", insight.clouds)):
        for name, columns in held.items():
            arrays |= {f"{kind}.{name}.{key}": array for key, array in columns._asdict().items()}
    for method, parts in insight.forces.items():
        arrays |= {f"forces.{method}.{part}": force for part, force in parts.items()}
    return arrays


def decode_insight(arrays: Mapping[str, np.ndarray], *, num_classes: int | None, dim: int) -> Insight:
    """The insight in the tensors of a frame's file, a stranger's perhaps; RecordingError says what does not hold.

    Without `num_classes` (run.json cannot be read) the numbers of classes are not compared.
    """
    return make_insight(
        "its step",
        num_classes=num_classes,
        dim=dim,
        links=_columns(group(arrays, "links."), Links),
        clouds=_columns(group(arrays, "clouds."), Cloud),
        readings=group(arrays, "readings."),
        forces=_nested(group(arrays, "forces.")),
    )


def _columns(arrays: Mapping[str, np.ndarray], kind: type[Links] | type[Cloud]) -> dict[str, Any]:
    """Name -> tuple of columns, from "<name>.<column>" -> array."""
    found = _nested(arrays)
    for name, columns in found.items():
        if columns.keys() != set(kind._fields):
            raise RecordingError(f"Its {kind.__name__.lower()} '{name[:60]}' must hold {', '.join(kind._fields)}.")
    return {name: kind(**columns) for name, columns in found.items()}


def _nested(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        first, _, second = name.partition(".")
        found.setdefault(first, {})[second] = array
    return found


def _links(name: str, given: Any, where: str, num_classes: int | None, dim: int) -> Links:
    a, b, y = given
    a = check_points(f"links['{name}'].a", a, where, dim)
    b = check_points(f"links['{name}'].b", b, where, dim)
    if len(a) != len(b):
        raise RecordingError(f"links['{name}'] at {where} must be pairs; got {len(a)} and {len(b)} places.")
    return Links(a, b, check_classes(f"links['{name}'].y", y, where, len(a), num_classes))


def _cloud(name: str, given: Any, where: str, num_classes: int | None, dim: int) -> Cloud:
    points, y, age = given
    points = check_points(f"clouds['{name}'].points", points, where, dim)
    age = check_column(f"clouds['{name}'].age", age, where, len(points)).astype(np.float32)
    if len(age) and age.min() < 0:
        raise RecordingError(f"clouds['{name}'].age at {where} must be 0 steps or more; got {age.min():g}.")
    return Cloud(points, check_classes(f"clouds['{name}'].y", y, where, len(points), num_classes), age)


def _reading(name: str, given: Any, where: str, num_classes: int | None) -> np.ndarray:
    array = np.atleast_1d(np.asarray(given))
    sizes = ((1,), array.shape[:1] if num_classes is None else (num_classes,))
    if array.shape not in sizes or array.dtype.kind not in "biuf":
        raise RecordingError(
            f"readings['{name}'] at {where} must be one number, or one for each of {num_classes} classes; "
            f"got {array.dtype} of shape {array.shape}."
        )
    array = np.ascontiguousarray(array, np.float32)
    return np.where(np.isfinite(array), array, np.nan).astype(np.float32)


def _forces(name: str, given: Any, where: str, num_classes: int | None, dim: int) -> np.ndarray:
    array = check_points(name, given, where, dim)
    if num_classes is not None and len(array) != num_classes:
        raise RecordingError(
            f"{name} at {where} must have one row for each of {num_classes} classes; got {len(array)}."
        )
    return array
