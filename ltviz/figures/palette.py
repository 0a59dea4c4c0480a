"""The colours of every picture: paper and ink, classes from head to tail, groups, methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np

from ltviz.errors import ConfigError
from ltviz.figures.colour import mix
from ltviz.marks import class_of

THEMES: dict[str, dict[str, str]] = {
    "light": {"paper": "#fbfbf9", "ink": "#1c1f24", "muted": "#5c626b", "line": "#d9dadd", "unlabelled": "#9a9fa6"},
    "dark": {"paper": "#0f1216", "ink": "#e8eaed", "muted": "#9aa1ab", "line": "#2a2f36", "unlabelled": "#8b9098"},
}
"""Page colours; "muted" is for secondary text and keeps 4.5:1 on the paper; "unlabelled" is for points
of no class, a grey that the class ramp does not hold."""

# Place on the ramp, OKLCH hue in degrees, OKLCH chroma: dark blue, teal, gold, vermilion. The places and chromas are
# those that keep neighbours of ten apart for all three kinds of colour blindness while lightness rises evenly.
STOPS = ((0.0, 265.0, 0.155), (0.34, 191.0, 0.11), (0.58, 88.0, 0.145), (1.0, 42.0, 0.18))
DARKEST, LIGHTEST = 35.0, 73.0

OKABE_ITO: tuple[str, ...] = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""Okabe and Ito's colours for all kinds of colour blindness; black is left out, as it is one theme's paper."""
TOL: tuple[str, ...] = (
    "#aa4499",
    "#999933",
    "#88ccee",
    "#882255",
    "#44aa99",
    "#ddcc77",
    "#117733",
    "#cc6677",
)
"""Tol's muted set, for classes past the seventh."""

METHOD_COLOURS: dict[str, str] = {
    "ce": "#688088",
    "logit_adjust": "#995400",
    "supcon": "#6f4bd4",
    "tsc": "#cd2859",
    "bcl": "#30a100",
    "gml": "#0094fc",
    "kcl": "#9c64c3",
    "simclr": "#ae8a6d",
    "moco": "#918cb5",
    "ltml": "#1e734e",
}
"""One colour a method in every chart, apart from the class ramp, readable on both papers."""


FORCE_INKS = {
    "light": {"pull": "#00724f", "push": "#0060a0", "targets": "#a3427a", "prior": "#0b7792"},
    "dark": {"pull": "#2bbd92", "push": "#5aa9e6", "targets": "#dd95bd", "prior": "#8fd0f2"},
}
"""Terms of a formula in the colours of the stage's arrows, as dark or as light as text must be."""
FORCE_COLOURS = {
    "positives": "#009e73",
    "head": "#0072b2",
    "medium": "#e69f00",
    "tail": "#d55e00",
    "targets": "#cc79a7",
    "prior": "#56b4e9",
}
"""Parts of a force as the stage's arrows have them (Okabe and Ito)."""
MOVERS = {
    "positives": "own class",
    "head": "head",
    "medium": "medium",
    "tail": "tail",
    "targets": "targets",
    "prior": "class counts",
    "total": "all together",
}
"""What a part of a force is called where it is somebody who moves."""


@lru_cache(maxsize=32)
def class_ramp(num_classes: int) -> tuple[str, ...]:
    """Colours of C classes, head to tail: dark blue, teal, gold, vermilion in equal steps of lightness, L* 35 to 73.

    Raises:
        ConfigError: no class.
    """
    if num_classes < 1:
        raise ConfigError(f"A colour ramp needs at least one class, got {num_classes}.")
    places, hues, chromas = zip(*STOPS, strict=True)
    t = np.linspace(0, 1, num_classes)
    return tuple(mix(DARKEST + t * (LIGHTEST - DARKEST), np.interp(t, places, chromas), np.interp(t, places, hues)))


def categorical(num_classes: int) -> tuple[str, ...]:
    """Colours of C classes without an order: Okabe and Ito's, then Tol's, then these again."""
    colours = OKABE_ITO + TOL
    return tuple(colours[c % len(colours)] for c in range(num_classes))


def group_colours() -> tuple[str, str, str]:
    """Many, medium, few: three stops of the class ramp."""
    head, medium, tail = class_ramp(3)
    return head, medium, tail


def method_colour(method: str) -> str:
    """The colour of a method; one that is not known gets a colour made from its name, always the same."""
    if method in METHOD_COLOURS:
        return METHOD_COLOURS[method]
    number = crc32(method.encode())
    return mix(44.0 + number % 16, 0.14, float((number >> 8) % 360))[0]


def theme_colours(theme: str) -> dict[str, str]:
    """Page colours of "light" or "dark".

    Raises:
        ConfigError: another name.
    """
    if theme not in THEMES:
        raise ConfigError(f"A theme is {' or '.join(THEMES)}, got {theme[:40]!r}.")
    return THEMES[theme]


def force_inks(theme: str) -> dict[str, str]:
    """Colour of each term of a formula, as text on a page; as `theme_colours` takes the theme."""
    return FORCE_INKS["dark" if theme == "dark" else "light"]


def force_colours() -> dict[str, str]:
    """Colour of each part of a force as an area, on either paper."""
    return dict(FORCE_COLOURS)


def fade(colour: str, opacity: float) -> str:
    """ "rgba(...)" of "#rrggbb" with an opacity of 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def scale(colours: Sequence[str]) -> list[tuple[float, str]]:
    """A plotly colour scale through these colours, evenly."""
    return [(float(t), c) for t, c in zip(np.linspace(0, 1, len(colours)), colours, strict=True)]


@dataclass(frozen=True)
class Movers:
    """What the parts of a force are called and drawn like.

    Attributes:
        class_names: any text, one for each class.
        order: the classes from most to fewest samples.
    """

    class_names: Sequence[str] = ()
    order: Sequence[int] = ()

    def name(self, part: str) -> str:
        if (number := class_of(part)) is None:
            return MOVERS.get(part, part)
        return self.class_names[number] if number < len(self.class_names) else str(number)

    def colour(self, part: str, theme: str) -> str:
        """Of a class that of its rank, as everywhere."""
        number = class_of(part)
        if number is None or number not in self.order:
            return force_colours().get(part, theme_colours(theme)["muted"])
        return class_ramp(len(self.order))[list(self.order).index(number)]
