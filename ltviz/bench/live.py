"""The page of a race while it is trained, and the same page while the same frames are only written: the row "live" of
`ltviz bench stage`. On few cores trainer, app and software WebGL take turns; the ratio says what that costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ltviz import launch
from ltviz.bench.pace import pace_since, trained_until
from ltviz.bench.served import App, open_page
from ltviz.recording import Recording, RunWriter, send_request
from ltviz.training.settings import LAB_WATCH_SHARE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

METHODS = ("ce", "supcon", "kcl", "tsc", "bcl")
SHOWN = "runs => runs.every(run => window.ltviz?.stage?.drawn?.[run] > 0)"
PATIENCE_SECONDS = 180.0

# Each delay of a frame as it is drawn: the property is written once a run and picture.
KEEP_DELAYS = """() => {
  const stage = window.ltviz.stage;
  window.delays = [];
  let value = stage.latencyMs;
  Object.defineProperty(stage, "latencyMs", {
    get: () => value, set: (ms) => window.delays.push((value = ms)), configurable: true });
}"""


class Live(NamedTuple):
    """What a page of live runs shows."""

    p50: float
    """Milliseconds from when a frame was complete on the disk until its picture was drawn."""
    p95: float
    arrived: float
    """Frames a second and run."""
    drawn: float
    """Pictures a second."""
    reload: float
    """Seconds from a reload of the page until all runs have points again."""
    steps: float
    """Of the race, a second, while the page is open; 0 where nothing is trained."""


def measure_live(running: App, chromium: Browser, home: Path, seconds: float) -> tuple[Live, Live, float]:
    """While a race trains, and while its frames are written again at the pace at which they came; and the share of its
    steps that the race loses to the page, held against its pace before and after."""
    runs = [f"live-{method}" for method in METHODS]
    entrants = tuple(launch.JobRun(run_id=run, method=method) for run, method in zip(runs, METHODS, strict=True))
    settings = {"steps": 1_000_000, "watch_share": LAB_WATCH_SHARE, "evaluate": False}
    launch.submit(home, launch.Job(job_id="live-race", runs=entrants, run=settings))
    recordings = [Recording(home / run) for run in runs]
    wait_until(lambda: all(len(recording.frame_files()) > 3 for recording in recordings))
    before = _pace(recordings[0], seconds)
    trained = _look(running, chromium, runs, seconds, recordings[0])
    slower = 1 - 2 * trained.steps / (before + _pace(recordings[0], seconds))
    for recording in recordings:
        send_request(recording.path, "stop")
    wait_until(lambda: all(recording.status().state == "finished" for recording in recordings))
    with written_again(home, recordings) as again:
        return trained, _look(running, chromium, again, seconds), slower


def _pace(recording: Recording, seconds: float) -> float:
    """Steps a second while nobody looks."""
    began = trained_until(recording)
    time.sleep(seconds)
    return pace_since(recording, began)


def describe_live(trained: Live, written: Live, slower: float) -> dict[str, str]:
    """Figure -> both, and their ratio."""

    def both(name: str, digits: int = 0) -> str:
        one, other = getattr(trained, name), getattr(written, name)
        return f"{one:.{digits}f}, only written {other:.{digits}f}, ratio {one / max(other, 1e-9):.2f}"

    return {
        f"race of {len(METHODS)}, frame to picture, ms, p50 (asked <= 100)": both("p50"),
        "the same, p95": both("p95"),
        "frames a second and run": both("arrived", 1),
        "pictures a second": both("drawn", 1),
        "reload to points, s (asked <= 5)": both("reload", 1),
        "the race is slower while the page is open, % (asked <= 5)": f"{100 * slower:.1f}",
    }


def _look(
    running: App, chromium: Browser, runs: Sequence[str], seconds: float, trained: Recording | None = None
) -> Live:
    page = open_page(chromium, f"{running.address}/?runs={','.join(runs)}")
    _shown(page, runs)
    page.evaluate(KEEP_DELAYS)
    time.sleep(2)
    page.evaluate("window.delays.length = 0")
    before, began = page.evaluate("[window.ltviz.stage.frames, window.ltviz.stage.draws]"), time.monotonic()
    step = trained and trained_until(trained)
    time.sleep(seconds)
    steps = pace_since(trained, step) if trained and step else 0.0
    after, spent = page.evaluate("[window.ltviz.stage.frames, window.ltviz.stage.draws]"), time.monotonic() - began
    delays = page.evaluate("window.delays") or [float("nan")]
    began = time.monotonic()
    page.reload()
    _shown(page, runs)
    reload = time.monotonic() - began
    page.close()
    p50, p95 = np.percentile(delays, [50, 95])
    return Live(p50, p95, (after[0] - before[0]) / len(runs) / spent, (after[1] - before[1]) / spent, reload, steps)


def _shown(page: Page, runs: Sequence[str]) -> None:
    page.wait_for_function(SHOWN, arg=list(runs), timeout=1000 * PATIENCE_SECONDS)


@contextmanager
def written_again(home: Path, recordings: Sequence[Recording]) -> Iterator[list[str]]:
    """The frames of runs in other ones, over and over, a frame of each at a time, as far apart as they were."""
    frames = [recording.since(None)[-20:] for recording in recordings]
    apart = float(np.median(np.diff([frame.seconds for frame in frames[0]])))
    writers = [
        RunWriter.create(
            home / f"{recording.run_id}-again",
            recording.info.model_copy(update={"run_id": f"{recording.run_id}-again"}),
            labels=recording.probe.labels,
            split=recording.probe.split,
        )
        for recording in recordings
    ]
    done = threading.Event()

    def write() -> None:
        step = 0
        while True:
            for writer, seen in zip(writers, frames, strict=True):
                frame = seen[step % len(seen)]
                writer.frame(step, embeddings=frame.embeddings, landmarks=frame.landmarks, metrics=frame.metrics)
            step += 1
            if done.wait(apart):
                return

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield [writer.path.name for writer in writers]
    finally:
        done.set()
        thread.join()
        for writer in writers:
            writer.close()


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"the race did not get so far within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.1)
