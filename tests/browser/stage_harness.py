"""A page with the stage on it and a made-up race behind it: what the stage's tests, its bench and its makers look at.

It serves `app/stage`, a bare page that mounts the component as Streamlit would, and a stream that follows the wire
protocol: clusters that form out of a uniform cloud, with targets, a failed run, a projected one, ragged sizes.
`python tests/browser/stage_harness.py --port 8599` serves it by hand; the page's query chooses what is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

sys.path.insert(0, str(Path(__file__).parent))
from stage_runs import MEASURES, PANEL, PROJECTIONS, RAMP, Run, make_runs, pack

TOKEN = "harness"
UMAP_SECONDS = 1.5
STAGE = Path(__file__).resolve().parents[2] / "app" / "stage"


@dataclass
class Conversation:
    """One socket's side of the protocol: a clock, and no more than two unanswered frames a run."""

    socket: WebSocket
    runs: list[Run]
    hz: float
    live: bool
    held: int | None = None
    mode: str = "follow"
    speed: float = 1.0
    seq: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    owner: dict[int, str] = field(default_factory=dict)
    position: float = 0.0
    projection: str = ""
    asked: float = 0.0
    log: list[dict] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    most_waiting: int = 0

    async def listen(self) -> None:
        while True:
            message = json.loads(await self.socket.receive_text())
            if "ack" in message:
                self.waiting[self.owner.pop(message["ack"])] -= 1
                continue
            self.log.append(message)
            if "step" in message:
                self.mode, self.held = "hold", message["step"]
            elif "play" in message:
                self.mode, self.held, self.position = "play", None, message["from"]
            elif "live" in message:
                self.mode, self.held = "follow", None
            elif "speed" in message:
                self.speed = message["speed"]
            elif "projection" in message:
                self.projection, self.asked = message["projection"], time.monotonic()
                self.sent.clear()
            await self.say_clock()

    async def say_clock(self) -> None:
        clock = {"type": "clock", "mode": self.mode, "at": self.held, "speed": self.speed}
        await self.socket.send_bytes(pack(clock))

    async def speak(self) -> None:
        for run in self.runs:
            if run.kind != "failed":
                await self.socket.send_bytes(run.intro())
            await self.socket.send_bytes(run.state(self.live))
        if self.held is not None:
            self.mode = "hold"
        await self.say_clock()
        sent = self.sent
        due = time.monotonic()
        while True:
            step = self.held if self.mode == "hold" else int(self.position)
            for run in self.runs:
                if run.kind in {"failed", "waiting"} or self.waiting.get(run.run_id, 0) >= 2:
                    continue
                at = max((s for s in run.steps if s <= (step or 0)), default=run.steps[0])
                if self.mode == "hold" and sent.get(run.run_id) == at:
                    continue
                await self.send_frame(run, at)
                sent[run.run_id] = at
            if self.mode != "hold":
                self.position = (self.position + 5 * self.speed) % 305
                sent.clear()
            due += 1 / self.hz if self.mode != "hold" else 0.02
            due = max(due, time.monotonic() - 0.2)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def send_frame(self, run: Run, step: int) -> None:
        self.seq += 1
        self.owner[self.seq] = run.run_id
        self.waiting[run.run_id] = self.waiting.get(run.run_id, 0) + 1
        self.most_waiting = max(self.most_waiting, self.waiting[run.run_id])
        header, payload = cached_frame(run, step, self.seq, self.live)
        if header["projection"] is not None and self.projection:
            # As the real server does: what takes long to compute is announced, and class centres stand in for it.
            late = self.projection == "umap" and time.monotonic() < self.asked + UMAP_SECONDS
            shown = {"name": "centres", "pending": "umap"} if late else {"name": self.projection, "pending": None}
            header = {**header, "projection": {**header["projection"], **shown}}
            if late:
                asyncio.get_running_loop().call_later(UMAP_SECONDS, self.sent.clear)
        await self.socket.send_bytes(pack(header, payload))


_frames: dict[tuple, tuple[dict, bytes]] = {}


def cached_frame(run: Run, step: int, seq: int, live: bool) -> tuple[dict, bytes]:
    """Frames are made once, so that a bench measures the page and not this file."""
    key = (run.run_id, run.index, run.n, step)
    if key not in _frames:
        message = run.frame(step, seq, live)
        size = int.from_bytes(message[:4], "little")
        _frames[key] = json.loads(message[4 : 4 + size]), message[4 + size :]
    header, payload = _frames[key]
    return {**header, "seq": seq, "time": time.time(), "live": live}, payload


class Harness:
    """The served page, and what its sockets have said so far."""

    def __init__(self) -> None:
        self.conversations: list[Conversation] = []
        self.app = Starlette(
            routes=[
                Route("/", self.page),
                WebSocketRoute("/ltviz/stream", self.stream),
                Mount("/ltviz/stage", StaticFiles(directory=STAGE)),
            ]
        )
        self.port = 0

    async def page(self, request: Request) -> HTMLResponse:
        """Query: runs, n, hz, live, theme, token, step (held from the start), css (Streamlit's theme variables)."""
        query = request.query_params
        theme = query.get("theme", "light")
        page, ink = ("#0f1216", "#e8eaed") if theme == "dark" else ("#fbfbf9", "#1c1f24")
        runs = [r for r in query.get("runs", "ce-1,supcon-1,bcl-1,tsc-1").split(",") if r]
        data = {
            "stream": f"/ltviz/stream?n={query.get('n', '2000')}&alive={query.get('live', '1')}",
            "token": query.get("token", TOKEN),
            "runs": runs,
            "hz": float(query.get("hz", "10")),
            "step": int(query["step"]) if "step" in query else None,
            "theme": None,
            "ramp": RAMP,
            "measures": MEASURES,
            "panel": PANEL,
            "projection": query.get("projection"),
            "projections": PROJECTIONS,
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
        query = websocket.query_params
        await websocket.accept()
        if query.get("token") != TOKEN:
            await websocket.close(1008, "The token is not this server's.")
            return
        talk = Conversation(
            websocket,
            make_runs(query.get("runs", ""), int(query.get("n", "2000"))),
            float(query.get("hz", "10")),
            query.get("alive", "1") == "1",
            int(query["step"]) if "step" in query else None,
            projection=query.get("projection", ""),
        )
        self.conversations.append(talk)
        tasks = [asyncio.create_task(talk.listen()), asyncio.create_task(talk.speak())]
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        for task in done:
            if not isinstance(task.exception(), (WebSocketDisconnect, RuntimeError, type(None))):
                raise task.exception()

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[Harness]:
        """Serves in a thread; `port` 0 takes a free one."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            self.port = probe.getsockname()[1]
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="warning", ws="websockets-sansio", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield self
        finally:
            server.should_exit = True
            for _ in range(100):
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
