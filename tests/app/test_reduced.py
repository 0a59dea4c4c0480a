"""Links with fewer controls, on the server's side: names, values of the form, and what is documented."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import streamlit as st
from ltviz_app import words
from ltviz_app.widgets import reduced

README = Path(__file__).parents[2] / "app" / "lessons" / "README.md"
STAGE = Path(__file__).parents[2] / "app" / "stage"


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The page's query, as a session would have it."""
    asked: dict[str, str] = {}
    monkeypatch.setattr(st, "query_params", asked)
    monkeypatch.setattr(st, "session_state", {})
    return asked


def test_every_control_of_a_page_has_a_title_and_is_documented() -> None:
    names = {name for page in reduced.CONTROLS.values() for name in page}
    assert names == set(words.shared.CONTROLS)
    assert names >= reduced.FIXABLE
    assert names >= set(reduced.PARAMETERS)
    text = README.read_text(encoding="utf-8")
    assert [name for name in names if f"`page.{name}`" not in text] == []


def test_what_slides_hide_the_stage_knows() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in STAGE.rglob("*.js"))
    worn = set(re.findall(r'\["(\w+)", this\.', sources)) | set(re.findall(r'"(\w+)",?\s*\)', sources))
    assert worn >= set(reduced.IN_SLIDES)


def test_the_stage_is_told_what_the_address_takes_away(address: dict[str, str]) -> None:
    address |= {"hide": "search,page.runs", "fix": "page.dim", "runs": "demo-ce"}
    assert reduced.is_hidden("runs")
    assert reduced.is_fixed("dim")
    assert not reduced.is_hidden("dim")
    told = reduced.told("lab", ("badge",))
    assert parse_qs(str(told["reduced"])) == {"hide": ["search,page.runs,badge"], "fix": ["page.dim"]}
    assert reduced.told("nowhere")["controls"] == []


def test_a_link_holds_what_the_form_stands_at(address: dict[str, str]) -> None:
    st.session_state.update({"a-dim": 7, "a-imbalance": 20.5, "box-ce": True, "box-bcl": False})
    reduced.remember("dim", "a-dim")
    reduced.remember("imbalance", "a-imbalance")
    reduced.remember("choice", {"ce": "box-ce", "bcl": "box-bcl"})
    asked = reduced.values()
    assert asked["page.dim"] == ("dim", "7")
    assert asked["page.imbalance"] == ("imbalance", "20.5")
    assert asked["page.choice"] == ("methods", "ce")
    assert "page.steps" not in asked


def test_a_hostile_address_is_cut(address: dict[str, str]) -> None:
    address["hide"] = "page.runs," * 10_000 + "page.dim"
    assert reduced.is_hidden("runs")
    assert not reduced.is_hidden("dim")
    assert len(str(reduced.told("lab")["reduced"])) < 20_000
