"""The part of a race's form in which settings follow a curve: what `--schedules` takes, seen before it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ltviz.errors import ConfigError, LtvizError
from ltviz.training.controls import SCHEDULES, followable
from ltviz.training.sampled import EXPONENT
from ltviz.training.schedules import Curve, Place, drawn_curve, parse_schedules, write_schedules
from ltviz.training.settings import RunSettings

from .. import words
from ..service.drawncurves import DrawnCurve, keep_curve, kept_curves
from ..service.studio import Studio
from . import forms
from .curvechart import KNOTS, hand_curve, sampled, show_curve, span_of
from .recipe import Start

LAST = ("watch_share", "forces_every")
"""What says how closely a run is watched is offered behind what is learned."""
_KEPT = "kept:"
LONG, ROWS = 120, 92
"""Letters of schedules that are shown whole, and the height of a part of the others."""


def draw_schedules(studio: Studio, start: Start, methods: Sequence[str], total_steps: int | None) -> dict[str, str]:
    """The run setting `schedules` where it is other than `start` has it, with what it needs; a toggle races it.

    Args:
        total_steps: None where epochs say how many.
    """
    kept, begun = f"{start.key}-schedules-kept", str(start.run.get(SCHEDULES, ""))
    text = st.session_state.get(kept, begun)
    box = st.expander(words.schedules.HEAD, key="race-schedules", on_change="rerun")
    if box.open:
        with box:
            text = _draw_curves(studio, start, methods, text, total_steps)
            st.session_state[kept] = text
    needs = {"sampling": "power"} if EXPONENT in parse_schedules(text) else {}
    return {SCHEDULES: text, **needs} if text != begun else {}


def races(text: str) -> bool:
    """Whether the form asks for a race of the curves against others."""
    return bool(text) and st.session_state.get("schedules-race-kept", False)


def rivals(text: str) -> dict[str, str]:
    """What schedules are raced against, and they themselves: key of `words.schedules.RIVALS` -> schedules.

    >>> rivals("tau: drawn 0%=1 50%=3 100%=2")["cosine"]
    'tau: cosine 1 2 from 0 over 100%'
    """
    found, whole = {"own": text}, Place(1, is_share=True)
    begin = Place(0, is_share=False)
    level, waves = {}, {}
    for name, curve in parse_schedules(text).items():
        first, last = curve.values[0], curve.values[-1]
        if first == last:  # a cosine between its extremes, or there would be no difference
            first, last = max(curve.values), min(curve.values)
        level[name] = Curve("constant", (curve.values[0],), (begin,))
        waves[name] = Curve("cosine", (first, last), (begin, whole)) if first != last else level[name]
    for shape, curves in (("constant", level), ("cosine", waves)):
        other = write_schedules(curves)
        if other not in (write_schedules(parse_schedules(text)), *found.values()):
            found[shape] = other
    return found


def follows(studio: Studio, methods: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Setting -> schema, of all numbers that a curve can move."""
    found: dict[str, Mapping[str, Any]] = {}
    for method in methods:
        schema = studio.method(method).get("settings", {})
        for name, field in forms.live_fields(schema).items():
            if field.get("type") in ("number", "integer"):
                found.setdefault(name, field)
    run = forms.fields_of(RunSettings.model_json_schema())
    names = sorted(followable(RunSettings), key=lambda name: name in LAST)
    return found | {name: run[name] for name in names}


# ---------------------------------------------------------------------- one curve after the other


def _draw_curves(studio: Studio, start: Start, methods: Sequence[str], text: str, total_steps: int | None) -> str:
    before = dict(parse_schedules(text))
    fields = follows(studio, methods)
    chosen = st.multiselect(
        words.schedules.FOLLOW,
        [*fields, *(name for name in before if name not in fields)],
        list(before),
        format_func=lambda name: str(name).replace("_", " "),
        key=f"{start.key}-follow",
        help=words.schedules.FOLLOW_HELP,
        placeholder=words.schedules.NOTHING_FOLLOWS,
    )
    saved, refused = kept_curves(studio.home) if chosen else ([], [])
    curves: dict[str, Curve] = {}
    for name in chosen:
        field = fields.get(name, {})
        now = _start_value(start, methods, name, field)
        try:
            curve = _draw_curve(studio, start, name, field, now, before.get(name), saved, total_steps)
        except (LtvizError, ValueError) as error:
            st.error(forms.escape(str(error)))
            curve = before.get(name)
        if curve is not None:
            curves[name] = curve
    for sentence in refused:
        st.caption(forms.escape(sentence))
    if not curves:
        return ""
    written = write_schedules(curves)
    # As --schedules takes it.
    st.code(written, language=None, wrap_lines=True, height=ROWS if len(written) > LONG else "content")
    st.session_state["schedules-race-kept"] = st.toggle(
        words.schedules.RACE,
        st.session_state.get("schedules-race-kept", False),
        key="schedules-race",
        help=words.schedules.RACE_HELP,
    )
    return written


def _draw_curve(
    studio: Studio,
    start: Start,
    name: str,
    field: Mapping[str, Any],
    now: float,
    before: Curve | None,
    saved: Sequence[DrawnCurve],
    total_steps: int | None,
) -> Curve | None:
    """The fields and the chart of one setting; None where nothing is drawn yet."""
    key, total = f"{start.key}-curve-{name}", total_steps or 1000
    own = {f"{_KEPT}{curve.name}": curve for curve in saved}
    shapes = [*words.schedules.SHAPES, *own]
    first = _shape_of(before) if before else "cosine"
    shape = st.selectbox(
        words.schedules.SHAPE.format(name=name.replace("_", " ")),
        shapes,
        shapes.index(first),
        format_func=lambda one: words.schedules.SHAPES.get(one) or words.schedules.KEPT.format(name=one[len(_KEPT) :]),
        key=f"{key}-shape",
    )
    known = before if before is not None and first == shape else None
    if shape == "drawn":
        return _draw_by_hand(studio, key, name, field, now, known, total_steps)
    if shape in own:
        curve = own[shape].as_curve
    elif shape == "text":
        said = st.text_input(
            words.schedules.TEXT, str(known or f"constant {now:g}"), key=f"{key}-text", help=words.schedules.TEXT_HELP
        )
        curve = parse_schedules(f"{name}: {said.replace(';', ' ')}")[name]
    else:
        curve = _from_fields(shape, key, field, now, known)
    check_bounds(name, curve, field)
    show_curve(key, curve, total, share=total_steps is None)
    return curve


def _shape_of(curve: Curve) -> str:
    """Which of the form's shapes a curve is; "text" for what only text says."""
    shares = all(place.is_share or place.number == 0 for place in curve.places)
    if curve.kind == "step":
        return "step" if len(curve.values) == 2 and shares and curve.places[0].number == 0 else "text"
    return curve.kind if shares else "text"


def _from_fields(shape: str, key: str, field: Mapping[str, Any], now: float, known: Curve | None) -> Curve:
    def number(place: Any, label: str, start: float) -> float:
        told = {"type": "number", **field, "title": label, "description": None}
        with place:
            return float(forms.draw_field(label, told, f"{key}-{shape}-{label}", value=start))

    def percent(place: Any, label: str, start: float, least: float = 0.0) -> Place:
        with place:
            value = st.number_input(
                label, least, 100.0, start, 1.0, format=forms.SHOWN_AS, key=f"{key}-{shape}-{label}"
            )
        return Place(float(value) / 100, is_share=True)

    if shape == "constant":
        value = number(st.container(), words.schedules.VALUE, known.values[0] if known else now)
        return Curve("constant", (value,), (Place(0, is_share=False),))
    left, right = st.columns(2)
    first, last = (known.values[0], known.values[-1]) if known else (now, _elsewhere(field, now))
    first = number(left, words.schedules.FIRST, first)
    last = number(right, words.schedules.LAST, last)
    begins, over = (100 * place.number for place in known.places) if known else (0.0, 100.0)
    if shape == "step":
        at = percent(st.container(), words.schedules.AT, over if known else 50.0, 0.1)
        return Curve("step", (first, last), (Place(0, is_share=True), at))
    begin = percent(left, words.schedules.BEGINS, begins)
    if shape == "wave":
        length = percent(right, words.schedules.EVERY, over if known else 50.0, 0.1)
        return Curve("wave", (first, last), (begin, length))
    end = percent(right, words.schedules.ENDS, min(100.0, begins + over))
    return Curve("cosine" if shape == "cosine" else "linear", (first, last), (begin, _between(begin, end)))


def _between(begin: Place, end: Place) -> Place:
    return Place(max(round(end.number - begin.number, 9), 1e-3), is_share=True)


def _draw_by_hand(
    studio: Studio,
    key: str,
    name: str,
    field: Mapping[str, Any],
    now: float,
    known: Curve | None,
    total_steps: int | None,
) -> Curve | None:
    values = [*known.values, now] if known else [now]
    span = draw_span(key, field, max(values, key=abs))
    begins = [value for _, value in sampled(known, 1000, KNOTS)] if known else None
    total = total_steps or 1000
    fits = begins if begins and len(begins) == KNOTS and span[0] <= min(begins) <= max(begins) <= span[1] else None
    known_before = st.session_state.get(f"{key}-first")
    if known_before is None or known_before[0] != span:
        # What the chart begins with stays, while what is drawn on it comes back as the curve that is known.
        known_before = st.session_state[f"{key}-first"] = (span, fits)
    knots = hand_curve(
        key, span, total, begins=min(max(now, span[0]), span[1]), drawn=known_before[1], share=total_steps is None
    )
    if knots is None:
        st.caption(forms.escape(words.schedules.NOT_DRAWN.format(name=name.replace("_", " "))))
        return None
    curve = drawn_curve(knots, 0.0, 1.0, shares=True)
    check_bounds(name, curve, field)
    draw_keep(studio, key, name, curve)
    return curve


def draw_span(key: str, field: Mapping[str, Any], value: float) -> tuple[float, float]:
    """Two fields that say from where to where can be drawn.

    Raises:
        ConfigError: they say nothing of the kind.
    """
    usual = span_of(field, value)
    told = {**field, "type": "number", "description": None}
    left, right = st.columns(2)
    with left:
        low = forms.draw_field("low", {**told, "title": words.schedules.LOWEST}, f"{key}-low", value=usual[0])
    with right:
        high = forms.draw_field("high", {**told, "title": words.schedules.HIGHEST}, f"{key}-high", value=usual[1])
    if not low < high:
        raise ConfigError(words.schedules.NO_SPAN.format(low=low, high=high))
    return float(low), float(high)


def draw_keep(studio: Studio, key: str, setting: str, curve: Curve) -> None:
    """A name, and the button that keeps a curve under it."""
    name = st.text_input(words.schedules.NAME, key=f"{key}-name", help=words.schedules.KEEP_HELP)
    if name.strip() and st.button(words.schedules.KEEP, key=f"{key}-keep", width="stretch"):
        try:
            kept = keep(studio, name, setting, curve)
        except LtvizError as error:
            st.error(forms.escape(str(error)))
            return
        st.caption(forms.escape(words.schedules.IS_KEPT.format(name=kept.name)))


def keep(studio: Studio, name: str, setting: str, curve: Curve) -> DrawnCurve:
    """Keeps a curve in the home.

    Raises:
        ConfigError: whoever asks may only look, or the name is none. RecordingError: the home cannot be written.
    """
    studio.check_trainer()
    return keep_curve(studio.home, name, setting, curve)


def check_bounds(name: str, curve: Curve, field: Mapping[str, Any]) -> None:
    """Refuses values that the field does not allow, before anything is trained along them.

    Raises:
        ConfigError: such a value.
    """
    low, high = forms.bounds_of(field, whole=False)
    for value in curve.values:
        if (low is not None and value < low) or (high is not None and value > high):
            raise ConfigError(words.schedules.OUT_OF_BOUNDS.format(name=name, value=value, low=low, high=high))


def _start_value(start: Start, methods: Sequence[str], name: str, field: Mapping[str, Any]) -> float:
    """What the setting is without a curve."""
    own = next((start.settings_of(method)[name] for method in methods if name in start.settings_of(method)), None)
    value = own if own is not None else start.run.get(name, field.get("default"))
    return float(value) if isinstance(value, int | float) else 0.0


def _elsewhere(field: Mapping[str, Any], now: float) -> float:
    """Another value than now, so that a new curve can be seen."""
    low, high = forms.bounds_of(field, whole=False)
    other = now / 2 if now else 1.0
    return min(max(other, other if low is None else low), other if high is None else high)
