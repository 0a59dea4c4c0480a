"""`ltviz bench stage`: what reaches the screen of a real browser, panels x points at a given rate, software WebGL."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ltviz.bench.many import measure_many
from ltviz.bench.served import App, app, browser, open_page
from ltviz.recording import record

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTINGS = [(1, 1_000), (4, 5_000), (9, 5_000), (1, 100_000)]
STAGE = "() => ({...window.ltviz.stage, camera: JSON.stringify(window.ltviz.stage.camera)})"
SHOWN = "n => window.ltviz?.stage?.panels.filter(p => p.step != null).length === n"
HAND_POINTS = 5_000
SCRUBBED_FRAMES = 300
UPDATES = 200
MOVES = 20

# From the event's own time stamp until the card with new words has been painted: a task after the frame that wrote it.
WATCH_CARD = """(canvas) => {
  const card = canvas.parentElement.querySelector("[data-testid=ltviz-hover]");
  window.answers = [];
  let asked = null, words = "";
  canvas.addEventListener("pointermove", (event) => (asked = event.timeStamp), { capture: true });
  const written = () => {
    if (asked === null || card.hidden || card.textContent === words) return;
    words = card.textContent;
    const since = asked;
    asked = null;
    requestAnimationFrame(() => setTimeout(() => window.answers.push(performance.now() - since)));
  };
  const all = { attributes: true, childList: true, characterData: true, subtree: true };
  new MutationObserver(written).observe(card, all);
}"""

# A hand on the slider: a new value at every screen refresh, from start to end.
SCRUB = """async (slider, [steps, seconds]) => {
  const seen = new Set();
  slider.dispatchEvent(new PointerEvent("pointerdown"));
  const began = performance.now();
  for (;;) {
    const share = (performance.now() - began) / (1000 * seconds);
    seen.add(window.ltviz.stage.panels[0].step);
    if (share >= 1) break;
    slider.value = String(Math.floor(share * (steps - 1)));
    slider.dispatchEvent(new Event("input"));
    await new Promise((done) => requestAnimationFrame(done));
  }
  slider.dispatchEvent(new PointerEvent("pointerup"));
  return seen.size / seconds;
}"""


def write_run(path: Path, points: int, frames: int, seed: int) -> None:
    """A run whose points travel from anywhere on the sphere to ten clusters."""
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.choice(10, points, p=np.arange(10, 0, -1) / 55))
    start, centres = rng.normal(size=(points, 3)), rng.normal(size=(10, 3))
    end = centres[labels] / np.linalg.norm(centres[labels], axis=1, keepdims=True) + 0.2 * rng.normal(size=(points, 3))
    with record(path, labels=labels) as run:
        for step in range(frames):
            share = step / (frames - 1)
            z = (1 - share) * start + share * end
            # Given, so that writing the benchmark's input does not spend minutes on measuring it.
            run.frame(step, embeddings=z / np.linalg.norm(z, axis=1, keepdims=True), metrics={"centre_sum": 0.5})


def open_stage(running: App, chromium, names: Sequence[str], query: str) -> Page:
    page = open_page(chromium, f"{running.address}/?runs={','.join(names)}&{query}")
    page.wait_for_function(SHOWN, arg=len(names), timeout=90_000)
    return page


def measure(running: App, chromium, home: Path, panels: int, points: int, hz: float, seconds: float) -> list[str]:
    """One row of the table."""
    names = [f"bench-{points}-{i}" for i in range(panels)]
    for i, name in enumerate(names):
        if not (home / name).exists():
            write_run(home / name, points, 60 if points <= 5_000 else 12, i)
    page = open_stage(running, chromium, names, f"hz={hz:g}")
    time.sleep(3)
    before, cpu, began = page.evaluate(STAGE), running.cpu_seconds(), time.monotonic()
    latencies = []
    while time.monotonic() < began + seconds:
        latencies.append(page.evaluate("window.ltviz.stage.latencyMs"))
        time.sleep(0.1)
    after, spent = page.evaluate(STAGE), time.monotonic() - began
    frames = after["frames"] - before["frames"]
    used = 1000 * (running.cpu_seconds() - cpu)
    row = [
        f"{panels} x {points:,}",
        f"{frames / panels / spent:.1f}",
        f"{used / max(frames / panels, 1):.1f}",
        f"{used / max(frames, 1):.1f}",
        f"{(after['draws'] - before['draws']) / spent:.1f}",
        f"{np.percentile(latencies, 50):.0f} / {np.percentile(latencies, 95):.0f}",
        "kept" if before["camera"] == after["camera"] else "moved",
        str(after["mounts"]),
        str(page.evaluate("window.contexts()")),
        f"{measure_growth(page, panels):+.1f}",
    ]
    page.close()
    return row


def measure_growth(page: Page, panels: int) -> float:
    """MB by which JavaScript's objects and arrays grow while `UPDATES` frames arrive in every panel."""
    session = page.context.new_cdp_session(page)

    def used() -> float:
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")
        return (heap["usedSize"] + heap.get("backingStorageSize", 0)) / 1e6

    before, frames = used(), page.evaluate("window.ltviz.stage.frames")
    page.wait_for_function(
        "n => window.ltviz.stage.frames >= n", arg=frames + UPDATES * panels, timeout=600_000, polling=500
    )
    return used() - before


def measure_hover(page: Page) -> float:
    """Median ms from a move of the pointer to the painted card of what is there; `MOVES` moves that met a point."""
    page.get_by_test_id("ltviz-stage").evaluate(WATCH_CARD)
    panel = page.locator(".ltv-panel").first.bounding_box()
    assert panel is not None, "the stage shows a panel"
    x, y = panel["x"] + panel["width"] / 2, panel["y"] + panel["height"] / 2
    rng = np.random.default_rng(0)
    for _ in range(20 * MOVES):
        if page.evaluate("window.answers.length") >= MOVES:
            break
        dx, dy = rng.uniform(-0.3, 0.3, 2) * panel["height"]
        page.mouse.move(x + dx, y + dy)
        page.wait_for_timeout(120)
    return float(np.median(page.evaluate("window.answers")))


def measure_scrub(page: Page, seconds: float = 8.0) -> float:
    """Different frames shown a second while the slider is drawn evenly over the whole run."""
    page.locator(f"[data-testid=ltviz-slider][max='{SCRUBBED_FRAMES - 1}']").wait_for()
    return page.get_by_test_id("ltviz-slider").evaluate(SCRUB, [SCRUBBED_FRAMES, seconds])


def measure_hand(running: App, chromium, home: Path) -> dict[str, str]:
    """What a hand on the stage feels: figure -> measured and asked."""
    write_run(home / "bench-hand", HAND_POINTS, SCRUBBED_FRAMES, 0)
    page = open_stage(running, chromium, ["bench-hand"], "step=150")
    time.sleep(3)
    hover = measure_hover(page)
    first, again = measure_scrub(page), measure_scrub(page)
    page.close()
    return {
        f"hover to card at {HAND_POINTS:,} points, ms, median of {MOVES} moves (asked <= 60)": f"{hover:.0f}",
        f"frames shown a second scrubbing {SCRUBBED_FRAMES} at {HAND_POINTS:,} points (asked >= 15)": f"{first:.0f}",
        "the same once more": f"{again:.0f}",
    }


def run(argv: Sequence[str] = ()) -> None:
    """Prints a Markdown table, one row a setting, and one of what a hand on the stage feels."""
    options = argparse.ArgumentParser("ltviz bench stage", description=__doc__)
    options.add_argument("--hz", type=float, default=10.0, help="frames a second asked for")
    options.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    options.add_argument("--only", default="", help='one setting, such as "4x5000", or "hand"')
    options.add_argument("--points", type=int, help="one run of so many points and nothing else, such as 1000000")
    given = options.parse_args(argv)
    if given.points:
        with tempfile.TemporaryDirectory() as name, browser() as chromium, app(Path(name)) as running:
            _print_figures(measure_many(running, chromium, Path(name), given.points))
        return
    settings = [tuple(map(int, given.only.split("x")))] if "x" in given.only else [] if given.only else SETTINGS
    with tempfile.TemporaryDirectory() as name, browser() as chromium, app(Path(name)) as running:
        if settings:
            print(
                "| panels x points | frames/s arrived per panel | server CPU ms per update | per frame | draws/s "
                f"| latency ms p50 / p95 | camera | mounts | WebGL contexts | JS MB gained in {UPDATES} updates |"
            )
            print("|---" * 10 + "|")
        for panels, points in settings:
            row = measure(running, chromium, Path(name), panels, points, given.hz, given.seconds)
            print(f"| {' | '.join(row)} |", flush=True)
        if "x" not in given.only:
            print()
            _print_figures(measure_hand(running, chromium, Path(name)))


def _print_figures(figures: Mapping[str, str]) -> None:
    print("| figure | measured |\n|---|---|")
    for figure, value in figures.items():
        print(f"| {figure} | {value} |", flush=True)
