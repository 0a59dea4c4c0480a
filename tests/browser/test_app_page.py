"""The whole app as a person meets it: demos, Train, a drag while it trains, Stop, a link that shows the same thing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import at_rest, eventually

from ltviz.bench import served
from ltviz.recording import Recording, list_runs

pytestmark = pytest.mark.browser

DRAWN = "() => Object.keys(window.ltviz?.stage?.drawn ?? {}).length > 0"
HELD = "s => window.ltviz?.stage?.panels.length && window.ltviz.stage.panels.every(p => p.step === s)"
OWN_RUNS = "() => window.ltviz.stage.panels.filter(p => !p.run.startsWith('demo-') && p.step != null).length"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[served.App]:
    with served.app(home) as running:
        yield running


@pytest.fixture
def visit(browser: Any, app: served.App) -> Iterator[Any]:
    """Opens a path of the app; the test fails where the page complains or asks another host."""
    troubles: list[str] = []
    pages = []

    def open_path(path: str = "/") -> Any:
        page = served.open_page(browser, "about:blank")
        page.on("request", lambda r: None if is_ours(r.url, app.address) else troubles.append(f"asked {r.url}"))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.goto(app.address + path)
        page.wait_for_function(DRAWN, timeout=60_000)
        pages.append(page)
        return page

    yield open_path
    for page in pages:
        page.close()
    assert troubles == []


def is_ours(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:", "about:"))


def stage(page: Any) -> dict[str, Any]:
    return page.evaluate("window.ltviz.stage")


def until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this should have come true by now"
        time.sleep(0.1)


def test_it_opens_on_the_demos_moving_and_without_torch(visit: Any, app: served.App) -> None:
    page = visit()
    assert {panel["run"] for panel in stage(page)["panels"]} == {
        f"demo-{name}" for name in ("ce", "supcon", "bcl", "tsc", "logit-adjust")
    }
    begun = stage(page)["frames"]
    page.wait_for_function("n => window.ltviz.stage.frames > n + 10", arg=begun)
    assert page.evaluate("window.contexts()") == 1
    assert page.locator("iframe").count() == 0
    assert not app.has_torch()


def test_the_lab_shows_before_train_what_it_would_train_on(visit: Any) -> None:
    page = visit()
    strips = page.locator(".ltviz-samples img")
    strips.first.wait_for(timeout=60_000)
    strips.nth(3).wait_for(timeout=60_000)
    seen = "found => found.map((one) => [one.alt, one.naturalWidth, one.naturalHeight])"
    assert eventually(page, lambda: all(wide for _, wide, _ in strips.evaluate_all(seen)))
    drawn = strips.evaluate_all(seen)
    assert [told for told, _, _ in drawn] == [
        "6 of the 120 training images of class 0",
        "6 of the 77 training images of class 7",
        "Class 2, all 3",
        "Class 4, all 2",
    ]
    assert [(wide, high) for _, wide, high in drawn] == [(54, 8), (54, 8), (27, 8), (18, 8)], "a browser reads them"
    sizes = strips.evaluate_all("found => found.map((one) => one.clientHeight)")
    assert max(sizes) - min(sizes) <= 1 and min(sizes) > 20, "images are equally large, whatever their number"
    page.locator(".st-key-counts .bars .point").nth(9).wait_for(state="attached", timeout=60_000)
    ticks = page.locator(".st-key-counts .ytick text")
    assert eventually(page, lambda: ticks.all_text_contents() == ["1", "10", "100"]), ticks.all_text_contents()
    page.get_by_text("5 methods train mlp to 3 dimensions").wait_for(state="attached")
    page.get_by_role("spinbutton", name="Imbalance").fill("1")
    page.get_by_role("spinbutton", name="Imbalance").press("Enter")
    page.locator('.ltviz-samples img[alt$="of the 120 training images of class 4"]').wait_for(timeout=60_000)


def test_train_streams_a_race_that_keeps_the_camera_and_obeys_stop(visit: Any, home: Path) -> None:
    page = visit("/?steps=20000")
    page.get_by_role("button", name=re.compile("train", re.IGNORECASE)).first.click()
    page.wait_for_function(f"{OWN_RUNS.replace('() =>', '() => 5 ===')}", timeout=240_000)

    box = page.get_by_test_id("ltviz-stage").bounding_box()
    x, y = box["x"] + box["width"] / 6, box["y"] + box["height"] / 4
    untouched = stage(page)["camera"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 25, steps=4)
    page.mouse.up()
    turned = at_rest(page)
    assert turned != untouched

    begun = stage(page)["frames"]
    page.get_by_text("Logit", exact=False).first.click()  # any widget: the script runs again
    page.wait_for_function("n => window.ltviz.stage.frames >= n + 10", arg=begun, timeout=60_000)
    after = stage(page)
    assert after["camera"] == turned
    assert after["mounts"] == 1 and page.evaluate("window.contexts()") == 1

    until(lambda: {r.status().state for r in list_runs(home)} == {"running"})
    runs = list_runs(home)
    assert len(runs) == 5 and {r.status().state for r in runs} == {"running"}
    assert len({str(r.info.fingerprints) for r in runs}) == 1
    for run in runs:
        page.locator(f".st-key-run-{run.run_id}").wait_for(state="attached")
    page.get_by_role("button", name=re.compile("stop", re.IGNORECASE)).first.click()
    until(lambda: {r.status().state for r in list_runs(home)} == {"finished"})
    assert {r.status().reason for r in list_runs(home)} == {"stopped"}


def test_a_link_shows_the_same_runs_at_the_same_step_after_a_reload(visit: Any, home: Path) -> None:
    runs = [r.run_id for r in list_runs(home)][:2]
    step = Recording(home / runs[0]).steps()[2]
    page = visit(f"/?runs={','.join(runs)}&step={step}")
    for _ in range(2):
        page.wait_for_function(HELD, arg=step)
        time.sleep(0.5)  # long enough for five more frames, if it did not hold
        assert stage(page)["panels"] == [{"run": run, "step": step} for run in runs]
        page.reload()


def test_the_compare_page_opens_by_its_own_address(visit: Any, home: Path) -> None:
    runs = [r.run_id for r in list_runs(home)][:2]
    page = visit(f"/compare?runs={','.join(runs)}")
    page.wait_for_function("() => window.ltviz.stage.panels.every(p => p.step != null)")
    assert [panel["run"] for panel in stage(page)["panels"]] == runs


def test_charts_wear_the_pages_font_and_close_up_at_every_width(visit: Any) -> None:
    page = visit("/compare?runs=demo-ce,demo-bcl")
    page.wait_for_selector(".js-plotly-plot .gtitle", timeout=60_000)
    fonts = """() => [".stMain", ".js-plotly-plot .gtitle", ".js-plotly-plot .xtick text"].map(
        place => getComputedStyle(document.querySelector(place)).fontFamily.split(",")[0])"""
    assert eventually(page, lambda: len(set(page.evaluate(fonts))) == 1)
    tops = """() => [...document.querySelectorAll("[class*=st-key-grid] .js-plotly-plot")].map(
        chart => Math.round(chart.getBoundingClientRect().top))"""
    for width, rows in ((1500, 2), (700, 3)):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"new Set(({tops})()).size === {rows}", timeout=20_000)
    assert "is better)" not in page.inner_text(".stMain")


def test_a_link_to_what_is_seen_survives_the_app_and_a_replay_can_be_taken_away(visit: Any, tmp_path: Path) -> None:
    sight = "layers=-grid,caps&colour=groups&solo=demo-tsc&arrows=alike&camera=1.200,0.100,3.000"
    page = visit(f"/?runs=demo-bcl,demo-tsc&step=100&{sight}")
    page.wait_for_function(HELD, arg=100)
    assert eventually(page, lambda: page.locator(".ltv-panel").count() == 1)
    assert eventually(page, lambda: stage(page)["camera"] == {"yaw": 1.2, "pitch": 0.1, "distance": 3})
    # Streamlit has run the page more than once by the time its charts are there.
    page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
    assert eventually(page, lambda: sight in page.url)
    page.locator("summary", has_text="Save").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="HTML replay").click()
    assert started.value.suggested_filename.endswith(".html")
    text = Path(started.value.path()).read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>") and '"runs":["demo-bcl","demo-tsc"]' in text and '"step":100' in text
    assert "arrows=alike" in text
    page.get_by_text("also without a network").wait_for()


def test_a_panel_opens_the_card_of_its_method(visit: Any, home: Path) -> None:
    page = visit("/?runs=demo-supcon,demo-ce")
    until((home / ".ltviz" / "catalogue.json").exists)
    about = page.get_by_role("button", name="About SupCon")
    about.focus()
    page.keyboard.press("Enter")
    card = page.get_by_role("dialog")
    card.get_by_text("Samples of one class attract").wait_for()
    card.locator(".katex-html [style*=color]").first.wait_for()
    for words in (
        "= 0.1 (temperature)",
        "What to look for",
        "What the code does differently from the paper",
        "Settings in force",
    ):
        assert eventually(page, lambda words=words: words in card.inner_text()), words
    assert card.get_by_role("link", name="Official code").get_attribute("href").startswith("https://github.com/")
    card.get_by_text("Show me the code").click()
    code = card.get_by_test_id("stCode")
    code.wait_for(timeout=120_000)
    assert "as the run demo-supcon trained it" in code.inner_text()
    assert "loss.backward()" in code.inner_text()
    code.hover()
    card.get_by_role("button", name="Copy to clipboard").wait_for()
    card.get_by_role("button", name="Save as a file").wait_for()
    page.keyboard.press("Escape")
    card.wait_for(state="detached")
    until(lambda: about.evaluate("button => button.getRootNode().activeElement === button"))
