"""The page Evidence in a browser: curves stand, a result is computed beside, and its picture moves, recorded or in the
geometry lab."""

from __future__ import annotations

from typing import Any

import pytest

from ltviz.bench import served

pytestmark = pytest.mark.browser


def test_a_result_is_computed_here_and_seen_to_move(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    troubles: list[str] = []
    with served.app(tmp_path_factory.mktemp("home")) as app:
        page = served.open_page(browser, "about:blank")
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(app.address + "/evidence")
        bars = page.locator(".ltviz-court em i")
        bars.first.wait_for(timeout=60_000)
        heights = bars.evaluate_all("all => all.map((bar) => bar.getBoundingClientRect().height)")
        assert max(heights) > 10 and min(heights) > 0, "what the page lets through has the curves in it"
        page.get_by_text("Results reproduced").click()
        page.locator(".st-key-compute-sigreg-bias button").click()
        page.locator(".st-key-exhibit-sigreg-bias").get_by_text("Computed here").wait_for(timeout=90_000)
        assert page.url.endswith("?part=museum")
        page.locator(".st-key-exhibit-sigreg-bias").get_by_text("See it move").click()
        page.wait_for_url("**/?runs=museum-sigreg-bias*", timeout=60_000)
        page.wait_for_function("() => window.ltviz?.stage?.draws > 1", timeout=60_000)
        page.goto(app.address + "/evidence?part=museum")
        page.locator(".st-key-exhibit-bcl-theorem").get_by_text("See it move").click()
        page.wait_for_url("**/geometry?*losses=bcl*", timeout=60_000)
        page.wait_for_function("() => window.ltviz?.stage?.draws > 1", timeout=60_000)
        page.close()
    assert troubles == []
