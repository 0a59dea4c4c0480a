"""Mounts the stage: one component, fed by its own socket, whose data change only when the runs do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from ltviz_app import words
from ltviz_app.look import stage_look
from ltviz_app.studio import Studio

from ltviz.projection import REGISTRY

STREAM = "/ltviz/stream"
HEAD_START_SECONDS = 1.5
# The stage's modules are served as files, so that Streamlit never sends them again with an update. Streamlit runs this
# text from a blob, which has no address of its own that a path could be relative to. All modules are asked for at once:
# left to their imports they would come in five waves, and a busy browser takes a second for each.
LOADER = """
const at = (name) => new URL(`/ltviz/stage/${name}`, document.baseURI).href;
for (const name of %s) {
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: at(name) }));
}
const stage = import(at("stage.js"));
export default function (component) {
  let end, gone = false;
  stage.then((module) => { if (!gone) end = module.default(component); });
  return () => { gone = true; end?.(); };
}
"""


@cache
def loader() -> str:
    """The component's own script, with the names of the stage's modules."""
    return LOADER % json.dumps(sorted(path.name for path in (Path(__file__).parent / "stage").glob("*.js")))


def draw_stage(
    studio: Studio,
    runs: Sequence[str],
    *,
    view: str,
    step: int | None = None,
    titles: Mapping[str, str] | None = None,
) -> None:
    """The stage with one panel a run. `view` names this place on the site; each keeps its own camera.

    A `step` is held; None leaves the stage to itself, and to what the address asked for. `titles` are what runs are
    called in place of their own titles, which may be all the same.
    """
    data = stage_data(studio, runs, view)
    data |= {} if step is None else {"step": step}
    # Only the lab has a form to train with.
    data |= {} if view == "lab" else {"words": {"failedNext": words.TRAIN_IN_LAB}}
    data |= {} if titles is None else {"titles": {run: titles[run] for run in runs if run in titles}}
    st.components.v2.component("ltviz_stage", js=loader())(key=f"stage-{view}", data=data)


def may_draw_charts(studio: Studio) -> bool:
    """False in a session's first second: the charts' library would keep the browser from the spheres for several."""
    return not studio.serving or st.session_state.get("stage-begun", False)


def let_the_stage_begin() -> None:
    """A fragment for the charts' place: after the stage's head start it runs the page again, with charts."""
    st.fragment(_wait, run_every=HEAD_START_SECONDS)()


def _wait() -> None:
    if "stage-begun" in st.session_state:
        st.session_state["stage-begun"] = True
        st.rerun(scope="app")
    st.session_state["stage-begun"] = False
    st.caption(words.CHARTS_SOON)


def stage_data(studio: Studio, runs: Sequence[str], view: str) -> dict[str, Any]:
    """What the component is given: JSON, the same on every rerun as long as the runs are."""
    return {
        "stream": STREAM,
        "token": studio.token,
        "runs": list(runs),
        "hz": first_asked("hz", float),
        "step": first_asked("step", int),
        "projection": st.query_params.get("projection"),
        "projections": [
            {"name": name, "title": kind.title, "short": kind.short}
            for name, kind in REGISTRY.items()
            if name != "none"
        ],
        "theme": theme(),
        **stage_look(),
        "view": view,
    }


def theme() -> str | None:
    """ "light" or "dark" as the browser says; None before it has."""
    return st.context.theme.type


def first_asked(name: str, cast: type) -> Any:
    """A number from the address, as it was when the page opened; None where there is none, or no number.

    The stage keeps the address up to date while it plays; if that came back as new data, it would start anew.
    """
    kept = st.session_state.setdefault("asked", {})
    if name not in kept:
        try:
            kept[name] = cast(float(st.query_params[name]))
        except (KeyError, ValueError, OverflowError):
            kept[name] = None
    return kept[name]
