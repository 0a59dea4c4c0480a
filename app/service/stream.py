"""`/ltviz/stream`: one viewer's WebSocket, or one of a class (`classroom`).

What is sent to a viewer is set by the clock, how much by the viewer's acknowledgements.

Every run has a sender: first the run's header, then frame after frame, always the one the clock wants *now*. With two
frames unacknowledged a sender waits, and what it would have sent meanwhile is never read from disk for this viewer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from ltviz.errors import ConfigError, LtvizError
from ltviz.recording.attention import Attention, write_attention

from .. import words
from .classroom import CLASS, Attendant, read_class
from .clock import Clock, Track
from .guard import ROLE
from .hosts import origin_name
from .hub import Hub
from .messages import BEAT_SECONDS, BeatHeader, ClockHeader, ErrorHeader, StateHeader
from .moves import encode_moves
from .projections import DEFAULT_PROJECTION, check_projection
from .studio import Studio
from .tail import Event, Snapshot, Tail
from .wire import encode_message

log = logging.getLogger("ltviz")

IN_FLIGHT = 2
STATE_SECONDS = 0.25
MOVES_SECONDS = 0.5
MAX_RUNS = 24
FEW_EVENTS = 64
"""So many are said again whenever a run has news; more only where they have changed."""
MESSAGES_A_SECOND = 1000
"""Of one viewer; more wait for their second. 24 panels at 30 frames a second are answered by 720."""
POLICY_VIOLATION = 1008


async def serve_stream(socket: WebSocket, studio: Studio) -> None:
    """The route's endpoint; refuses before it accepts (HTTP 403) whatever is not entirely in order."""
    try:
        _check_page(socket, studio)
        asked = socket.query_params
        viewer = Attendant(socket, studio.classrooms, asked) if CLASS in asked else Viewer(socket, studio.hub, asked)
    except LtvizError as error:
        await socket.close(POLICY_VIOLATION, str(error)[:120])
        return
    await socket.accept()
    await viewer.run()


async def explain_stream(request: Request, studio: Studio) -> Response:
    """What a page asks where its WebSocket does not open, which never says why: the sentence, in plain HTTP.

    403 with what the stream would be refused for, 426 where it would not: then somebody between keeps WebSockets away.
    """
    status, said = 426, words.served.STREAM_SOCKET
    try:
        _check_page(request, studio)
        if CLASS in request.query_params:
            read_class(studio.classrooms, request.query_params, request.scope.get(ROLE))
        else:
            read_request(request.query_params, studio.hub)
    except LtvizError as error:
        status, said = 403, str(error)
    headers = {"X-Ltviz": "stream", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return PlainTextResponse(said, status_code=status, headers=headers)


def _check_page(asked: HTTPConnection, studio: Studio) -> None:
    check_origin(asked)
    if not studio.knows(asked.query_params.get("token", "")):
        raise ConfigError(words.served.STREAM_TOKEN)


def check_origin(asked: HTTPConnection) -> None:
    """Refuses a page of another site: an Origin, where one is sent, must be the host that was asked."""
    origin, host = asked.headers.get("origin"), asked.headers.get("host")
    if origin is not None and urlsplit(origin).netloc != host:
        name = origin_name(origin) or "NAME"
        raise ConfigError(
            words.served.STREAM_ORIGIN.format(origin=origin[:100], host=(host or "")[:100], name=name[:100])
        )


class Viewer:
    """One socket: its clock, its senders.

    Raises:
        LtvizError: a run id that is none or leads out of the folder, no run at all, an unknown projection, a number
            that is none.
    """

    def __init__(self, socket: WebSocket, hub: Hub, asked: Mapping[str, str]):
        self.socket, self.hub = socket, hub
        self.runs, self.projection, self.clock = read_request(asked, hub)
        self._seq = 0
        self._in_flight: dict[int, str] = {}
        self._sending = asyncio.Lock()
        self._sent = time.monotonic()
        self._news = asyncio.Condition()
        self._woken = asyncio.Event()
        self._targets: dict[str, int] = {}
        self._shown: dict[str, tuple[Any, ...] | None] = {}
        self._tails: dict[str, Tail] = {}
        self._said: tuple[Any, ...] = ()
        self._troubles: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Serves the viewer until it leaves."""
        keeps = self.socket.scope.get(ROLE) != "viewer"
        with self.hub.watch(self.runs, self._woken.set, keeps=keeps) as self._tails:
            work = [self._listen(), self._drive(), self._report(), self._report_moves(), self._beat()]
            tasks = [asyncio.ensure_future(w) for w in [*work, *(self._serve_run(run) for run in self.runs)]]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            # A viewer that left is the normal end, and so is a send that met its closed socket.
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError | OSError):
                raise result

    async def _drive(self) -> None:
        """Moves the clock on time, and tells the senders when it moved, the hub has news or the viewer spoke."""
        while True:
            self._woken.clear()
            tracks = {run: Track(t.snapshot.steps, t.snapshot.live) for run, t in self._tails.items()}
            self.clock.tick(tracks, time.monotonic())
            self._targets = self.clock.targets(tracks)
            async with self._news:
                self._news.notify_all()
            await self._say_clock()
            with contextlib.suppress(TimeoutError):
                # Live runs alone have nothing to move on: their news wakes, and many viewers cost no more meanwhile.
                still = self.clock.mode == "follow" and all(track.live for track in tracks.values())
                async with asyncio.timeout(None if still else self.clock.wait(time.monotonic())):
                    await self._woken.wait()

    async def _listen(self) -> None:
        since, heard = time.monotonic(), 0
        while True:
            message = await self.socket.receive()
            heard += 1
            # What is there already is received without a pause: a flood would leave no time for anybody else.
            now = time.monotonic()
            if now - since > 1.0:
                since, heard = now, 1
            await asyncio.sleep(since + 1.0 - now if heard > MESSAGES_A_SECOND else 0)
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            try:
                request = json.loads(message.get("text") or "")
                self._obey(request)
                if "selected" in request and self.socket.scope.get(ROLE) != "viewer":
                    await self._attend(request["selected"])
            except ConfigError as error:
                await self._send(encode_message(ErrorHeader(run=None, message=str(error))))
            except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
                await self._send(encode_message(ErrorHeader(run=None, message=words.served.NOT_UNDERSTOOD)))
            self._woken.set()

    def _obey(self, request: dict[str, Any]) -> None:
        if "ack" in request:
            self._in_flight.pop(int(request["ack"]), None)
        self.clock.obey(request)
        if "projection" in request:
            self.projection = check_projection(request["projection"])
            self._troubles.clear()

    async def _attend(self, selected: Any) -> None:
        """Keeps for other programs which samples are selected; ValueError for what are no ids."""
        seen = Attention(runs=self.runs, sample_ids=selected, at=time.time())
        try:
            await asyncio.to_thread(write_attention, self.hub.runs.root, seen)
        except LtvizError as error:  # a home that cannot be written is no reason to stop showing it
            log.info("What is selected is not kept: %s", error)

    async def _serve_run(self, run: str) -> None:
        """Sends one run: its header whenever the folder is a new one, then what the clock wants."""
        tail, generation, usable, first = self._tails[run], None, True, True
        while True:
            async with self._news:
                await self._news.wait_for(lambda: self._is_due(run))
                wanted = self._wanted(run)
            if wanted is None:
                continue
            snapshot = tail.snapshot
            if snapshot.generation != generation:
                generation, usable, first = snapshot.generation, await self._introduce(tail), True
            if not usable:
                self._shown[run] = wanted
                continue
            frame = await self.hub.frame(tail, wanted[0], wanted[2], first=first)
            # What was only a first look is still due.
            first = False
            if frame is None or not frame.partial:
                self._shown[run] = wanted
            # Sent even if another step is wanted by now: a hand that draws the slider wants one after another, and
            # would see nothing until it rests. What a viewer has not answered bounds how many are under way.
            if frame is None:
                continue
            live = snapshot.live and self.clock.mode == "follow"
            self._seq += 1
            self._in_flight[self._seq] = run
            await self._send(frame.message(seq=self._seq, time=frame.written if live else time.time(), live=live))
            if frame.trouble is not None and (run, frame.trouble) not in self._troubles:
                self._troubles.add((run, frame.trouble))
                await self._send(encode_message(ErrorHeader(run=run, message=frame.trouble)))

    async def _introduce(self, tail: Tail) -> bool:
        """Sends a run's header; False, with a message instead, where its folder does not hold what one takes."""
        try:
            header = await self.hub.header(tail)
        except (LtvizError, OSError, ValueError) as error:
            await self._send(encode_message(ErrorHeader(run=tail.run, message=str(error))))
            return False
        await self._send(header)
        return True

    def _wanted(self, run: str) -> tuple[Any, ...] | None:
        """What this run should show: step, folder generation, projection and how often it came after all, and the
        clock's beat where a replay rests on its end."""
        tail, step = self._tails[run], self._targets.get(run)
        if step is None:
            return None
        moving = self.clock.mode == "play" or (self.clock.mode == "follow" and not tail.snapshot.live)
        landed = tail.landed[self.projection, step]
        # A single moment is sent once: it may be a million points, and nothing of it moves.
        beats = moving and len(tail.snapshot.steps) > 1
        return step, tail.snapshot.generation, self.projection, landed, self.clock.beat if beats else 0

    def _is_due(self, run: str) -> bool:
        """Whether the run has something else to show and its viewer can take it."""
        if self._wanted(run) in (None, self._shown.get(run)):
            return False
        return sum(1 for owner in self._in_flight.values() if owner == run) < IN_FLIGHT

    async def _report(self) -> None:
        """Says how each run stands: at the start, then whenever it changed, at most four times a second."""
        told: dict[str, tuple[Snapshot, tuple[Event, ...], tuple[Event, ...]]] = {}
        while True:
            for run, tail in self._tails.items():
                now, recorded, alarms = tail.snapshot, tail.recorded, tail.alarms
                before = told.get(run)
                if not tail.looked or (before is not None and before[0] is now and before[1:] == (recorded, alarms)):
                    continue
                had = before[0].steps if before is not None and before[0].generation == now.generation else ()
                # Mostly they grow at the end; of very many, each is not looked at again for that.
                grown = now.steps.begins_with(had)
                known = () if grown else frozenset(had)
                new = [step for step in (now.steps[len(had) :] if grown else now.steps) if step not in known]
                changed = not had or before is None or before[1:] != (recorded, alarms)
                told[run] = (now, recorded, alarms)
                await self._send(
                    encode_message(
                        StateHeader(
                            run=run,
                            state=now.state,
                            reason=now.reason,
                            first=now.steps[0] if now.steps else None,
                            last=now.steps[-1] if now.steps else None,
                            frames=len(now.steps),
                            total_steps=None if now.info is None else now.info.total_steps,
                            steps=new,
                            events=tail.events() if changed or len(recorded) + len(alarms) <= FEW_EVENTS else None,
                        )
                    )
                )
            await asyncio.sleep(STATE_SECONDS if len(told) == len(self.runs) else STATE_SECONDS / 10)

    async def _report_moves(self) -> None:
        """Says what moved in each run, whenever more of its frames have been looked at."""
        told: dict[str, tuple[Any, int]] = {}
        while True:
            for run, tail in self._tails.items():
                moves, generation = tail.moves, tail.snapshot.generation
                which = generation, moves.edition
                before, since = told.get(run, (which, 0))
                if before == which and len(moves.steps) <= since:
                    continue
                since = since if before == which else 0
                told[run] = which, len(moves.steps)
                with contextlib.suppress(LtvizError, OSError):  # a folder that is no more, as its state will say
                    await self._send(await asyncio.to_thread(encode_moves, tail.recording, moves, since))
            await asyncio.sleep(MOVES_SECONDS)

    async def _say_clock(self) -> None:
        said = (self.clock.mode, self.clock.speed, self.clock.step if self.clock.mode == "hold" else None)
        if said != self._said:
            self._said = said
            told = ClockHeader(mode=self.clock.mode, at=self.clock.step, speed=self.clock.speed)
            await self._send(encode_message(told))

    async def _beat(self) -> None:
        """Says that the server is there, where nothing else has been said."""
        beat = encode_message(BeatHeader())
        while True:
            rest = self._sent + BEAT_SECONDS - time.monotonic()
            if rest > 0:
                await asyncio.sleep(rest)
            else:
                await self._send(beat)

    async def _send(self, message: bytes) -> None:
        async with self._sending:
            await self.socket.send_bytes(message)
            self._sent = time.monotonic()


def read_request(asked: Mapping[str, str], hub: Hub) -> tuple[list[str], str, Clock]:
    """Runs, projection and clock that an address asks for; LtvizError where one of them cannot be."""
    runs, step = asked_runs(asked, hub), asked_number(asked, "step")
    clock = Clock(hz=asked_number(asked, "hz") or 10.0, step=None if step is None else int(step))
    return runs, check_projection(asked.get("projection") or DEFAULT_PROJECTION), clock


def asked_runs(asked: Mapping[str, str], hub: Hub) -> list[str]:
    """The runs that an address names, each once; LtvizError for none, too many, or one that is no run id."""
    runs = list(dict.fromkeys(filter(None, asked.get("runs", "").split(","))))
    if not 1 <= len(runs) <= MAX_RUNS:
        raise ConfigError(words.served.STREAM_RUNS.format(most=MAX_RUNS, given=len(runs)))
    for run in runs:
        hub.folder(run)
    return runs


def asked_number(asked: Mapping[str, str], name: str) -> float | None:
    """A number of an address, None where it is not there; ConfigError for what is none."""
    given = asked.get(name)
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e12:
        raise ConfigError(words.served.STREAM_NUMBER.format(name=name, given=given[:40]))
    return value
