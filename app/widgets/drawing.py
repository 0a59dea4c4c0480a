"""A setting's curve from the step that is trained now on: what was so far, and what a hand draws from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ltviz.errors import ConfigError, LtvizError
from ltviz.training.controls import SCHEDULES
from ltviz.training.past import past_of, schedules_of
from ltviz.training.schedules import MOST_POINTS, Curve, Place, drawn_curve, parse_schedules, with_curve

from .. import words
from ..service.studio import Studio
from . import forms
from .curvechart import KNOTS, hand_curve, sampled
from .race import start_rivals
from .runline import RunLine
from .schedules import check_bounds, draw_keep, draw_span, rivals

Ask = Callable[..., bool]
"""Does something that may be refused, and says why; whether it was done."""


def draw_from_here(
    studio: Studio, takers: Sequence[RunLine], name: str, field: Mapping[str, Any], now: float, ask: Ask
) -> None:
    """The chart of one setting of live runs, and what can be done with what was drawn.

    Args:
        takers: live runs that have the setting; the chart shows the first one's past.
        now: what it was at the start.
        ask: as `Ask`.
    """
    first = takers[0]
    total, taken = first.total or 0, first.status.step or 0
    if total - taken < 2:
        st.caption(words.schedules.NOTHING_LEFT)
        return
    config, events = first.config, _events(studio, first)
    try:
        past = past_of(config, events, name, total_steps=total, taken=taken)
        text = schedules_of(config, events)
        coming = parse_schedules(text).get(name)
    except ValueError as error:
        st.error(forms.escape(str(error)))
        return
    key, of = f"from-here-{name}", (name, tuple(line.run for line in takers))
    held = st.session_state.get("from-here")
    if held is None or held[0] != of or held[1] > taken:
        held = st.session_state["from-here"] = (of, taken, coming)
    begun, coming = held[1], held[2]
    value = past[-1][1] if past else now
    try:
        span = draw_span(key, field, max([value, *(v for _, v in past), *(coming.values if coming else ())], key=abs))
        knots = hand_curve(
            key,
            span,
            total,
            version=f"{of}{begun}",
            drawn=_fitting(coming, total, begun, span),
            begins=min(max(value, span[0]), span[1]),
            begun=begun,
            past=[(step, min(max(v, span[0]), span[1])) for step, v in past],
        )
        if knots is None:
            return
        curve = drawn_curve(knots, begun, total)
        check_bounds(name, curve, field)
    except ConfigError as error:
        st.error(forms.escape(str(error)))
        return
    if st.button(words.schedules.SEND, key=f"{key}-send", width="stretch"):
        # Each run keeps the curves of its other settings.
        sent = [
            ask(studio.supervisor.change, line.run, {SCHEDULES: with_curve(_text(studio, line), name, curve)})
            for line in takers
        ]
        if all(sent):
            st.caption(words.lab.APPLIED)
    whole = whole_curve([point for point in past if point[0] <= begun], knots, begun, total)
    draw_keep(studio, key, name, whole)
    asked = st.button(
        words.schedules.RACE_LIVE, key=f"{key}-race", help=words.schedules.RACE_LIVE_HELP, width="stretch"
    )
    if asked and ask(race_from, studio, first, name, whole):
        st.caption(words.schedules.RACE_BEGUN)


def race_from(studio: Studio, line: RunLine, name: str, whole: Curve) -> list[str]:
    """Begins runs of a run's method and settings along a curve and its rivals; their ids.

    Raises:
        LtvizError: whoever asks may only look, or the run does not say its settings.
    """
    studio.check_trainer()
    run, own = line.config.get("run"), line.config.get("method")
    if line.method is None or not isinstance(run, dict) or "data" not in run or not isinstance(own, dict):
        raise ConfigError(words.schedules.NO_SETTINGS.format(run=line.run))
    others = str(run.get(SCHEDULES) or "")
    shapes = {
        shape: with_curve(others, name, parse_schedules(text)[name])
        for shape, text in rivals(f"{name}: {whole}").items()
    }
    given = {key: value for key, value in run.items() if value not in (None, "", {})}
    return start_rivals(studio, [line.method], given, {line.method: own}, shapes)


def whole_curve(past: Sequence[tuple[int, float]], knots: Sequence[float], begun: int, total: int) -> Curve:
    """What was so far and what was drawn from there on as one curve, at shares of all steps."""
    drawn = drawn_curve(knots, begun / total, 1.0, shares=True)
    room = MOST_POINTS - len(drawn.values) - 1
    every = max(1, -(-len(past) // max(1, room)))
    points: dict[float, float] = {}
    for i, (step, value) in enumerate(past):
        if i % every and i + 1 < len(past):
            continue
        place = step / total
        if place >= drawn.places[0].number:  # a jump has a point on either side
            place = drawn.places[0].number - 0.25 / total
        while place in points:
            place += 0.25 / total
        if 0 <= place < drawn.places[0].number:
            points[round(place, 6)] = float(f"{value:.5g}")
    places = sorted(points)
    return Curve(
        "drawn",
        (*(points[place] for place in places), *drawn.values),
        (*(Place(place, is_share=True) for place in places), *drawn.places),
    )


def _fitting(coming: Curve | None, total: int, begun: int, span: tuple[float, float]) -> list[float] | None:
    """The curve that is followed already, as the chart begins with it; None where there is none that it could show."""
    values = [value for _, value in sampled(coming, total, KNOTS, begun)] if coming else []
    return values if len(values) == KNOTS and all(span[0] <= value <= span[1] for value in values) else None


def _events(studio: Studio, line: RunLine) -> list[Mapping[str, Any]]:
    try:
        return [event for at in studio.hub.recording(line.run).frame_events().values() for event in at]
    except LtvizError:
        return []


def _text(studio: Studio, line: RunLine) -> str:
    return schedules_of(line.config, _events(studio, line))
