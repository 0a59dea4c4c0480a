"""`ltviz bench load`: many viewers of a live race that a real worker trains: how late frames come, what the app takes,
and by how much the trainer is slower for it.

Windows without and with viewers take turns in one race, so that the trainer is compared with itself on a machine that
may have other things to do. A viewer is a socket that answers every frame; those that are `silent` never do. They share
a process, which has its own cost on a machine of few cores: it is told beside that of the app.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from pydantic import BaseModel, Field
from websockets.asyncio.client import connect

from ltviz import launch
from ltviz.bench.follow import serve
from ltviz.bench.pace import trained_until
from ltviz.bench.served import free_port
from ltviz.cli.arguments import parse_one
from ltviz.recording import Recording, send_request
from ltviz.training.settings import LAB_WATCH_SHARE

SETTINGS = {
    "data": "hypersphere",
    "steps": 10_000_000,
    "probe_points": 2_000,
    "evaluate": False,
    "watch_share": LAB_WATCH_SHARE,
}
FRAME = re.compile(rb'^\{"seq":(\d+),"time":([\d.]+),"live":true')
"""How the header of a live frame begins: what else is in it is not read."""
START_SECONDS, WARM_SECONDS, END_SECONDS = 120.0, 5.0, 30.0
ASKED = {"lag_p95_ms": 2_000, "app_mb": 1_000, "app_mb_gained": 50, "app_cores": 1.0, "trainer_slower": 0.05}


class LoadOptions(BaseModel):
    viewers: int = Field(10, ge=1, le=1_000, description="Sockets that follow the race and answer every frame.")
    silent: int = Field(0, ge=0, le=100, description="Sockets beside them that never answer.")
    minutes: float = Field(2.0, gt=0, le=600, description="Length of all windows together.")
    window: float = Field(15.0, gt=0, le=600, description="Seconds of a window, without or with viewers.")
    methods: str = Field("supcon,bcl", description="Methods of the race, trained in lock-step.")
    out: str = Field("", description="File that the figures are written to, as JSON.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


@dataclass
class Window:
    """What was measured while viewers watched, or did not."""

    viewers: int
    seconds: float = 0.0
    steps: float = 0.0
    """A second, of the race."""
    app: float = 0.0
    """Cores that the app took."""
    clients: float = 0.0
    """Cores that the viewers took, which are not part of it."""
    app_mb: float = 0.0
    lags: list[list[float]] = field(default_factory=list)
    """Of each viewer that answers, seconds from when a frame was complete on the disk until it was there."""
    unanswered: list[int] = field(default_factory=list)
    """Frames that each silent one was sent."""


class Viewers:
    """Sockets in a process of their own, which come and go when they are told to."""

    def __init__(self, stream: str, count: int, silent: int) -> None:
        ours, theirs = multiprocessing.Pipe()
        self._pipe = ours
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=watch, args=(stream, count, silent, theirs), daemon=True)
        self._process.start()
        self.cpu = psutil.Process(self._process.pid)

    def come(self) -> None:
        self._ask("come")

    def go(self) -> tuple[list[list[float]], list[int]]:
        """The lags of those that answered, and how many frames those were sent that did not."""
        return self._ask("go")

    def close(self) -> None:
        self._process.terminate()
        self._process.join(10)

    def _ask(self, what: str) -> Any:
        self._pipe.send(what)
        if not self._pipe.poll(START_SECONDS):
            raise TimeoutError(f"the viewers did not {what} within {START_SECONDS:.0f} s")
        return self._pipe.recv()


def watch(stream: str, count: int, silent: int, pipe: Connection) -> None:
    """The viewers' process."""
    while pipe.recv() == "come":
        asyncio.run(_watch(stream, count, silent, pipe))


async def _watch(stream: str, count: int, silent: int, pipe: Connection) -> None:
    lags: list[list[float]] = [[] for _ in range(count)]
    unanswered = [0] * silent
    async with contextlib.AsyncExitStack() as held:
        # One after another: what is measured is how they watch, not how they come.
        sockets = [await held.enter_async_context(connect(stream, max_size=None)) for _ in range(count + silent)]
        tasks = [asyncio.ensure_future(_answer(socket, mine)) for socket, mine in zip(sockets, lags, strict=False)]
        tasks += [asyncio.ensure_future(_ignore(sockets[count + i], unanswered, i)) for i in range(silent)]
        pipe.send(None)
        await asyncio.to_thread(pipe.poll, None)
        pipe.recv()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    pipe.send((lags, unanswered))


async def _answer(socket: Any, lags: list[float]) -> None:
    came = time.time()
    async for data in socket:
        if (frame := FRAME.match(data[4:200])) is not None:
            await socket.send(json.dumps({"ack": int(frame[1])}))
            if (written := float(frame[2])) > came:
                lags.append(time.time() - written)


async def _ignore(socket: Any, unanswered: list[int], at: int) -> None:
    async for data in socket:
        unanswered[at] += FRAME.match(data[4:200]) is not None


@contextlib.contextmanager
def live_app(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The app in a process of its own: the address of its stream, with the token, and the process."""
    port = free_port()
    hear, tell = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(target=serve, args=(home, port, tell))
    child.start()
    try:
        if not hear.poll(START_SECONDS):
            raise TimeoutError(f"the app did not start within {START_SECONDS:.0f} s")
        yield f"ws://127.0.0.1:{port}/ltviz/stream?token={hear.recv()[0]}", psutil.Process(child.pid)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            for worker in psutil.Process(child.pid).children(recursive=True):
                worker.terminate()
        child.terminate()
        child.join(15)


def measure(options: LoadOptions, home: Path) -> list[Window]:
    """Windows without and with viewers, in turns, the first one without."""
    methods = options.methods.split(",")
    runs = tuple(launch.JobRun(run_id=f"load-{method}", method=method) for method in methods)
    recordings = [Recording(home / run.run_id) for run in runs]
    with live_app(home) as (stream, app):
        launch.submit(home, launch.Job(job_id="load-race", runs=runs, run=SETTINGS))
        _wait(lambda: all(len(recording.frame_files()) > 2 for recording in recordings), START_SECONDS)
        viewers = Viewers(f"{stream}&runs={','.join(run.run_id for run in runs)}", options.viewers, options.silent)
        try:
            windows: list[Window] = []
            for turn in range(max(2, round(60 * options.minutes / options.window))):
                windows.append(_window(options, turn % 2 == 1, recordings[0], app, viewers))
        finally:
            viewers.close()
        for recording in recordings:
            send_request(recording.path, "stop")
        _wait(lambda: all(recording.status().state == "finished" for recording in recordings), END_SECONDS)
    return windows


def _window(options: LoadOptions, watched: bool, recording: Recording, app: psutil.Process, viewers: Viewers) -> Window:
    window = Window(options.viewers if watched else 0)
    if watched:
        viewers.come()
    time.sleep(min(WARM_SECONDS, options.window / 3))
    marks = [(time.monotonic(), _cpu(app), _cpu(viewers.cpu), *trained_until(recording))]
    time.sleep(options.window)
    marks.append((time.monotonic(), _cpu(app), _cpu(viewers.cpu), *trained_until(recording)))
    window.app_mb = app.memory_info().rss / 1e6
    window.seconds, used, theirs, steps, trained = (after - before for before, after in zip(*marks, strict=True))
    window.app, window.clients = used / window.seconds, theirs / window.seconds
    window.steps = steps / trained if trained > 0 else 0.0
    if watched:
        window.lags, window.unanswered = viewers.go()
    return window


def summarise(options: LoadOptions, windows: Sequence[Window]) -> dict[str, Any]:
    """The figures of all windows, plain values."""
    with_, without = [w for w in windows if w.viewers], [w for w in windows if not w.viewers]
    each = [np.concatenate([w.lags[i] for w in with_]) for i in range(options.viewers)]
    lags = 1000 * np.concatenate(each)
    # The machine may change while it is measured: each window is held against those beside it.
    slower = [
        1 - w.steps / max(float(np.mean([beside.steps for beside in windows[at - 1 : at + 2 : 2]])), 1e-9)
        for at, w in enumerate(windows)
        if w.viewers
    ]
    return {
        "viewers": options.viewers,
        "silent": options.silent,
        "methods": options.methods,
        "minutes": round(sum(w.seconds for w in windows) / 60, 2),
        "windows": len(windows),
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "frames_a_second": round(len(lags) / options.viewers / sum(w.seconds for w in with_), 1),
        "lag_p50_ms": round(float(np.percentile(lags, 50))),
        "lag_p95_ms": round(float(np.percentile(lags, 95))),
        "slowest_viewer_p95_ms": round(1000 * max(float(np.percentile(lag, 95)) for lag in each)),
        "silent_frames": max((count for w in with_ for count in w.unanswered), default=0),
        "app_cores": round(float(np.mean([w.app for w in with_])), 3),
        "app_cores_unwatched": round(float(np.mean([w.app for w in without])), 3),
        "viewers_cores": round(float(np.mean([w.clients for w in with_])), 3),
        "app_mb": round(max(w.app_mb for w in windows)),
        "app_mb_gained": round(windows[-1].app_mb - with_[0].app_mb, 1),
        "steps_a_second": round(float(np.mean([w.steps for w in with_])), 1),
        "steps_a_second_unwatched": round(float(np.mean([w.steps for w in without])), 1),
        "trainer_slower": round(float(np.median(slower)), 3),
        "asked": ASKED,
    }


def run(argv: Sequence[str]) -> None:
    """Prints a Markdown table, or the figures as JSON."""
    options = parse_one("ltviz bench load", argv, LoadOptions, about="Many viewers of a race that is being trained.")
    with tempfile.TemporaryDirectory(prefix="ltviz-load-") as folder:
        told = summarise(options, measure(options, Path(folder)))
    text = json.dumps(told)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")
    if options.json_:
        print(text)
        return
    print("| figure | measured | asked |\n|---|---|---|")
    for name, value in told.items():
        if name != "asked":
            print(f"| {name} | {value} | {f'<= {ASKED[name]}' if name in ASKED else ''} |")


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _wait(done: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"the race did not get so far within {seconds:.0f} s")
        time.sleep(0.1)
