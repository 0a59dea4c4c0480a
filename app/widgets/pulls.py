"""The ledger of pulls under the lab's curves: who has moved a class, or one sample, since a step."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from ltviz import figures
from ltviz.errors import LtvizError
from ltviz.export.cells import listed
from ltviz.metrics.work import Work
from ltviz.recording import RunInfo
from ltviz.recording.pulls import Pulls

from .. import words
from ..service.pulls import movers_of, pulls_of, tell_parts
from ..service.studio import Studio
from .charts import name_runs
from .plots import draw_grid
from .runlist import read_info
from .viewer import LEDGER_ASKED, theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 260


@dataclass(frozen=True)
class _Asked:
    """Whose ledger: a class by its number and name, or a row of the probe."""

    number: int
    name: str
    sample: bool
    by_class: bool = False
    """Whether who moved it is told by class, instead of by kind."""

    def of(self, pulls: Pulls, since: int) -> Work | None:
        if self.sample:
            return pulls.of_sample(self.number, since, by_class=self.by_class)
        return pulls.of_classes(since, by_class=self.by_class)

    @property
    def column(self) -> int:
        return 0 if self.sample else self.number


def draw_pulls(studio: Studio, runs: Sequence[str]) -> None:
    """One ribbon a run, for the class and the step that are chosen; nothing is read before the box is opened, by hand
    or by a card on the stage."""
    _choose(studio, st.session_state.pop(LEDGER_ASKED, None), runs)
    box = st.expander(words.pulls.LEDGER, key="pulls", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(words.pulls.ABOUT)
        known = {run: info for run in runs if (info := read_info(studio.hub.recording(run))) is not None}
        pulls = {run: pulls_of(studio.hub, run) for run in known}
        titles = name_runs(known)
        found, said = {}, []
        for run, of_run in pulls.items():
            try:
                found[run] = of_run.of_classes()
            except LtvizError as error:
                said.append(words.pulls.BAD_ROW.format(title=titles[run], reason=error))
        steps = sorted({int(step) for work in found.values() if work is not None for step in work.steps[:-1]})
        said += [words.pulls.NONE.format(title=titles[run]) for run, work in found.items() if work is None]
        if not steps:
            st.text("\n".join(said) or words.pulls.SOON)
            return
        asked, since = _ask(known, steps)
        cells, works = [], {}
        for run, title in ((run, titles[run]) for run, work in found.items() if work is not None):
            cell, sentence, work = _one(pulls[run], known[run], title, asked, since)
            cells.append((f"pulls-{run}", cell))
            said.append(sentence)
            works |= {} if work is None else {title: work}
        if untold := [title for title, work in works.items() if not work.tells(asked.column)]:
            said.append(words.pulls.UNTOLD.format(titles=listed(untold)))
        st.html(_legend(works.values(), movers_of(next(iter(known.values())))))
        draw_grid(cells, height=HEIGHT)
        st.text("\n".join(said))
        strides = [int(np.diff(work.steps).max()) for work in works.values()]
        st.caption(words.pulls.NOTE.format(stride=max(strides, default=0)))
        if asked.sample:
            st.caption(words.pulls.SAMPLE_NOTE)


def _choose(studio: Studio, asked: Any, runs: Sequence[str]) -> None:
    """Opens the box for whom a card asks: a row of the probe, or a class of a run by its rank."""
    match asked:
        case {"row": int(row)} if row >= 0:
            whom, key, number = words.pulls.A_SAMPLE, "pulls-sample", row
        case {"run": str(run), "rank": int(rank)} if run in runs:
            info = read_info(studio.hub.recording(run))
            if info is None or not 0 <= rank < info.num_classes:
                return
            whom, key, number = words.pulls.A_CLASS, "pulls-class", int(info.order[rank])
        case _:
            return
    st.session_state.update({"pulls": True, "pulls-whom": whom, key: number})


def _legend(works: Iterable[Work], movers: figures.palette.Movers) -> str:
    """HTML of one legend for all ribbons: a field of its colour for each part."""
    parts = dict.fromkeys(part for work in works for part in work.done)
    fields = (
        f'<span><i style="background:{movers.colour(part, theme() or "light")}"></i>'
        f"{html.escape(movers.name(part))}</span>"
        for part in parts
    )
    return f'<div class="ltviz-legend">{"".join(fields)}</div>'


def _ask(known: Mapping[str, RunInfo], steps: Sequence[int]) -> tuple[_Asked, int]:
    names = max((info.class_names for info in known.values()), key=len)
    row = st.container(horizontal=True, gap="medium")
    asked = replace(_ask_whom(names, row), by_class=_ask_apart(row))
    if len(steps) == 1:
        return asked, steps[0]
    if st.session_state.get("pulls-since", steps[0]) not in steps:
        del st.session_state["pulls-since"]
    return asked, row.select_slider(words.pulls.SINCE, steps, key="pulls-since", width=320)


def _ask_apart(row: Any) -> bool:
    ways = [words.pulls.BY_KIND, words.pulls.BY_CLASS]
    st.session_state.setdefault("pulls-apart", ways[0])
    return row.segmented_control(words.pulls.TOLD_APART, ways, key="pulls-apart") == words.pulls.BY_CLASS


def _ask_whom(names: Sequence[str], row: Any) -> _Asked:
    # A card may have chosen: what begins with a value of its own must not be given another one.
    st.session_state.setdefault("pulls-whom", words.pulls.A_CLASS)
    kind = row.segmented_control(words.pulls.WHOM, [words.pulls.A_CLASS, words.pulls.A_SAMPLE], key="pulls-whom")
    if kind == words.pulls.A_SAMPLE:
        sample = row.number_input(words.pulls.SAMPLE, min_value=0, step=1, key="pulls-sample", width=160)
        return _Asked(int(sample), f"{words.pulls.SAMPLE} {int(sample)}", True)
    if st.session_state.get("pulls-class", len(names)) >= len(names):
        st.session_state["pulls-class"] = len(names) - 1  # the rarest is what one came to see
    number = row.selectbox(
        words.pulls.CLASS,
        range(len(names)),
        format_func=lambda at: names[at] if at < len(names) else str(at),
        key="pulls-class",
        width=200,
    )
    return _Asked(int(number), names[int(number)], False)


def _one(
    pulls: Pulls, info: RunInfo, title: str, asked: _Asked, since: int
) -> tuple[go.Figure | None, str, Work | None]:
    """A run's ribbon, the sentence that says the same, and its work; None for what there is not."""
    if not asked.sample and (asked.number >= info.num_classes or info.class_names[asked.number] != asked.name):
        return None, words.pulls.OTHER.format(title=title, name=asked.name), None
    try:
        work = asked.of(pulls, since)
    except LtvizError as error:
        return None, words.pulls.BAD_ROW.format(title=title, reason=error), None
    if work is None:
        why = words.pulls.NO_WAY if asked.sample else words.pulls.NONE
        if asked.by_class and replace(asked, by_class=False).of(pulls, since) is not None:
            why = words.pulls.NOT_BY_CLASS
        return None, why.format(title=title), None
    movers = movers_of(info)
    figure = figures.ribbon(work, asked.column, theme() or "light", title=title, movers=movers)
    return figure, _tell(work, asked, title, movers), work


def _tell(work: Work, asked: _Asked, title: str, movers: figures.palette.Movers) -> str:
    at = asked.column
    moved = float(np.nan_to_num(work.moved[-1, at]))
    said = words.pulls.MOVED.format(title=title, name=asked.name, moved=moved, since=int(work.steps[0]))
    if not work.tells(at):
        return said
    along, against = tell_parts(work, at, movers)
    return said + words.pulls.TOLD.format(along=along, against=against)
