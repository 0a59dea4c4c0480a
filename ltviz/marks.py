"""What a method can show of itself on the sphere and beside it: declarations for people, and the values of each kind.

A `Mark` or `Reading` is declared once, by the method. The values stand in frames under its key; recording, wire and
stage know the four primitives, and no method's name. The same classes hold a method's tensors and a frame's arrays.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar, get_args

Primitive = Literal["points", "segments", "caps", "vectors"]
"""What reaches the sphere: places, pairs of places, circles around places, one direction a class."""
Sign = Literal["disc", "ring", "diamond", "square", "triangle", "plus", "arc", "shift", "mist", "cap", "arrow"]
"""The glyph of a mark in the legend, and on the sphere where it marks single places."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_TITLE, _SHORT = 200, 2_000  # characters; run.json may be a stranger's


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something that a method shows on the sphere. A landmark whose name is `key` is described by it, too.

        Mark(key="views", title="Two views", short="They belong together.", primitive="segments", sign="arc")

    Raises:
        ValueError: a field that breaks its rule, named.
    """

    key: str
    """Name in frames, 1 to 60 letters, digits, _ and -: "views"."""
    title: str
    """Name for people: "Two views"."""
    short: str
    """One plain sentence for hover text."""
    primitive: Primitive
    sign: Sign
    on: bool = True
    """Whether it is shown before anybody chose."""
    directed: bool = False
    """Segments alone: whether they lead from a to b."""
    end: Sign | None = None
    """Segments alone: the glyph at each end b, where it is another than at a."""

    def __post_init__(self) -> None:
        _check_texts(self, unit="")
        for name, kinds in (("primitive", Primitive), ("sign", Sign), ("end", Sign)):
            given, known = getattr(self, name), get_args(kinds)
            if given not in known and not (name == "end" and given is None):
                raise ValueError(f"{name} of the mark {self.key} must be one of {', '.join(known)}; got {given!r:.80}.")
        if (self.directed or self.end) and self.primitive != "segments":
            raise ValueError(f"directed and end are for segments; the mark {self.key} is of {self.primitive}.")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A number that a method knows of itself: what its queue holds, how many positives it found.

    Raises:
        ValueError: a field that breaks its rule, named.
    """

    key: str
    """Name in frames, 1 to 60 letters, digits, _ and -: "queue_length"."""
    title: str
    """Name for people: "Queue length"."""
    unit: str = ""
    """Such as "°" or "steps"; empty for plain numbers."""
    short: str = ""
    """One plain sentence for hover text."""

    def __post_init__(self) -> None:
        _check_texts(self, unit=self.unit)


Array = TypeVar("Array")
"""torch.Tensor in a method, numpy.ndarray in a frame."""


class Points(NamedTuple, Generic[Array]):
    """K places, such as the keys in a queue."""

    places: Array
    """(K, dim) unit rows."""
    y: Array
    """(K,) whole numbers: the class whose colour each has."""
    age: Array | None = None
    """(K,) training steps since each was stored, 0 or more: older ones are fainter."""


class Segments(NamedTuple, Generic[Array]):
    """K pairs of places that belong together, such as two views of one image."""

    a: Array
    """(K, dim) unit rows."""
    b: Array
    """(K, dim) unit rows."""
    y: Array
    """(K,) whole numbers: the class whose colour each pair has."""


class Caps(NamedTuple, Generic[Array]):
    """K circles on the sphere, such as how wide a method believes each class to be."""

    places: Array
    """(K, dim) unit rows: their centres."""
    angle: Array | None
    """(K,) half-angles in degrees, 0 to 180; 0 or NaN where there is no cap. None alone in a picture that cannot show
    angles as they are."""
    y: Array
    """(K,) whole numbers: the class whose colour each has."""


class Vectors(NamedTuple, Generic[Array]):
    """One direction a class, drawn from its centre."""

    rows: Array
    """(C, dim), tangent at the class's centre, of any length; a row of zeros where there is nothing to show."""


Shown = Points[Any] | Segments[Any] | Caps[Any] | Vectors[Any]
"""What stands under a mark's key in one frame."""

PRIMITIVES: dict[Primitive, type[Shown]] = {"points": Points, "segments": Segments, "caps": Caps, "vectors": Vectors}
_BY_COLUMNS: dict[frozenset[str], Primitive] = {
    frozenset(columns): name
    for name, kind in PRIMITIVES.items()
    for columns in (kind._fields, set(kind._fields) - set(kind._field_defaults))
}
"""Columns of each primitive, with those that may be left out and without."""


def primitive_of(shown: Shown) -> Primitive:
    """The primitive whose value this is."""
    return next(name for name, kind in PRIMITIVES.items() if isinstance(shown, kind))


def primitive_with(columns: Collection[str]) -> Primitive | None:
    """The primitive whose values have columns of these names; None where there is none."""
    return _BY_COLUMNS.get(frozenset(columns))


def is_key(name: object) -> bool:
    """Whether a name may be the key of a mark or reading, and so stand in a tensor's name."""
    return isinstance(name, str) and _KEY.fullmatch(name) is not None


def _check_texts(about: Mark | Reading, *, unit: str) -> None:
    kind = type(about).__name__.lower()
    if not is_key(about.key):
        raise ValueError(f"key of a {kind} must be 1 to 60 letters, digits, _ and -; got {about.key!r:.80}.")
    for name, text, most in (("title", about.title, _TITLE), ("short", about.short, _SHORT), ("unit", unit, _TITLE)):
        if not isinstance(text, str) or len(text) > most:
            raise ValueError(f"{name} of the {kind} {about.key} must be text of at most {most} characters.")


TARGETS = Mark(
    key="targets",
    title="Target",
    short="A place given in advance; an arc joins it with the centre that is to get there.",
    primitive="points",
    sign="diamond",
)
PROTOTYPES = Mark(
    key="prototypes", title="Prototype", short="A learned stand-in of a class.", primitive="points", sign="square"
)
CLASSIFIER = Mark(
    key="classifier",
    title="Classifier",
    short="The direction that a class's weights point to.",
    primitive="points",
    sign="triangle",
    on=False,
)
VIEWS = Mark(
    key="views",
    title="Two views",
    short="Each arc joins two augmented views of one image, which the loss pulls together; short arcs mean that it has "
    "learned to.",
    primitive="segments",
    sign="arc",
)
QUEUE = Mark(
    key="queue",
    title="Memory",
    short="What the method remembers of earlier batches, 256 points at most; the older, the fainter.",
    primitive="points",
    sign="mist",
    on=False,
)
THEORY = Mark(
    key="theory",
    title="Predicted configuration",
    short="Where theory says that this loss ends with these class counts, turned onto the centres: a limit, not a "
    "forecast.",
    primitive="points",
    sign="ring",
    on=False,
)
COMMON = {mark.key: mark for mark in (TARGETS, PROTOTYPES, CLASSIFIER, VIEWS, QUEUE, THEORY)}
"""Marks that more than one method has, by key; whoever uses such a key without a declaration means these."""


_OF_CLASS = "class-"


def of_class(number: int) -> str:
    """The part of a force that all partners of one class exert: what samples, keys and prototypes of it do.

    Example:
        >>> of_class(3), class_of(of_class(3)), class_of("head")
        ('class-3', 3, None)
    """
    return f"{_OF_CLASS}{number}"


def class_of(part: str) -> int | None:
    """The class whose partners exert this part; None for a part of another kind."""
    number = part.removeprefix(_OF_CLASS)
    return int(number) if part != number and number.isdecimal() else None
