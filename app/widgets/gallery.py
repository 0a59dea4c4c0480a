"""The charts of the compare page, one kind at a time: none of them is drawn, or measured, before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from ltviz import figures
from ltviz.errors import LtvizError
from ltviz.export import charts
from ltviz.export.results import Arm, Group, Result
from ltviz.export.told import told_over_training
from ltviz.figures.layout import plain
from ltviz.metrics import fits, shot_groups

from .. import words
from . import forms
from .charts import MARGIN, legend, loss_curve, thin
from .comparison import Compared, Step, cell_name
from .measured import portrait, with_progress
from .plots import SQUARE, Cell, draw_grid
from .style import draw_heading
from .viewer import theme


def draw_gallery(compared: Compared, judge: str) -> None:
    """The chosen kind of chart of the chosen group; curves of accuracies are by the judge."""
    groups = compared.groups
    if not groups:
        return
    draw_heading(words.compare.CHARTS_HEAD)
    group = groups[0]
    if len(groups) > 1:
        numbers = range(len(groups))
        chosen = st.selectbox(
            words.compare.GROUP,
            numbers,
            format_func=lambda number: cell_name(groups[number], groups),
            key="compare-group",
        )
        group = groups[chosen or 0]
    kind = st.segmented_control(
        words.compare.CHARTS_HEAD,
        list(words.compare.GALLERY),
        format_func=lambda name: words.compare.GALLERY[name],
        default="curves",
        key="compare-charts",
        label_visibility="collapsed",
    )
    draw = KINDS.get(kind or "")
    if kind not in TITLED:
        st.html(legend({arm.label: charts.colour_of(arm) for arm in group.arms}))
    if draw is None:
        draw_curves(group, compared, judge)
    else:
        draw(group, compared)
    info = group.arms[0].results[0].info
    if info.dim and not fits(info.num_classes, info.dim):
        st.caption(words.shared.NO_SIMPLEX.format(classes=info.num_classes, need=info.num_classes - 1, dim=info.dim))


def draw_curves(group: Group, compared: Compared, judge: str) -> None:
    """Over training: a line a method, a band where it has several seeds, and the chosen step."""
    whole = _whole(group, compared)
    told = told_over_training("curves", [whole], judge)
    cells = [
        _cell(one.key, lambda key=one.key: _marked(charts.curves(whole, key, _theme()), compared.step)) for one in told
    ]
    loss = _cell("loss", lambda: _marked(charts.curves(whole, "loss", _theme(), curve=_losses), compared.step))
    draw_grid([*cells, loss])
    st.caption(f"{words.compare.BAND_NOTE} {words.shared.LOSS_NOTE}")
    if any(one.ceiling for one in told):
        st.caption(words.shared.BOUND_NOTE)


def draw_portrait(group: Group, compared: Compared) -> None:
    """Tight and even: the path of each method through that plane, for head, medium and tail classes."""
    first = [(arm, _first(arm)) for arm in group.arms]
    paths: dict[str, dict[str, Any]] = {}
    for arm, result in with_progress(first, words.compare.LOOKING):
        for name, path in portrait(result).items():
            paths.setdefault(name, {})[arm.label] = path
    colours = {arm.label: charts.colour_of(arm) for arm in group.arms}
    info = group.arms[0].results[0].info
    cells: list[Cell] = []
    for name, title in words.compare.GROUPS.items():
        if name in paths:
            figure = figures.phase_portrait(paths[name], colours=colours, theme=_theme())
            figure.update_layout(title_text=title)
            figure.update_xaxes(title_text=words.compare.PORTRAIT_ACROSS)
            figure.update_yaxes(title_text=words.compare.PORTRAIT_UP)
            cells.append((f"compare-portrait-{name}", figure))
    draw_grid(cells, height=SQUARE)
    rule = words.shared.rule(shot_groups(np.array(info.counts)).rule) if info.num_classes else ""
    st.caption(f"{words.compare.PORTRAIT_NOTE} {forms.escape(rule)} {words.compare.FIRST_SEED}")


def draw_classes(group: Group, compared: Compared) -> None:
    """Spread and territory of each class against its training count."""
    draws = {"spreads": charts.spreads, "territories": charts.territories}
    cells = [_cell(key, lambda draw=draw: draw(group, _theme())) for key, draw in draws.items()]
    draw_grid(cells, columns=2, height=SQUARE)
    st.caption(words.compare.CLASSES_NOTE)


def draw_cosines(group: Group, compared: Compared) -> None:
    """Angles between class centres, ordered by class size, with the ideal beside them."""
    _draw_each(group, charts.cosines, "cosines", 2)
    st.caption(f"{words.compare.COSINES_NOTE} {words.compare.FIRST_SEED}")


def draw_confusion(group: Group, compared: Compared) -> None:
    """Where test points go."""
    _draw_each(group, charts.confusion, "confusion", 3)
    st.caption(f"{words.compare.CONFUSION_NOTE} {words.compare.FIRST_SEED}")


def draw_angles(group: Group, compared: Compared) -> None:
    """How the samples of each class lie around their centre."""
    _draw_each(group, charts.angles, "angles", 3)
    st.caption(f"{words.compare.ANGLES_NOTE} {words.compare.FIRST_SEED}")


KINDS: dict[str, Callable[[Group, Compared], None]] = {
    "portrait": draw_portrait,
    "cosines": draw_cosines,
    "classes": draw_classes,
    "confusion": draw_confusion,
    "angles": draw_angles,
}
"""All but the curves, which are drawn where nothing else is asked."""

TITLED = ("cosines", "confusion", "angles")
"""Kinds with a chart a method, which its title names."""


def _draw_each(group: Group, draw: Callable[[Result, Any, str], Any], key: str, columns: int) -> None:
    """One figure a method, of its first seed."""
    cells: list[Cell] = []
    for number, arm in enumerate(group.arms):
        result = _first(arm)
        frame = charts.frame_of(result)
        if frame is None:
            cells.append((f"compare-{key}-{number}", words.compare.NO_FRAME.format(title=arm.label)))
            continue

        def make(result: Result = result, frame: Any = frame, arm: Arm = arm) -> Any:
            figure = draw(result, frame, _theme())
            return None if figure is None else figure.update_layout(title_text=plain(arm.label), margin={"t": 56})

        cells.append(_cell(f"{key}-{number}", make))
    draw_grid(cells, columns=columns, height=SQUARE)


def _cell(key: str, make: Callable[[], Any]) -> Cell:
    """A figure for the grid, or why a stranger's run does not let one draw it."""
    try:
        return f"compare-{key}", make()
    except LtvizError as error:
        return f"compare-{key}", str(error)


def _losses(result: Result, _: str) -> charts.Curve:
    return thin(loss_curve(result.recording))


def _marked(figure: Any, step: Step) -> Any:
    if figure is not None:
        figure.update_layout(margin=MARGIN)
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
