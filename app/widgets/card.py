"""A method's card, opened from a panel: what the method is, what is in force in this run, and its code."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from concurrent.futures import wait
from typing import Any

import numpy as np
import streamlit as st

from ltviz.errors import LtvizError
from ltviz.figures import palette
from ltviz.metrics import described
from ltviz.recording import Recording, RunInfo
from ltviz.recording.changes import Changed, changes_of
from ltviz.training.past import past_of, schedules_of
from ltviz.training.schedules import parse_schedules
from ltviz.training.settings import RunSettings

from .. import words
from ..service.studio import Studio
from . import forms
from .runlist import read_info
from .viewer import theme

FOLLOWED = ("accuracy_all", "accuracy_few", "map_all", "map_few", "simplex_deviation_mean", "centre_sum")
"""Measures that are compared around a change, as far as a run has them."""
_TERM = re.compile(r"\\term\{(\w+)\}\{")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def show_card(studio: Studio, run: str) -> None:
    """Opens the card of a run's method, beside the stage. Escape closes it, and the focus returns to the panel."""
    recording = studio.hub.recording(run)
    info = read_info(recording)
    found = {} if info is None else studio.method(info.method)
    title = run if info is None else info.title or run
    dialog = st.dialog(forms.escape(title), width="medium", position="right")(_draw_card)
    dialog(studio, recording, info, found)


def _draw_card(studio: Studio, recording: Recording, info: RunInfo | None, entry: Mapping[str, Any]) -> None:
    card = entry.get("card")
    if info is None or not card:
        st.text(words.cards.UNKNOWN)
        return
    st.markdown(f"**{forms.escape(card['idea'])}**")
    values = values_in_force(entry, recording, info)
    _draw_formula(card, values, recording, info)
    for head, text in (
        (words.cards.LOOK_FOR, card["look_for"]),
        (words.cards.SPHERE, card["sphere"]),
        (words.cards.DIFFERS, card.get("differs", "")),
    ):
        if text:
            st.markdown(f"**{head}**  \n{forms.escape(text)}")
    _draw_settings(entry, values, followed_by(recording, info))
    _draw_changes(recording)
    _draw_sources(card)
    _draw_code(studio, recording)


# ---------------------------------------------------------------------- formula


def _draw_formula(card: Mapping[str, Any], values: Mapping[str, Any], recording: Recording, info: RunInfo) -> None:
    """The formula in the colours of the stage, and beneath it what its terms are and which values its symbols have."""
    inks = palette.force_inks(theme() or "light")
    marked = card.get("marked") or card["formula"]
    st.latex(coloured(marked, inks))
    named = set(_TERM.findall(marked))
    terms = [rf"{_chip(name, inks)} {text}" for name, text in words.cards.TERMS.items() if name in named]
    symbols = [
        rf"${symbol}$ {forms.escape(text)}"
        for symbol, place in card.get("symbols", {}).items()
        if (text := value_of(place, values, recording, info))
    ]
    if lines := [" &nbsp; ".join(line) for line in (terms, symbols) if line]:
        st.markdown("  \n".join(lines))


def _chip(name: str, inks: Mapping[str, str]) -> str:
    """A coloured square in a line of Markdown: KaTeX colours what Markdown cannot."""
    return rf"$\textcolor{{{inks[name]}}}{{\blacksquare}}$"


def coloured(marked: str, inks: Mapping[str, str]) -> str:
    r"""A formula whose terms `\term{pull}{...}` are in their colours.

    Example:
        >>> coloured(r"\term{pull}{a} + b", {"pull": "#00aa00"})
        '\\textcolor{#00aa00}{{a}} + b'
    """
    out, at = [], 0
    while found := _TERM.search(marked, at):
        end, depth = found.end(), 1
        while depth and end < len(marked):
            depth += {"{": 1, "}": -1}.get(marked[end], 0)
            end += 1
        body = coloured(marked[found.end() : end - 1], inks)
        ink = inks.get(found[1])
        out += [marked[at : found.start()], body if ink is None else rf"\textcolor{{{ink}}}{{{{{body}}}}}"]
        at = end
    return "".join([*out, marked[at:]])


def value_of(place: str, values: Mapping[str, Any], recording: Recording, info: RunInfo) -> str:
    """What stands for a symbol: a setting in force, what the method has learned by now, or the class counts."""
    if place == "counts" and info.counts:
        return "= " + words.cards.COUNTS.format(most=f"{max(info.counts):,}", least=f"{min(info.counts):,}")
    if place in values:
        return f"= {_told(values[place])} ({place.replace('_', ' ')})"
    frame = recording.last()
    learned = None if frame is None else frame.readings.get(place)
    if learned is None or learned.size != 1 or not np.isfinite(learned).all():
        return ""
    return "= " + words.cards.LEARNED.format(name=place, value=f"{learned.item():.3g}")


# ---------------------------------------------------------------------- settings


def values_in_force(entry: Mapping[str, Any], recording: Recording, info: RunInfo) -> dict[str, Any]:
    """Settings of the method, and those of the run that may change, as they are after every change."""
    given = info.config.get("method")
    values = {name: field.get("default") for name, field in entry.get("settings", {}).get("properties", {}).items()}
    values |= given if isinstance(given, dict) else {}
    run = info.config.get("run")
    run = run if isinstance(run, dict) else {}
    values |= {name: run[name] for name in ("learning_rate", "weight_decay") if name in run}
    changed = {change.name: change.value for change in changes_of(recording) if change.name in values}
    return values | changed | {name: value for name, value in followed_by(recording, info).items() if name in values}


def followed_by(recording: Recording, info: RunInfo) -> dict[str, float]:
    """What the settings that follow a curve are at the newest frame."""
    steps, events = recording.steps(), [event for at in recording.frame_events().values() for event in at]
    try:
        names = list(parse_schedules(schedules_of(info.config, events))) if steps and info.total_steps else []
        pasts = {
            name: past_of(info.config, events, name, total_steps=info.total_steps or 1, taken=steps[-1])
            for name in names
        }
    except ValueError:  # a stranger's run.json may hold anything
        return {}
    return {name: past[-1][1] for name, past in pasts.items() if past}


def _draw_settings(entry: Mapping[str, Any], values: Mapping[str, Any], followed: Collection[str]) -> None:
    fields = RunSettings.model_json_schema()["properties"] | entry.get("settings", {}).get("properties", {})
    rows = [
        table_row(
            name.replace("_", " "),
            words.cards.FOLLOWS.format(value=_told(value)) if name in followed else _told(value),
            str(fields.get(name, {}).get("description", "")),
        )
        for name, value in values.items()
    ]
    head = f"| {words.cards.SETTING} | {words.cards.VALUE} | {words.cards.MEANS} |\n|:--|:--|:--|\n"
    st.markdown(f"**{words.cards.SETTINGS}**\n\n{head}" + "\n".join(rows))


def table_row(*cells: str) -> str:
    """A row of a table in Markdown; whatever the cells hold is text."""
    return f"| {' | '.join(map(_cell, cells))} |"


def _draw_changes(recording: Recording) -> None:
    changes = changes_of(recording)
    if not changes:
        return
    st.markdown(f"**{words.cards.CHANGES}**\n\n" + "\n".join(f"- {tell_change(change)}" for change in changes))


def tell_change(change: Changed) -> str:
    """A line of Markdown: what was changed, and the measures before it and before the next change."""
    before = words.cards.NO_BEFORE if change.before is None else _cell(_told(change.before))
    name = forms.escape(change.name.replace("_", " "))
    said = words.cards.CHANGE.format(step=change.step, name=name, before=before, value=_cell(_told(change.value)))
    measures = [
        words.cards.MEASURE.format(name=forms.escape(known.title), first=f"{first:.3g}", last=f"{last:.3g}")
        for key in FOLLOWED
        if key in change.measures and (known := described(key)) is not None
        for first, last in [change.measures[key]]
    ]
    if change.at is None or not measures:
        return f"{said}. {words.cards.NOTHING_MEASURED}"
    followed = words.cards.FOLLOWED.format(first=change.at[0], last=change.at[1], measures=", ".join(measures))
    return f"{said}. {followed}"


def _told(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) if value not in (None, "") else "–"


def _cell(text: str) -> str:
    """Text from outside for a cell of a table."""
    return forms.escape(text.replace("\n", " "))


# ---------------------------------------------------------------------- sources


def _draw_sources(card: Mapping[str, Any]) -> None:
    paper = forms.escape(f"{card['paper']}")
    if found := _ARXIV.search(card["paper"]):
        paper = f"{paper} ([arXiv](https://arxiv.org/abs/{found[1]}))"
    code = card.get("code")
    link = f"[{words.cards.CODE}]({code})" if code and code.startswith("https://") else words.cards.NO_CODE
    st.markdown(f"**{words.cards.SOURCES}**  \n{paper}  \n{link}")


def _draw_code(studio: Studio, recording: Recording) -> None:
    """The program, written when it is first asked for; the card stays readable meanwhile."""
    box = st.expander(words.cards.SHOW_CODE, key="card-code", icon=":material/code:", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(words.cards.CODE_ABOUT.format(run=recording.run_id))
        with st.spinner(words.cards.WRITING):
            written = studio.programs.ask(recording)
            wait([written])
        try:
            text = written.result()
            st.code(text, language="python", wrap_lines=False)
            st.download_button(
                words.cards.SAVE_CODE,
                text,
                file_name=f"{recording.run_id}.py",
                mime="text/x-python",
                key="card-save",
                on_click="ignore",
                icon=":material/download:",
            )
        except LtvizError as error:
            st.error(forms.escape(str(error)))
