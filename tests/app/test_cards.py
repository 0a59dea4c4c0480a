"""A method's card: the formula in its colours, the settings in force, and what changes did."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ltviz_app import words
from ltviz_app.service import programs
from ltviz_app.service.programs import Programs
from ltviz_app.widgets import card

import ltviz
from ltviz.errors import LtvizError
from ltviz.recording import Recording

DEMO = Path(__file__).parents[2] / "checkpoints" / "demo-tsc"
INKS = {"pull": "#00aa00", "push": "#0000aa"}
ENTRY = {
    "settings": {
        "properties": {
            "temperature": {"default": 0.1, "description": "Of the similarities."},
            "order": {"default": "random", "description": "How | they are drawn."},
        }
    }
}


def changed_run(path: Path) -> Recording:
    events = [{"kind": "setting", "name": "temperature", "value": 0.5, "before": 0.1, "step": 15}]
    with ltviz.record(path, labels=[0, 1, 0, 1]) as run:
        for step in range(0, 40, 10):
            metrics = {"accuracy_few": 0.2 + step / 100}
            run.frame(step, embeddings=np.eye(4, 3) + 0.1, metrics=metrics, events=events if step == 20 else [])
    return Recording(path)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        (r"a + \frac{1}{2}", r"a + \frac{1}{2}"),
        (r"\term{pull}{e^{x}} + b", r"\textcolor{#00aa00}{{e^{x}}} + b"),
        (r"\term{push}{\sum \term{pull}{a_{i}} c}", r"\textcolor{#0000aa}{{\sum \textcolor{#00aa00}{{a_{i}}} c}}"),
        (r"\term{wind}{a}", "a"),
    ],
)
def test_terms_wear_their_colours(marked, expected):
    assert card.coloured(marked, INKS) == expected


def test_settings_are_those_in_force_after_every_change(tmp_path):
    recording = changed_run(tmp_path / "run")
    values = card.values_in_force(ENTRY, recording, recording.info)
    assert values == {"temperature": 0.5, "order": "random"}


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [("temperature: linear 0.1 0.5", 0.4), ("", 0.1), ("temperature: linear", 0.1), ("no: such: thing", 0.1)],
)
def test_a_setting_that_follows_a_curve_is_told_as_it_is_now(tmp_path, schedules, expected):
    config = {"run": {"schedules": schedules}, "method": {"temperature": 0.1}}
    with ltviz.record(tmp_path / "run", labels=[0, 1, 0, 1], config=config, total_steps=40) as run:
        for step in (0, 30):
            run.frame(step, embeddings=np.eye(4, 3) + 0.1)
    recording = Recording(tmp_path / "run")
    found = card.values_in_force(ENTRY, recording, recording.info)
    assert found["temperature"] == pytest.approx(expected)
    assert list(card.followed_by(recording, recording.info)) == (["temperature"] if expected == 0.4 else [])


def test_a_change_is_told_with_what_followed(tmp_path):
    (change,) = card.changes_of(changed_run(tmp_path / "run"))
    said = card.tell_change(change)
    assert said.startswith("Step 15: **temperature** from 0\\.1 to **0\\.5**. From step 10 to step 30")
    assert "0.3 → 0.5" in said


def test_what_a_method_has_learned_stands_for_its_symbol(monkeypatch):
    recording = Recording(DEMO)
    frame = replace(recording.frame(300), readings={"warmth": np.array([0.0712]), "later": np.array([np.nan])})
    monkeypatch.setattr(Recording, "last", lambda self: frame)
    values = {"initial_kappa": 16.0}
    told = [card.value_of(place, values, recording, recording.info) for place in ("warmth", "later", "initial_kappa")]
    assert told == ["= 0.0712 (warmth, learned)", "", "= 16 (initial kappa)"]
    assert card.value_of("counts", {}, recording, recording.info).startswith("= samples of a class, 120 to 2")


def test_names_from_outside_are_text():
    assert card.table_row("a|b", "<b>", "*x*").count("|") - card.table_row("a|b", "<b>", "*x*").count("\\|") == 4
    assert "\\<b" in card.table_row("a", "<b>", "")


def test_the_program_of_a_run_is_written_once_beside_the_app():
    writer = Programs()
    first = writer.ask(Recording(DEMO))
    assert "as the run demo-tsc trained it" in first.result(120)
    assert writer.ask(Recording(DEMO)) is first


def test_why_there_is_no_program_is_said(monkeypatch):
    said = subprocess.CompletedProcess([], 2, "", "a warning\nltviz: the code is known of runs that ltviz trained\n")
    monkeypatch.setattr(programs.subprocess, "run", lambda *line, **options: said)
    with pytest.raises(LtvizError, match=r"^the code is known of runs"):
        Programs().ask(Recording(DEMO)).result(10)


def test_every_term_of_a_formula_has_words():
    from ltviz.figures import palette

    for theme in ("light", "dark"):
        assert set(palette.force_inks(theme)) == set(words.cards.TERMS)
