"""What a person takes away, in a real browser: the files are what they say, the stage is afterwards as it was, a replay
needs nobody, and a link brings back what was seen."""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from patience import at_rest
from stage_harness import Harness

from ltviz.launch.app import load_app
from ltviz.recording import record

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"
CLOSED_CLIPBOARD = "navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));"


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    with Harness().serve() as served:
        yield served


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address; the test fails where the page complains."""
    troubles: list[str] = []
    context = browser.new_context(viewport={"width": 1000, "height": 760}, color_scheme="light")
    context.add_init_script(CLOSED_CLIPBOARD)

    def open_page(address: str) -> Any:
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("request", lambda r: troubles.append(r.url) if not allowed(r.url, address) else None)
        page.goto(address)
        until(
            page, "Boolean(window.ltviz?.stage?.draws > 1 && window.ltviz.stage.panels.every((p) => p.step !== null))"
        )
        return page

    yield open_page
    context.close()
    assert troubles == []


def allowed(url: str, address: str) -> bool:
    """The page itself and its server; a page from a file has no server."""
    if url.startswith(("data:", "blob:")) or url == address:
        return True
    return address.startswith("http:") and url.startswith(address.split("/?")[0])


def until(page: Any, condition: str, seconds: float = 60.0) -> None:
    """`wait_for_function` needs `eval`, which a replay's policy forbids."""
    for _ in range(int(seconds / 0.05)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"this should have come true by now: {condition}")


def stage(page: Any) -> dict[str, Any]:
    return page.evaluate("window.ltviz.stage")


def save(page: Any, name: str) -> None:
    page.locator("summary", has_text="Save").click()
    page.get_by_role("button", name=name, exact=True).click()


def download(page: Any, act: Callable[[], None]) -> tuple[str, Path]:
    with page.expect_download() as started:
        act()
    return started.value.suggested_filename, Path(started.value.path())


def film(page: Any, name: str, frames: int, path: str) -> tuple[str, Path]:
    save(page, name)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Frames").fill(str(frames))
    dialog.get_by_label("Size").select_option("480")
    dialog.get_by_label("Speed").select_option("16")
    dialog.get_by_label("Camera").select_option(path)
    return download(page, dialog.get_by_text("Record").click)


def test_a_png_is_the_stage_at_double_size_with_its_texts(visit: Any, harness: Harness) -> None:
    page = visit(harness.address(runs="bcl-1,projected-1", step=300, live=0, n=300))
    box = page.get_by_test_id("ltviz-stage").bounding_box()
    name, path = download(page, lambda: save(page, "PNG"))
    assert name == "ltviz-bcl-1-projected-1.png"
    with Image.open(path) as picture:
        assert picture.size == (2 * box["width"], 2 * box["height"])
        pixels = np.asarray(picture.convert("L"), float)
    head = page.locator(".ltv-head").first.bounding_box()
    numbers = page.locator(".ltv-numbers").first.bounding_box()
    for part in (head, numbers):
        x, y = 2 * (part["x"] - box["x"]), 2 * (part["y"] - box["y"])
        strip = pixels[int(y) : int(y + 2 * part["height"]), int(x) : int(x + 2 * part["width"])]
        assert (strip < 120).sum() > 300, "words are written there"


def test_an_svg_holds_shapes_and_the_strangers_names_as_text(visit: Any, harness: Harness) -> None:
    page = visit(harness.address(runs="tsc-1,hostile-1", step=300, live=0, n=800))
    name, path = download(page, lambda: save(page, "SVG"))
    assert name == "ltviz-tsc-1-hostile-1.svg" and path.stat().st_size < 400_000
    root = ElementTree.fromstring(path.read_bytes())
    words = [element.text for element in root.iter() if element.text]
    assert "<img src=x onerror=alert(1)>" in words and "<b>bold</b>" in words and "step 300" in words
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "g", "title", "desc", "rect", "circle", "path", "polygon", "text", "tspan", "clipPath")
    }
    assert len(root.findall(f".//{SVG}circle")) > 1600
    assert len(root.findall(f".//{SVG}polygon")) >= 10
    opened = visit_file(page, path)
    assert opened == "svg"


def visit_file(page: Any, path: Path) -> str:
    """Name of the root element that the browser makes of a file."""
    text = path.read_text(encoding="utf-8")
    return page.evaluate(
        "(t) => { const d = new DOMParser().parseFromString(t, 'image/svg+xml'); return d.documentElement.nodeName; }",
        text,
    )


def test_a_gif_shows_the_steps_in_order_and_leaves_the_stage_as_it_was(visit: Any, harness: Harness) -> None:
    page = visit(harness.address(runs="bcl-1,tsc-1", live=0, n=300))
    until(page, "Number(document.querySelector('[data-testid=ltviz-slider]').max) === 300")
    page.get_by_test_id("ltviz-slider").fill("100")
    until(page, "window.ltviz.stage.panels.every((p) => p.step === 100)")
    until(page, "location.search.includes('step=100')")
    before, address = stage(page)["camera"], page.evaluate("location.href")
    name, path = film(page, "GIF", 6, "turn")
    assert name == "ltviz-bcl-1-tsc-1.gif"
    with Image.open(path) as picture:
        assert picture.n_frames == 6 and picture.size[0] == 480 and picture.info["loop"] == 0
        frames = []
        for at in range(6):
            picture.seek(at)
            assert picture.info["duration"] == 60
            frames.append(np.asarray(picture.convert("RGB"), int))
    moved = [(np.abs(a - b).max(axis=2) > 40).sum() for a, b in itertools.pairwise(frames)]
    assert min(moved) > 300, "every frame shows something else"
    said = harness.heard(lambda log: len(log) > 7 and log[-1].get("step") == 100)
    asked = [message["step"] for message in said if "step" in message]
    assert asked[0] == 100 and asked[-1] == 100 and asked[-7:-1] == [0, 60, 120, 180, 240, 300]
    page.get_by_role("dialog").wait_for(state="detached")
    until(page, "window.ltviz.stage.panels.every((p) => p.step === 100)")
    assert stage(page)["camera"] == before and page.evaluate("location.href") == address


def test_a_film_is_recorded_and_can_be_given_up(visit: Any, harness: Harness) -> None:
    page = visit(harness.address(runs="bcl-1", live=0, n=200))
    until(page, "Number(document.querySelector('[data-testid=ltviz-slider]').max) === 300")
    name, path = film(page, "Film", 5, "still")
    kind = path.read_bytes()[:12]
    assert (name.endswith(".mp4") and kind[4:8] == b"ftyp") or (name.endswith(".webm") and kind[:4] == b"\x1aE\xdf\xa3")
    page.get_by_role("dialog").wait_for(state="detached")
    save(page, "Film")
    page.get_by_role("dialog").get_by_text("Record").click()
    page.get_by_role("dialog").get_by_text("Cancel").click()
    page.get_by_role("dialog").wait_for(state="detached")
    begun = stage(page)["frames"]
    until(page, f"window.ltviz.stage.frames > {begun} + 5")
    assert page.locator("[inert]").count() == 0


def test_a_link_brings_back_what_was_seen(visit: Any, harness: Harness) -> None:
    page = visit(harness.address(runs="bcl-1,tsc-1", step=200, live=0, n=300))
    page.locator("summary", has_text="Layers").click()
    page.get_by_label("Caps", exact=True).check()
    page.get_by_label("Grid").uncheck()
    page.get_by_label("Colour of the points").select_option("groups")
    page.get_by_label("Show this panel alone").last.click()
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    at_rest(page)
    save(page, "Copy link")
    link = page.get_by_role("textbox", name="Link", exact=True).input_value()
    assert {"solo=tsc-1", "colour=groups", "layers=caps,-grid", "runs=bcl-1,tsc-1", "step=200"} <= set(
        re.split("[?&]", link)
    )
    again = visit(link)
    until(again, "document.querySelectorAll('.ltv-panel').length === 1")
    camera, same = stage(page)["camera"], stage(again)["camera"]
    assert all(abs(camera[key] - same[key]) < 1e-3 for key in camera)
    again.locator("summary", has_text="Layers").click()
    assert again.get_by_label("Caps", exact=True).is_checked() and not again.get_by_label("Grid").is_checked()
    assert again.get_by_label("Colour of the points").input_value() == "groups"
    save(again, "Copy link")
    assert again.get_by_role("textbox", name="Link", exact=True).input_value() == link


def test_a_replay_plays_from_a_file_without_anybody(visit: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), [60, 20, 8])
    for name in ("one-run", "two-run"):
        with record(tmp_path / name, labels=labels, title=name.title(), class_names=["</script>", "b", "c"]) as run:
            for step in range(0, 50, 5):
                run.frame(step, embeddings=rng.normal(size=(88, 3)), metrics={"centre_sum": 0.5})
    path = tmp_path / "replay.html"
    path.write_bytes(build(tmp_path, "one-run", "two-run"))
    page = visit(path.as_uri())
    begun = stage(page)["frames"]
    until(page, f"window.ltviz.stage.frames > {begun} + 8")
    assert [p["run"] for p in stage(page)["panels"]] == ["one-run", "two-run"]
    page.get_by_test_id("ltviz-slider").fill("20")
    until(page, "window.ltviz.stage.panels.every((p) => p.step === 20)")
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("ArrowLeft")
    until(page, "Math.abs(window.ltviz.stage.camera.yaw - 0.48) < 1e-6")
    page.get_by_label("Play").click()
    until(page, "window.ltviz.stage.panels.every((p) => p.step > 20)")
    page.locator(".ltv-label", has_text="</script>").first.wait_for(state="attached")
    page.locator("summary", has_text="Save").click()
    assert page.get_by_role("button", name="HTML replay").count() == 0
    held = visit(f"{path.as_uri()}?step=35&solo=two-run")
    until(held, "window.ltviz.stage.panels.every((p) => p.step === 35)")
    until(held, "document.querySelectorAll('.ltv-panel').length === 1")


def build(home: Path, *runs: str) -> bytes:
    load_app()
    from ltviz_app.service.hub import Hub
    from ltviz_app.service.replay import build_replay

    async def work() -> bytes:
        hub = Hub(home)
        try:
            return (await build_replay(hub, runs)).html
        finally:
            await hub.close()

    # Playwright's own loop runs in this thread.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work()).result()
