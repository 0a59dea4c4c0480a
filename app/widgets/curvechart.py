"""A setting's curve as a chart on the page: shown, or drawn by hand; what comes back is read as strictly as a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from ltviz.errors import ConfigError
from ltviz.training.schedules import Curve

from .. import words
from .forms import bounds_of
from .viewer import loader

ENTRY = "schedules/schedules.js"
KNOTS = 33
"""Places at which a drawn curve is known, evenly apart."""
SHOWN = 96
"""Places at which another one is looked at."""
Span = tuple[float, float]


def show_curve(key: str, curve: Curve, total_steps: int, *, share: bool = False) -> None:
    """A curve that the form describes; the steps are told as shares of them all where `share`."""
    points = sampled(curve, total_steps, SHOWN)
    if not points:
        return
    values = [value for _, value in points]
    span = padded(min(values), max(values))
    ask = {"id": key, "span": span, "begins": values[0], "drawn": None, "found": points}
    _draw(key, ask, total_steps, share)


def hand_curve(
    key: str,
    span: Span,
    total_steps: int,
    *,
    version: str = "",
    drawn: Sequence[float] | None = None,
    begins: float,
    begun: int | None = None,
    past: Sequence[tuple[int, float]] | None = None,
    share: bool = False,
) -> list[float] | None:
    """A chart to draw on; the curve at `KNOTS` places, None before anything was drawn.

    Args:
        span: lowest and highest number that can be drawn.
        version: a chart of another one begins anew.
        drawn: what it begins with.
        begun: the step that it begins at, where that is not the first.
        past: what was before it.

    Raises:
        ConfigError: what came back is no curve within the span.
    """
    name = f"{key}|{version}|{span[0]!r}|{span[1]!r}"
    ask = {"id": name, "span": span, "begins": begins, "drawn": None if drawn is None else list(drawn), "found": None}
    more = {} if begun is None else {"from": begun, "past": list(past or ())}
    store = f"{key}-drawn"
    known = st.session_state.get(store)
    if known is not None and known[0] == name:
        ask["drawn"] = known[1]

    def take() -> None:
        given = getattr(st.session_state.get(f"{key}-chart"), "drawn", None)
        if isinstance(given, Mapping) and given.get("id") == name:
            st.session_state[store] = (name, given.get("knots"))

    _draw(key, ask | more, total_steps, share, take)
    known = st.session_state.get(store)
    if known is None or known[0] != name:
        return None if drawn is None else list(drawn)
    return read_knots(known[1], span)


def read_knots(given: object, span: Span) -> list[float]:
    """What a browser says was drawn.

    Raises:
        ConfigError: it is something else.
    """
    low, high = span
    if isinstance(given, list) and len(given) == KNOTS:
        near = 1e-9 * (high - low)
        if all(_is_number(value) and low - near <= value <= high + near for value in given):
            return [min(max(float(value), low), high) for value in given]
    raise ConfigError(words.schedules.NO_NUMBERS.format(knots=KNOTS, low=low, high=high))


def sampled(curve: Curve, total_steps: int, many: int, begin: int = 0) -> list[tuple[float, float]]:
    """(steps taken before, value) at so many places evenly apart; without those where the curve says nothing."""
    places = [begin + (total_steps - begin) * i / (many - 1) for i in range(many)]
    found = ((place, curve.at(place, total_steps)) for place in places)
    return [(place, value) for place, value in found if value is not None]


def span_of(field: Mapping[str, Any], value: float) -> Span:
    """What is drawn of a setting that stands at `value`, unless somebody asks for more: twice as much and down to 0."""
    low, high = bounds_of(field, whole=False)
    top = 2 * value if value > 0 else 1.0
    return max(0.0 if low is None else low, 0.0 if value >= 0 else 2 * value), top if high is None else min(top, high)


def padded(low: float, high: float) -> Span:
    """A span that shows both ends, also of a level curve."""
    room = 0.06 * (high - low) or max(abs(high) / 2, 0.5)
    return (low - room if low - room >= 0 or low < 0 else 0.0), high + room


def _draw(
    key: str, ask: dict[str, Any], total_steps: int, share: bool, take: Callable[[], None] = lambda: None
) -> None:
    scale = 100 / total_steps if share else 1
    if ask["found"] is not None:
        ask["found"] = [(place * scale, value) for place, value in ask["found"]]
    same = {"question": "", "unit": "number", "knots": KNOTS, "free": True, "steps": (0, total_steps * scale)}
    component("ltviz_schedule", js=loader(ENTRY))(
        key=f"{key}-chart",
        data={"place": key, "share": share, "curve": same | ask},
        on_drawn_change=take,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
