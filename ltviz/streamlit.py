"""The stage inside somebody else's Streamlit app.

import streamlit as st
import ltviz.streamlit

st.title("My app")
ltviz.streamlit.stage("checkpoints/my-run")
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from ltviz.integrations.runs import Runs, run_folders
from ltviz.launch.app import load_app

load_app()
from ltviz_app.service.feed import Feed, Sent, background  # noqa: E402
from ltviz_app.service.packing import stage_without_stream  # noqa: E402
from ltviz_app.service.projections import DEFAULT_PROJECTION  # noqa: E402
from ltviz_app.service.stagefiles import stage_style  # noqa: E402
from ltviz_app.service.stagescript import bundle  # noqa: E402

ANSWER_SECONDS = 60.0

# The stage's modules come in a component of their own, which stands beside the others and never changes: Streamlit
# sends a component's script again with every answer.
_WAITER = """
const found = (async () => {
  while (!window.ltviz?.modules?.[%(key)s]) await new Promise((done) => setTimeout(done, 30));
  return (await window.ltviz.modules[%(key)s]).default;
})();
export default function (component) {
  let end, gone = false;
  found.then((mount) => { if (!gone) end = mount(component); });
  return () => { gone = true; end?.(); };
}
"""


def stage(runs: Runs, *, projection: str | None = None, key: str | None = None) -> None:
    """Draws the stage of one or several runs, live while they are written, in an app run by plain `streamlit run`.

    Only this part of the script runs again for new frames, twice a second at most, and not at all once all runs have
    ended. Frames go to the browser once: time is walked there without the server.

    Args:
        runs: a run folder, which need not be there yet, the id of a run in `ltviz.recording.checkpoints_home()`, an
            `ltviz.Recording`, or several of these: one panel a run.
        projection: how more than three dimensions are shown: "centres", "pca", "umap", ...; None takes the usual one.
        key: as of any widget; two stages of the same runs on one page need different ones.

    Raises:
        ConfigError: a path where no run can be, or an unknown projection.
    """
    folders = run_folders(runs)
    feed = _feed_of(tuple(folders.items()), projection or DEFAULT_PROJECTION)
    told = json.dumps([[run, str(folder)] for run, folder in folders.items()] + [feed.projection])
    name = f"ltviz-{key or hashlib.sha256(told.encode()).hexdigest()[:12]}"
    script, _ = bundle("component.js")
    component("ltviz_modules", js=f"{script}\nexport default () => {{}};")(key=f"{name}-modules")
    st.fragment(_draw)(feed, name, told)


def _draw(feed: Feed, name: str, told: str) -> None:
    """What the page is answered: runs again whenever its stage says what it has."""
    kept = st.session_state.get(f"{name}-sent")
    if kept is None or kept["told"] != told:
        kept = st.session_state[f"{name}-sent"] = {"told": told, "sent": Sent(), "parcel": None, "turn": None}
    asked = (st.session_state.get(name) or {}).get("have") or {}
    parcel, have = kept["parcel"], asked.get("n")
    lost = have == 0 and asked.get("turn") != kept["turn"]
    kept["turn"] = asked.get("turn")
    if lost:
        kept["sent"].forget()
    # What has not been acknowledged may never have come: Streamlit sends only the last of several answers.
    if parcel is None or lost or have == parcel["n"]:
        parcel = kept["parcel"] = background().start(feed.parcel(kept["sent"])).result(ANSWER_SECONDS)
    view = f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:6]}"
    data = {
        "stage": stage_without_stream(feed.runs, feed.projection, view) | {"guest": True},
        "parcel": parcel,
        # An answer without news is one all the same.
        "turn": asked.get("turn"),
    }
    _, module = bundle("component.js")
    mount = component("ltviz_stage_guest", js=_WAITER % {"key": json.dumps(module)}, css=stage_style())
    mount(key=name, data=data, on_have_change=lambda: None)


@lru_cache(32)
def _feed_of(folders: tuple[tuple[str, Path], ...], projection: str) -> Feed:
    """One for all sessions that look at the same runs."""
    return Feed(dict(folders), projection)
