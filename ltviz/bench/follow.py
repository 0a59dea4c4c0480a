"""`ltviz bench follow`: how long after whoever leads a class has moved do its followers have the same step.

The app runs in a process of its own. A follower is what a page has: a socket of the class, over which it is told the
step, and one of the stage, over which it asks for that step and gets the frame. The time counts from the leader's
message until the whole frame is there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import struct
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from ltviz.bench.served import free_port
from ltviz.bench.stage import write_run
from ltviz.launch.app import load_app

RUN, FRAMES = "bench-follow", 120
ASKED_MS = 500
PATIENCE_SECONDS = 30.0


class Follower:
    """One page of the class, without the page."""

    def __init__(self, stream: str, code: str):
        self.stream, self.code = stream, code
        self.reached: dict[int, float] = {}
        """`time.monotonic()` at which the frame of a step was there."""
        self.told: dict[int, float] = {}
        self.news = asyncio.Event()

    async def follow(self) -> None:
        async with (
            connect(f"{self.stream}&class={self.code}", max_size=None) as heard,
            connect(f"{self.stream}&runs={RUN}&step=0", max_size=None) as seen,
        ):
            await asyncio.gather(self._hear(heard, seen), self._see(seen))

    async def _hear(self, heard: ClientConnection, seen: ClientConnection) -> None:
        async for data in heard:
            header = header_of(data)
            if header.get("type") == "lead" and header["at"] not in self.told:
                self.told[header["at"]] = time.monotonic()
                await seen.send(json.dumps({"step": header["at"]}))

    async def _see(self, seen: ClientConnection) -> None:
        async for data in seen:
            header = header_of(data)
            if "step" in header:
                self.reached.setdefault(header["step"], time.monotonic())
                self.news.set()
                await seen.send(json.dumps({"ack": header["seq"]}))


def header_of(data: str | bytes) -> dict[str, Any]:
    """The header of a message of the stream."""
    assert isinstance(data, bytes), "the stream sends binary messages"
    return json.loads(data[4 : 4 + struct.unpack_from("<I", data)[0]])


def serve(home: Path, port: int, tell: Connection) -> None:
    """The app with one class, until it is ended; tells the stream's token, the class's code and its secret."""
    server = import_module(f"{load_app().__name__}.server")
    studio = server.open_studio(home)
    room = studio.classrooms.open()
    told = (studio.token, room.code, room.secret)
    built = server.build_app(studio, on_start=lambda: tell.send(told))
    built.run(config=server.server_options(port, "127.0.0.1", ("127.0.0.1",)))


async def lead(stream: str, code: str, secret: str, followers: int, moves: int, pause: float) -> list[list[float]]:
    """Milliseconds until a follower was told, and until it had the frame, one of each for every move and follower."""
    class_ = [Follower(stream, code) for _ in range(followers)]
    tasks = [asyncio.ensure_future(one.follow()) for one in class_]
    told: list[float] = []
    reached: list[float] = []
    try:
        async with connect(f"{stream}&class={code}&lead={secret}", max_size=None) as leader:
            reading = asyncio.ensure_future(_drain(leader))
            await _all_have(class_, 0)
            for step in range(1, moves + 1):
                began = time.monotonic()
                seen = {"page": "lab", "search": f"runs={RUN}", "pose": [0.01 * step, 0.3, 4.0], "mode": "hold"}
                await leader.send(json.dumps({"seen": {**seen, "at": step}}))
                await _all_have(class_, step)
                told += [1000 * (one.told[step] - began) for one in class_]
                reached += [1000 * (one.reached[step] - began) for one in class_]
                await asyncio.sleep(pause)
            reading.cancel()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [told, reached]


async def _drain(leader: ClientConnection) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        async for _ in leader:
            pass


async def _all_have(class_: Sequence[Follower], step: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        for one in class_:
            while step not in one.reached:
                one.news.clear()
                await one.news.wait()


def run(argv: Sequence[str] = ()) -> None:
    """Prints a Markdown table: until followers were told, and until they had the step, p50, p95 and the longest."""
    options = argparse.ArgumentParser("ltviz bench follow", description=__doc__)
    options.add_argument("--followers", type=int, default=30)
    options.add_argument("--points", type=int, default=2_000, help="samples of the run that is shown")
    options.add_argument("--moves", type=int, default=60, help="steps that whoever leads goes to, a frame each")
    options.add_argument("--pause", type=float, default=0.1, help="seconds between moves")
    given = options.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        home, port = Path(name), free_port()
        write_run(home / RUN, given.points, max(FRAMES, given.moves + 1), 0)
        hear, tell = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("spawn").Process(target=serve, args=(home, port, tell), daemon=True)
        child.start()
        try:
            if not hear.poll(60):
                raise TimeoutError("the app did not start within 60 s")
            token, code, secret = hear.recv()
            stream = f"ws://127.0.0.1:{port}/ltviz/stream?token={token}"
            time.sleep(1.0)  # what the app imports for its first visit is not what is measured
            told, reached = asyncio.run(lead(stream, code, secret, given.followers, given.moves, given.pause))
        finally:
            child.terminate()
            child.join(10)
    print(
        f"| {given.followers} followers, {given.points:,} points, {given.moves} moves | p50 ms | p95 ms | longest ms |"
    )
    print("|---|---|---|---|")
    for figure, found in (
        ("told where the leader is", told),
        (f"have the leader's step (asked <= {ASKED_MS} at p95)", reached),
    ):
        print(f"| {figure} | {np.percentile(found, 50):.0f} | {np.percentile(found, 95):.0f} | {max(found):.0f} |")
