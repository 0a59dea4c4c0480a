"""Every step of every lesson that came with the app, played in a browser; and what a step can ask for besides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ltviz_app
import pytest
from patience import eventually, written

from ltviz.bench import served
from ltviz.lessons import Book, Lesson, Section, answer, list_lessons, read_lesson
from ltviz.recording import Home

pytestmark = pytest.mark.browser

APP = Path(ltviz_app.__file__).parent
LESSONS = [read_lesson(path) for path in list_lessons(APP / "lessons")]
SEEN = "() => window.ltviz?.stage?.panels?.length && window.ltviz.stage.panels.every((panel) => panel.step !== null)"
LIT = "(parts) => String(window.ltviz.stage.lit ?? []) === String(parts)"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.App]:
    with served.app(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(Home.at(APP.parent / "checkpoints").find)


@pytest.fixture(scope="module")
def page(browser: Any, app: served.App) -> Iterator[Any]:
    """One page for all lessons: what is loaded once stays loaded, as for a learner."""
    troubles: list[str] = []
    page = served.open_page(browser, "about:blank", width=1280, height=800)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    yield page
    page.close()
    assert troubles == []


def open_step(page: Any, app: served.App, lesson: Lesson, number: int = 1) -> None:
    page.goto(f"{app.address}/learn?lesson={lesson.name}&step={number}")
    page.get_by_role("heading", name=lesson.steps[number - 1].title, exact=True).wait_for(timeout=60_000)
    page.wait_for_function(SEEN, timeout=60_000)


def go_on(page: Any) -> None:
    # Until its run has ended the page holds the step before, whose Next leads here.
    written(page)
    page.get_by_role("button", name="Next").click()


def give(page: Any, step: Section, right: Any) -> None:
    """Answers as a learner would, and rightly where that is possible by hand."""
    assert step.ask is not None
    written(page)
    if step.ask.kind == "curve":
        page.locator(".ltc-handle").first.wait_for(timeout=60_000)
        chart = page.locator(".ltc-chart").bounding_box()
        page.mouse.click(chart["x"] + chart["width"] / 2, chart["y"] + chart["height"] / 2)
    elif step.ask.kind == "value":
        number = page.get_by_role("spinbutton")
        number.fill(f"{right:.3f}")
        number.press("Enter")
    else:
        asked = page.get_by_role("radiogroup", name=step.ask.question)
        asked.locator("label").filter(has=page.get_by_text(right, exact=True)).click()


IN_CI = ("1", "3", "8", "9")
"""Numbers of the lessons that are taken each time: between them they have every kind of question and of wait. All nine
take over two minutes of a browser, with LTVIZ_NIGHTLY=1."""


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_step_is_loaded_and_played_and_every_answer_is_there(
    page: Any, app: served.App, book: Book, lesson: Lesson, nightly: bool
) -> None:
    if not nightly and not lesson.name.startswith(IN_CI):
        pytest.skip("this lesson is taken in a browser with LTVIZ_NIGHTLY=1")
    open_step(page, app, lesson)
    for step in lesson.steps:
        page.get_by_role("heading", name=step.title, exact=True).wait_for(timeout=60_000)
        page.wait_for_function(SEEN, timeout=60_000)
        assert page.locator("[data-testid=stException], [data-testid=stAlert]").count() == 0, step.title
        if step.wait:
            page.locator(".ltviz-wait").get_by_text(step.wait.say).wait_for()
            page.locator(".ltv-ringed").first.wait_for()
        if step.ask:
            found = answer(step.ask, book)
            give(page, step, found.right)
            page.get_by_role("button", name="Play", exact=True).click()
            verdict = page.locator(".ltviz-verdict")
            verdict.get_by_text("You said").wait_for()
            if step.ask.kind == "curve":
                page.locator("path.ltc-found").wait_for(state="attached")
            else:
                page.locator(".ltviz-verdict[data-verdict=right]").wait_for()
        elif step.scene.play or (step.scene.geometry and not step.wait):
            page.get_by_role("button", name="Play", exact=True).click()
            page.get_by_role("button", name="Play again").wait_for()
        if step is not lesson.steps[-1]:
            go_on(page)
    page.get_by_role("button", name="All lessons").click()
    page.get_by_role("heading", name="Learn", exact=True).wait_for()


def find_arrow(page: Any) -> bool:
    """Moves the pointer around the centres, whose names stand beside them, until it is on an arrow."""
    names = [name.bounding_box() for name in page.locator(".ltv-overlay .ltv-label").all()]
    for box in filter(None, names):
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for off_x in range(-48, 49, 8):
            for off_y in range(-48, 49, 8):
                page.mouse.move(x + off_x, y + off_y)
                if page.evaluate("(window.ltviz.stage.lit ?? []).length > 0"):
                    return True
    return False


def test_waiting_then_terms_and_arrows_light_one_another(page: Any, app: served.App) -> None:
    open_step(page, app, LESSONS[1])
    page.locator("summary.ltv-ringed").click()
    page.locator(".ltv-check.ltv-ringed").click()
    page.get_by_role("heading", name="Which term pulls, which one pushes?").wait_for(timeout=60_000)
    page.get_by_role("button", name="push", exact=True).focus()
    page.wait_for_function(LIT, arg=["head", "medium", "tail"])
    term = page.locator(".katex-html [data-term=pull]").first.bounding_box()
    page.mouse.move(term["x"] + term["width"] / 2, term["y"] + term["height"] / 2)
    page.wait_for_function(LIT, arg=["positives"])
    page.locator("[data-term=pull].ltviz-lit").first.wait_for()
    page.mouse.move(5, 5)
    page.wait_for_function(LIT, arg=[])
    assert find_arrow(page), "an arrow under the pointer lights its term"
    page.locator("[data-term].ltviz-lit").first.wait_for()


def test_a_curve_is_drawn_by_keyboard_and_a_class_is_pointed_at(page: Any, app: served.App) -> None:
    open_step(page, app, LESSONS[4])
    handle = page.get_by_role("slider", name="Your curve at step 300")
    handle.focus(timeout=60_000)
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_text("You said: it falls. The recording says: it falls.").wait_for()
    open_step(page, app, LESSONS[0], 4)
    box = page.get_by_test_id("ltviz-stage").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator("[data-testid=stRadio] input:checked").wait_for(state="attached")
    assert eventually(page, page.get_by_role("button", name="Play", exact=True).is_enabled)


def test_a_setting_that_is_waited_for_can_be_moved(page: Any, app: served.App) -> None:
    open_step(page, app, LESSONS[1], 6)
    page.get_by_role("slider", name="Temperature").focus(timeout=60_000)
    page.keyboard.press("Home")
    page.get_by_role("heading", name="The same two forces without a network").wait_for(timeout=60_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(page: Any, app: served.App, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    measure = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8").partition("*/")[2]
    open_step(page, app, LESSONS[1], 2)
    page.locator("[data-term]").first.wait_for()
    page.wait_for_function(f"() => !({measure})().bad.length", timeout=60_000)
    open_step(page, app, LESSONS[4])
    give(page, LESSONS[4].steps[0], None)
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(".ltviz-verdict").wait_for()
    # While the page is written anew, Streamlit fades what it has not come to yet.
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
    page.wait_for_function(f"() => !({measure})().bad.length", timeout=60_000)
    assert page.evaluate(measure)["count"] > 30
