"""The charts of the compare page, one kind at a time: none of them is drawn, or measured, before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from ltviz_app import forms, words
from ltviz_app.charts import COLUMNS, HEIGHT, legend, loss_curve, thin
from ltviz_app.comparison import Compared, Step, cell_name
from ltviz_app.moments import portrait, with_progress
from ltviz_app.style import draw_heading
from ltviz_app.viewer import theme

from ltviz import figures
from ltviz.errors import LtvizError
from ltviz.export import charts
from ltviz.export.results import Arm, Group, Result
from ltviz.figures.layout import plain
from ltviz.metrics import fits, shot_groups

SQUARE = 340
_NO_BAR = {"displayModeBar": False}


def draw_gallery(compared: Compared) -> None:
    """The chosen kind of chart of the chosen group."""
    groups = compared.groups
    if not groups:
        return
    draw_heading(words.CHARTS_HEAD)
    group = groups[0]
    if len(groups) > 1:
        numbers = range(len(groups))
        chosen = st.selectbox(
            words.GROUP, numbers, format_func=lambda number: cell_name(groups[number], groups), key="compare-group"
        )
        group = groups[chosen or 0]
    kind = st.segmented_control(
        words.CHARTS_HEAD,
        list(words.GALLERY),
        format_func=lambda name: words.GALLERY[name],
        default="curves",
        key="compare-charts",
        label_visibility="collapsed",
    )
    draw = KINDS.get(kind or "curves", draw_curves)
    st.html(legend({arm.label: charts.colour_of(arm) for arm in group.arms}))
    draw(group, compared)
    info = group.arms[0].results[0].info
    if info.dim and not fits(info.num_classes, info.dim):
        st.caption(words.NO_SIMPLEX.format(classes=info.num_classes, need=info.num_classes - 1, dim=info.dim))


def draw_curves(group: Group, compared: Compared) -> None:
    """Over training: a line a method, a band where it has several seeds, and the chosen step."""
    whole = _whole(group, compared)
    places = [place for _ in range(2) for place in st.columns(COLUMNS)]
    for place, measure in zip(places, words.CHARTS, strict=False):
        _draw(place, lambda measure=measure: _marked(charts.curves(whole, measure, _theme()), compared.step), measure)
    _draw(
        places[-1],
        lambda: _marked(
            charts.curves(whole, "loss", _theme(), curve=lambda result, _: thin(loss_curve(result.recording))),
            compared.step,
        ),
        "loss",
    )
    st.caption(f"{words.BAND_NOTE} {words.LOSS_NOTE}")


def draw_portrait(group: Group, compared: Compared) -> None:
    """Tight and even: the path of each method through that plane, for head, medium and tail classes."""
    first = [(arm, _first(arm)) for arm in group.arms]
    paths: dict[str, dict[str, Any]] = {}
    for arm, result in with_progress(first, words.LOOKING):
        for name, path in portrait(result).items():
            paths.setdefault(name, {})[arm.label] = path
    colours = {arm.label: charts.colour_of(arm) for arm in group.arms}
    info = group.arms[0].results[0].info
    places = st.columns(len(words.GROUPS))
    for place, (name, title) in zip(places, words.GROUPS.items(), strict=True):
        if name in paths:
            figure = figures.phase_portrait(paths[name], colours=colours, theme=_theme())
            figure.update_layout(title_text=title)
            figure.update_xaxes(title_text=words.PORTRAIT_ACROSS)
            figure.update_yaxes(title_text=words.PORTRAIT_UP)
            _show(place, figure, f"portrait-{name}", SQUARE)
    rule = words.rule(shot_groups(np.array(info.counts)).rule) if info.num_classes else ""
    st.caption(f"{words.PORTRAIT_NOTE} {forms.escape(rule)} {words.FIRST_SEED}")


def draw_classes(group: Group, compared: Compared) -> None:
    """Spread and territory of each class against its training count."""
    left, right = st.columns(2)
    _draw(left, lambda: charts.spreads(group, _theme()), "spreads", SQUARE)
    _draw(right, lambda: charts.territories(group, _theme()), "territories", SQUARE)
    st.caption(words.CLASSES_NOTE)


def draw_cosines(group: Group, compared: Compared) -> None:
    """Angles between class centres, ordered by class size, with the ideal beside them."""
    _draw_each(group, charts.cosines, "cosines", 2)
    st.caption(f"{words.COSINES_NOTE} {words.FIRST_SEED}")


def draw_confusion(group: Group, compared: Compared) -> None:
    """Where test points go."""
    _draw_each(group, charts.confusion, "confusion", 3)
    st.caption(f"{words.CONFUSION_NOTE} {words.FIRST_SEED}")


def draw_angles(group: Group, compared: Compared) -> None:
    """How the samples of each class lie around their centre."""
    _draw_each(group, charts.angles, "angles", 3)
    st.caption(f"{words.ANGLES_NOTE} {words.FIRST_SEED}")


KINDS: dict[str, Callable[[Group, Compared], None]] = {
    "curves": draw_curves,
    "portrait": draw_portrait,
    "cosines": draw_cosines,
    "classes": draw_classes,
    "confusion": draw_confusion,
    "angles": draw_angles,
}


def _draw_each(group: Group, draw: Callable[[Result, Any, str], Any], key: str, columns: int) -> None:
    """One figure a method, of its first seed."""
    columns = min(columns, max(len(group.arms), 2))
    places: list[Any] = []
    for number, arm in enumerate(group.arms):
        if number % columns == 0:
            places = st.columns(columns)
        place, result = places[number % columns], _first(arm)
        frame = charts.frame_of(result)
        if frame is None:
            place.caption(words.NO_FRAME.format(title=forms.escape(arm.label)))
            continue

        def make(result: Result = result, frame: Any = frame, arm: Arm = arm) -> Any:
            figure = draw(result, frame, _theme())
            if figure is not None:
                figure.update_layout(title_text=plain(arm.label), margin={"t": 56})
            return figure

        _draw(place, make, f"{key}-{number}", SQUARE)


def _draw(place: Any, make: Callable[[], Any], key: str, height: int = HEIGHT) -> None:
    """A figure in its place; what a stranger's run does not let one draw is said there."""
    try:
        figure = make()
    except LtvizError as error:
        place.caption(forms.escape(str(error)))
        return
    if figure is not None:
        _show(place, figure, key, height)


def _show(place: Any, figure: Any, key: str, height: int) -> None:
    # One legend stands above all charts, so each keeps its room.
    figure.update_layout(height=height, showlegend=False, title_font_size=12)
    place.plotly_chart(figure, key=f"compare-{key}", theme=None, config=_NO_BAR)


def _marked(figure: Any, step: Step) -> Any:
    if figure is not None:
        figure.update_layout(margin={"l": 44, "r": 10, "t": 34, "b": 40})
        if isinstance(step, int):
            figure.add_vline(x=step, line_width=1, line_dash="dot", opacity=0.6)
    return figure


def _whole(group: Group, compared: Compared) -> Group:
    """The group with all frames of its runs: curves go on after the chosen step."""
    whole = {result.recording.run_id: result for result in compared.results}
    arms = [
        Arm(arm.cell, arm.label, arm.method, tuple(whole[r.recording.run_id] for r in arm.results))
        for arm in group.arms
    ]
    return Group(group.shown, tuple(arms))


def _first(arm: Arm) -> Result:
    return min(arm.results, key=lambda result: (result.info.seed is None, result.info.seed or 0))


def _theme() -> str:
    return theme() or "light"
