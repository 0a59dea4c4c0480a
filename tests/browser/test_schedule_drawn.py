"""The chart of a setting's curve: drawn with a pointer and with keys, read out, and kept while time goes on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

import pytest
from ltviz_app.service.stagefiles import stage_style
from ltviz_app.service.stagescript import one_script
from patience import eventually

pytestmark = pytest.mark.browser

ENTRY = "schedules/schedules.js"
SETUP = """
window.told = [];
window.write = (taken) => use("schedules/schedules.js").default({
  parentElement: document.getElementById("place"),
  setTriggerValue: (name, value) => window.told.push([name, value]),
  data: { place: "chart", share: false, curve: {
    id: "one", question: "", unit: "number", knots: 33, free: true, span: [0, 1], steps: [0, 300],
    begins: 0.5, from: 100, drawn: null, found: null, past: [[0, 0.2], [taken, 0.5]],
  } },
});
window.write(100);
"""


@pytest.fixture
def page(browser: Any):
    script = one_script((ENTRY,))[0].rpartition("export {")[0].replace("$use", "use")
    files = {
        "/": ("text/html", '<div id="place" style="width: 300px"></div><script type="module" src="/all.js"></script>'),
        "/all.js": ("text/javascript", script + SETUP),
        "/common/curve.css": ("text/css", stage_style("common/curve.css")),
    }

    def answer(route: Any) -> None:
        kind, body = files.get(urlparse(route.request.url).path, ("text/plain", ""))
        route.fulfill(content_type=kind, body=body)

    page = browser.new_page(viewport={"width": 500, "height": 300})
    page.route("**/*", answer)
    page.goto("http://chart.test/")
    yield page
    page.close()


def test_a_curve_is_drawn_over_what_is_left_and_time_takes_nothing_of_it(page: Any) -> None:
    chart = page.locator("svg.ltc-chart")
    dressed = "() => getComputedStyle(document.querySelector('svg.ltc-chart')).touchAction === 'none'"
    assert eventually(page, lambda: chart.count() and page.evaluate(dressed) and chart.bounding_box()["width"] == 300)
    box = chart.bounding_box()
    x, y = box["x"], box["y"]
    assert page.locator("path.ltc-past").get_attribute("d").count("L") == 1
    page.mouse.move(x + 200, y + 30)
    page.mouse.down()
    page.mouse.move(x + 280, y + 90, steps=4)
    page.evaluate("window.write(140)")  # the run has gone on meanwhile
    page.mouse.move(x + 299, y + 60, steps=4)
    page.mouse.up()
    assert eventually(page, lambda: page.evaluate("window.told.length") == 1)
    name, value = page.evaluate("window.told[0]")
    knots = value["knots"]
    assert (name, value["id"], len(knots)) == ("drawn", "one", 33)
    assert knots[0] == 0.5 and min(knots) < 0.4 and max(knots) > 0.7, "from now on, to the last step"
    assert page.locator("path.ltc-mine").get_attribute("d").count("L") == 32

    first = page.locator("[role=slider]").first
    first.focus()
    page.keyboard.press("PageUp")
    assert eventually(page, lambda: page.evaluate("window.told.length") == 2)
    assert page.evaluate("window.told[1][1].knots[0]") == pytest.approx(0.6)
    assert first.get_attribute("aria-valuetext") == "0.600"
    assert first.get_attribute("aria-label") == "The curve at step 100"
    said = page.get_by_test_id("ltviz-curve-numbers").inner_text()
    assert said.startswith("Until now, step and value: 0: 0.200, 140: 0.500. Share of the steps and value: 0: 0.600,")
