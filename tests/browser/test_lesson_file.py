"""A lesson in a file of its own, as a learner opens it: no server, no request, the same questions and answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import eventually

from ltviz.export.lesson import find_lesson, lesson_page
from ltviz.recording import Home

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a lesson's file; the test fails where the page complains or asks anybody for anything."""
    troubles: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")

    def open_page(name: str, address: str = "") -> Any:
        lesson, path = find_lesson(name)
        file = tmp_path / "lesson.html"
        file.write_bytes(lesson_page(lesson, path, Home.at(ROOT / "checkpoints")).html)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type in {"error", "warning"} else None)
        ours = ("data:", "blob:", file.as_uri())
        page.on("request", lambda r: None if r.url.startswith(ours) else troubles.append(r.url))
        page.goto(file.as_uri() + address)
        return page

    yield open_page
    context.close()
    assert troubles == []


def until(page: Any, condition: str, argument: Any = None, seconds: float = 30.0) -> None:
    """`wait_for_function` needs `eval`, which the file's policy forbids."""
    for _ in range(int(seconds / 0.05)):
        if page.evaluate(condition, argument):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"this should have come true by now: {condition} of {argument}")


def on_stage(page: Any, step: int) -> None:
    until(page, "s => window.ltviz?.stage?.panels.length && window.ltviz.stage.panels.every(p => p.step === s)", step)


def test_a_lesson_is_taken_from_a_file(visit: Callable[..., Any]) -> None:
    page = visit("1-what-lives-on-the-sphere")
    page.get_by_role("heading", name="Every dot is one picture").wait_for()
    on_stage(page, 300)
    play = page.get_by_role("button", name="Play", exact=True)
    back = page.get_by_role("button", name="Back", exact=True)
    assert eventually(page, lambda: play.is_hidden() and back.is_disabled())
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="At first all clouds").wait_for()
    on_stage(page, 0)
    assert eventually(page, lambda: page.url.endswith("#2") and play.is_disabled()), "first the prediction"
    page.get_by_role("radiogroup", name="What do you expect the clouds to do?").get_by_text("in one place and").click()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="At first all clouds").wait_for()  # arrows choose among choices
    page.get_by_role("radio").nth(1).check()
    play.click()
    verdict = page.get_by_role("status").filter(has_text="You said")
    verdict.get_by_text(
        "You said: They start in one place and spread over the sphere. The recording says so too."
    ).wait_for()
    on_stage(page, 300)
    page.get_by_text("The picture in words").click()
    page.get_by_text("centre sum 0.986 to 0.601").wait_for()
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_role("spinbutton", name="What is it at the end of training?").fill("0.2")
    play.click()
    verdict.get_by_text("You said 0.2. The recording says 0.601, which is 0.401 away.").wait_for()
    page.get_by_text("1 of 2 predictions were right").wait_for()
    assert page.locator("math[display=block] mfrac").count() == 1
    page.get_by_role("button", name="Back", exact=True).click()
    assert eventually(page, lambda: "says so too" in verdict.inner_text()), "what was said stays"
    page.get_by_role("button", name="Slides", exact=True).click()
    until(page, "'slides' in document.documentElement.dataset")
    assert page.evaluate("window.contexts?.() ?? 0") <= 2


def test_a_step_in_the_lab_computes_in_the_file(visit: Callable[..., Any]) -> None:
    page = visit("3-the-simplex", "#1")
    page.get_by_test_id("ltviz-lab").wait_for()
    on_stage(page, 0)
    assert page.locator(".ltl-form").is_hidden(), "what the lesson sets is not set here"
    page.get_by_role("spinbutton").fill("110")
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_text("Geometry says 109.5°, which is close enough").wait_for()
    until(page, "() => window.ltviz.stage.panels.every((p) => p.step > 20)")
    for number in (2, 3, 4):
        page.get_by_role("button", name="Next", exact=True).click()
        until(page, "n => location.hash === `#${n}`", number)
        until(page, "() => document.querySelectorAll('[data-testid=ltviz-stage]').length === 1")
    page.get_by_role("button", name=re.compile("To the beginning")).click()
    page.get_by_text("Geometry says 109.5°").wait_for()


def test_terms_waiting_and_curves_are_in_the_file(visit: Callable[..., Any]) -> None:
    page = visit("2-pull-and-push")
    page.get_by_text("Your turn").wait_for()
    page.locator("summary", has_text="Layers").click()
    page.locator(".ltv-switches label", has_text="Forces").click()
    page.get_by_role("heading", name="Which term pulls").wait_for()
    page.locator("math [data-term=pull]").first.hover()
    until(page, "() => window.ltviz.stage.lit?.[0] === 'positives'")
    page.get_by_role("button", name="Next", exact=True).click()
    handle = page.get_by_role("slider", name="Your curve at step 75")
    handle.focus()
    handle.press("ArrowDown")
    play = page.get_by_role("button", name="Play", exact=True)
    until(page, "() => [...document.querySelectorAll('button')].some(b => b.textContent === 'Play' && !b.disabled)")
    play.click()
    page.get_by_role("status").get_by_text("Your curve is").wait_for()
