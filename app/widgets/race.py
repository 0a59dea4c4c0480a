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
from ltviz.recipes import Recipe
from ltviz.recording import new_run_id
from ltviz.recording.names import slug
from ltviz.training.controls import SCHEDULES
from ltviz.training.settings import EQUAL_VIEWS, OPTIMISATION

from .. import words
from ..service.studio import Studio
from . import forms
from .plan import draw_classes, draw_plan
from .recipe import Start, differing, draw_about, draw_changes, draw_choice, key_of, start_from
from .reduced import control, draw_values, is_fixed, is_hidden, remember
from .schedules import draw_schedules, races, rivals
from .style import draw_heading
from .viewer import first_asked, text_asked
from .where import away_of, draw_where

MOST_STEPS = 10_000_000
SHOWN = ("data", "imbalance_factor", "dim", "steps")
HIDDEN = ("data_dir", "image_root", "nodes", "threads", SCHEDULES)
"""Drawn beside the data set where it has such, in a part of their own, or not at all."""
CUT = ("max_per_class", "profile", "seed", "image_size", "skip_bad")
"""Settings under "More settings" that the counts depend on too."""
WHAT_IF = "what_if"
"""A list of methods, which are chosen here instead of typed."""


def draw_race(studio: Studio) -> list[str] | None:
    """The form; the ids of the runs that were just started, or None."""
    recipe = draw_choice()
    start, chosen, about = _draw_data(studio, recipe)
    draw_heading(words.lab.RACE)
    if recipe is None:
        several = data_registry.source(chosen["data"]).several_labels
        methods = _draw_methods(studio.catalogue, several=several)
    else:
        methods = [recipe.method]
        draw_about(recipe)
    chosen |= _draw_extent(start)
    more, own = _draw_more(studio, start, methods)
    followed = draw_schedules(studio, start, methods, None if "epochs" in start.run else chosen.get("steps"))
    run = {**start.run, **chosen, **more, **followed}
    settings = {name: {**start.settings_of(name), **own.get(name, {})} for name in methods}
    where = draw_where()
    draw_values()
    started = st.button(words.lab.TRAIN, type="primary", width="stretch", disabled=not methods)
    if not methods:
        st.caption(words.lab.CHOOSE_METHOD)
    if draw_plan(about, run, len(methods)) and recipe is not None:
        draw_changes(recipe, run, settings[recipe.method])
    if not started:
        return None
    try:
        if races(text := str(run.get(SCHEDULES, ""))):
            return start_rivals(studio, methods, run, settings, rivals(text), recipe, where)
        return start_race(studio, methods, run, settings, recipe, where)
    except LtvizError as error:
        st.error(forms.escape(str(error)))
        return None


def start_race(
    studio: Studio,
    methods: list[str],
    run: dict[str, Any],
    settings: dict[str, dict[str, Any]],
    recipe: Recipe | None = None,
    where: Mapping[str, Any] | None = None,
    *,
    shape: str = "",
) -> list[str]:
    """Queues one job with a run for each method; gives their ids, in order. LtvizError for settings out of bounds.

    Args:
        where: fields of `Away` for a race on a cluster.
        shape: what the titles say of the curves that are followed; nothing where it is empty.
    """
    race = new_run_id(run["data"][:20])
    titles = {method: studio.method(method).get("card", {}).get("title", method) for method in methods if shape}
    own = {method: settings.get(method, {}) for method in methods}
    followed = None if recipe is None else recipe.about(differing(recipe, run, own[recipe.method]))
    runs = tuple(
        launch.JobRun(
            run_id=slug(f"{race}-{method}"),
            method=method,
            settings=own[method],
            recipe=followed,
            title=words.schedules.TITLE.format(method=titles[method], shape=shape)[:120] if shape else None,
        )
        for method in methods
    )
    job = launch.Job(job_id=race, runs=runs, run=run)
    if where:
        studio.supervisor.send_away(away_of(job, where))
    else:
        studio.supervisor.submit(job)
    return [member.run_id for member in runs]


def start_rivals(
    studio: Studio,
    methods: list[str],
    run: dict[str, Any],
    settings: dict[str, dict[str, Any]],
    shapes: Mapping[str, str],
    recipe: Recipe | None = None,
    where: Mapping[str, Any] | None = None,
) -> list[str]:
    """A race for each of several schedules, from one start; the ids of the runs, those of a method side by side.

    Args:
        shapes: key of `words.schedules.RIVALS` -> schedules.
    """
    begun = []
    for shape, text in shapes.items():
        told = words.schedules.RIVALS[shape]
        begun.append(start_race(studio, methods, {**run, SCHEDULES: text}, settings, recipe, where, shape=told))
    return [run_id for together in zip(*begun, strict=True) for run_id in together]


def _draw_data(studio: Studio, recipe: Recipe | None) -> tuple[Start, dict[str, Any], Description | None]:
    """What the other fields start from on the data that is chosen, what is set of the data, and what there is to say of
    it; None where that fails, which is said."""
    sources = data_registry.sources()
    draw_heading(words.lab.DATA)
    left, right = st.columns(2)
    with left, control("data"):
        fitting = list(sources)
        if recipe is not None:
            several = sources[recipe.run_settings.data].several_labels
            fitting = [name for name, source in sources.items() if source.several_labels == several]
        asked = text_asked("data")
        remember("data", f"{key_of(recipe)}-data")
        first = recipe.run_settings.data if recipe else asked if asked in fitting else fitting[0]
        data = st.selectbox(
            words.lab.DATA_SET,
            fitting,
            fitting.index(first),
            format_func=lambda n: sources[n].title,
            key=f"{key_of(recipe)}-data",
            disabled=is_fixed("data"),
        )
    start = start_from(recipe, data)
    fields = forms.fields_of(start.schema)
    with right, control("imbalance"):
        told = {"title": words.lab.IMBALANCE, "description": words.lab.IMBALANCE_HELP}
        field = {**fields["imbalance_factor"], **told}
        asked, key = _asked_within("imbalance", field), f"{start.key}-imbalance"
        remember("imbalance", key)
        factor = forms.draw_field("imbalance_factor", field, key, value=asked, disabled=is_fixed("imbalance"))
    chosen = {"data": data, "imbalance_factor": factor, **_draw_files(sources[data], fields)}
    more = _kept(start)["run"]
    cut = {name: more.get(name, start.run.get(name)) for name in CUT if name in more or name in start.run} | {
        name: value for name, value in chosen.items() if name != "data"
    }
    try:
        about = data_registry.describe(data, **cut)
    except LtvizError as error:
        st.caption(words.lab.NO_COUNTS.format(reason=forms.escape(str(error))))
        return start, chosen, None
    draw_classes(studio, about, cut)
    return start, chosen, about


def _asked_within(name: str, field: Mapping[str, Any]) -> float | None:
    """A number of the address that a field allows; None for any other."""
    asked = first_asked(name, float)
    low, high = field.get("minimum", -MOST_STEPS), field.get("maximum", MOST_STEPS)
    return asked if asked is not None and low <= asked <= high else None


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
    asked = set((text_asked("methods") or "").split(",")).intersection(titles)
    chosen, fixed = [], is_fixed("choice")
    remember("choice", {name: f"race-method-{name}" for name in titles})
    with control("choice"):
        columns = st.columns(2, gap="xsmall")
        for i, (name, title) in enumerate(titles.items()):
            first = name in asked if asked else several or name in words.lab.DEFAULT_RACE
            with columns[i % 2]:
                if st.checkbox(forms.escape(title), first, key=f"race-method-{name}", disabled=fixed):
                    chosen.append(name)
    return chosen


def _draw_extent(start: Start) -> dict[str, Any]:
    """Dimensions, how long is trained, in epochs where a recipe says so, and whether all methods see as much."""
    chosen: dict[str, Any] = {}
    left, right = st.columns(2)
    with left, control("dim"):
        dim = min(max(first_asked("dim", int) or start.run.get("dim", 3), 2), 4096)
        key, fixed = f"{start.key}-dim", is_fixed("dim")
        remember("dim", key)
        chosen["dim"] = int(
            st.number_input(words.lab.DIM, 2, 4096, dim, help=words.lab.DIM_HELP, key=key, disabled=fixed)
        )
    fixed = is_fixed("steps")
    with right, control("steps"):
        if "epochs" in start.run:
            told = {"title": words.lab.EPOCHS, "description": words.lab.EPOCHS_HELP}
            field = forms.fields_of(start.schema)["epochs"]
            key = f"{start.key}-epochs"
            chosen["epochs"] = forms.draw_field("epochs", {**field, **told}, key, disabled=fixed)
        else:
            asked = min(max(first_asked("steps", int) or 300, 1), MOST_STEPS)
            key = f"{start.key}-steps"
            remember("steps", key)
            chosen["steps"] = int(
                st.number_input(
                    words.lab.STEPS, 1, MOST_STEPS, asked, help=words.lab.STEPS_HELP, key=key, disabled=fixed
                )
            )
    if start.recipe is None:
        told = words.lab.EQUAL_IMAGES_HELP.format(views=EQUAL_VIEWS)
        if st.toggle(words.lab.EQUAL_IMAGES, key="race-equal", help=told):
            chosen["views"] = EQUAL_VIEWS
    return chosen


def _draw_what_if(catalogue: dict[str, Any], start: Start, asked: list[str]) -> dict[str, str]:
    """The methods whose forces are measured beside each run's own; empty where there are none."""
    titles = {entry["name"]: entry["card"]["title"] for entry in catalogue["methods"] if entry.get("what_if")}
    chosen = st.multiselect(
        words.lab.WHAT_IF,
        list(titles),
        [name for name in asked if name in titles],
        format_func=titles.__getitem__,
        key=f"{start.key}-{WHAT_IF}",
        help=start.schema["properties"][WHAT_IF]["description"],
        placeholder=words.lab.WHAT_IF_NONE,
    )
    return {WHAT_IF: ",".join(chosen)} if chosen else {}


def _draw_optimisation(start: Start, fields: list[str], kept: dict[str, Any]) -> dict[str, Any]:
    """Optimiser, schedule and head, which few people change: folded away until they are asked for, or a recipe sets
    them."""
    before = {name: value for name, value in kept.items() if name in fields}
    shown = bool(before) or start.recipe is not None
    if not st.toggle(words.lab.OPTIMISATION, shown, key=f"{start.key}-optimisation", help=words.lab.OPTIMISATION_HELP):
        return before
    return forms.draw_form(start.schema, start.key, fields=fields, kept=before)


def _kept(start: Start) -> dict[str, Any]:
    """What is set under "More settings" otherwise than `start` has it."""
    return st.session_state.setdefault(f"{start.key}-kept", {"run": {}, "methods": {}})


def _draw_more(studio: Studio, start: Start, methods: list[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Run settings and method settings that differ from where they start; kept while they are folded away."""
    catalogue = studio.catalogue
    kept = _kept(start)
    if is_hidden("more") or is_fixed("more"):
        return kept["run"], kept["methods"]
    box = st.expander(words.lab.MORE, key="race-more", on_change="rerun")
    if not box.open:
        # Dozens of widgets that nobody looks at would cost each visitor a second.
        return kept["run"], kept["methods"]
    with box:
        schema = start.schema
        shown = (*SHOWN, *HIDDEN, WHAT_IF, *(["epochs"] if "epochs" in start.run else []))
        folded = [name for name in forms.group_of(schema, OPTIMISATION) if name not in shown]
        fields = [name for name in forms.fields_of(schema) if name not in (*shown, *folded)]
        asked = kept["run"].get(WHAT_IF, "").split(",")
        before = kept["run"]
        kept["run"] = forms.draw_form(schema, start.key, fields=fields, kept=before)
        kept["run"] |= _draw_optimisation(start, folded, before)
        if catalogue is None:
            st.caption(words.lab.NO_CATALOGUE if studio.supervisor.trouble is None else words.lab.WORKER_BROKEN)
            return kept["run"], kept["methods"]
        if not any(entry.get("several_labels") for entry in catalogue["methods"] if entry["name"] in methods):
            kept["run"] |= _draw_what_if(catalogue, start, asked)
        for entry in catalogue["methods"]:
            name, settings = entry["name"], entry.get("settings", {})
            if name in methods and settings.get("properties"):
                st.markdown(f"**{forms.escape(entry['card']['title'])}**")
                form = forms.with_defaults(settings, start.settings_of(name))
                kept["methods"][name] = forms.draw_form(form, f"{start.key}-{name}", kept=kept["methods"].get(name))
    return kept["run"], kept["methods"]
