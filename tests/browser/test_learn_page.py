"""One lesson as a learner takes it: look, predict, play, compare, go on; then a step in the geometry lab."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from patience import eventually, written

from ltviz.bench import served

pytestmark = pytest.mark.browser

SHOWN = "s => window.ltviz?.stage?.panels.length && window.ltviz.stage.panels.every(p => p.step === s)"
FIRST = "1-what-lives-on-the-sphere"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.App]:
    with served.app(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def page(browser: Any, app: served.App) -> Iterator[Any]:
    """The list of lessons; the test fails where the page complains or asks another host."""
    troubles: list[str] = []
    page = served.open_page(browser, "about:blank")
    ours = (app.address, app.address.replace("http", "ws"), "data:", "blob:", "about:")
    page.on("request", lambda r: None if r.url.startswith(ours) else troubles.append(f"asked {r.url}"))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    page.goto(app.address + "/learn")
    yield page
    page.close()
    assert troubles == []


def reach(page: Any, text: str) -> None:
    page.get_by_role("heading", name=text).wait_for(timeout=60_000)


def on_stage(page: Any, step: int) -> None:
    page.wait_for_function(SHOWN, arg=step, timeout=60_000)


def play(page: Any) -> None:
    page.get_by_role("button", name="Play", exact=True).click()


def test_a_lesson_is_taken_from_its_title_to_its_end(page: Any) -> None:
    page.get_by_role("button", name="What lives on the sphere").click(timeout=60_000)
    reach(page, "Every dot is one picture")
    on_stage(page, 300)
    page.keyboard.press("ArrowRight")
    reach(page, "At first all clouds")
    assert eventually(page, lambda: re.search(rf"lesson={FIRST}&step=2$", page.url))
    on_stage(page, 0)
    written(page)
    choices = page.get_by_role("radiogroup", name="What do you expect the clouds to do?")
    choices.get_by_text("They start in one place").click()
    play(page)
    verdict = page.get_by_role("status").filter(has_text="You said")
    verdict.get_by_text("You said: They start in one place and spread over the sphere. The recording").wait_for()
    on_stage(page, 300)
    assert page.url.endswith("step=2"), "the stage leaves the address alone"
    time.sleep(1.5)
    assert page.evaluate(f"({SHOWN})(300)"), "at its end the play stays, and does not begin again"
    page.get_by_role("button", name="Next").click()
    reach(page, "One number for the balance")
    written(page)
    number = page.get_by_role("spinbutton", name="What is it at the end of training?")
    number.fill("0.2")
    number.press("Enter")
    play(page)
    verdict.get_by_text("You said 0.2. The recording says 0.601").wait_for()
    page.get_by_text("1 of 2 predictions were right").wait_for()
    page.get_by_text("The picture in words").click()
    page.locator(".ltviz-words").get_by_text("centre sum 0.986 to 0.601").wait_for()
    for heading in ("Colours run", "How wide is a cloud?"):
        page.get_by_role("button", name="Next").click()
        reach(page, heading)
    page.get_by_role("button", name="All lessons").click()
    page.get_by_role("button", name="What a long tail does").wait_for()


def test_a_step_in_the_geometry_lab_waits_for_the_prediction(page: Any, app: served.App) -> None:
    page.goto(f"{app.address}/learn?lesson=3-the-simplex&step=1")
    page.get_by_test_id("ltviz-lab").wait_for(timeout=60_000)
    on_stage(page, 0)
    assert eventually(page, page.locator(".ltl-form").is_hidden), "what the lesson sets is not set here"
    written(page)
    number = page.get_by_role("spinbutton")
    number.fill("110")
    number.press("Enter")
    play(page)
    page.get_by_text("Geometry says 109.5°, which is close enough").wait_for()
    page.wait_for_function("() => window.ltviz.stage.panels.every((p) => p.step > 20)", timeout=60_000)
    assert page.url.endswith("lesson=3-the-simplex&step=1"), "the lab leaves the address alone"
    page.get_by_role("button", name="Next").click()
    reach(page, "A simplex needs room")
    on_stage(page, 0)
    assert page.evaluate("window.contexts()") <= 2


def test_back_of_the_browser_is_the_step_before(page: Any, app: served.App) -> None:
    page.get_by_role("button", name="What lives on the sphere").click(timeout=60_000)
    reach(page, "Every dot is one picture")
    page.get_by_role("button", name="Next").click()
    reach(page, "At first all clouds")
    page.get_by_role("button", name="Next").click()
    reach(page, "One number for the balance")
    page.go_back()
    reach(page, "At first all clouds")
    page.go_back()
    reach(page, "Every dot is one picture")
    page.go_back()
    page.get_by_role("button", name="What a long tail does").wait_for(timeout=60_000)


def test_a_formula_and_the_time_line_fit_a_narrow_page(page: Any, app: served.App) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    page.goto(f"{app.address}/learn?lesson=5-fixed-targets&step=2")
    page.locator(".katex-display").first.wait_for(timeout=60_000)
    on_stage(page, 155)
    fits = "() => [...document.querySelectorAll('.katex-display')].every((one) => one.scrollWidth <= one.clientWidth)"
    assert eventually(page, lambda: page.evaluate(fits)), "the third term is what the step is about"
    assert eventually(page, lambda: page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))
