"""The page Learn as Streamlit runs it: titles, one step, a prediction, and what the recording says."""

from __future__ import annotations

import json
from pathlib import Path

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from streamlit.testing.v1 import AppTest

from ltviz.lessons import Answer, Book, answer, judge, list_lessons, read_lesson
from ltviz.lessons.lesson import Ask
from ltviz.recording import Home

APP = Path(ltviz_app.__file__).parent
DEMOS = APP.parent / "checkpoints"
FIRST = "1-what-lives-on-the-sphere"


@pytest.fixture(autouse=True)
def studio(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(studio_module, "_open", None)
    return studio_module.open_studio(home)


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(APP / "main.py"), default_timeout=60)
    app.run()
    app.switch_page("pages/learn.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def said(app: AppTest) -> str:
    return "\n".join([*(str(one.value) for one in app.markdown), *(one.proto.body for one in app.get("html"))])


def stage(app: AppTest) -> dict:
    (found,) = (given for given in components(app) if "language" not in given)
    return found


def beside(app: AppTest) -> dict:
    """What stands in the text: terms, a curve, what is told."""
    (found,) = (given for given in components(app) if "language" in given)
    return found


def components(app: AppTest) -> list[dict]:
    return [json.loads(one.proto.json) for one in app.get("bidi_component")]


def test_all_titles_are_listed_and_open_their_lessons():
    app = page()
    assert not app.exception
    titles = [one.label for one in app.button if (one.key or "").startswith("open-")]
    assert len(titles) == 9 and titles[0] == "1.  What lives on the sphere"
    button(app, titles[0]).click().run()
    assert not app.exception
    assert (app.query_params["lesson"], app.query_params["step"]) == (FIRST, "1")
    assert "Every dot is one picture" in said(app) and "Step 1 of 5" in said(app)


@pytest.mark.parametrize(
    "asked, heading",
    [("2", "At first all clouds"), ("0", "Every dot"), ("99", "How wide"), ("-1", "Every dot"), ("²", "Every dot")],
)
def test_the_address_says_lesson_and_step(asked: str, heading: str):
    assert heading in said(page(lesson=FIRST, step=asked))


def test_a_prediction_is_held_against_the_recording():
    app = page(lesson=FIRST, step="2")
    assert stage(app)["runs"] == ["demo-supcon"] and stage(app)["guest"]
    assert stage(app)["scene"] == {"look": "", "step": 300, "play": [0, 300], "turn": 0}
    assert button(app, words.learn.PLAY).disabled, "first the prediction"
    radio = app.radio[0]
    radio.set_value(radio.options[0]).run()
    assert '<div class="ltviz-verdict' not in said(app)
    button(app, words.learn.PLAY).click().run()
    assert not app.exception
    text = said(app)
    assert f"You said: {radio.options[0]}. The recording says: {radio.options[1]}." in text
    assert 'data-verdict="wrong"' in text and "0.601" in text and "0.986" in text
    assert stage(app)["scene"]["turn"] == 1 and app.radio[0].disabled
    assert "centre sum 0.986 to 0.601" in text, "the picture in words"
    button(app, words.learn.NEXT).click().run()
    button(app, words.learn.BACK).click().run()
    assert app.radio[0].value == radio.options[0] and "You said" in said(app), "a prediction stays"


def test_before_play_the_words_do_not_give_the_answer_away():
    assert "centre sum 0.986" in said(page(lesson=FIRST, step="2"))
    assert "0.601" not in said(page(lesson=FIRST, step="2"))


def test_a_number_is_scored_by_its_distance():
    app = page(lesson=FIRST, step="3")
    app.number_input[0].set_value(0.5).run()
    button(app, words.learn.PLAY).click().run()
    text = said(app)
    assert "You said 0.5. The recording says 0.601, which is 0.101 away." in text
    assert app.caption[0].value.startswith("0 of 1 predictions were right, 8"), app.caption[0].value


@pytest.mark.parametrize("path", list_lessons(APP / "lessons"), ids=lambda path: path.stem)
def test_every_step_of_every_lesson_is_drawn_and_answered(path: Path):
    lesson, book = read_lesson(path), Book(Home.at(DEMOS).find)
    app = page(lesson=lesson.name)
    for at, step in enumerate(lesson.steps):
        assert not app.exception and not app.error, step.title
        given = stage(app)
        shown = given.get("lesson", {}).get("search") or given["runs"]
        assert shown == (step.scene.geometry or list(lesson.runs_of(step)))
        if step.ask:
            say(app, lesson.name, at, step.ask, answer(step.ask, book).right)
            button(app, words.learn.PLAY).click().run()
            assert 'data-verdict="right"' in said(app), step.title
        if at + 1 < len(lesson.steps):
            button(app, words.learn.NEXT).click().run()


def say(app: AppTest, lesson: str, at: int, ask: Ask, right) -> None:
    """Answers a question as a learner would; a curve as the page's component tells it."""
    if ask.kind == "curve":
        app.session_state[f"course-{lesson}"].drawn[at] = right
        app.run()
    else:
        (app.number_input[0] if ask.kind == "value" else app.radio[0]).set_value(right).run()


TEACHING = """\
---
title: Means of teaching
lang: ar
run: demo-supcon
---
## Terms
$$\\frac{\\term{pull}{a}}{\\term{push}{b}}$$

## Curve
```stage
play = [0, 300]
path = [[0.6, 0.35, 4.0], [2.0, 0.1, 3.0]]
seconds = 5.0
```
```ask
kind = "curve"
question = "Draw it."
of = "centre_sum(demo-supcon)"
low = 0.0
high = 1.0
tolerance = 0.05
```
## Wait
```wait
say = "Turn on Forces."
layer = "forces"
```
A text.
"""


@pytest.fixture
def teaching(studio, tmp_path: Path):
    studio.lessons = tmp_path
    (tmp_path / "means.md").write_text(TEACHING)
    return lambda step: page(lesson="means", step=str(step))


def test_terms_have_colours_and_the_language_its_direction(teaching):
    app = teaching(1)
    given = beside(app)
    assert (given["language"], given["rtl"]) == ("ar", True)
    assert [(term["name"], term["parts"]) for term in given["terms"]] == [
        ("pull", ["positives"]),
        ("push", ["head", "medium", "tail"]),
    ]
    assert r"\textcolor{#009e73}{{a}}" in said(app) and r"\term" not in said(app)
    assert "centre sum 0.601" in given["told"], "who does not see the picture is told of it"
    assert stage(app)["told"] == given["told"]


def test_a_curve_is_held_against_the_recording_and_the_camera_travels_at_play(teaching):
    app = teaching(2)
    curve = beside(app)["curve"]
    assert (curve["steps"], curve["drawn"], curve["found"], round(curve["begins"], 3)) == ([0, 300], None, None, 0.986)
    assert button(app, words.learn.PLAY).disabled and "path" not in stage(app)["scene"]
    app.session_state["course-means"].drawn[1] = (0.986, *[0.9] * 12)
    app.run()
    button(app, words.learn.PLAY).click().run()
    text, curve = said(app), beside(app)["curve"]
    assert "You said: it stays where it is. The recording says: it falls. Your curve is 0.173 away" in text
    assert curve["found"][-1] == [300, pytest.approx(0.6014, abs=1e-3)] and curve["drawn"][1] == 0.9
    assert stage(app)["scene"]["path"][1] == [2.0, 0.1, 3.0] and stage(app)["scene"]["seconds"] == 5.0
    assert "The centre of 7 moved farthest, by 122.1°" in beside(app)["told"]


def test_a_step_waits_for_what_the_learner_does_and_can_be_skipped(teaching):
    app = teaching(3)
    assert stage(app)["wait"] == {
        "id": "means:2",
        "layer": "forces",
        "setting": None,
        "below": None,
        "above": None,
        "do": None,
    }
    assert "Turn on Forces." in said(app) and not [one for one in app.button if one.label == words.learn.PLAY]
    button(app, words.learn.SKIP).click().run()
    assert not app.exception and "lesson" not in app.query_params


def test_a_class_can_be_pointed_at_until_it_is_said():
    app = page(lesson=FIRST, step="4")
    assert stage(app)["pointing"] and beside(app)["picked"] == {"rank": None}
    app.radio[0].set_value("4").run()
    assert beside(app)["picked"] == {"rank": 9}
    button(app, words.learn.PLAY).click().run()
    assert not stage(app)["pointing"]


def test_without_a_trainer_no_lesson_offers_to_train(studio):
    assert not [one for one in page(lesson=FIRST, step="2").button if one.label == words.learn.LIVE]
    studio.serving = True
    assert [one for one in page(lesson=FIRST, step="2").button if one.label == words.learn.LIVE]


def test_a_lessons_runs_are_trained_with_the_settings_they_had(studio, monkeypatch: pytest.MonkeyPatch):
    jobs = []
    studio.serving = True
    monkeypatch.setattr(studio.supervisor, "submit", jobs.append)
    app = page(lesson="2-pull-and-push", step="3")
    button(app, words.learn.LIVE).click().run()
    assert not app.exception
    (job,) = jobs
    assert (job.run["data"], job.run["steps"], job.run["imbalance_factor"]) == ("digits-lt", 300, 50.0)
    assert [(run.method, run.settings["temperature"]) for run in job.runs] == [("supcon", 0.1)]
    shown = stage(app)
    assert shown["runs"] == [job.runs[0].run_id] and shown["scene"]["play"] is None, "seen as it grows"
    button(app, words.learn.LIVE_BACK).click().run()
    assert stage(app)["runs"] == ["demo-supcon"]


def test_the_last_step_leads_back_to_the_list():
    app = page(lesson=FIRST, step="5")
    button(app, words.learn.DONE).click().run()
    assert "lesson" not in app.query_params and any((one.key or "").startswith("open-") for one in app.button)


def test_slides_stay_from_step_to_step_until_they_end():
    app = page(lesson=FIRST, step="2")
    button(app, words.learn.SLIDES).click().run()
    button(app, words.learn.NEXT).click().run()
    assert not app.exception and (app.query_params["slides"], app.query_params["step"]) == ("1", "3")
    button(app, words.learn.NO_SLIDES).click().run()
    assert "slides" not in app.query_params


def test_an_unknown_lesson_is_said_as_text():
    app = page(lesson="<script>alert(1)</script>")
    assert not app.exception
    assert "script" in app.info[0].value and "<script>" not in app.info[0].value


def test_a_teachers_folder_is_read_and_hostile_files_are_told(studio, tmp_path: Path):
    studio.lessons = tmp_path
    head = "---\ntitle: {}\nlanguage: ar\nrun: demo-ce\n---\n"
    (tmp_path / "mine.md").write_text(head.format("Mine **bold**") + "## One\nText.\n")
    (tmp_path / "bad.md").write_text(head.format("Bad") + "## One\n<script>alert(1)</script>\n")
    (tmp_path / "gone.md").write_text(head.format("Gone").replace("demo-ce", "no-such-run") + "## One\nText.\n")
    app = page()
    labels = [one.label for one in app.button if (one.key or "").startswith("open-")]
    assert len(labels) == 11 and any("Mine" in label and "**bold**" not in label for label in labels)
    assert "line 7" in app.warning[0].value and "<script>" not in app.warning[0].value
    (tmp_path / "bad.md").write_text(head.format("Better") + "## One\nText.\n")
    assert not app.run().warning, "a file that has changed is read again"
    app = page(lesson="gone")
    assert not app.exception and "no run" in app.error[0].value
    assert not page(lesson="mine").exception


def test_a_draft_is_followed_and_its_last_good_version_stays(studio, tmp_path: Path):
    file = tmp_path / "mine.md"
    good = (APP / "lessons" / f"{FIRST}.md").read_text(encoding="utf-8")
    file.write_text(good.replace("## At first", "## Before"), encoding="utf-8")
    studio.draft = file
    app = page()
    assert not app.exception and "At first" not in said(app) and str(file) in said(app)
    file.write_text(good, encoding="utf-8")
    app.run()
    assert "Step 2 of 5" in said(app), "who writes is taken to what has changed"
    line = good[: good.index("step = 300")].count("\n") + 1
    file.write_text(good.replace("step = 300", "step = -1", 1), encoding="utf-8")
    app.run()
    assert f"line {line}: step must be" in said(app)
    assert "At first all clouds" in said(app) and words.learn.PREVIEW_LAST in [one.value for one in app.caption]
    line = good[: good.index("centre_sum(demo-supcon, first) > 0.98")].count("\n") + 1
    file.write_text(good.replace("first) > 0.98", "first) > 0.99"), encoding="utf-8")
    app.run()
    assert f"line {line}: the recording does not show" in said(app)
    file.unlink()
    app.run()
    assert not app.exception and "there is none" in said(app) and "At first all clouds" in said(app)
    file.write_text(good, encoding="utf-8")
    app.run()
    assert '<div class="ltviz-trouble' not in said(app)


CASES = json.loads((Path(__file__).parents[1] / "verdict_cases.json").read_text())


def test_numbers_are_said_and_judged_as_in_a_lesson_file():
    assert [words.learn.number(value, unit) for value, unit, _ in CASES["numbers"]] == [c[2] for c in CASES["numbers"]]
    for case in CASES["judged"]:
        found = Answer(
            case["found"], (), (case["found"],), "", "", True, case["tolerance"], (case["span"][0], case["span"][1])
        )
        verdict = judge(found, float(case["said"]))
        assert (verdict.right, verdict.score) == (case["right"], pytest.approx(case["score"]))
