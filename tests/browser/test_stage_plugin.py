"""A method of another package in a real browser: what it declares is in the menu, in the legend, on the sphere and in a
replay, with no line of the stage that knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import tip_over

from ltviz.bench import served
from ltviz.cli import main

pytestmark = pytest.mark.browser

STEPS = 4
RUN = "plugged"
TITLES = ["Stars", "Bridges", "Domes", "Winds", "Poles", "Hidden"]
COUNTS = "JSON.stringify(window.ltviz?.stage?.layers?.plugged ?? {})"


@pytest.fixture
def home(tmp_path: Path, showcase: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a short run of the plug-in, trained as anybody would."""
    monkeypatch.setenv("LTVIZ_HOME", str(tmp_path))
    wish = f"train {showcase} --data digits-lt --dim 3 --steps {STEPS} --seed 0 --probe-points 60"
    assert main([*wish.split(), "--run-dir", str(tmp_path / RUN)]) == 0
    return tmp_path


@pytest.fixture
def page(browser: Any, home: Path) -> Iterator[Any]:
    with served.app(home) as running:
        page = served.open_page(browser, f"{running.address}/?runs={RUN}&step={STEPS}")
        yield page
        page.close()


def counts(page: Any) -> dict[str, int]:
    """How much of each layer is drawn, once the last step is there; a replay's policy forbids `wait_for_function`."""
    for _ in range(600):
        if page.evaluate(f"window.ltviz?.stage?.panels?.[0]?.step === {STEPS}"):
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(700)
    return dict(page.evaluate(f"JSON.parse({COUNTS})"))


def signs(page: Any) -> list[str]:
    return page.locator(".ltv-signs .ltv-sign").all_inner_texts()


def check(page: Any) -> None:
    """What is declared is drawn, named and explained; "Hidden" waits for its switch."""
    drawn = counts(page)
    classes = drawn["poles"]
    # A star for each of twelve, an arrow for each of seven pairs, a dome and a pole a class; class 0 is not blown.
    assert classes > 2 and drawn["domes"] == classes and 0 < drawn["winds"] < classes
    assert (drawn["stars"], drawn["bridges"], drawn["hidden"]) == (12, 7, 0)
    page.locator(".ltv-sign", has_text="stars").wait_for()
    named = signs(page)
    assert {"stars", "bridges", "domes", "winds", "poles"} <= set(named) and "hidden" not in named
    assert "Caps of 10° and more, a < b." in tip_over(page, page.locator(".ltv-sign", has_text="domes"))


def switch(page: Any, name: str, on: bool) -> None:
    page.get_by_text("Layers", exact=True).click()
    page.get_by_role("checkbox", name=name, exact=True).set_checked(on)
    page.keyboard.press("Escape")


def test_its_marks_are_layers_and_its_reading_is_shown(page: Any) -> None:
    check(page)
    page.get_by_text("Layers", exact=True).click()
    for title in TITLES:
        box = page.get_by_role("checkbox", name=title, exact=True)
        assert box.is_checked() is (title != "Hidden")
    assert page.locator("label", has_text="Winds").get_attribute("title") == "Where each class is blown."
    page.keyboard.press("Escape")
    switch(page, "Hidden", True)
    switch(page, "Bridges", False)
    drawn = counts(page)
    assert (drawn["hidden"], drawn["bridges"]) == (1, 0)
    assert "hidden" in signs(page) and "bridges" not in signs(page)
    switch(page, "Inside the method", True)
    strip = page.get_by_test_id("ltviz-strip").first
    strip.get_by_text("beats").first.wait_for()
    assert "Pulse" in strip.inner_text()


def test_a_link_names_them_by_their_keys(page: Any) -> None:
    address = page.url
    page.goto(f"{address}&layers=hidden,-stars")
    drawn = counts(page)
    assert (drawn["hidden"], drawn["stars"], drawn["bridges"]) == (1, 0, 7)


def test_they_are_in_the_replay_that_a_person_saves(page: Any, browser: Any) -> None:
    counts(page)
    page.locator("summary", has_text="Save").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="HTML replay", exact=True).click()
    file = Path(started.value.path()).rename(Path(started.value.path()).with_suffix(".html"))
    asked: list[str] = []
    replay = browser.new_page()
    replay.on("request", lambda r: asked.append(r.url) if not re.match("file:|data:|blob:", r.url) else None)
    replay.goto(f"{file.as_uri()}?step={STEPS}&layers=inside")
    check(replay)
    assert "Pulse" in replay.get_by_test_id("ltviz-strip").first.inner_text()
    assert asked == []
    replay.close()
