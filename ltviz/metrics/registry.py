"""All measures by key: those that the files of this folder declare, and entry points `ltviz.metrics` of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ltviz.metrics.declaration import Measure, Measurement, Place
from ltviz.plugins import Registry, defined_in


def _built_in() -> dict[str, Measurement]:
    return {one.keys[0]: one for one in defined_in("ltviz.metrics") if isinstance(one, Measurement)}


def _accept(_: str, given: object) -> tuple[str, Measurement]:
    if not isinstance(given, Measurement):
        raise TypeError(f"{given!r} is no function that ltviz.metrics.declare declares")
    for key in given.measures:
        if any(key in one.measures for one in MEASUREMENTS.values()):
            raise ValueError(f"the name {key!r} is taken")
    return given.keys[0], given


MEASUREMENTS: Registry[Measurement] = Registry(
    "measure",
    "ltviz.metrics",
    _built_in,
    _accept,
    order=lambda item: min(measure.order for measure in item[1].measures.values()),
)
"""First key -> the function that measures it, and whatever else it gives."""


class Declared(Mapping[str, Measure]):
    """Key -> what is declared of it, of all that is measured, or of all that only stands behind a measure."""

    def __init__(self, *, behind: bool) -> None:
        self._behind = behind
        self._known: tuple[tuple[str, ...], dict[str, Measure]] = ((), {})

    def __getitem__(self, key: str) -> Measure:
        return self._listed()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed())

    def __len__(self) -> int:
        return len(self._listed())

    def __or__(self, other: Mapping[str, Measure]) -> dict[str, Measure]:
        return {**self, **other}

    def _listed(self) -> dict[str, Measure]:
        names = tuple(MEASUREMENTS)
        if self._known[0] != names:
            every = (measure for one in MEASUREMENTS.values() for measure in one.measures.values())
            listed = sorted((one for one in every if one.behind == self._behind), key=lambda one: one.order)
            self._known = names, {one.key: one for one in listed}
        return self._known[1]


MEASURES = Declared(behind=False)
"""Every measure that `measure` can return, in the order of tables."""
BEHIND = Declared(behind=True)
"""Every other key that `measure` can return: how many samples or classes a measure rests on, and its error. Tables of
measures leave them out; who shows a measure can say them beside it."""


def shown_in(place: Place) -> list[Measure]:
    """The measures that a place shows, in its order.

    Example:
        >>> [measure.key for measure in shown_in("findings")]
        ['accuracy_few', 'map_few', 'centre_sum']
    """
    return sorted((one for one in MEASURES.values() if place in one.shown), key=lambda one: one.shown[place].at)
