"""Settings that follow a curve: in the form, drawn while a run trains, kept under a name, raced, refused."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.service.drawncurves import DrawnCurve, keep_curve, kept_curves
from ltviz_app.service.sharing import Sharing
from ltviz_app.widgets.curvechart import KNOTS, read_knots
from ltviz_app.widgets.drawing import race_from, whole_curve
from ltviz_app.widgets.runlist import read_line
from ltviz_app.widgets.schedules import keep, rivals
from ltviz_app.words.served import event_text
from streamlit.testing.v1 import AppTest

from ltviz import launch
from ltviz.errors import ConfigError
from ltviz.training.past import past_of
from ltviz.training.schedules import drawn_curve, parse_schedules, scheduled

MAIN = Path(ltviz_app.__file__).parent / "main.py"


@pytest.fixture(autouse=True)
def fresh(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue with one method whose temperature may change while it trains."""
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: None)
    field = {"type": "number", "default": 0.1, "minimum": 0.01, "maximum": 5, "live": True}
    settings = {"properties": {"temperature": field}}
    methods = [{"name": "ce", "card": {"title": "CE", "idea": "An idea."}, "settings": settings}]
    (home / ".ltviz").mkdir()
    (home / ".ltviz" / "catalogue.json").write_text(json.dumps({"methods": methods, "data": []}))


def page() -> AppTest:
    return AppTest.from_file(str(MAIN), default_timeout=60).run()


def unfold(app: AppTest, key: str) -> None:
    """Opens an expander or popover."""
    app.session_state[key] = True
    app.run()


def form() -> AppTest:
    app = page()
    unfold(app, "race-schedules")
    app.multiselect(key="race-follow").select("temperature").run()
    assert not app.exception
    return app


def curve(app: AppTest) -> dict:
    """What the chart of the form is given."""
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    (data,) = [data for data in found if data.get("place") == "race-curve-temperature"]
    return data["curve"]


def test_the_form_ends_in_the_setting_that_the_command_line_takes(home: Path):
    app = form()
    app.selectbox(key="race-curve-temperature-shape").select("linear").run()
    app.number_input(key="race-curve-temperature-linear-First value").set_value(1.0).run()
    app.number_input(key="race-curve-temperature-linear-Last value").set_value(0.2).run()
    app.number_input(key="race-curve-temperature-linear-Ends at, %").set_value(50.0).run()
    drawn = curve(app)
    assert drawn["found"][0] == [0, 1.0] and drawn["found"][-1] == [300, 0.2], "it is seen before it is trained"
    app.button[0].click().run()
    assert not app.exception
    ((job, _, _),) = launch.jobs(home)
    assert job.run["schedules"] == "temperature: linear 1 0.2 from 0% over 50%"


def test_a_curve_that_was_kept_is_raced_against_a_constant_and_a_cosine(home: Path):
    keep_curve(home, "a <b>dip</b>", "tau", drawn_curve([1, 0.2, 0.5], 0, 1, shares=True))
    app = form()
    app.selectbox(key="race-curve-temperature-shape").select("kept:a <b>dip</b>").run()
    app.toggle(key="schedules-race").set_value(True).run()
    app.button[0].click().run()
    assert not app.exception
    jobs = [job for job, _, _ in launch.jobs(home)]
    ce = {run.title: job.run["schedules"] for job in jobs for run in job.runs if run.method == "ce"}
    assert ce == {
        "CE, own curve": "temperature: drawn 0%=1 50%=0.2 100%=0.5",
        "CE, constant": "temperature: constant 1",
        "CE, cosine": "temperature: cosine 1 0.5 from 0 over 100%",
    }
    assert len({json.dumps({**job.run, "schedules": ""}, sort_keys=True) for job in jobs}) == 1, "one start for all"


def test_a_live_run_shows_its_past_and_is_sent_what_is_drawn(home: Path, runs, monkeypatch: pytest.MonkeyPatch):
    knots = [0.1 + 0.1 * i / (KNOTS - 1) for i in range(KNOTS)]
    monkeypatch.setattr("ltviz_app.widgets.drawing.hand_curve", lambda *args, **given: given["past"] and knots)
    event = {"kind": "setting", "name": "temperature", "value": 0.2, "before": 0.1, "step": 5}
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0)
        runs.frame(writer, 8, events=[event])
        writer.set_state("running")
        app = page()
        unfold(app, "change")
        app.selectbox(key="change-name").select("temperature").run()
        app.toggle(key="change-draws").set_value(True).run()
        app.button(key="from-here-temperature-send").click().run()
        assert not app.exception and not app.error
        (request,) = writer.requests()
    assert request.values == {"schedules": "temperature: drawn 8=0.1 20=0.2"}


@pytest.mark.parametrize(
    "given",
    [None, "drawn", [0.5] * (KNOTS - 1), [0.5] * 10_000, [0.5] * (KNOTS - 1) + [7.0], [None] * KNOTS, [True] * KNOTS]
    + [[0.5] * (KNOTS - 1) + [bad] for bad in (math.nan, math.inf, -1.0, "0.5", [1])],
)
def test_what_is_no_curve_is_refused_by_a_sentence(given: object):
    with pytest.raises(ConfigError, match=r"^A curve is 33 finite numbers from 0 to 1; "):
        read_knots(given, (0.0, 1.0))


GOOD = {"name": "a", "curve": "constant 1", "setting": "tau"}
MANY = "drawn " + " ".join(f"{i}=1" for i in range(400))
BAD = [
    *({"curve": hostile} for hostile in ("constant 1; beta: constant 1", "x", "drawn 0=nan", MANY, 1)),
    *({"name": hostile} for hostile in ("a\nb", "", None, "x" * 100)),
    *({"setting": "no setting"}, {"more": 1}),
]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", "9" * 20_000, "[" * 5000, *(json.dumps({**GOOD, **bad}) for bad in BAD)]
)
def test_a_file_that_is_no_curve_is_said_and_the_others_are_there(home: Path, text: str):
    kept = keep_curve(home, "mine", "tau", parse_schedules("tau: constant 1")["tau"])
    (home / ".ltviz" / "curves" / "other.json").write_text(text)
    found, refused = kept_curves(home)
    assert found == [kept] and len(refused) == 1
    assert refused[0].startswith("other.json holds no curve that can be read: ") and len(refused[0]) < 250


def test_names_are_text_and_stay_apart(home: Path):
    one = parse_schedules("tau: constant 1")["tau"]
    for name in ("a b", "a-b", "../../x", "<img src=x>", "日本"):
        assert keep_curve(home, name, "tau", one).name == name
    assert [curve.name for curve in kept_curves(home)[0]] == ["../../x", "<img src=x>", "a b", "a-b", "日本"]
    assert {file.parent for file in home.rglob("*.json")} == {home / ".ltviz", home / ".ltviz" / "curves"}
    for name in ("", " ", "a\nb", "x" * 61, "\u202eevil"):
        with pytest.raises(ConfigError, match=r"^A curve's name is one line of 1 to 60 letters"):
            keep_curve(home, name, "tau", one)


def test_who_may_only_look_keeps_nothing_and_begins_nothing(home: Path, studio, runs):
    runs.finished(home, "run-one")
    shared = dataclasses.replace(studio, sharing=Sharing("correct horse"))
    one = parse_schedules("tau: constant 1")["tau"]
    line = read_line(studio, studio.hub.recording("run-one"))
    for act in (lambda: keep(shared, "mine", "tau", one), lambda: race_from(shared, line, "temperature", one)):
        with pytest.raises(ConfigError, match=r"^Viewers look; "):
            act()
    with pytest.raises(ConfigError, match=r"^Viewers look; "):
        shared.supervisor.change("run-one", {"schedules": "temperature: constant 1"})
    assert kept_curves(home) == ([], []) and launch.jobs(home) == []


def test_a_live_run_is_raced_along_what_was_drawn_from_its_own_settings(home: Path, studio, runs, monkeypatch):
    runs.finished(home, "run-one")
    config = {
        "run": {"data": "digits-lt", "steps": 20, "schedules": "beta: constant 1"},
        "method": {"temperature": 0.1},
    }
    line = dataclasses.replace(read_line(studio, studio.hub.recording("run-one")), config=config)
    whole = parse_schedules("tau: drawn 0%=1 50%=0.2 100%=0.5")["tau"]
    monkeypatch.setattr(type(studio), "may_train", True)
    assert len(race_from(studio, line, "temperature", whole)) == 3
    found = {run.title: (job.run, run.settings) for job, _, _ in launch.jobs(home) for run in job.runs}
    assert found["CE, cosine"] == (
        {**config["run"], "schedules": "beta: constant 1; temperature: cosine 1 0.5 from 0 over 100%"},
        {"temperature": 0.1},
    )
    assert found["CE, own curve"][0]["schedules"].endswith(f"temperature: {whole}")
    with pytest.raises(ConfigError, match="run-one does not say its settings"):
        race_from(studio, dataclasses.replace(line, config={"run": {}, "method": {}}), "temperature", whole)


def test_the_whole_curve_is_the_past_and_what_was_drawn():
    config = {"method": {"tau": 1.0}, "run": {"schedules": "tau: linear 1 0 over 50%"}}
    events = [{"kind": "setting", "name": "tau", "value": 3.0, "before": 0.2, "step": 41}]
    events += [{"kind": "setting", "name": "schedules", "value": "", "before": "", "step": 41}]
    past = past_of(config, events, "tau", total_steps=100, taken=60)
    assert dict(past)[20] == 0.6 and past[-1] == (60, 3.0)
    text = f"tau: {whole_curve(past, [2.0] * KNOTS, 60, 100)}"
    whole = [scheduled(text, step, 100)["tau"] for step in range(101)]
    was = [1 - step / 50 for step in range(40)] + [3.0] * 20
    assert whole[:39] == pytest.approx(was[:39], abs=0.02) and whole[41:60] == was[41:] and whole[60:] == [2.0] * 41


def test_rivals_differ_from_the_curve_and_from_one_another():
    assert list(rivals("tau: constant 1")) == ["own"]
    assert list(rivals("tau: cosine 1 2")) == ["own", "constant"]
    assert rivals("tau: drawn 0%=1 50%=3 100%=1")["cosine"] == "tau: cosine 3 1 from 0 over 100%"


def test_the_timeline_says_which_curves_are_others():
    event = {"kind": "setting", "name": "schedules", "before": "tau: constant 1", "value": "beta: constant 1"}
    assert event_text(event) == "beta follows another curve from here on; tau follows none any more"
    assert event_text({**event, "value": "<b>"}) == "schedules set to <b>"


def test_a_curve_has_a_place_in_a_file_of_its_own():
    assert DrawnCurve(name="a", curve="constant 1", setting="tau").as_curve.values == (1.0,)
    assert words.schedules.SHAPES.keys() >= {"constant", "linear", "cosine", "step", "drawn"}
