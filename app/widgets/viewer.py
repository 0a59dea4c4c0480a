"""Mounts the stage: one component, fed by its own socket, whose data change only when the runs do."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from ltviz.projection import REGISTRY

from .. import words
from ..service.look import stage_look
from ..service.projections import describe_projection
from ..service.stagescript import PAGE_ENTRIES, script_name
from ..service.studio import Studio
from .reduced import IN_SLIDES, is_hidden, told

STREAM = "/ltviz/stream"
TRAIN_BUTTON = "[data-testid=stSidebar] [data-testid=stBaseButton-primary]"
"""What the tour of the lab ends at."""
LATEST_CHARTS_SECONDS = 6.0
"""Charts wait so long for a stage that has nothing to show."""
LATE_SECONDS = 6.0
WITH_CARDS = ("lab", "compare")
"""Views whose pages show the card of a method that a panel asks for."""
LEDGER = ".st-key-pulls"
"""The ledger of pulls on the lab's page, which the card of a sample or class leads to."""
LEDGER_ASKED = "pulls-asked"
"""Key of the session: whose ledger such a card has asked for."""
# The stage's modules are served as one script, so that Streamlit never sends them again with an update. Streamlit runs
# this text from a blob, which has no address of its own that a path could be relative to; `frontpage` has found the
# app's root, and asked for the script already. Where it does not come, the page says so in the stage's place.
LOADER = """
const { entry, script, late, words } = %s, page = window.ltviz ?? {};
const address = new URL(`ltviz/stage/${script}`, page.root ?? new URL(".", document.baseURI)).href;
const stage = import(address).then((all) => all.use(entry));
const trouble = async (otherwise) => (await page.answerOf?.(address, "javascript")) || otherwise;
export default function (component) {
  let end, gone = false, note;
  const tell = async (otherwise) => {
    const answer = await trouble(otherwise);
    if (gone || end) return;
    const fill = page.fill ?? ((text) => text);
    note?.remove();
    note = Object.assign(document.createElement("p"), { role: "alert" });
    note.dataset.testid = "ltviz-missing";
    note.textContent = `${fill(words.missing, { address, answer })} ${fill(words.next, { root: page.root ?? "" })}`;
    component.parentElement.append(note);
  };
  const timer = setTimeout(() => tell(words.late), 1000 * late);
  stage.then((module) => {
    clearTimeout(timer);
    note?.remove();
    if (!gone) end = module.default(component);
  }, (error) => {
    clearTimeout(timer);
    tell(words.unknown.replace("{error}", () => String(error)));
  });
  return () => { gone = true; clearTimeout(timer); note?.remove(); end?.(); };
}
"""


@cache
def loader(entry: str = "stage.js") -> str:
    """The component's own script, for one of `stagescript.PAGE_ENTRIES`."""
    if entry not in PAGE_ENTRIES:
        raise ValueError(f"{entry} is no entry of the script that the page is given: {', '.join(PAGE_ENTRIES)}")
    told = {"entry": entry, "script": script_name(), "late": LATE_SECONDS}
    return LOADER % json.dumps({**told, "words": words.served.STAGE_MISSING})


def draw_stage(
    studio: Studio,
    runs: Sequence[str],
    *,
    view: str,
    step: int | None = None,
    titles: Mapping[str, str] | None = None,
    lit: Sequence[int] = (),
    scene: Mapping[str, Any] | None = None,
    welcome: str | None = None,
    lesson: Mapping[str, Any] | None = None,
) -> str | None:
    """The stage with one panel a run. `view` names this place on the site; each keeps its own camera.

    A `step` is held; None leaves the stage to itself, and to what the address asked for. `titles` are what runs are
    called in place of their own titles, which may be all the same. Samples whose ids are `lit` are selected in every
    panel, whenever they are others than before. A `scene` says what is to be seen, step included,
    as app/stage/saving/scene.js has it; the address is the page's own then, and the stage leaves it alone. `lesson` is
    what a step of one tells it besides: `wait`, `pointing`, `told` and `caption` of app/stage/common/types.js. Where
    newcomers are `welcome`, it is the selector of what the tour points at last.

    Returns:
        The run whose method's card has just been asked for, on its panel.
    """
    data = stage_data(studio, runs, view)
    data |= {} if step is None else {"step": step}
    data |= {"lit": list(lit)} if lit else {}
    # Only the lab has a form to train with.
    said = {} if view == "lab" else dict.fromkeys(("failedNext", "lostNext"), words.shared.TRAIN_IN_LAB)
    if scene is not None:
        said |= words.learn.STAGE
        data |= {"scene": dict(scene), "guest": True, "step": None, "hz": None, "projection": None}
        data |= lesson or {}
    data |= {"words": said} if said else {}
    data |= {} if titles is None else {"titles": {run: titles[run] for run in runs if run in titles}}
    data |= {} if welcome is None else {"welcome": welcome}
    data |= {"waits": True} if scene is None and not may_draw_charts(studio) else {}
    mount = component("ltviz_stage", js=loader())
    come = _let_charts_come
    answer = mount(key=f"stage-{view}", data=data, on_card_change=come, on_seen_change=come, on_ledger_change=come)
    if (ledger := answer.get("ledger")) is not None:
        st.session_state[LEDGER_ASKED] = ledger
    asked = answer.get("card")
    return asked if asked in runs else None


def draw_sign_in(studio: Studio) -> None:
    """For viewers: where those sign in who want more; nowhere where that would not help."""
    if studio.hub.runs.read_only:
        st.caption(studio.refusal)
        return
    st.html(f'<a href="ltviz/sign-in" target="_self">{html.escape(words.sharing.SIGN_IN_LINK)}</a>')


def may_draw_charts(studio: Studio) -> bool:
    """False until the stage shows points: the charts' library would keep the browser from them for seconds."""
    return not studio.serving or st.session_state.get("stage-begun", False)


def let_the_stage_begin() -> None:
    """A fragment for the charts' place. The stage says when it has begun; after a while the charts come without it."""
    st.fragment(_wait, run_every=LATEST_CHARTS_SECONDS)()


def _let_charts_come() -> None:
    st.session_state["stage-begun"] = True


def _wait() -> None:
    if st.session_state.get("stage-begun"):
        return  # the charts are on their way: to run the page once more would close a card that has just been opened
    if "stage-begun" in st.session_state:
        _let_charts_come()
        st.rerun(scope="app")
    st.session_state["stage-begun"] = False
    st.caption(words.shared.CHARTS_SOON)


def stage_data(studio: Studio, runs: Sequence[str], view: str) -> dict[str, Any]:
    """What the component is given: JSON, the same on every rerun as long as the runs are."""
    return {
        "stream": STREAM,
        "token": studio.token,
        "runs": list(runs),
        "hz": first_asked("hz", float),
        "step": first_asked("step", int),
        "projection": st.query_params.get("projection"),
        "projections": projection_choices(),
        "theme": theme(),
        **stage_look(),
        "view": view,
        **told(view, IN_SLIDES if view == "learn" and st.query_params.get("slides") == "1" else ()),
        "cards": view in WITH_CARDS,
        "ledger": LEDGER if view == "lab" and not is_hidden("charts") else None,
    }


def projection_choices() -> list[dict[str, Any]]:
    """The projections of the stage's menu, the default first."""
    return [describe_projection(name) for name in REGISTRY if name != "none"]


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


def text_asked(name: str) -> str | None:
    """A word of the address, as it was when the page opened; None where there is none."""
    kept = st.session_state.setdefault("asked", {})
    return kept.setdefault(name, st.query_params.get(name, "")[:400] or None)
