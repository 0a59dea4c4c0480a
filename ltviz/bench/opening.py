"""What a person waits for after `ltviz app`: when the page shows what, beside an empty page of Streamlit's."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ltviz.bench.served import app

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Looks every few milliseconds, from before the page's first script, for what a person sees come. `drawn` counts frames
# whose picture is finished: a canvas alone, or empty spheres, are no points.
WATCH = """
window.opening = {};
const marks = {
  shell: () => document.querySelector("[data-testid=stElementContainer] > :not([data-testid=stAppSkeleton])"),
  "side bar": () => document.querySelector("[data-testid=stSidebar] [data-testid=stElementContainer]"),
  canvas: () => window.ltviz?.stage,
  points: () => Object.keys(window.ltviz?.stage?.drawn ?? {}).length > 0,
};
const look = setInterval(() => {
  for (const [name, is] of Object.entries(marks))
    if (!(name in window.opening) && is()) window.opening[name] = performance.now();
}, 5);
"""
EMPTY_PAGE = 'import streamlit as st\n\nst.write("empty")\n'
STREAMLIT = (
    sys.executable,
    "-m",
    "streamlit",
    "run",
    "empty.py",
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
)


def watched(chromium: Browser, address: str, last: str = "points") -> dict[str, float]:
    """Seconds from the navigation at which each mark of `WATCH` was first seen; it ends with `last`."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="commit")
    page.wait_for_function(f"() => {last!r} in (window.opening ?? {{}})", timeout=60_000, polling=20)
    seen = page.evaluate("window.opening")
    page.close()
    return {name: at / 1000 for name, at in seen.items()}


@dataclass(frozen=True)
class Opening:
    """One start of the app beside one of an empty page, just before: a busy machine meets both."""

    after_side_bar: float
    """Seconds from Streamlit's own side bar to points, on a page of a server that has started."""
    ratio: float
    """`ltviz app` to points, over an empty Streamlit app to its page."""


def opening(chromium: Browser) -> Opening:
    empty = empty_streamlit(chromium)
    with tempfile.TemporaryDirectory() as name, app(Path(name)) as running:
        watched(chromium, running.address)
        first = time.monotonic() - running.started
        again = watched(chromium, running.address)
    return Opening(again["points"] - again["side bar"], first / empty)


def empty_streamlit(chromium: Browser) -> float:
    """Seconds from the command of an empty Streamlit app to its page."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "empty.py").write_text(EMPTY_PAGE)
        with app(Path(name), STREAMLIT, port_option="--server.port") as running:
            watched(chromium, running.address, "shell")
            return time.monotonic() - running.started
