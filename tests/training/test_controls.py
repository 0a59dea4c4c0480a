"""Values from outside against the bounds of the settings."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltviz.errors import ConfigError, sentence
from ltviz.training.controls import change, live_fields, replace
from ltviz.training.settings import RunSettings


class Own(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(0.1, gt=0, le=5, json_schema_extra={"live": True})
    queue: int = 64


def test_live_fields_are_those_that_say_so() -> None:
    assert live_fields(Own) == ["temperature"]
    numbers = {"learning_rate", "weight_decay", "watch_share", "forces_every"}
    assert set(live_fields(RunSettings)) == {*numbers, "what_if", "schedules", "keep"}


def test_each_name_is_judged_on_its_own() -> None:
    (own, run), events = change(
        {"temperature": 0.5, "queue": 3, "learning_rate": -1, "weight_decay": 0}, Own(), RunSettings(), step=9
    )
    assert own == Own(temperature=0.5) and run == RunSettings(weight_decay=0)
    assert [(event["kind"], event["name"], event["step"]) for event in events] == [
        ("setting", "temperature", 9),
        ("refused", "queue", 9),
        ("refused", "learning_rate", 9),
        ("setting", "weight_decay", 9),
    ]
    assert (
        "try forces_every, keep, learning_rate, schedules, temperature, watch_share, weight_decay, what_if"
        in events[1]["message"]
    )


@pytest.mark.parametrize("value", [0, -1, 5.1, math.nan, math.inf, "hot", None, [1], {"a": 1}, True])
def test_no_value_breaks_anything(value: object) -> None:
    (own,), (event,) = change({"temperature": value}, Own(), step=1)
    if value is True:  # 1.0 to pydantic, as to Python
        assert event["kind"] == "setting" and own == Own(temperature=1)
    else:
        assert event["kind"] == "refused" and own == Own()


def test_a_long_foreign_value_is_cut_in_messages() -> None:
    _, (event,) = change({"temperature": "x" * 10_000}, Own(), step=1)
    assert len(event["message"]) < 250 and len(event["value"]) <= 80


@pytest.mark.parametrize(
    "values, says",
    [
        ({"temperature": 9}, "temperature must be less than or equal to 5, got 9; try 0.1"),
        ({"temprature": 1}, "temprature is not a setting; try temperature"),
        ({"zzz": 1}, "zzz is not a setting; the names are temperature, queue"),
        ({"queue": "many"}, "queue must be a valid integer, unable to parse string as an integer, got many; try 64"),
    ],
)
def test_a_refusal_is_one_sentence_with_rule_value_and_remedy(values: dict, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Own.model_validate(values)
    assert sentence(caught.value, Own) == says


def test_replace_keeps_the_other_fields() -> None:
    assert replace(Own(queue=3), "temperature", 1) == Own(queue=3, temperature=1)
    with pytest.raises(ConfigError, match="temperature must be greater than 0"):
        replace(Own(), "temperature", 0)


@pytest.mark.parametrize(
    "bad",
    [
        {"dim": 1},
        {"imbalance_factor": 0.5},
        {"imbalance_factor": math.nan},
        {"steps": 0},
        {"batch_size": 1},
        {"seed": -1},
        {"device": "tpu"},
        {"precision": "8"},
        {"watch_share": 0},
        {"learning_rate": 0},
        {"colour": "red"},
    ],
)
def test_impossible_settings_are_refused(bad: dict) -> None:
    with pytest.raises(ValidationError):
        RunSettings.model_validate(bad)


def test_every_setting_says_what_it_is() -> None:
    for name, field in RunSettings.model_fields.items():
        assert field.description, name
    schema = RunSettings.model_json_schema()["properties"]
    assert schema["learning_rate"]["live"] is True and "live" not in schema["dim"]


def test_settings_controls_and_folders_need_no_torch() -> None:
    code = (
        "import sys; import ltviz.training.settings, ltviz.training.controls, ltviz.training.folders, ltviz.launch;"
        "print([m for m in ('torch', 'lightning_fabric', 'sklearn', 'streamlit') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_no_point_of_a_curve_lies_beyond_the_last_step() -> None:
    (_, run), (event,) = change({"schedules": "temperature: drawn 0=1 301=0.5"}, Own(), RunSettings(), step=9)
    assert event["kind"] == "refused" and run.schedules == ""
    assert event["message"] == (
        "schedules must have no point beyond the last step, 300, got one of temperature at 301; try 100%"
    )
    for text in ("temperature: drawn 0=1 300=0.5", "temperature: linear 1 0.5 over 400"):
        (_, run), (event,) = change({"schedules": text}, Own(), RunSettings(), step=9)
        assert event["kind"] == "setting" and run.schedules == text
