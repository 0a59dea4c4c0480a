"""A class as it is given: one page leads, another follows, looks around alone, comes back, answers, and is let go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from patience import at_rest, eventually, written

from ltviz.bench import served

pytestmark = pytest.mark.browser

SHOWN = "s => window.ltviz?.stage?.panels.length && window.ltviz.stage.panels.every(p => p.step === s)"
YAW = "() => Number(window.ltviz.stage.camera.yaw.toFixed(2))"
SECONDS = 90_000


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.App]:
    with served.app(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """Opens a page of a person of their own; the test fails where one complains."""
    troubles: list[str] = []
    contexts = []

    def open_page(address: str) -> Any:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 800}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def bar(page: Any) -> Any:
    return page.get_by_test_id("ltviz-class")


def reach(page: Any, heading: str) -> None:
    page.get_by_role("heading", name=heading).wait_for(timeout=SECONDS)


def turn(page: Any, by: int) -> None:
    """Drags the sphere sideways."""
    box = page.get_by_test_id("ltviz-stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y, steps=4)
    page.mouse.up()


def test_a_class_goes_where_it_is_led(visit: Any, app: served.App) -> None:
    leader = visit(app.address + "/learn?lesson=1-what-lives-on-the-sphere")
    leader.get_by_role("button", name="Lead a class").click(timeout=60_000)
    bar(leader).get_by_text("You lead a class").wait_for(timeout=SECONDS)
    assert eventually(leader, lambda: "class=" in leader.url)
    code = leader.url.partition("class=")[2].partition("&")[0]
    follower = visit(f"{app.address}/?class={code}")
    reach(follower, "Every dot is one picture")  # from the lab to the lesson
    bar(follower).get_by_text("You follow the class").wait_for()
    bar(leader).get_by_text("1 follow").wait_for()
    follower.wait_for_function(SHOWN, arg=300, timeout=SECONDS)

    turn(leader, 130)
    at_rest(leader)
    there = leader.evaluate(YAW)
    follower.wait_for_function(f"yaw => Math.abs(({YAW})() - yaw) < 0.02", arg=there, timeout=SECONDS)

    reach(follower, "At first all clouds")  # the step waited for a turn, and goes on by itself
    follower.wait_for_function(SHOWN, arg=0, timeout=SECONDS)  # the page has been drawn whole
    written(follower)
    play = follower.get_by_role("button", name="Play", exact=True)
    follower.get_by_text("They start in one place").first.click()
    assert eventually(follower, play.is_enabled)
    play.click()
    follower.get_by_text("You said: They start in one place").wait_for(timeout=SECONDS)
    bar(leader).get_by_text("1 of 1 have answered").wait_for(timeout=SECONDS)
    bar(leader).get_by_role("listitem", name="They start in one place and spread over the sphere: 1").wait_for()

    turn(follower, -90)
    bar(follower).get_by_text("You look around alone").wait_for()
    leader.get_by_role("button", name="Next").click()
    reach(leader, "One number for the balance")
    assert follower.get_by_role("heading", name="At first all clouds").is_visible()
    follower.get_by_role("button", name="Back to the class").click()
    reach(follower, "One number for the balance")
    follower.wait_for_function(SHOWN, arg=0, timeout=SECONDS)

    leader.reload()
    bar(leader).get_by_text("You lead a class").wait_for(timeout=SECONDS)
    leader.get_by_role("button", name="End the class").click()
    bar(follower).get_by_text("The class is over. You look on alone.").wait_for(timeout=SECONDS)
    follower.get_by_role("button", name="Close").click()
    bar(follower).wait_for(state="detached", timeout=SECONDS)
    assert eventually(follower, lambda: "class=" not in follower.url)
    reach(follower, "One number for the balance")


def test_a_link_of_no_class_is_said_and_the_page_goes_on(visit: Any, app: served.App) -> None:
    page = visit(f"{app.address}/learn?class=<script>")
    bar(page).get_by_text("This class is over, or its link was never right").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="What lives on the sphere").wait_for()
