"""What a measure is: a function of a space, and beside it all that is said of its number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import update_wrapper
from typing import Literal, get_args

from ltviz.metrics.space import Space

Better = Literal["lower", "higher", "near"]
Place = Literal["panel", "table", "curves", "report", "report_curves", "summary", "findings"]
Apart = Literal["never", "always", "full"]
Value = float | None
"""None: it cannot be measured, or would be 0/0."""

PARTS = {"train": "training", "test": "test"}
"""Suffix of a key that is measured of a part of the points, and that part in words."""
LAST = 1000


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a place shows a measure."""

    at: int = LAST
    """Its position among the others of that place: smaller comes first."""
    label: str = ""
    """What it is called there; its title where empty."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number: its key, what is said of it, and where it is shown.

    Raises:
        ValueError: a key that is no plain name, an unknown place or direction, or no words.
    """

    key: str
    """Letters, digits and underscores: what it is called in frames, files and `measure`."""
    title: str
    """Label on charts and tables, sentence case."""
    short: str
    """One plain sentence for hover text."""
    unit: str = ""
    """"degrees", "share" (0 to 1), "dimensions", "classes", "samples", "" for a plain number."""
    low: float | None = None
    """Smallest possible value; None where there is none."""
    high: float | None = None
    """Largest possible value; None where there is none."""
    better: Better | None = None
    """Which way is better; "near" means nearer to zero; None where neither way is."""
    formula: str = ""
    """LaTeX."""
    source: str = ""
    """Who defined it."""
    caution: str | None = None
    """When the number misleads, one sentence."""
    shown: Mapping[Place, Shown] = field(default_factory=dict)
    """The places that show it. "panel": the numbers under a sphere, of which there is room for the first two known;
    "table": the table under the spheres, and the compare page's; "curves": the charts of both pages; "report" and
    "report_curves": table and charts of an exported report; "summary": columns of a sweep's table; "findings": what
    methods are held against the baseline in. A table of all measures has it in any case."""
    brief: str = ""
    """Head of a column where there is little room, lower case; the title where empty."""
    samples: Literal["any", "one label", "several labels"] = "any"
    """The samples that a summary shows it of."""
    shown_of: str = "test"
    """The samples whose value places show, where a run tells them apart: "test" for what a method makes of images that
    it has not seen, "train" for what theory says of a trained network; all together where empty."""
    stands_for: str = ""
    """Key of the measure of those samples, in whose place this one is shown where a run does not know it."""
    needs_simplex: bool = False
    """Whether it can reach its best only where a regular simplex fits, which tables say beside it."""
    ceiling: str = ""
    """Key of the measure that this one cannot exceed, which charts draw as a dashed line; none where empty."""
    behind: bool = False
    """Whether it only says what another number rests on: no table compares it."""
    order: int = LAST
    """Its position among all measures: smaller comes first."""

    def __post_init__(self) -> None:
        if not self.key.replace("{}", "").isidentifier() or not self.title or not self.short:
            raise ValueError(f"a measure needs a key of letters, digits and _, a title and a sentence, got {self!r}")
        if self.better not in (None, *get_args(Better)):
            raise ValueError(f"better must be one of {', '.join(get_args(Better))} or None, got {self.better!r}")
        if self.shown_of not in ("", *PARTS):
            raise ValueError(f"a measure is shown of {', '.join(PARTS)} or of all samples, got {self.shown_of!r}")
        shown = self.shown if isinstance(self.shown, Mapping) else dict.fromkeys(self.shown, Shown())
        if unknown := [place for place in shown if place not in get_args(Place)]:
            raise ValueError(f"a measure is shown in {', '.join(get_args(Place))}, got {unknown[0]!r}")
        object.__setattr__(self, "shown", shown)

    @property
    def arrow(self) -> str:
        """The better direction as heads of tables and charts mark it: up, down, about zero, or nothing."""
        return {"higher": "↑", "lower": "↓", "near": "≈"}.get(self.better or "", "")

    def label_in(self, place: Place) -> str:
        """What it is called in a place."""
        return self.shown[place].label or self.title if place in self.shown else self.title


class Measurement:
    """A function of a space and the measures that it gives; see `declare`."""

    def __init__(
        self,
        compute: Callable[[Space], Value | Mapping[str, Value]],
        measures: tuple[Measure, ...],
        *,
        full: bool,
        apart: Apart,
        needs_labels: bool,
        slow: bool,
        of_sphere: bool,
    ) -> None:
        self.compute, self.full, self.apart, self.needs_labels, self.slow = compute, full, apart, needs_labels, slow
        self.of_sphere = of_sphere
        self.keys = tuple(measure.key for measure in measures)
        self.declared = {measure.key: measure for measure in measures}
        parted = [one for measure in measures for one in (_parts(measure) if apart != "never" else [measure])]
        self.measures = {measure.key: measure for measure in parted}
        update_wrapper(self, compute)

    def __call__(self, space: Space) -> Value | Mapping[str, Value]:
        return self.compute(space)

    def of(self, space: Space) -> dict[str, Value]:
        """What it finds in a space, by key.

        Raises:
            KeyError: a key that was not declared.
        """
        found = self.compute(space)
        named = found if isinstance(found, Mapping) else {self.keys[0]: found}
        if strange := named.keys() - {*self.keys}:
            raise KeyError(f"{self.keys[0]} gives {min(strange)}, which it does not declare")
        return dict(named)

    def everywhere(self, space: Space) -> dict[str, Value]:
        """What it finds in a space and, where that was declared, in the parts of it under keys with a suffix."""
        found = self.of(space)
        if self.apart == "always" or (self.apart == "full" and space.full):
            for name in PARTS:
                if (part := space.part(name)) is not None:
                    found |= {f"{key}_{name}": value for key, value in self.of(part).items()}
        return found


def declare(
    *measures: Measure | Iterable[Measure],
    full: bool = False,
    apart: Apart = "never",
    needs_labels: bool = True,
    slow: bool = False,
    of_sphere: bool = True,
) -> Callable[[Callable[[Space], Value | Mapping[str, Value]]], Measurement]:
    """Declares what a function of a `Space` measures: one number, or a mapping from each declared key to one.

    This is the one place of a measure. In another package an entry point of the group `ltviz.metrics` names it.

    Args:
        measures: of the function, or families of them.
        full: it is too slow for a live frame, and measured only where time does not matter.
        apart: whether it is measured of training and of test points alone too, under keys with _train and _test: never,
            always, or only where time does not matter.
        needs_labels: whether it needs classes. Without, it is measured of points that have no label too.
        slow: for many points it is measured beside the others, in a thread of its own.
        of_sphere: whether it is of the points on the sphere, and not of predictions or features. Where the sphere is a
            read-out beside the encoder, methods are not compared by it.

    Example:
        >>> import numpy as np
        >>> @declare(Measure(key="longest", title="Longest arc", unit="degrees", short="The two most distant points."))
        ... def longest(space):
        ...     return float(np.degrees(np.arccos(np.clip(space.z @ space.z.T, -1, 1))).max())
        >>> from ltviz.metrics import space_of
        >>> round(longest(space_of(np.eye(3), np.arange(3))))
        90
    """
    listed = tuple(one for given in measures for one in ((given,) if isinstance(given, Measure) else given))
    if not listed:
        raise ValueError("a declaration needs at least one Measure")
    return lambda compute: Measurement(
        compute, listed, full=full, apart=apart, needs_labels=needs_labels, slow=slow, of_sphere=of_sphere
    )


def family(
    entry: Measure, members: Mapping[str, str], shown: Mapping[str, Mapping[Place, Shown]] = {}
) -> list[Measure]:
    """The same measure of several groups, `{}` filled in for each.

    Args:
        entry: with `{}` in key, title and sentence, and in `brief` where it has one.
        members: group -> its words.
        shown: group -> the places that show the measure of it.

    Example:
        >>> wide = Measure(key="width_{}", title="Width, {}", short="How wide {} are.")
        >>> [one.key for one in family(wide, {"head": "head classes", "tail": "tail classes"})]
        ['width_head', 'width_tail']
    """
    return [
        replace(
            entry,
            key=entry.key.format(member),
            title=entry.title.format(words),
            short=entry.short.format(words),
            brief=entry.brief.format(member),
            shown=shown.get(member, {}),
        )
        for member, words in members.items()
    ]


def _parts(entry: Measure) -> list[Measure]:
    """The entry itself, which says that it is of all points, and the same of training and of test points alone. Places
    show the one that was declared; of a run that does not tell its points apart, the entry itself."""
    whole = replace(
        entry,
        title=f"{entry.title}, all samples",
        short=f"{entry.short} Training and test samples together, where a run shows both.",
        stands_for=f"{entry.key}_{entry.shown_of}" if entry.shown_of else "",
    )
    parts = [
        replace(
            entry,
            key=f"{entry.key}_{part}",
            title=f"{entry.title}, {words} samples",
            short=f"{entry.short} Of {words} samples alone.",
            shown=_labelled(entry, part) if part == entry.shown_of else {},
            brief=f"{entry.brief}, {part}" if entry.brief and part == entry.shown_of else "",
        )
        for part, words in PARTS.items()
    ]
    return [whole, *parts]


def _labelled(entry: Measure, part: str) -> dict[Place, Shown]:
    """The places of a measure, in whose labels the samples are said."""
    return {place: replace(shown, label=f"{entry.label_in(place)}, {part}") for place, shown in entry.shown.items()}
