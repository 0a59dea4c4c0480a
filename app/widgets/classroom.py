"""A session's part in a class: beginning one, joining one by its link, going where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.components.v2 import component

from ltviz.errors import ConfigError
from ltviz.lessons.lesson import LAB

from .. import words
from ..service.classroom import CLASS, Page
from ..service.sharing import LINK
from ..service.studio import Studio
from .viewer import STREAM, loader

ENTRY = "together/classroom.js"
KEY, ATTENDING, GOING = "classroom", "attending", "going"
LED: dict[Page, tuple[str, frozenset[str]]] = {
    "lab": ("pages/lab.py", frozenset({"runs"})),
    "compare": ("pages/compare.py", frozenset({"runs"})),
    "geometry": ("pages/geometry.py", LAB),
    "learn": ("pages/learn.py", frozenset({"lesson", "step"})),
    "embeddings": ("pages/embeddings.py", frozenset({"runs"})),
}
"""Each page's file, and what of its address says where on it a class is; all else of an address is a person's own."""
LONGEST_SEARCH = 2_000


@dataclass(frozen=True)
class Attending:
    """The class that a session is in."""

    code: str
    secret: str | None = None
    """Of whoever leads it; None for those who follow."""


def draw_lead(studio: Studio) -> None:
    """The button with which a class begins; nothing where one is attended, or may not be begun."""
    if studio.serving and studio.may_train and _attending() is None:
        st.button(
            words.classroom.LEAD,
            key="lead-class",
            type="tertiary",
            help=words.classroom.LEAD_HELP,
            on_click=_begin,
            args=(studio,),
        )
    if (trouble := st.session_state.pop("class-trouble", None)) is not None:
        st.warning(trouble)


def draw_class(
    studio: Studio,
    page: Page,
    place: Mapping[str, str] | None = None,
    *,
    ask: Mapping[str, Any] | None = None,
    answer: Mapping[str, Any] | None = None,
) -> None:
    """The bar of the class that the session is in, and a way to wherever the class is; nothing without one.

    Args:
        place: what the address of this page says of where on it the session is, as it is in force.
        ask: the question that stands here: key, title, and options or low and high.
        answer: what was answered to it: question, said.
    """
    if (going := st.session_state.pop(GOING, None)) is not None:
        there, asked = going
        st.switch_page(LED[there][0], query_params=asked)
    if (attending := _attending()) is None:
        return
    if st.query_params.get(CLASS) != attending.code:
        st.query_params[CLASS] = attending.code
    share = "" if studio.sharing is None else f"&{urlencode({LINK: studio.sharing.token})}"
    component("ltviz_class", js=loader(ENTRY))(
        key=KEY,
        data={
            "stream": STREAM,
            "token": studio.token,
            "code": attending.code,
            "lead": attending.secret,
            "place": {"page": page, "search": urlencode(dict(place or {}), safe=",")},
            "ask": None if ask is None else dict(ask),
            "answer": None if answer is None else dict(answer),
            "share": share if attending.secret is not None else "",
            "over": words.classroom.OVER if studio.classrooms.find(attending.code) is None else "",
            "words": {**words.classroom.WORDS, "onlyHere": words.classroom.ONLY_HERE},
        },
        on_go_change=lambda: _go(page),
        on_left_change=_leave,
        on_claim_change=lambda: _claim(studio),
    )


def _attending() -> Attending | None:
    """The session's class: that of the address, which wins, else the one it is in."""
    known: Attending | None = st.session_state.get(ATTENDING)
    code = st.query_params.get(CLASS, "")[:40]
    if code and (known is None or known.code != code) and st.session_state.get("left-class") != code:
        known = st.session_state[ATTENDING] = Attending(code)
    return known


def _begin(studio: Studio) -> None:
    try:
        studio.check_trainer()
        room = studio.classrooms.open()
    except ConfigError as error:
        st.session_state["class-trouble"] = str(error)
        return
    st.session_state[ATTENDING] = Attending(room.code, room.secret)
    st.query_params[CLASS] = room.code


def _told(name: str) -> Any:
    return getattr(st.session_state.get(KEY), name, None)


def _go(page: Page) -> None:
    """Takes the session where the class is; what is no page, or says more than where on it, is ignored."""
    told, attending = _told("go"), _attending()
    if attending is None or not isinstance(told, Mapping):
        return
    pages: list[Page] = [known for known in LED if known == told.get("page")]
    there = pages[0] if pages else None
    search = told.get("search")
    if there is None or not isinstance(search, str) or len(search) > LONGEST_SEARCH:
        return
    led = {name: value for name, value in parse_qsl(search.removeprefix("?")) if name in LED[there][1]}
    if there == page:
        for name in LED[there][1]:
            if name in led:
                st.query_params[name] = led[name]
            else:
                st.query_params.pop(name, None)
    else:
        st.session_state[GOING] = there, {**led, CLASS: attending.code}


def _leave() -> None:
    if (attending := _attending()) is not None:
        st.session_state["left-class"] = attending.code
    st.session_state.pop(ATTENDING, None)
    st.query_params.pop(CLASS, None)


def _claim(studio: Studio) -> None:
    """A page that was reloaded leads its class again, if it knows the secret."""
    secret, attending = _told("claim"), _attending()
    if attending is not None and isinstance(secret, str) and studio.classrooms.leads(attending.code, secret):
        st.session_state[ATTENDING] = Attending(attending.code, secret)
