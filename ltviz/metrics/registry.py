"""All measures by key: those that the files of this folder declare, and entry points `ltviz.metrics` of others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ltviz.metrics.declaration import Measure, Measurement, Place
from ltviz.metrics.judged import BESIDE, JUDGE_OF, OWN, SHOT_OF, beside
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


_SEVERAL: tuple[Place, ...] = ("table", "summary", "report")
"""Places that show accuracies of several shots."""


def of_sphere(key: str) -> bool:
    """Whether a measure of frames is of the points on the sphere.

    Example:
        >>> of_sphere("centre_sum_test"), of_sphere("accuracy_few")
        (True, False)
    """
    return any(one.of_sphere for one in MEASUREMENTS.values() if key in one.measures)


def shown_in(place: Place, judge: str | None = None) -> list[Measure]:
    """The measures of frames that a place shows, in its order; before each that may stand in for another, that other
    one. Accuracies are those by one judge; where a place shows several of them, that of rare classes by the judge
    `beside` it follows.

    Args:
        judge: one that judges frames; each method's own classifier, with nobody beside it, where None.

    Example:
        >>> [measure.key for measure in shown_in("findings")]
        ['accuracy_few', 'map_few', 'centre_sum_test', 'centre_sum']
        >>> [measure.key for measure in shown_in("summary", "linear")][2:4]
        ['accuracy_probe_few_features', 'accuracy_few']
    """
    asked, second = judge or OWN, beside(judge) if judge and place in _SEVERAL else None

    def fits(key: str) -> bool:
        by = JUDGE_OF.get(key)
        return by in (None, asked) or (by == second and SHOT_OF[key] == BESIDE)

    found = [one for one in MEASURES.values() if place in one.shown and fits(one.key)]
    return sorted(
        found, key=lambda one: (one.shown[place].at, JUDGE_OF.get(one.key, asked) != asked, bool(one.stands_for))
    )


def ceiling_of(key: str) -> str:
    """Key of the measure that a measure cannot exceed; empty where there is none, or the key is of no measure.

    Example:
        >>> ceiling_of("information_labels"), ceiling_of("centre_sum")
        ('information_labels_ceiling', '')
    """
    return MEASURES[key].ceiling if key in MEASURES else ""


def known_of(measures: Iterable[Measure], found: Sequence[Collection[str]]) -> list[Measure]:
    """Those of the measures that runs know, without the stand-ins of what they know.

    Args:
        measures: in any order, which is kept.
        found: of each run or frame, the names of what was measured.

    Example:
        >>> known = [{"centre_sum": 0.4, "centre_sum_test": 0.5}]
        >>> [measure.key for measure in known_of(shown_in("findings"), known)]
        ['centre_sum_test']
    """
    return [one for one in measures if any(one.key in values and one.stands_for not in values for values in found)]
