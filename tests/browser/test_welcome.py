"""The first minute: a card for who is new, a tour for who wants it, and neither of them twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ltviz.bench import served

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(browser: Any, tmp_path: Any) -> Iterator[tuple[Any, str]]:
    """A browser that has never been here, and the address of a home without runs."""
    troubles: list[str] = []
    with served.app(tmp_path) as app:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        yield page, app.address
        context.close()
    assert troubles == []


def test_who_is_new_is_offered_the_tour_once(visitor: tuple[Any, str]) -> None:
    page, address = visitor
    page.goto(f"{address}/?runs=demo-bcl")
    page.get_by_text("BCL").first.wait_for(timeout=60_000)
    assert page.get_by_test_id("ltviz-welcome").count() == 0, "who comes for a run sees that run"
    page.goto(address)
    card = page.get_by_test_id("ltviz-welcome")
    card.get_by_text("what becomes of the rare ones").wait_for(timeout=60_000)
    page.wait_for_function(
        "() => window.ltviz?.stage?.panels.length === 5 && window.ltviz.stage.panels.every(p => p.step !== null)"
    )
    lit = """() => {
        const sphere = document.querySelector('.ltw-sphere') ?? [...document.querySelectorAll('*')]
            .map(e => e.shadowRoot?.querySelector('.ltw-sphere')).find(Boolean);
        const { data } = sphere.getContext('2d').getImageData(0, 0, sphere.width, sphere.height);
        let red = 0;
        for (let i = 0; i < data.length; i += 4) red += data[i] > data[i + 2] + 60 && data[i + 3] > 128;
        return red > 10;
    }"""
    page.wait_for_function(lit)
    card.get_by_role("button", name="Start the tour").click()
    tour = page.get_by_role("dialog", name="A dot is one sample")
    tour.wait_for()
    card.wait_for(state="detached")
    for key, title in (
        ("ArrowRight", "A colour is how common its class is"),
        ("ArrowRight", "A sphere is one run"),
        ("ArrowLeft", "A colour is how common its class is"),
        ("ArrowRight", "A sphere is one run"),
        ("ArrowRight", "The slider is time"),
    ):
        page.keyboard.press(key)
        page.get_by_role("dialog", name=title).wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.reload()
    page.wait_for_function("() => window.ltviz?.stage?.panels.length === 5", timeout=60_000)
    page.wait_for_timeout(300)
    assert page.get_by_test_id("ltviz-welcome").count() == 0, "never twice unasked"
    page.goto(f"{address}/?tour=1")
    page.get_by_role("dialog", name="A dot is one sample").wait_for(timeout=60_000)
    page.get_by_role("button", name="Skip the tour").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_function("() => !location.href.includes('tour')")
