"""Many viewers of a live run, connections that come and go, and clients that take or send without end.

LTVIZ_NIGHTLY=1 takes half an hour and 500 connections. The writer trains nothing: it has a step every 100 ms.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

TOKEN = "a-token"
VIEWERS, POINTS, HZ = 10, 2000, 10.0
LATEST, BUSY_LATEST = 2.0, 10.0
"""Seconds that a frame may be late: what is promised, and on a machine on which other tests run beside this one."""


class Watcher(threading.Thread):
    """A viewer that keeps how late each live frame came, seconds."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.session = connect(address, max_size=None)
        self.lags: list[float] = []
        self.start()

    def run(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for data in self.session:
                header = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
                if "seq" in header:
                    self.session.send(json.dumps({"ack": header["seq"]}))
                    if header["live"]:
                        self.lags.append(time.time() - header["time"])


def test_ten_viewers_of_a_live_run_are_on_time(address: str, home: Path, runs, nightly: bool, record_property) -> None:
    seconds, me = float(os.environ.get("LTVIZ_LOAD_SECONDS", 1800 if nightly else 3)), psutil.Process()
    with runs.begin(home, "run-one", n=POINTS, steps=10**6) as writer:
        runs.frame(writer, 0, n=POINTS)
        watchers = [Watcher(f"{address}?runs=run-one&token={TOKEN}") for _ in range(VIEWERS)]
        late, step, grown = [], 0, me.memory_info().rss
        end = time.monotonic() + seconds
        begun = time.monotonic()
        while time.monotonic() < end or (time.monotonic() < end + 30 and not all(w.lags for w in watchers)):
            step += 1
            before = time.perf_counter()
            runs.frame(writer, step, n=POINTS)
            late.append(time.perf_counter() - before)
            if step == 50:  # everything has been imported and made by now
                grown = me.memory_info().rss
            time.sleep(max(0.0, begun + step / HZ - time.monotonic()))
        grown = (me.memory_info().rss - grown) / 2**20
        for watcher in watchers:
            watcher.session.close()
            watcher.join(5)
    lags = np.concatenate([watcher.lags for watcher in watchers])
    p95, held = float(np.quantile(lags, 0.95)), me.memory_info().rss / 2**20
    record_property(
        "figure",
        f"{VIEWERS} viewers of {POINTS:,} points for {seconds:.0f} s: p95 lag {p95:.2f} s, "
        f"{held:.0f} MB with the tests in it, {grown:+.0f} MB, a frame written in {1000 * np.median(late):.1f} ms",
    )
    assert all(watcher.lags for watcher in watchers) and p95 <= (LATEST if nightly else BUSY_LATEST)
    assert grown <= 50


def test_connections_that_come_and_go_leave_nothing(
    address: str, home: Path, runs, nightly: bool, studio, record_property
) -> None:
    runs.finished(home, "run-one")
    me, count = psutil.Process(), 500 if nightly else 60
    asked = f"{address}?runs=run-one&token={TOKEN}"
    for _ in range(5):
        connect(asked).close()
    time.sleep(0.5)
    files, memory = me.num_fds(), me.memory_info().rss
    for number in range(count):
        session = connect(asked)
        if number % 2:
            session.socket.shutdown(socket.SHUT_RDWR)  # gone without a word
        else:
            session.close()
    limit = time.monotonic() + 20
    while (me.num_fds() > files or studio.hub._tails) and time.monotonic() < limit:
        time.sleep(0.05)
    grown = (me.memory_info().rss - memory) / 2**20
    record_property("figure", f"{count} connections: {me.num_fds() - files} descriptors, {grown:+.0f} MB")
    assert me.num_fds() <= files and not studio.hub._tails
    assert grown <= 50


def test_one_that_never_answers_and_one_that_floods_cost_only_themselves(
    address: str, home: Path, runs, record_property
) -> None:
    runs.finished(home, "run-one", steps=tuple(range(20)))
    asked, me = f"{address}?runs=run-one&token={TOKEN}&hz=20", psutil.Process()
    silent, flood = connect(asked, max_size=None), connect(asked, max_size=None)
    stop = threading.Event()

    def send() -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            while not stop.is_set():
                flood.send('{"step": 3}' if np.random.random() < 0.5 else "[" * 2000)

    sender = threading.Thread(target=send, daemon=True)
    memory = me.memory_info().rss
    sender.start()
    came, began = 0, time.monotonic()
    end = began + 3.0
    with connect(asked, max_size=None) as viewer:
        while time.monotonic() < end or (came < 6 and time.monotonic() < end + 20):
            data = viewer.recv(timeout=20)
            header = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
            if "seq" in header:
                came += 1
                viewer.send(json.dumps({"ack": header["seq"]}))
    stop.set()
    rate, grown = came / (time.monotonic() - began), (me.memory_info().rss - memory) / 2**20
    for session in (silent, flood):
        session.socket.shutdown(socket.SHUT_RDWR)
    sender.join(5)
    record_property("figure", f"the third viewer had {rate:.0f} frames a second of 20; {grown:+.0f} MB")
    assert came >= 6 and grown <= 100
