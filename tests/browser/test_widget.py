"""The notebook's widget around a model that is made up: what it takes, tells and asks. A real JupyterLab is in
tests/release/check_notebook.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ltviz
from ltviz.launch.app import load_app

load_app()
from ltviz_app.service.feed import Feed, Sent, background  # noqa: E402
from ltviz_app.service.packing import stage_without_stream  # noqa: E402
from ltviz_app.service.stagefiles import stage_style  # noqa: E402
from ltviz_app.service.stagescript import bundle  # noqa: E402

pytestmark = pytest.mark.browser

ADDRESS = "http://notebook.test/lab?step=10&runs=theirs"
# As anywidget's: what is set is told to all who listen, whoever set it.
MODEL = """
class Model {
  told = {}; sent = []; saved = {};
  constructor(state) { this.state = state; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = value;
    (this.told[`change:${name}`] ?? []).slice().forEach((told) => told());
  }
  on(event, told) { (this.told[event] ??= []).push(told); }
  off(event, told) { this.told[event] = this.told[event].filter((other) => other !== told); }
  save_changes() { this.saved = { ...this.state }; }
  send(message) { this.sent.push(message); }
}
window.begin = async (key, state) => {
  window.widget = (await window.ltviz.modules[key]).default;
  window.model = new Model(state);
  widget.initialize({ model });
  window.place = document.getElementById("place");
  window.end = widget.render({ model, el: place });
};
"""


def first_parcel(run: Path) -> dict[str, Any]:
    async def work() -> dict[str, Any]:
        feed = Feed({"my-run": run})
        try:
            return await feed.parcel(Sent())
        finally:
            await feed.close()

    return background().start(work()).result(30)


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A page with the widget of a finished run of steps 0, 5 and 10, held at 10."""
    with ltviz.record(tmp_path / "my-run", labels=np.arange(30) % 3) as run:
        for step in (0, 5, 10):
            run.frame(step, embeddings=np.random.default_rng(step).normal(size=(30, 3)))
    parcel = first_parcel(tmp_path / "my-run")
    page = browser.new_page(viewport={"width": 900, "height": 900})
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    html = f"<!doctype html><title>theirs</title><style>{stage_style()}</style><div id='place'></div>"
    page.route(ADDRESS, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(ADDRESS)
    code, key = bundle("widget.js")
    page.add_script_tag(type="module", content=code + MODEL)
    page.wait_for_function("Boolean(window.begin)")
    data = stage_without_stream(["my-run"], "centres", "widget") | {"guest": True}
    seen = {"step": 10, "selection": [], "camera": {}, "layers": {}, "_moving": False}
    page.evaluate(f"begin({json.dumps(key)}, {json.dumps({'_data': data, '_parcel': parcel, **seen})})")
    page.wait_for_function("window.ltviz.stage.panels[0]?.step === 10")
    yield page
    page.close()
    assert troubles == []


def saved(page: Any, true: str) -> None:
    """Waits until what the kernel was told is so."""
    page.wait_for_function(f"(({{ step, selection, camera, layers, _moving }}) => {true})(window.model.saved)")


def test_what_is_done_in_the_browser_is_told(page: Any) -> None:
    page.get_by_role("button", name="One frame back").click()
    saved(page, "step === 5 && _moving === false")
    page.get_by_role("button", name="loop").click()
    saved(page, "_moving === true && Number.isInteger(step)")
    page.get_by_role("button", name="Pause").click()
    saved(page, "_moving === false")
    before = page.evaluate("model.saved.camera.yaw")
    box = page.get_by_test_id("ltviz-stage").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 380, box["y"] + 300, steps=4)
    page.mouse.up()
    page.wait_for_function("yaw => model.saved.camera.yaw !== yaw", arg=before)
    assert page.url == ADDRESS, "their address is neither read nor written"


def test_what_python_sets_is_shown_and_what_came_of_it_is_told(page: Any) -> None:
    page.evaluate("model.set('step', 5)")
    page.wait_for_function("window.ltviz.stage.panels[0].step === 5")
    page.evaluate("model.set('selection', [4, 9])")
    bar = page.get_by_test_id("ltviz-selection")
    bar.get_by_text("2 samples").wait_for()
    bar.get_by_role("button", name="Clear").click()
    saved(page, "selection.length === 0")
    page.evaluate("model.set('layers', { caps: true, grid: false })")
    saved(page, "layers.caps && layers.grid === false && layers.points")
    page.evaluate("model.set('camera', { pitch: 9 })")
    saved(page, "camera.pitch < 1.6 && camera.pitch > 1 && camera.distance > 1")
    page.evaluate("model.set('step', null)")
    saved(page, "_moving === true")


def test_a_parcel_before_which_one_is_missing_is_asked_for_and_a_second_view_shows_the_same(page: Any) -> None:
    assert page.evaluate("model.sent") == []
    page.evaluate("model.set('_parcel', { ...model.get('_parcel'), n: 5, anew: false })")
    page.wait_for_function("model.sent.length === 1")
    assert page.evaluate("model.sent[0]") == {"have": 1}
    page.evaluate("end()")
    assert page.locator(".ltv-root").count() == 0
    page.evaluate("void (window.end = widget.render({ model, el: place }))")
    page.get_by_test_id("ltviz-step").filter(has_text="step 10").wait_for()


def test_keys_of_the_stage_are_none_of_the_notebooks(page: Any) -> None:
    page.get_by_test_id("ltviz-stage").focus()
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")
    page.get_by_test_id("ltviz-slider").focus()
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")
