"""The runs beside the stage: how each stands, and the buttons that pause, resume, stop or change it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.figures import palette
from ltviz.recording import Recording, RunInfo
from ltviz.text import plain
from ltviz.training.settings import RunSettings

from .. import words
from ..service.studio import Studio
from ..service.tail import LIVE
from . import forms
from .drawing import draw_from_here
from .runline import RunLine
from .style import draw_heading
from .waiting import draw_waiting

MOST_RUNS = 12
BEAT_SECONDS, RESTING_SECONDS = 1.0, 3.0
LOG_LINES = 12


def read_line(studio: Studio, recording: Recording) -> RunLine:
    """How a run stands now; a folder that cannot be read still has a line."""
    info = read_info(recording)
    status = recording.status()
    queued = studio.supervisor.queued_runs()
    if recording.run_id in queued and status.state not in LIVE:
        status = status.model_copy(update={"state": "queued", "reason": None})  # it is to go on
    race = studio.supervisor.away_runs().get(recording.run_id)
    cluster = None if race is None else race.on
    place = studio.hub.runs.place(recording)
    folder = None if place == recording.run_id else place
    if info is None:
        method = queued.get(recording.run_id)
        title = studio.method(method).get("card", {}).get("title") or method or recording.run_id
        return RunLine(recording.run_id, title, method, status, None, {}, folder, cluster)
    title = info.title or recording.run_id
    return RunLine(recording.run_id, title, info.method, status, info.total_steps, info.config, folder, cluster)


def read_info(recording: Recording) -> RunInfo | None:
    """run.json, or None while there is none that can be read."""
    try:
        return recording.info
    except LtvizError:
        return None


def draw_runs(studio: Studio, shown: Sequence[str]) -> None:
    """The list, which follows by itself as long as the page is open."""
    pulse = st.session_state["pulse"] = _pulse(studio, _lines(studio, shown)[0])
    st.fragment(_draw_runs, run_every=BEAT_SECONDS if pulse[0] else RESTING_SECONDS)(studio, tuple(shown))


def _draw_runs(studio: Studio, shown: Sequence[str]) -> None:
    lines, more = _lines(studio, shown)
    live = [line for line in lines if line.live]
    if _pulse(studio, lines) != st.session_state.get("pulse"):
        # The rest of the page follows a race only while there is one, and says what keeps it from starting.
        st.rerun(scope="app")
    draw_heading(words.lab.RUNS)
    if live and studio.supervisor.trouble is None and not studio.supervisor.ready:
        st.caption(words.lab.WORKER_STARTING)
    if live and studio.may_train:
        told = words.lab.STOP_ALL_HELP
        if st.button(words.lab.STOP_ALL, key="stop-all", width="stretch", help=told):
            _ask(studio.supervisor.stop_all, [line.run for line in live])
    if not lines:
        st.caption(words.lab.NO_RUNS)
    for line in lines:
        with st.container(key=f"run-{line.run}", gap=None):
            _draw_line(studio, line)
    draw_unlisted(studio, more)
    draw_waiting(studio)
    if live and studio.may_train:
        _draw_changes(studio, live)


def draw_unlisted(studio: Studio, more: int = 0) -> None:
    """What is not in a list of runs: how many more there are, and where no run was looked for."""
    if more > 0:
        st.caption(words.lab.more_runs(more))
    if skipped := studio.skipped:
        with st.expander(words.lab.skipped_head(len(skipped))):
            # Names of folders are anybody's: text, and no Markdown.
            said = (words.lab.SKIPPED.format(folder=folder, reason=reason) for folder, reason in skipped[:50])
            st.text("\n".join(map(plain, said)))


def _lines(studio: Studio, shown: Sequence[str]) -> tuple[list[RunLine], int]:
    """Live runs first, then those on the stage, then the newest others, none of the demos; and how many more there are.

    Of those that are not drawn nothing is read but, once, how they ended.
    """
    listing, queued = studio.listing(shown), {}
    known = {run for run in (*shown, *studio.supervisor.queued_runs()) if (own := listing.by_run.get(run)) and own.own}
    for run in studio.supervisor.queued_runs():
        if run not in known:
            queued[run] = Recording(studio.hub.runs.folder(run), run_id=run).status().state
    place = {run: number for number, run in enumerate(shown)}
    live = [*listing.live, *(run for run, state in queued.items() if state in LIVE)]
    begun = [run for run in shown if run in known or run in queued]
    newest = [run.run_id for run in listing.own[: MOST_RUNS + len(begun) + len(live)]]
    drawn = list(dict.fromkeys([*live, *begun, *newest, *queued]))[: max(MOST_RUNS, len(live))]
    lines = [read_line(studio, studio.hub.recording(run)) for run in drawn]
    lines.sort(key=lambda line: (not line.live, place.get(line.run, len(place))))
    return lines, len(listing.own) + len(queued) - len(lines)


def _pulse(studio: Studio, lines: Sequence[RunLine]) -> tuple[bool, tuple[str, ...], Any]:
    """What the page beyond this list depends on: whether runs are live, which have begun, what keeps workers away."""
    begun = tuple(sorted(line.run for line in lines if line.status.state not in ("queued", "starting")))
    return any(line.live for line in lines), begun, studio.supervisor.trouble


def draw_trouble(studio: Studio) -> None:
    """Why nothing can be trained, with the trainer's last lines; nothing where all is well."""
    trouble = studio.supervisor.trouble
    if trouble is not None:
        after = words.lab.HOME_NEXT if trouble.log_tail is None else words.lab.WORKER_NEXT
        st.error(f"{trouble.head} {forms.escape(trouble.reason)} {after}")
        if trouble.log_tail is not None:
            st.code(trouble.log_tail or words.lab.EMPTY_LOG, language=None, wrap_lines=True, height=180)


def _draw_line(studio: Studio, line: RunLine) -> None:
    state, step, left = line.status.state, line.status.step, line.status.details.get("seconds_left")
    left = left if isinstance(left, int | float) else None
    said = words.lab.run_line(state, step, line.total, left, line.status.reason)
    if line.live and line.cluster:
        said += f", {words.lab.ON_CLUSTER.format(cluster=words.lab.PLACES[line.cluster])}"
    said += f", {words.lab.IN_FOLDER.format(folder=plain(line.folder))}" if line.folder else ""
    share = 100 * min(1.0, (step or 0) / line.total) if line.live and line.total else 0
    acts = line.live and studio.may_train
    resumes = line.resumes and studio.may_train
    widths = [6, 1, 1] if acts else [7, 1]
    name, *buttons = st.columns(widths, vertical_alignment="center") if acts or resumes else [st.container()]
    # Titles may come from a stranger's folder: all that is not text here is our own colour and a number.
    name.html(
        f'<div class="ltviz-run"><i style="background:{palette.method_colour(line.method or line.title)}"></i>'
        f"<div><b>{html.escape(line.title)}</b> <small>{html.escape(said)}</small>"
        f'<hr style="width:{share:.1f}%"></div></div>'
    )
    if acts:
        paused = state == "paused"
        label, act = (
            (words.lab.RESUME, studio.supervisor.resume) if paused else (words.lab.PAUSE, studio.supervisor.pause)
        )
        icon = ":material/play_arrow:" if paused else ":material/pause:"
        if buttons[0].button(icon, key=f"pause-{line.run}", help=label, type="tertiary"):
            _ask(act, line.run)
        if buttons[1].button(":material/stop:", key=f"stop-{line.run}", help=words.lab.STOP, type="tertiary"):
            _ask(studio.supervisor.stop, line.run)
    elif resumes and buttons[0].button(
        ":material/restart_alt:", key=f"go-on-{line.run}", help=words.lab.GO_ON, type="tertiary"
    ):
        _ask(studio.supervisor.go_on, line.run)
    if line.status.reason and state in ("failed", "lost"):
        st.text(line.status.reason)
        if tail := line.status.details.get("log_tail"):
            with st.expander(words.lab.SHOW_LOG):
                st.code(str(tail), language=None, wrap_lines=True)


def _draw_changes(studio: Studio, live: Sequence[RunLine]) -> None:
    """Temperature, learning rate, loss weights: what a live run lets one change."""
    # No popover: at the bottom of a screen it has no height for a chart.
    box = st.expander(words.lab.CHANGE, key="change", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(words.lab.CHANGE_HELP)
        titles = {line.run: line.title for line in live}
        runs = st.multiselect(
            words.lab.RUNS,
            list(titles),
            format_func=lambda run: titles.get(run, str(run)),
            placeholder=words.lab.ALL_LIVE,
            key="change-runs",
        )
        targets = [line for line in live if not runs or line.run in runs]
        fields = live_settings(studio, targets)
        name = st.selectbox(
            words.lab.SETTING, sorted(fields), format_func=lambda n: n.replace("_", " "), key="change-name"
        )
        if name is None:
            return
        field, now = fields[name]
        takers = [line for line in targets if name in live_settings(studio, [line])]
        if field.get("type") in ("number", "integer") and st.toggle(
            words.schedules.FROM_HERE, key="change-draws", help=words.schedules.FROM_HERE_HELP
        ):
            draw_from_here(studio, takers, name, field, float(now), _ask)
            return
        value = forms.draw_field(name, field, f"change-{name}", value=now)
        if st.button(words.lab.APPLY, key="change-apply"):
            sent = [_ask(studio.supervisor.change, line.run, {name: value}) for line in takers]
            if all(sent):
                st.caption(words.lab.APPLIED)


def live_settings(studio: Studio, lines: Sequence[RunLine]) -> dict[str, tuple[dict[str, Any], Any]]:
    """Name -> (schema, value at the start) of everything that these runs let one change while they train."""
    found: dict[str, tuple[dict[str, Any], Any]] = {}
    for line in lines:
        for part, schema in (
            ("method", studio.method(line.method).get("settings", {})),
            ("run", RunSettings.model_json_schema()),
        ):
            given = line.config.get(part)
            given = given if isinstance(given, dict) else {}
            for name, field in forms.live_fields(schema).items():
                found.setdefault(name, (dict(field), given.get(name, field.get("default"))))
    return found


def _ask(act: Any, *asked: Any) -> bool:
    try:
        act(*asked)
    except (LtvizError, OSError) as error:
        st.error(forms.escape(str(error)))
        return False
    return True
