"""What the address takes away of a page: `hide` and `fix` name controls; a hidden one keeps its value from the link.

The stage and the geometry lab read the same words for their own (app/stage/common/reduced.js); here are those of the
page around them, which begin with "page.".
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlencode

import streamlit as st

from .. import words

HIDE, FIX = "hide", "fix"
MOST = 100
LONGEST = 4_000
GONE = "gone-"
"""Of the key of a container that the style sheet hides: what is in it still has its value."""
CONTROLS: Mapping[str, tuple[str, ...]] = {
    "lab": ("nav", "train", "data", "imbalance", "choice", "dim", "steps", "more", "runs", "charts", "methods"),
    "compare": ("nav",),
    "embeddings": ("nav",),
    "geometry": ("nav",),
    "learn": ("nav", "ways", "slides", "words"),
}
"""By page; in an address they begin with "page."."""
FIXABLE = frozenset({"data", "imbalance", "choice", "dim", "steps", "more"})
PARAMETERS = {"data": "data", "imbalance": "imbalance", "choice": "methods", "dim": "dim", "steps": "steps"}
"""What the address calls the value of a control."""
IN_SLIDES = ("search", "tools", "view", "camera", "save", "badge", "keep", "speed", "now")
"""What nobody reads from the last row."""
FIELDS = "form-fields"
"""Key of a session: name of a control -> the key of its widget, or of each box by what it stands for."""


def is_hidden(name: str) -> bool:
    """Whether the address hides a control of the page."""
    return f"page.{name}" in _words(HIDE)


def is_fixed(name: str) -> bool:
    """Whether the address lets nobody change a control of the page; what is hidden nobody reaches anyway."""
    return f"page.{name}" in _words(FIX)


@contextmanager
def control(name: str) -> Iterator[None]:
    """What is drawn within is the control of this name: out of sight, with its value, where the address hides it."""
    if is_hidden(name):
        with st.container(key=f"{GONE}{name}"):
            yield
    else:
        yield


def remember(name: str, key: str | Mapping[str, str]) -> None:
    """Notes which widget holds a control's value, so that a link that is made can hold it too."""
    st.session_state.setdefault(FIELDS, {})[name] = key


def _value_of(name: str) -> str:
    """What a control stands at now, as an address says it; "" where that is not known."""
    key = st.session_state.get(FIELDS, {}).get(name)
    if isinstance(key, str):
        value = st.session_state.get(key)
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return ",".join(option for option, box in (key or {}).items() if st.session_state.get(box))


def draw_nav() -> None:
    """Takes the navigation away where the address does."""
    if is_hidden("nav"):
        st.html('<i class="ltviz-no-nav" hidden></i>')


def told(view: str, also: Sequence[str] = ()) -> dict[str, object]:
    """What a stage is told: what the address takes away, and which controls of the page around it could be.

    Args:
        also: what is hidden besides.
    """
    hidden = ",".join(filter(None, (st.query_params.get(HIDE, "")[:LONGEST], *also)))
    asked = {name: text for name, text in ((HIDE, hidden), (FIX, st.query_params.get(FIX, "")[:LONGEST])) if text}
    names = CONTROLS.get(view, ())
    return {
        "reduced": urlencode(asked, safe=","),
        "controls": [
            {"name": f"page.{name}", "title": words.shared.CONTROLS[name], "fixable": name in FIXABLE} for name in names
        ],
    }


def values() -> dict[str, tuple[str, str]]:
    """Control -> how an address says what it stands at now, of those whose widgets are known."""
    found = {name: _value_of(name) for name in PARAMETERS}
    return {f"page.{name}": (PARAMETERS[name], value) for name, value in found.items() if value}


def draw_values() -> None:
    """Leaves them where a link is made (app/stage/saving/reducedlink.js); what the stage is given stays as it is."""
    st.html(f'<i class="ltviz-form" data-values="{html.escape(json.dumps(values()))}" hidden></i>')


def _words(name: str) -> list[str]:
    return st.query_params.get(name, "")[:LONGEST].split(",")[:MOST]
