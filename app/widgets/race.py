"""The form that starts a race: data, methods, dimensions, steps, and everything else under "More settings"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ltviz import launch
from ltviz.data import registry as data_registry
from ltviz.data.registry import Description
from ltviz.data.source import Source
from ltviz.errors import LtvizError
from ltviz.recording import new_run_id
from ltviz.recording.names import slug
from ltviz.training.settings import EQUAL_VIEWS, LAB_WATCH_SHARE, OPTIMISATION, RunSettings

from .. import words
from ..service.studio import Studio
from . import forms
from .plan import draw_classes, draw_plan
from .style import draw_heading
from .viewer import first_asked

MOST_STEPS = 10_000_000
SHOWN = ("data", "imbalance_factor", "dim", "steps")
HIDDEN = ("data_dir", "image_root", "threads")
"""Drawn beside the data set where it has such, or not at all."""
CUT = ("max_per_class", "profile", "seed", "image_size", "skip_bad")
"""Settings under "More settings" that the counts depend on too."""
WHAT_IF = "what_if"
"""A list of methods, which are chosen here instead of typed."""


def draw_race(studio: Studio) -> list[str] | None:
    """The form; the ids of the runs that were just started, or None."""
    schema = RunSettings.model_json_schema()
    chosen, about = _draw_data(studio, schema)
    draw_heading(words.lab.RACE)
    methods = _draw_methods(studio.catalogue, several=data_registry.source(chosen["data"]).several_labels)
    left, right = st.columns(2)
    with left:
        chosen["dim"] = int(st.number_input(words.lab.DIM, 2, 4096, 3, help=words.lab.DIM_HELP, key="race-dim"))
    with right:
        asked = min(max(first_asked("steps", int) or 300, 1), 10_000_000)
        chosen["steps"] = int(
            st.number_input(words.lab.STEPS, 1, 10_000_000, asked, help=words.lab.STEPS_HELP, key="race-steps")
        )
    if st.toggle(words.lab.EQUAL_IMAGES, key="race-equal", help=words.lab.EQUAL_IMAGES_HELP.format(views=EQUAL_VIEWS)):
        chosen["views"] = EQUAL_VIEWS
    more, own = _draw_more(studio, schema, methods)
    run = {"watch_share": LAB_WATCH_SHARE, **chosen, **more}
    started = st.button(words.lab.TRAIN, type="primary", width="stretch", disabled=not methods)
    if not methods:
        st.caption(words.lab.CHOOSE_METHOD)
    draw_plan(about, run, len(methods))
    if not started:
        return None
    try:
        return start_race(studio, methods, run, own)
    except LtvizError as error:
        st.error(forms.escape(str(error)))
        return None


def start_race(
    studio: Studio, methods: list[str], run: dict[str, Any], settings: dict[str, dict[str, Any]]
) -> list[str]:
    """Queues one job with a run for each method; gives their ids, in order. LtvizError for settings out of bounds."""
    race = new_run_id(run["data"][:20])
    runs = tuple(
        launch.JobRun(run_id=slug(f"{race}-{method}"), method=method, settings=settings.get(method, {}))
        for method in methods
    )
    studio.supervisor.submit(launch.Job(job_id=race, runs=runs, run=run))
    return [member.run_id for member in runs]


def _draw_data(studio: Studio, schema: dict[str, Any]) -> tuple[dict[str, Any], Description | None]:
    """What is set of the data, and what there is to say of it; None where that fails, which is said."""
    sources = data_registry.sources()
    draw_heading(words.lab.DATA)
    left, right = st.columns(2)
    with left:
        data = st.selectbox(words.lab.DATA_SET, list(sources), format_func=lambda n: sources[n].title, key="race-data")
    with right:
        field = forms.fields_of(schema)["imbalance_factor"]
        factor = forms.draw_field(
            "imbalance_factor",
            {**field, "title": words.lab.IMBALANCE, "description": words.lab.IMBALANCE_HELP},
            "race-imbalance",
        )
    chosen = {"imbalance_factor": factor, **_draw_files(sources[data], forms.fields_of(schema))}
    more = st.session_state.get("race-kept", {"run": {}})["run"]
    cut = chosen | {name: more[name] for name in CUT if name in more}
    try:
        about = data_registry.describe(data, **cut)
    except LtvizError as error:
        st.caption(words.lab.NO_COUNTS.format(reason=forms.escape(str(error))))
        return {"data": data, **chosen}, None
    draw_classes(studio, about, cut)
    return {"data": data, **chosen}, about


def _draw_files(source: Source, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Where the files of a data set are, and its own settings; nothing for one that has neither."""
    asked = (("data_dir", source.needs_files), ("image_root", source.reads_images))
    chosen = {
        name: forms.draw_field(name, {**fields[name], "title": words.lab.FILES[name]}, f"race-{name}")
        for name, has in asked
        if has
    }
    options = {}
    if (schema := source.Options.model_json_schema()).get("properties"):
        with st.expander(words.lab.SET_OPTIONS, key=f"race-options-{source.name}"):
            options = forms.draw_form(schema, f"race-data-{source.name}")
    return {name: value for name, value in chosen.items() if value} | ({"data_options": options} if options else {})


def _draw_methods(catalogue: dict[str, Any] | None, *, several: bool) -> list[str]:
    """Boxes of the methods that fit the data: those for several labels a sample, or those for one."""
    titles = {} if several else dict(words.lab.DEFAULT_RACE)
    for entry in (catalogue or {}).get("methods", []):
        if entry.get("several_labels", False) == several:
            titles[entry["name"]] = entry.get("card", {}).get("title", entry["name"])
    columns = st.columns(2, gap="xsmall")
    chosen = []
    for i, (name, title) in enumerate(titles.items()):
        with columns[i % 2]:
            if st.checkbox(forms.escape(title), several or name in words.lab.DEFAULT_RACE, key=f"race-method-{name}"):
                chosen.append(name)
    return chosen


def _draw_what_if(catalogue: dict[str, Any], schema: dict[str, Any], asked: list[str]) -> dict[str, str]:
    """The methods whose forces are measured beside each run's own; empty where there are none."""
    titles = {entry["name"]: entry["card"]["title"] for entry in catalogue["methods"] if entry.get("what_if")}
    chosen = st.multiselect(
        words.lab.WHAT_IF,
        list(titles),
        [name for name in asked if name in titles],
        format_func=titles.__getitem__,
        key=f"race-{WHAT_IF}",
        help=schema["properties"][WHAT_IF]["description"],
        placeholder=words.lab.WHAT_IF_NONE,
    )
    return {WHAT_IF: ",".join(chosen)} if chosen else {}


def _draw_optimisation(form: dict[str, Any], fields: list[str], kept: dict[str, Any]) -> dict[str, Any]:
    """Optimiser, schedule and head, which few people change: folded away until they are asked for."""
    before = {name: value for name, value in kept.items() if name in fields}
    if not st.toggle(words.lab.OPTIMISATION, bool(before), key="race-optimisation", help=words.lab.OPTIMISATION_HELP):
        return before
    return forms.draw_form(form, "race", fields=fields, kept=before)


def _draw_more(
    studio: Studio, schema: dict[str, Any], methods: list[str]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Run settings and method settings that differ from the defaults; kept while they are folded away."""
    catalogue = studio.catalogue
    kept = st.session_state.setdefault("race-kept", {"run": {}, "methods": {}})
    box = st.expander(words.lab.MORE, key="race-more", on_change="rerun")
    if not box.open:
        # Dozens of widgets that nobody looks at would cost each visitor a second.
        return kept["run"], kept["methods"]
    with box:
        folded = forms.group_of(schema, OPTIMISATION)
        fields = [name for name in forms.fields_of(schema) if name not in (*SHOWN, *HIDDEN, *folded, WHAT_IF)]
        properties = {**schema["properties"]}
        properties["watch_share"] = {**properties["watch_share"], "default": LAB_WATCH_SHARE}
        form = {**schema, "properties": properties}
        asked = kept["run"].get(WHAT_IF, "").split(",")
        before = kept["run"]
        kept["run"] = forms.draw_form(form, "race", fields=fields, kept=before)
        kept["run"] |= _draw_optimisation(form, folded, before)
        if catalogue is None:
            st.caption(words.lab.NO_CATALOGUE if studio.supervisor.trouble is None else words.lab.WORKER_BROKEN)
            return kept["run"], kept["methods"]
        if not any(entry.get("several_labels") for entry in catalogue["methods"] if entry["name"] in methods):
            kept["run"] |= _draw_what_if(catalogue, schema, asked)
        for entry in catalogue["methods"]:
            name, settings = entry["name"], entry.get("settings", {})
            if name in methods and settings.get("properties"):
                st.markdown(f"**{forms.escape(entry['card']['title'])}**")
                kept["methods"][name] = forms.draw_form(settings, f"race-{name}", kept=kept["methods"].get(name))
    return kept["run"], kept["methods"]
