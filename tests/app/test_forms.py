"""Schemas become widgets, and what comes back is what a settings model accepts."""

from __future__ import annotations

from typing import Literal

import pytest
from ltviz_app import words
from ltviz_app.widgets import forms
from ltviz_app.widgets.charts import stroke, thin
from pydantic import BaseModel, Field
from streamlit.testing.v1 import AppTest

from ltviz.training.settings import RunSettings


class Every(BaseModel):
    count: int = Field(3, ge=1, lt=10, description="How many.")
    rate: float = Field(2e-3, gt=0, le=1)
    wide: int = Field(0, ge=-(2**63), lt=2**63)
    choice: Literal["a", "b"] = "b"
    flag: bool = True
    name: str | None = None
    limit: int | None = Field(None, ge=1)


def draw(schema: dict, kept: dict) -> None:
    import streamlit as st
    from ltviz_app.widgets import forms

    st.session_state["got"] = forms.draw_form(schema, "f", kept=kept)


def form(schema: dict, kept: dict | None = None) -> AppTest:
    app = AppTest.from_function(draw, kwargs={"schema": schema, "kept": kept or {}}, default_timeout=60).run()
    assert not app.exception
    return app


def test_untouched_fields_are_left_to_their_defaults():
    assert form(Every.model_json_schema()).session_state["got"] == {}
    assert form(RunSettings.model_json_schema()).session_state["got"] == {}


def test_what_is_changed_comes_back_and_the_model_accepts_it():
    app = form(Every.model_json_schema())
    app.number_input(key="f-count").set_value(5)
    app.number_input(key="f-rate").set_value(0.5)
    app.selectbox(key="f-choice").select("a")
    app.checkbox(key="f-flag").uncheck()
    app.text_input(key="f-name").input("x")
    app.number_input(key="f-limit").set_value(4)
    got = app.run().session_state["got"]
    assert got == {"count": 5, "rate": 0.5, "choice": "a", "flag": False, "name": "x", "limit": 4}
    Every.model_validate(got)


def test_widgets_carry_bounds_help_and_labels_in_sentence_case():
    app = form(RunSettings.model_json_schema())
    batch = app.number_input(key="f-batch_size")
    assert (batch.label, batch.min, batch.max) == ("Batch size", 2, 65536)
    assert app.number_input(key="f-learning_rate").min > 0
    assert form(Every.model_json_schema()).number_input(key="f-count").max == 9
    assert form(Every.model_json_schema()).number_input(key="f-count").help == "How many."


def test_a_folded_form_opens_as_it_was_left():
    app = form(Every.model_json_schema(), kept={"count": 7, "flag": False})
    assert app.number_input(key="f-count").value == 7 and app.session_state["got"] == {"count": 7, "flag": False}


def test_only_live_fields_may_change_while_a_run_trains():
    live = {"learning_rate", "weight_decay", "watch_share", "forces_every", "what_if", "schedules", "keep"}
    assert set(forms.live_fields(RunSettings.model_json_schema())) == live


@pytest.mark.parametrize("text", ["<b>x</b>", "**bold**", "[a](javascript:x)", "$$x$$", ":red[x]", "a_b `c` # d"])
def test_text_from_outside_is_taken_literally(text: str):
    escaped = forms.escape(text)
    assert escaped.replace("\\", "") == text
    assert all(escaped[at - 1] == "\\" for at, letter in enumerate(escaped) if letter in "<>*[]()$:`#_")


def test_the_verdict_of_one_race_speaks_of_one_seed_and_its_images():
    said = words.lab.few_shot_verdict({"CE": 0.40, "TSC": 0.41, "BCL": 0.6}, "CE", [50] * 5)
    assert said == (
        "With this one seed, judged by each method's own classifier, the rare classes reach BCL 60 %, TSC 41 % and "
        "CE 40 %, each ± 3 from the 250 test images alone. "
        "BCL is above CE by more than that error. TSC cannot be told from CE on these images."
    )
    both = words.lab.few_shot_verdict({"CE": 0.40, "TSC": 0.1, "BCL": 0.6, "LA": 0.9}, "CE", [500])
    assert "LA and BCL are above CE by more than that error. TSC is below CE by more than that error." in both
    assert "cannot" not in both
    assert words.lab.few_shot_verdict({"SupCon": 0.4, "BCL": 0.6}, "", [500]).endswith("alone.")
    unknown = words.lab.few_shot_verdict({"CE": 0.4, "BCL": 0.6}, "CE", judge="ncm")
    assert unknown.startswith("With this one seed, judged alike by the nearest class mean of the features on the whole")
    assert unknown.endswith("the rare classes reach BCL 60 % and CE 40 %.")
    assert words.lab.few_shot_verdict({"CE": 0.4}, "CE", [500]) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("running", 120, 300, 14.2), "120 of 300, 14 s left"),
        (("running", 5, None, None), "step 5"),
        (("queued", None, None, None), "queued"),
        (("finished", 300, 300, None), "finished, 300 steps"),
        (("failed", 7, 300, None), "failed, 7 of 300"),
    ],
)
def test_a_run_is_told_in_a_few_words(line: tuple, said: str):
    assert words.lab.run_line(*line) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (14.2, "14 s"), (200, "3 min"), (9000, "2.5 h")])
def test_durations_are_told_as_a_person_would(seconds: float, said: str):
    assert words.shared.time_left(seconds) == said


def test_thinning_keeps_the_last_point():
    steps, values = thin((list(range(1001)), [float(i) for i in range(1001)]), most=100)
    assert len(steps) <= 101 and steps[-1] == 1000 and values[-1] == 1000.0
    assert thin(([], [])) == ([], [])


def test_the_legend_draws_the_charts_dashes():
    assert stroke("#123456", "dash") == "repeating-linear-gradient(90deg,#123456 0px 7px,transparent 7px 12px)"
