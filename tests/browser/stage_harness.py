"""The stage on a bare page, behind the app's own routes: what the stage's tests and its makers look at.

Made-up runs are written into folders as a trainer writes them, and what the page gets comes through the real hub, clock
and stream: clusters that form out of a uniform cloud, with targets, a failed run, a projected one, ragged sizes. Only
the page around the stage is plain HTML in place of Streamlit's.
`python tests/browser/stage_harness.py --port 8599` serves it by hand; the page's query chooses what is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

sys.path.insert(0, str(Path(__file__).parent))
import app_by_name  # noqa: F401
from ltviz_app.server import StageFiles
from ltviz_app.service.hub import Hub
from ltviz_app.service.look import stage_look
from ltviz_app.service.pulls import serve_pulls
from ltviz_app.service.replayroute import serve_replay
from ltviz_app.service.stagefiles import STAGE
from ltviz_app.service.stream import explain_stream, serve_stream
from ltviz_app.service.studio import Studio
from ltviz_app.service.supervisor import Supervisor
from ltviz_app.widgets.viewer import projection_choices
from stage_runs import LAST_STEP, RAMP, STRIDE, Run, make_run, unit

from ltviz.projection.background import FitResult
from ltviz.projection.fitter import BackgroundFitter
from ltviz.recording import RunWriter, run_path

TOKEN = "harness"
RUNS = "ce-1,supcon-1,bcl-1,tsc-1"
UMAP_SECONDS = 2.5


class QuickFitter(BackgroundFitter):
    """What takes long to compute is there after `UMAP_SECONDS`, and is no map of neighbours but three dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: set[Hashable] = set()

    def ask(self, key: Hashable, prepare: Callable, done: Callable) -> None:
        if key not in self._asked:
            self._asked.add(key)
            timer = threading.Timer(UMAP_SECONDS, self._serve, (prepare, done))
            timer.daemon = True
            timer.start()

    def _serve(self, prepare: Callable, done: Callable) -> None:
        if (request := prepare()) is not None:
            shown = 0.9 * unit(request.embeddings[:, :3]).astype(np.float32)
            done(FitResult({"shown": shown}, {"trustworthiness": 0.92}))


class World:
    """A home of runs of its own: those that a page names, with so many points; live ones go on while somebody looks."""

    def __init__(self, home: Path, n: int, live: bool, hz: float) -> None:
        self.n, self.live, self.hz = n, live, hz
        self.studio = Studio(home, Supervisor(home), Hub(home, fitter=QuickFitter()), token=TOKEN)
        self.viewers = 0
        self._made: dict[str, Run] = {}
        self._live: list[tuple[Run, RunWriter]] = []
        self._guard, self._ended = threading.Lock(), threading.Event()
        self._training = threading.Thread(target=self._train, daemon=True)

    def make(self, runs: list[str]) -> None:
        """Writes those of the runs that are not there."""
        with self._guard:
            for run_id in runs:
                if run_id in self._made:
                    continue
                run = self._made[run_id] = make_run(run_id, len(self._made), self.n)
                if run.kind == "waiting":
                    continue
                writer = run.begin(run_path(self.studio.home, run_id), self.live)
                if self.live and run.kind != "failed":
                    self._live.append((run, writer))
                else:
                    writer.close()
            if self._live and not self._training.is_alive():
                self._training.start()

    def _train(self) -> None:
        step = LAST_STEP
        while not self._ended.wait(1 / self.hz):
            if not self.viewers:
                continue
            step += STRIDE
            with self._guard:
                for run, writer in self._live:
                    run.write(writer, step)

    async def close(self) -> None:
        self._ended.set()
        if self._training.is_alive():
            await asyncio.to_thread(self._training.join)
        await self.studio.hub.close()
        for _, writer in self._live:
            await asyncio.to_thread(writer.close)


@dataclass
class Conversation:
    """What one socket has said so far: the viewer's messages but for acknowledgements, and how many frames waited."""

    socket: WebSocket
    log: list[dict[str, Any]] = field(default_factory=list)
    seq: int = 0
    most_waiting: int = 0
    _owner: dict[int, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.socket, name)

    async def receive(self) -> Any:
        received = await self.socket.receive()
        if received["type"] == "websocket.receive":
            message = json.loads(received["text"])
            if "ack" in message:
                self._owner.pop(message["ack"], None)
            else:
                self.log.append(message)
        return received

    async def send_bytes(self, data: bytes) -> None:
        header = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
        if "seq" in header:
            self.seq = header["seq"]
            self._owner[self.seq] = header["run"]
            self.most_waiting = max(self.most_waiting, list(self._owner.values()).count(header["run"]))
        await self.socket.send_bytes(data)


class Harness:
    """The served page, and what its sockets have said so far."""

    def __init__(self) -> None:
        self.conversations: list[Conversation] = []
        self.worlds: dict[str, World] = {}
        self.app = Starlette(
            routes=[
                Route("/", self.page),
                WebSocketRoute("/ltviz/stream", self.stream),
                Route("/ltviz/stream", self.answer(explain_stream), methods=["POST"]),
                Route("/ltviz/replay", self.answer(serve_replay)),
                Route("/ltviz/pulls", self.answer(serve_pulls)),
                Mount("/ltviz/stage", StageFiles(directory=STAGE)),
            ],
            lifespan=self.live,
        )
        self.port = 0

    def heard(self, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 30.0) -> list[dict[str, Any]]:
        """What the newest socket's viewer has said, once it is `enough`: the page changes before the server hears."""
        limit = time.monotonic() + seconds
        while not enough(log := list(self.conversations[-1].log)) and time.monotonic() < limit:
            time.sleep(0.02)
        return log

    @asynccontextmanager
    async def live(self, app: Starlette) -> AsyncIterator[None]:
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            try:
                yield
            finally:
                for world in self.worlds.values():
                    await world.close()

    def world(self, name: str) -> World:
        """The world `runs/n/live/hz`; what a page shows changes for no other page that differs in these."""
        if name not in self.worlds:
            runs, n, live, hz = name.split("/")
            home = self.folder / f"world-{len(self.worlds)}"
            home.mkdir()
            self.worlds[name] = World(home, int(n), live == "1", float(hz))
            self.worlds[name].make([run for run in runs.split(",") if run])
        return self.worlds[name]

    async def page(self, request: Request) -> HTMLResponse:
        """Query: runs, n, hz, live, theme, token, step (held from the start), projection."""
        query = request.query_params
        theme = query.get("theme", "light")
        page, ink = ("#0f1216", "#e8eaed") if theme == "dark" else ("#fbfbf9", "#1c1f24")
        asked = {"runs": RUNS, "n": "2000", "live": "1", "hz": "10", **query}
        name = "/".join(asked[key] for key in ("runs", "n", "live", "hz"))
        await asyncio.to_thread(self.world, name)
        data = {
            "stream": f"/ltviz/stream?world={name}",
            "token": query.get("token", TOKEN),
            "runs": [run for run in asked["runs"].split(",") if run],
            "hz": float(asked["hz"]),
            "step": int(query["step"]) if "step" in query else None,
            "theme": None,
            **stage_look(),
            "ramp": RAMP,
            "projection": query.get("projection"),
            "projections": projection_choices(),
        }
        return HTMLResponse(
            f"""<!doctype html><meta charset="utf-8"><title>stage</title><link rel="icon" href="data:,">
<style>:root {{ --st-background-color: {page}; --st-text-color: {ink}; --st-font: "Source Sans 3", sans-serif; }}
body {{ margin: 0; padding: 24px; background: var(--st-background-color); }}</style>
<div id="place"></div>
<script type="module">
import mount from "/ltviz/stage/stage.js";
const place = document.getElementById("place"), data = {json.dumps(data)};
window.remount = (changes = {{}}, wait = 0) => {{
  window.cleanup?.();
  const next = document.createElement("div");
  document.getElementById("place").replaceChildren(next);
  Object.assign(data, changes);
  const mountAgain = () => (window.cleanup = mount({{ data: {{ ...data }}, parentElement: next }}));
  return new Promise((done) => setTimeout(() => done(mountAgain()), wait));
}};
window.update = (changes) =>
  mount({{ data: Object.assign(data, changes), parentElement: place.firstElementChild ?? place }});
window.cleanup = mount({{ data, parentElement: place }});
</script>"""
        )

    async def stream(self, websocket: WebSocket) -> None:
        """The app's own stream, listened to; runs that the page did not name at first are written now."""
        query = websocket.query_params
        world = await asyncio.to_thread(self.world, query["world"])
        await asyncio.to_thread(world.make, query["runs"].split(","))
        conversation = Conversation(websocket)
        self.conversations.append(conversation)
        world.viewers += 1
        try:
            await serve_stream(conversation, world.studio)
        finally:
            world.viewers -= 1

    def answer(self, serve: Callable) -> Callable:
        async def answer(request: Request) -> Response:
            return await serve(request, self.world(request.query_params["world"]).studio)

        return answer

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[Harness]:
        """Serves in a thread; `port` 0 takes a free one."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            self.port = probe.getsockname()[1]
        config = uvicorn.Config(self.app, host="127.0.0.1", port=self.port, log_level="warning", ws="websockets-sansio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield self
        finally:
            server.should_exit = True
            for _ in range(200):
                if not thread.is_alive():
                    break
                server.force_exit = True
                thread.join(0.05)

    def address(self, **query: object) -> str:
        return f"http://127.0.0.1:{self.port}/?" + "&".join(f"{key}={value}" for key, value in query.items())


def stage(page) -> dict:
    """What the stage tells of itself."""
    return page.evaluate("window.ltviz.stage")


def centre(page, panel: int = 0) -> tuple[float, float]:
    """The middle of a panel's sphere."""
    box = page.locator(".ltv-panel").nth(panel).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + 30 + (box["height"] - 56) / 2


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8599)
    with Harness().serve(parser.parse_args().port) as harness:
        print(harness.address())
        while True:
            time.sleep(3600)
