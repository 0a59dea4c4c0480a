"""What `ltviz bench stage --points N` measures: one run of very many points on the stage, in a real browser.

A picture of what moves holds as many points as there is time for, one at rest all of them; both are counted.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from ltviz.bench.served import App, open_page
from ltviz.recording import record

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLASSES, FRAMES = 100, 20
SECONDS = 10.0
"""Of a drag, and of a replay."""
HOVERS = 12
PATIENCE_MS = 300_000
POINTS = "n => (window.ltviz?.stage?.points ?? 0) >= n"
# What a picture shows, and what a card says: the sample that a click would pin.
STAGE = "() => ({frames: window.ltviz.stage.frames, draws: window.ltviz.stage.draws, drawn: window.ltviz.stage.drawn})"


def write_many(path: Path, points: int) -> None:
    """A run of `FRAMES` frames whose points travel from anywhere on the sphere to a hundred clusters, long-tailed."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, CLASSES + 1)
    labels = np.sort(rng.choice(CLASSES, points, p=share / share.sum()))
    start, centres = rng.normal(size=(points, 3)), rng.normal(size=(CLASSES, 3))
    end = centres[labels] / np.linalg.norm(centres[labels], axis=1, keepdims=True) + 0.2 * rng.normal(size=(points, 3))
    with record(path, labels=labels) as run:
        for step, moved in enumerate(np.linspace(0, 1, FRAMES)):
            z = (1 - moved) * start + moved * end
            run.frame(step, embeddings=z / np.linalg.norm(z, axis=1, keepdims=True))


def measure_many(running: App, chromium, home: Path, points: int) -> dict[str, str]:
    """Figure -> measured and asked."""
    write_many(home / "bench-many", points)
    began = time.monotonic()
    page = open_page(chromium, f"{running.address}/?runs=bench-many&step=0&hz=10")
    page.wait_for_function(POINTS, arg=1, timeout=PATIENCE_MS)
    first = time.monotonic() - began
    page.wait_for_function(POINTS, arg=points, timeout=PATIENCE_MS)
    whole = time.monotonic() - began
    return {
        "from the address to the first points, s": f"{first:.1f}",
        f"to all {points:,}, s": f"{whole:.1f}",
        **_turned(page),
        f"hover to card, ms, median of {HOVERS} moves": f"{_hovered(page):.0f}",
        **_played(page, running),
        **_held(page),
        "app process, MB resident": f"{running.resident_mb():.0f}",
    }


def _middle(page: Page) -> tuple[float, float]:
    panel = page.locator(".ltv-panel").first.bounding_box()
    assert panel is not None, "the stage shows a panel"
    return panel["x"] + panel["width"] / 2, panel["y"] + panel["height"] / 2


def _turned(page: Page) -> dict[str, str]:
    x, y = _middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    before, cpu, began, moves = page.evaluate(STAGE), _browser_seconds(), time.monotonic(), 0
    while (spent := time.monotonic() - began) < SECONDS:
        moves += 1
        page.mouse.move(x + 2 * (moves % 40), y + moves % 20)
        page.wait_for_timeout(20)
    after, used = page.evaluate(STAGE), _browser_seconds() - cpu
    page.mouse.up()
    drawn = after["draws"] - before["draws"]
    return {
        "pictures a second while a hand turns the sphere (asked >= 10)": f"{drawn / spent:.1f}",
        "browser, CPU ms a picture": f"{1000 * used / max(drawn, 1):.0f}",
    }


def _hovered(page: Page) -> float:
    """From a move of the pointer to the words of the card; the picture with the ring comes after them."""
    x, y = _middle(page)
    page.wait_for_timeout(3000)
    taken = []
    for angle in np.linspace(0, 2 * np.pi, HOVERS, endpoint=False):
        at = {"x": x + 60 * np.cos(angle), "y": y + 60 * np.sin(angle)}
        taken.append(page.get_by_test_id("ltviz-stage").evaluate(ANSWER, at))
        page.wait_for_timeout(1000)
    return float(np.median(taken))


# The stage looks for what is under the pointer when it moves, and writes the card before the event has ended.
ANSWER = """(canvas, {x, y}) => {
  const began = performance.now();
  canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
  return performance.now() - began;
}"""


def _played(page: Page, running: App) -> dict[str, str]:
    page.mouse.move(5, 5)
    page.wait_for_timeout(3000)
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("Space")
    page.wait_for_timeout(1000)
    before, app, browser, began = page.evaluate(STAGE), running.cpu_seconds(), _browser_seconds(), time.monotonic()
    page.wait_for_timeout(1000 * SECONDS)
    after, spent = page.evaluate(STAGE), time.monotonic() - began
    app, browser = running.cpu_seconds() - app, _browser_seconds() - browser
    page.keyboard.press("Space")
    came, shown = after["frames"] - before["frames"], sum(after["drawn"].values()) - sum(before["drawn"].values())
    return {
        "frames a second from disk to page, played (asked >= 2)": f"{came / spent:.1f}",
        "of them on a finished picture": f"{shown / spent:.1f}",
        "app process, CPU ms a frame": f"{1000 * app / max(came, 1):.0f}",
        "browser, CPU ms a frame": f"{1000 * browser / max(came, 1):.0f}",
    }


def _held(page: Page) -> dict[str, str]:
    """What the page holds: JavaScript's objects and arrays, and the largest of the browser's processes for pages."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")
    resident = [process.memory_info().rss for process in _browsers() if "--type=renderer" in process.cmdline()]
    return {
        "JavaScript's objects and arrays, MB": f"{(heap['usedSize'] + heap.get('backingStorageSize', 0)) / 1e6:.0f}",
        "process of the page, MB resident (asked <= 600)": f"{max(resident, default=0) / 1e6:.0f}",
    }


def _browser_seconds() -> float:
    """Of the processor, for all of the browser: it draws, and on a busy machine seconds of the clock say little."""
    return sum(sum(process.cpu_times()[:2]) for process in _browsers())


def _browsers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "--type=" in " ".join(child.cmdline())]
