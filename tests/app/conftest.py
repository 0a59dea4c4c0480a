"""What the tests of the app share: the app under its name, small recordings, and viewers of its stream."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ltviz.launch.app import load_app
from ltviz.recording import RunInfo, RunWriter, run_path

load_app()

TOKEN = "a-token"

COUNTS = (40, 12, 5)


def points(step: int, n: int = 30, dim: int = 3, seed: int = 0) -> np.ndarray:
    """(n, dim) unit rows that depend on the step."""
    z = np.random.default_rng(seed + step).normal(size=(n, dim)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def begin(
    home: Path,
    run: str,
    *,
    method: str = "ce",
    title: str = "CE",
    dim: int = 3,
    n: int = 30,
    race: str | None = None,
    names: tuple[str, ...] = ("seven", "two", "nine"),
    counts: tuple[int, ...] = COUNTS,
    steps: int = 20,
) -> RunWriter:
    """A writer of a run with three classes; close it to finish the run."""
    info = RunInfo(
        run_id=run,
        method=method,
        title=title,
        created=time.time(),
        race=race,
        dim=dim,
        num_classes=len(counts),
        class_names=list(names),
        counts=list(counts),
        total_steps=steps,
        seed=0,
        data="digits-lt",
        imbalance_factor=8.0,
        config={"run": {"steps": steps}, "method": {"temperature": 0.1}},
    )
    labels = np.arange(n) % len(counts)
    return RunWriter.create(run_path(home, run), info, labels=labels, split=(np.arange(n) % 2).astype(np.uint8))


def frame(writer: RunWriter, step: int, *, dim: int = 3, n: int = 30, **more: Any) -> None:
    """One frame with a few measures."""
    metrics = {"accuracy_few": 0.4 + 0.01 * step, "centre_sum": 0.5, **more.pop("metrics", {})}
    writer.frame(step, embeddings=points(step, n, dim), metrics=metrics, seconds=0.1 * step, **more)


def finished(
    home: Path, run: str, *, steps: tuple[int, ...] = (0, 5, 10), metrics: dict[str, float] | None = None, **more: Any
) -> Path:
    """A finished run."""
    with begin(home, run, **more) as writer:
        for step in steps:
            frame(writer, step, dim=more.get("dim", 3), n=more.get("n", 30), metrics=metrics or {})
    return run_path(home, run)


@pytest.fixture
def runs() -> SimpleNamespace:
    """`begin`, `frame`, `finished` and `points`: recordings of three classes."""
    return SimpleNamespace(begin=begin, frame=frame, finished=finished, points=points)


@pytest.fixture
def studio(home: Path, tmp_path: Path):
    """A studio without a server, whose token is TOKEN."""
    # Imported here: the app has its name only since `load_app`.
    from ltviz_app.service.hub import Hub
    from ltviz_app.service.studio import Studio
    from ltviz_app.service.supervisor import Supervisor

    demos = tmp_path / "demos"
    demos.mkdir()
    return Studio(home, Supervisor(home), Hub(home, demos), demos, TOKEN)


@pytest.fixture
def address(studio):
    """The stream behind a real server on a free port."""
    from ltviz_app.server import _stream_of

    app = Starlette(routes=[WebSocketRoute("/ltviz/stream", _stream_of(studio))])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="websockets-sansio"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"ws://127.0.0.1:{listening.getsockname()[1]}/ltviz/stream"
    server.should_exit = True
    thread.join(10)
    listening.close()


class Talk:
    """One viewer: reads messages in a thread, so that a test can also see that nothing comes."""

    def __init__(self, session: ClientConnection, acknowledge: bool = True):
        self.session, self.acknowledge = session, acknowledge
        self.messages: list[tuple[dict[str, Any], bytes]] = []
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            self._take_all()

    def _take_all(self) -> None:
        for data in self.session:
            (length,) = struct.unpack_from("<I", data)
            header = json.loads(data[4 : 4 + length])
            if "step" in header and self.acknowledge:
                self.say(ack=header["seq"])
            with self.news:
                self.messages.append((header, data[4 + length :]))
                self.news.notify_all()

    def say(self, **request: Any) -> None:
        self.session.send(json.dumps(request))

    def frames(self, run: str | None = None) -> list[dict[str, Any]]:
        found = [h for h, _ in list(self.messages) if "seq" in h]
        return [h for h in found if run is None or h["run"] == run]

    def of(self, kind: str, run: str | None = None) -> list[dict[str, Any]]:
        found = [h for h, _ in list(self.messages) if h.get("type") == kind]
        return [h for h in found if run is None or h["run"] == run]

    def wait(self, true: Callable[[], Any], seconds: float = 30.0) -> Any:
        limit = time.monotonic() + seconds
        with self.news:
            while not (found := true()):
                assert self.news.wait(max(0, limit - time.monotonic())), f"not in time; {[h for h, _ in self.messages]}"
        return found


@pytest.fixture
def talk(address: str):
    """Opens sockets as a browser does: `talk("run-a,run-b", projection="pca")` gives a `Talk`."""
    viewers: list[Talk] = []

    def open_socket(runs: str, acknowledge: bool = True, **query: Any) -> Talk:
        asked = f"{address}?runs={runs}&token={TOKEN}" + "".join(f"&{k}={v}" for k, v in query.items())
        viewers.append(Talk(connect(asked, max_size=None, open_timeout=30), acknowledge))
        return viewers[-1]

    yield open_socket
    for viewer in viewers:
        viewer.session.close()
        viewer.reader.join(5)
