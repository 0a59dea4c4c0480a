"""Settings that follow a curve: curves as text and numbers, what is recorded of them, and that a resume is exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ltviz.errors import ConfigError
from ltviz.methods import registry
from ltviz.methods.temperature_schedule import cosine_temperature
from ltviz.recording import Recording, load_weights, send_request
from ltviz.training import controls
from ltviz.training import phase as phase_module
from ltviz.training.past import past_of
from ltviz.training.program import of_run
from ltviz.training.race import Race
from ltviz.training.schedules import drawn_curve, parse_schedules, scheduled, with_curve, without, write_schedules
from ltviz.training.settings import RunSettings
from ltviz.training.start import resume

Start = Callable[..., Race]
CURVES = "temperature: cosine 1 0.1 every 16; pull_weight: drawn 10%=1 50%=0; learning_rate: step 0=0.002 30=0.01"


class Killed(BaseException):
    """Ends a training where it stands, as a crash would."""


def events(path: Path) -> list[dict[str, Any]]:
    return [event for frame in Recording(path).since(None) for event in frame.events]


def at(text: str, *taken: int, total: int = 40) -> list[float | None]:
    return [scheduled(f"x: {text}", step, total).get("x") for step in taken]


# ---------------------------------------------------------------------- curves


@pytest.mark.parametrize(
    "curve, taken, values",
    [
        ("constant 0.2", (0, 39), [0.2, 0.2]),
        ("linear 1 0", (0, 10, 40), [1, 0.75, 0]),
        ("linear 0 1 from 10 over 50%", (9, 10, 20, 30, 39), [None, 0, 0.5, 1, 1]),
        ("cosine 1 0 over 20", (0, 10, 20, 39), [1, 0.5, 0, 0]),
        ("step 0=0.5 10=0.1 20=.2e1", (0, 9, 10, 19, 20, 39), [0.5, 0.5, 0.1, 0.1, 2, 2]),
        ("step 25%=1", (9, 10), [None, 1]),
        ("drawn 10=1 20=0 30=-2", (9, 10, 15, 20, 25, 30, 39), [None, 1, 0.5, 0, -1, -2, -2]),
    ],
)
def test_a_curve_says_what_a_setting_is(curve: str, taken: tuple[int, ...], values: list[float | None]) -> None:
    found = at(curve, *taken)
    assert [None if one is None else round(one, 12) for one in found] == values


def test_the_cosine_that_comes_back_is_the_papers() -> None:
    for step in range(0, 900, 37):
        (value,) = at("cosine 1 0.1 every 400", step, total=1000)
        assert value == pytest.approx(cosine_temperature(step, low=0.1, high=1.0, period=400), rel=1e-12)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_no_curve_leaves_its_ends(kind: str) -> None:
    for tail in ("", " every 7" if kind == "cosine" else " over 13"):
        values = [x for x in at(f"{kind} 0.1 0.3{tail}", *range(200), total=100) if x is not None]
        assert len(values) == 200 and min(values) >= 0.1 and max(values) <= 0.3


def test_the_text_of_curves_is_read_back() -> None:
    text = CURVES + "; a: constant 1e-05; b: linear 0 1 from 5%; c: cosine 0.3333333333333333 2 over 7"
    curves = parse_schedules(text)
    assert dict(parse_schedules(write_schedules(curves))) == dict(curves)
    assert {*parse_schedules(without(text, ["a", "c", "nobody"]))} == {*curves} - {"a", "c"}
    assert without(text, ["nobody"]) == text


@pytest.mark.parametrize(
    "text",
    [
        *("temperature", "temperature:", ":", ";", "x: linear 1", "x: linear 1 2 3", "x: linear 1 2 over", "x: step"),
        *(
            "x: constant nan",
            "x: constant inf",
            "x: constant 1e999",
            "x: constant 0x10",
            "x: constant 1_0",
            "x: constant ٣",
        ),
        *("x: linear 0 1 over 0", "x: linear 0 1 over 200%", "x: linear 0 1 over -3", "x: linear 0 1 every 5"),
        *("x: cosine 0 1 over 5 every 5", "x: linear 0 1 over 5 over 6", "x: step 5=1 5=2", "x: drawn 9=1 5=2"),
        *("x: step 5=1 50%=2", "x: drawn 5", "x: constant 1; x: constant 2", "X: constant 1", "x y: constant 1"),
        "x: drawn " + " ".join(f"{i}=1" for i in range(65)),
        "; ".join(f"x{i}: constant 1" for i in range(17)),
        "x: " + "9" * 7000,
        "x: \x1b[31m<b>",
    ],
)
def test_other_texts_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RunSettings.model_validate({"schedules": text})
    said = refused.value.errors()[0]["msg"]
    assert said.startswith("Value error, must ") and len(said) < 500 and "\x1b" not in said


def test_every_live_number_of_every_method_can_follow_a_curve() -> None:
    """From the least to the largest value that its bounds have; what is no number, or not live, is refused."""
    for kind in registry.methods().values():
        settings, run = kind.Settings(), RunSettings.model_validate({})
        for model in (settings, run):
            for name in controls.live_fields(type(model)):
                if name not in controls.followable(type(model)):
                    with pytest.raises(ConfigError, match=f"got {name}; try"):
                        controls.check_schedules(f"{name}: constant 1", [settings, run])
                    continue
                value = getattr(model, name)
                text = f"{name}: linear {value!r} {value!r}"
                controls.check_schedules(text, [settings, run])
                assert controls.follow(settings, RunSettings.model_validate({"schedules": text}), 3)[0] is settings, (
                    "nothing moves"
                )
                with pytest.raises(ConfigError, match=name):
                    controls.check_schedules(f"{name}: linear {value!r} 1e12", [settings, run])


# ---------------------------------------------------------------------- while it trains


def test_a_run_trains_with_what_its_curves_say(start: Start, tmp_path: Path) -> None:
    race = start("toy", schedules=CURVES, schedule="constant")
    seen = []
    lane = race.lanes[0]
    for step in range(1, 41):
        lane.train(race.batches.at(step))
        method = lane.method.settings.model_dump()
        seen.append((method["temperature"], method["pull_weight"], lane.run.learning_rate))
    lane.look()
    lane.undo()
    expected = [scheduled(CURVES, step - 1, 40) for step in range(1, 41)]
    assert [one[0] for one in seen] == [values["temperature"] for values in expected]
    assert [one[1] for one in seen] == [values.get("pull_weight", 1.0) for values in expected]
    assert seen[20:] and all(one[1] == 0 for one in seen[20:])
    assert [one[2] for one in seen] == [0.002] * 30 + [0.01] * 10


def test_no_event_is_told_of_what_the_text_says(start: Start, tmp_path: Path) -> None:
    start("toy", schedules=CURVES).run()
    path = tmp_path / "runs" / "toy"
    assert events(path) == [] and Recording(path).config["run"]["schedules"] == CURVES
    start("toy", folder="plain").run()
    assert Recording(path).metrics() != Recording(tmp_path / "plain" / "toy").metrics()
    with pytest.raises(ConfigError, match="schedules must be empty for the code"):
        of_run(Recording(path))


def drawn_on_the_way(path: Path, kill: int | None = None) -> Callable[[int], None]:
    """At step 12 a curve is drawn, at step 26 the temperature is set by hand; a crash where asked."""

    def progress(now: int) -> None:
        if now == 12:
            send_request(path, "set", {"schedules": "temperature: drawn 12=0.2 20=0.9 40=0.1; pull_weight: step 30=0"})
        if now == 26:
            send_request(path, "set", {"temperature": 0.5})
        if now == kill:
            raise Killed

    return progress


@pytest.mark.parametrize("cut, saved", [(22, 20), (34, 30), (34, None)])
def test_a_resume_follows_curves_bit_for_bit(
    start: Start, tmp_path: Path, cut: int, saved: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10 if saved else 1000)
    path, whole = tmp_path / "runs" / "toy", tmp_path / "whole" / "toy"
    start("toy", folder="whole", schedules=CURVES, progress=drawn_on_the_way(whole)).run()
    with pytest.raises(Killed):
        start("toy", schedules=CURVES, progress=drawn_on_the_way(path, cut)).run()
    resume([path], progress=drawn_on_the_way(path) if cut < 26 else lambda step: None).run()
    assert Recording(path).metrics() == Recording(whole).metrics()
    one, two = load_weights(whole, 40), load_weights(path, 40)
    assert one.state == two.state
    for group, arrays in one.tensors.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, two.tensors[group][name], err_msg=f"{group} {name}")
    assert events(path) == events(whole)
    told = [(event["name"], event["step"]) for event in events(whole)]
    assert [name for name, _ in told] == ["schedules", "temperature", "schedules"] and told[1][1] == told[2][1]
    assert events(whole)[-1]["value"] == "pull_weight: step 30=0", "the hand ends the curve of what it sets"
    assert one.state["settings"] == {"temperature": 0.5, "pull_weight": 0.0, "size": 3}


def test_a_switch_ends_the_curve_of_what_it_sets(start: Start, tmp_path: Path) -> None:
    start("toy", schedules="temperature: linear 1 0.1", switches="0.5: temperature=0.4").run()
    path = tmp_path / "runs" / "toy"
    assert [(event["name"], event["value"], event["step"]) for event in events(path)] == [
        ("temperature", 0.4, 21),
        ("schedules", "", 21),
    ]
    assert load_weights(path, 40).state["settings"]["temperature"] == 0.4


@pytest.mark.parametrize(
    "text, said",
    [
        ("nothing: constant 1", "schedules must name numbers that may change while a run trains, got nothing; try "),
        ("size: constant 1", "got size; try "),
        ("what_if: constant 1", "got what_if; try "),
        ("temperature: linear 0.1 99", "temperature must be less than or equal to 10, got 99"),
        ("temperature: junk", "schedules must have curves"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(start: Start, tmp_path: Path, text: str, said: str) -> None:
    if "junk" not in text:
        with pytest.raises(ConfigError, match=said):
            start("toy", schedules=text)
        assert not (tmp_path / "runs").exists()
    race = start("toy", schedules="pull_weight: constant 0.5")
    (event,) = race.lanes[0].set({"schedules": text}, 5)
    assert event["kind"] == "refused" and said.split(", got")[0].split("; try")[0] in event["message"]
    assert race.lanes[0].run.schedules == "pull_weight: constant 0.5"
    race.lanes[0].undo()


def test_each_method_of_a_race_follows_what_it_knows(start: Start, tmp_path: Path) -> None:
    start("toy", "ce", schedules="pull_weight: linear 1 0").run()
    assert load_weights(tmp_path / "runs" / "toy", 40).state["settings"]["pull_weight"] == pytest.approx(1 / 40)
    race = start("ce", folder="alone", schedules="learning_rate: linear 0.01 0.001; weight_decay: constant 0")
    race.lanes[0].set({"learning_rate": 0.02}, 1)
    assert race.lanes[0].run.schedules == "weight_decay: constant 0"
    race.lanes[0].undo()


def test_a_whole_number_stays_whole(start: Start, tmp_path: Path) -> None:
    run = RunSettings.model_validate({"schedules": "forces_every: linear 2 9", "steps": 40})
    counts = [controls.follow(run, run, step)[1].forces_every for step in (1, 20, 40)]
    assert counts == [2, 5, 9] and all(type(count) is int for count in counts)
    assert math.isclose(scheduled(run.schedules, 20, 40)["forces_every"], 5.5)


# ---------------------------------------------------------------------- by hand


def test_a_curve_by_hand_keeps_its_shape_and_only_the_points_that_make_it() -> None:
    level = drawn_curve([0.5] * 33, 0, 1, shares=True)
    assert str(level) == "drawn 0%=0.5 100%=0.5"
    knots = [math.sin(i / 5) ** 2 for i in range(33)]
    text = f"tau: {drawn_curve(knots, 137, 300)}"
    found = [scheduled(text, 137 + round(163 * i / 32), 300)["tau"] for i in range(33)]
    assert found == pytest.approx(knots, abs=0.02) and scheduled(text, 136, 300) == {}
    assert parse_schedules(with_curve("beta: constant 1", "tau", level)).keys() == {"beta", "tau"}


def test_what_a_setting_was_is_what_the_run_trained_with(start: Start, tmp_path: Path) -> None:
    race = start("supcon", schedules="temperature: cosine 1 0.1 every 16")
    (lane,), was = race.lanes, []
    train = lane.train

    def noting(batch: Any) -> None:
        if batch.step == 15:
            lane.set({"temperature": 0.7}, 15)
        if batch.step == 25:
            lane.set({"schedules": "temperature: linear 0.5 1 from 24 over 10"}, 25)
        train(batch)
        was.append(lane.method.settings.model_dump()["temperature"])

    lane.train = noting  # pyright: ignore[reportAttributeAccessIssue]
    race.run()
    recording = Recording(lane.path)
    past = past_of(recording.config, events(lane.path), "temperature", total_steps=40, taken=39)
    known = dict(past)  # of two points at a step the later one, which the next step feels
    for taken, value in enumerate(was):
        before = max(step for step in known if step <= taken)
        assert known[before] == pytest.approx(value), taken
