"""A link with fewer controls: what it hides keeps its value, what it fixes stays; the page makes such links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from patience import eventually

from ltviz.bench import served

pytestmark = pytest.mark.browser

SHOWN = "s => window.ltviz?.stage?.panels.length && window.ltviz.stage.panels.every(p => p.step === s)"
CAMERA = "() => JSON.stringify(window.ltviz.stage.camera)"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.App]:
    with served.app(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    troubles: list[str] = []
    page = served.open_page(browser, "about:blank", width=1280, height=800)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    yield page
    page.close()
    assert troubles == []


def test_the_lab_shows_what_its_link_leaves(page: Any, app: served.App) -> None:
    asked = "hide=search,page.runs,page.dim,<b>&fix=time,turn,page.steps,page.choice"
    page.goto(f"{app.address}/?runs=demo-ce&step=100&steps=123&dim=7&methods=ce,bcl&{asked}")
    page.wait_for_function(SHOWN, arg=100, timeout=60_000)
    steps = page.get_by_role("spinbutton", name="Steps")
    steps.wait_for(timeout=60_000)
    assert eventually(page, lambda: steps.input_value() == "123" and steps.is_disabled())
    dim = page.get_by_role("spinbutton", name="Dimensions", include_hidden=True)
    assert eventually(page, lambda: dim.input_value() == "7" and not dim.is_visible()), "what is hidden keeps its value"
    bcl = page.get_by_role("checkbox", name="BCL", exact=True)
    assert eventually(page, lambda: bcl.is_disabled() and bcl.is_checked())
    assert not page.get_by_role("checkbox", name="SupCon", exact=True).is_checked()
    page.locator(".ltv-find").wait_for(state="hidden")
    page.get_by_text("The address hides or fixes what is not here: <b>.").wait_for()

    camera = page.evaluate(CAMERA)
    canvas, slider = page.get_by_test_id("ltviz-stage"), page.get_by_test_id("ltviz-slider")
    box, track = canvas.bounding_box(), slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 40, steps=3)
    page.mouse.up()
    canvas.focus()
    for key in ("ArrowLeft", ".", " "):
        page.keyboard.press(key)
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.mouse.click(track["x"] + 5, track["y"] + track["height"] / 2)
    page.get_by_role("button", name="Play", exact=True).click(force=True)
    page.wait_for_timeout(400)
    assert page.evaluate(CAMERA) == camera and page.evaluate(f"({SHOWN})(100)"), "what is fixed stays"


def test_a_link_is_made_by_ticking_and_opens_as_it_says(page: Any, app: served.App) -> None:
    page.goto(f"{app.address}/geometry?losses=supcon,bcl&classes=6")
    page.get_by_test_id("ltviz-lab").wait_for(timeout=60_000)
    page.wait_for_function("() => window.ltviz.stage.panels.length === 2", timeout=60_000)
    page.locator("summary", has_text="Save").click()
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("checkbox", name="Temperature: Shown").uncheck()
    page.get_by_role("checkbox", name="Dimension: Can be changed").uncheck()
    page.get_by_role("checkbox", name="Navigation at the top: Shown").uncheck()
    link = page.get_by_role("textbox", name="Link")
    taken = ("lab.temperature", "lab.dim", "page.nav")
    assert eventually(page, lambda: all(name in link.input_value() for name in taken)), link.input_value()
    page.goto(link.input_value())
    page.get_by_test_id("ltviz-lab").wait_for(timeout=60_000)
    page.get_by_role("slider", name="Temperature").wait_for(state="hidden", timeout=60_000)
    page.get_by_role("link", name="Compare").wait_for(state="hidden")
    dim = page.get_by_role("slider", name="Dimension")
    assert eventually(page, lambda: dim.get_attribute("aria-disabled") == "true")
    before = dim.input_value()
    dim.focus()
    page.keyboard.press("ArrowRight")
    assert dim.input_value() == before
    page.get_by_role("slider", name="Classes").press("ArrowRight")
    page.wait_for_url("**classes=7**", timeout=60_000)
    assert "hide=" in page.url, "the lab's own address keeps what is taken away"


def test_slides_have_the_presenters_clock_and_no_menus(page: Any, app: served.App) -> None:
    page.goto(f"{app.address}/learn?lesson=1-what-lives-on-the-sphere&step=2")
    page.wait_for_function(SHOWN, arg=0, timeout=60_000)
    assert page.get_by_test_id("ltviz-presenter").count() == 0
    page.get_by_role("button", name="Slides", exact=True).click()
    clock = page.get_by_test_id("ltviz-presenter")
    clock.get_by_text("of 4 min").wait_for(timeout=60_000)
    page.locator(".ltv-find").wait_for(state="hidden")
    page.evaluate("sessionStorage.setItem('ltviz.presenter.1-what-lives-on-the-sphere', String(Date.now() - 270_000))")
    page.reload()
    clock.get_by_text("over 4 min").wait_for(timeout=60_000)
    clock.get_by_role("button", name="From 0").click()
    clock.get_by_text("of 4 min").wait_for()
    page.get_by_role("button", name="End slides").click()
    clock.wait_for(state="detached")
    page.locator(".ltv-find").wait_for(state="visible")
