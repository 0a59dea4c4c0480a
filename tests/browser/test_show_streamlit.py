"""The stage inside somebody else's Streamlit app, run as they would run it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.bench.served import free_port

pytestmark = pytest.mark.browser

LABELS = np.arange(60) % 3
THEIRS = """
import streamlit as st
import ltviz.streamlit

st.title("Their app")
st.text_input("Their field")
st.write("Their field says", st.session_state.get("said", ""), "and ran", st.session_state.setdefault("runs", 0))
st.session_state["runs"] += 1
ltviz.streamlit.stage(["one-run", "two-run"])
ltviz.streamlit.stage("checkpoints/live-run", key="another")
st.write("Below it all")
"""


def points(step: int) -> np.ndarray:
    return np.random.default_rng(step).normal(size=(len(LABELS), 3)).astype(np.float32)


def write(path: Path, steps: range, pause: float = 0.0, seen: threading.Event | None = None) -> None:
    """A run, which ends early once it has been `seen`: with the step 1000."""
    with ltviz.record(path, labels=LABELS, class_names=["<b>first</b>", "two", "three"]) as run:
        for step in steps:
            if seen is not None and seen.is_set():
                run.frame(1000, embeddings=points(1000))
                break
            run.frame(step, embeddings=points(step))
            time.sleep(pause)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of their app and the folder of runs that it names."""
    home = tmp_path / "checkpoints"
    home.mkdir()
    (tmp_path / "theirs.py").write_text(THEIRS, encoding="utf-8")
    write(home / "one-run", range(0, 50, 10))
    write(home / "two-run", range(0, 50, 10))
    port = free_port()
    flags = [f"--server.port={port}", "--server.headless=true", "--browser.gatherUsageStats=false"]
    command = [sys.executable, "-m", "streamlit", "run", "theirs.py", "--server.address=127.0.0.1", *flags]
    environment = {**os.environ, "LTVIZ_HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    with (tmp_path / "theirs.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            wait(lambda: answers(f"{address}/_stcore/health"))
            yield address, home
        finally:
            server.terminate()
            server.wait(20)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait(true: Callable[[], object], seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "not in time"
        time.sleep(0.1)


def shown(page, run: str) -> int | None:
    """Whether pictures of a run were drawn, and how many."""
    return page.evaluate("run => window.ltviz?.stage?.drawn?.[run] ?? 0", run)


def test_their_page_holds_stages_that_step_and_follow(browser, theirs: tuple[str, Path]) -> None:
    address, home = theirs
    troubles: list[str] = []
    page = browser.new_context(viewport={"width": 1200, "height": 1000}).new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(address)
    page.wait_for_function("window.ltviz?.stage?.drawn?.['two-run'] > 0", timeout=90_000)
    first, second = page.get_by_test_id("ltviz-stage").nth(0), page.get_by_test_id("ltviz-stage").nth(1)
    first.wait_for()
    second.wait_for()
    timeline = page.get_by_test_id("ltviz-step")

    # Time is walked in the browser: what ended is asked for no more.
    page.get_by_role("button", name="Pause").first.click()
    page.get_by_test_id("ltviz-slider").first.evaluate(
        "(slider) => { slider.value = '40'; slider.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    page.get_by_role("button", name="One frame back").first.click()
    page.get_by_role("button", name="One frame back").first.click()
    wait(lambda: "20" in timeline.first.inner_text())
    assert "step=" not in page.url, "their address is theirs"

    # A run that was not there yet is followed from its first frame to its last.
    assert shown(page, "live-run") == 0
    seen = threading.Event()
    writer = threading.Thread(target=write, args=(home / "live-run", range(400), 0.4, seen))
    writer.start()
    wait(lambda: shown(page, "live-run") >= 3)  # pictures come while the run is written
    seen.set()
    writer.join()
    wait(lambda: "1000" in timeline.nth(1).inner_text().replace(",", ""))

    # A rerun of theirs leaves the stage as it is.
    mounts, contexts = page.evaluate("window.ltviz.stage.mounts"), page.locator("canvas").count()
    page.get_by_label("Their field").fill("hello")
    page.get_by_label("Their field").press("Enter")
    page.get_by_text("and ran 1").wait_for()
    wait(lambda: "20" in timeline.first.inner_text())
    assert (page.evaluate("window.ltviz.stage.mounts"), page.locator("canvas").count()) == (mounts, contexts)
    assert troubles == []
    if folder := os.environ.get("LTVIZ_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / "show-streamlit.png"), full_page=True)
    page.close()
