"""A class: what whoever leads it sees is told to all who follow, and their answers come back as counts without names.

It travels over `/ltviz/stream`, past the same checks, on a socket of its own: a class outlives the runs on a stage. A
follower is told the newest state and never a queue of old ones, so a slow one costs nothing. Of followers nothing is
kept but their sockets; an answer counts while its giver is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.websockets import WebSocket, WebSocketDisconnect

from ltviz.errors import ConfigError

from .. import words
from .guard import ROLE
from .messages import BEAT_SECONDS, BeatHeader, ClassHeader, ErrorHeader, LeadHeader, TallyHeader
from .wire import encode_message

CLASS, LEAD = "class", "lead"
"""Of an address: the class that is joined, and the secret of whoever leads it."""
Page = Literal["lab", "compare", "geometry", "learn", "embeddings"]
MOST_CLASSES, MOST_FOLLOWERS, MOST_QUESTIONS = 20, 500, 64
LONGEST_MESSAGE = 16_384
"""Letters of one message; a leader's state takes some hundred."""
PER_SECOND, AT_ONCE = 20.0, 60.0
"""Messages that one socket may send, on average and in a burst."""
GRACE_SECONDS = 20.0
"""A leader who has been away for so long has left: a reload of the page takes less."""
TELL_SECONDS = 0.25
"""How often whoever leads is told new counts at most."""
BINS = 10
"""Into which a histogram of numbers is cut."""
POLICY_VIOLATION = 1008

Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
FinitePose = tuple[Finite, Finite, Finite]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seen(_Told):
    """What whoever leads sees; followers' pages show the same."""

    page: Page
    search: str = Field("", max_length=2_000)
    look: str = Field("", max_length=4_000)
    pose: FinitePose | None = None
    poses: dict[Annotated[str, Field(max_length=90)], FinitePose] = Field({}, max_length=24)
    projection: str | None = Field(None, max_length=60)
    mode: Literal["follow", "play", "hold"] | None = None
    at: Annotated[int, Field(ge=0, le=10**12)] | None = None
    speed: Annotated[float, Field(allow_inf_nan=False, gt=0, le=64)] = 1.0


class Question(_Told):
    """A question that followers answer by the number of an option, or by a number between two others."""

    key: str = Field(min_length=1, max_length=160)
    options: Annotated[int, Field(ge=2, le=200)] | None = None
    low: Finite | None = None
    high: Finite | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Question:
        if (self.options is None) == (self.low is None or self.high is None or not self.low < self.high):
            raise ValueError("a question has options, or a low below a high")
        return self

    @property
    def places(self) -> int:
        """How many counts its histogram has."""
        return self.options or BINS

    def place(self, said: Any) -> int:
        """The count that an answer belongs to; ValueError for what is none."""
        if isinstance(said, bool) or not isinstance(said, int | float) or not abs(said) <= 1e6:
            raise ValueError("an answer is a number")
        if self.options is not None:
            if said != int(said) or not 0 <= said < self.options:
                raise ValueError("an answer is the number of an option")
            return int(said)
        low, high = self.low or 0.0, self.high or 0.0
        if not low <= said <= high:
            raise ValueError("an answer lies between the ends of the scale")
        return min(int(BINS * (said - low) / (high - low)), BINS - 1)


class Classrooms:
    """The classes of one server, by their codes."""

    def __init__(self) -> None:
        self._open: dict[str, Classroom] = {}
        self._guard = threading.Lock()

    def open(self) -> Classroom:
        """Begins a class; ConfigError where too many are under way."""
        with self._guard:
            for code in [code for code, room in self._open.items() if room.is_over]:
                del self._open[code]
            if len(self._open) >= MOST_CLASSES:
                raise ConfigError(words.classroom.TOO_MANY.format(most=MOST_CLASSES))
            room = Classroom(self._forget)
            self._open[room.code] = room
        return room

    def find(self, code: str) -> Classroom | None:
        """The class of this code, None where there is none, or none any more."""
        room = self._open.get(code)
        return None if room is None or room.is_over else room

    def leads(self, code: str, secret: str) -> bool:
        """Whether a secret is that of the class's leader, in a time that does not depend on it."""
        room = self.find(code)
        return room is not None and room.is_secret(secret)

    def _forget(self, room: Classroom) -> None:
        with self._guard:
            self._open.pop(room.code, None)


class Classroom:
    """One class. All but `open` and `leads` happens in the server's event loop.

    Args:
        forget: called once, when the class is over.
    """

    def __init__(self, forget: Callable[[Classroom], None] = lambda _: None):
        self.code, self._secret = secrets.token_urlsafe(6), secrets.token_urlsafe(24)
        self.seen: Seen | None = None
        self.question: Question | None = None
        self.answers: OrderedDict[str, dict[Attendant, int]] = OrderedDict()
        """Of each question that was asked, the newest last: who is there and has answered, and in which place."""
        self.leaders: set[Attendant] = set()
        self.followers: set[Attendant] = set()
        self._forget = forget
        self._away_since: float | None = time.monotonic()
        self._ended = False

    @property
    def secret(self) -> str:
        """Reaches the page of whoever began the class, and nobody else."""
        return self._secret

    def is_secret(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), self._secret.encode())

    @property
    def is_over(self) -> bool:
        away = self._away_since
        return self._ended or (away is not None and time.monotonic() > away + GRACE_SECONDS)

    @property
    def state(self) -> Literal["open", "away", "ended"]:
        return "ended" if self.is_over else "open" if self.leaders else "away"

    def counts(self) -> list[int]:
        """How many answers the present question has in each place."""
        if self.question is None:
            return []
        found = [0] * self.question.places
        for place in self.answers.get(self.question.key, {}).values():
            found[place] += 1
        return found

    def join(self, who: Attendant) -> None:
        (self.leaders if who.leads else self.followers).add(who)
        if who.leads:
            self._away_since = None
        elif not self.leaders:
            self._wait_for_leader()
        self.tell()

    def leave(self, who: Attendant) -> None:
        """Forgets all of somebody; when nobody leads any more the class has a while to live."""
        self.leaders.discard(who)
        self.followers.discard(who)
        for given in self.answers.values():
            given.pop(who, None)
        if who.leads and not self.leaders and not self._ended:
            self._away_since = time.monotonic()
            self._wait_for_leader()
        self.tell()

    def _wait_for_leader(self) -> None:
        asyncio.get_running_loop().call_later(GRACE_SECONDS + 0.1, self._look_for_leader)

    def _look_for_leader(self) -> None:
        if self.is_over:
            self.end()

    def show(self, seen: Seen) -> None:
        self.seen = seen
        self.tell()

    def ask(self, question: Question | None) -> None:
        """Asks followers from now on; what was answered to a question is still there when it is asked again."""
        same = question is not None and self.question is not None and question == self.question
        self.question = question
        if question is not None:
            given = self.answers.setdefault(question.key, {})
            if not same and any(place >= question.places for place in given.values()):
                given.clear()
            self.answers.move_to_end(question.key)
            while len(self.answers) > MOST_QUESTIONS:
                self.answers.popitem(last=False)
        self.tell()

    def answer(self, who: Attendant, key: Any, said: Any) -> None:
        """Takes an answer to the present question, in place of an earlier one; ValueError for what is none."""
        if self.question is not None and key == self.question.key:
            self.answers[self.question.key][who] = self.question.place(said)
            for leader in self.leaders:
                leader.wake()

    def end(self) -> None:
        self._ended = True
        self._forget(self)
        self.tell()

    def tell(self) -> None:
        for who in (*self.leaders, *self.followers):
            who.wake()


class Attendant:
    """One socket of a class: leading it, or following.

    Raises:
        ConfigError: no such class, one that is full, or somebody who may not lead it.
    """

    def __init__(self, socket: WebSocket, rooms: Classrooms, asked: Mapping[str, str]):
        self.socket = socket
        self.room = read_class(rooms, asked, socket.scope.get(ROLE))
        self.leads = LEAD in asked
        self._woken = asyncio.Event()
        self._credit, self._counted = AT_ONCE, time.monotonic()

    def wake(self) -> None:
        """There is something new to be told."""
        self._woken.set()

    async def run(self) -> None:
        """Serves until they leave or the class is over."""
        self.room.join(self)
        tasks = [asyncio.ensure_future(work) for work in (self._listen(), self._tell())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.room.leave(self)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError | OSError):
                raise result

    async def _tell(self) -> None:
        told: dict[str, bytes] = {}
        while True:
            self._woken.clear()
            for kind, message in self._messages():
                if told.get(kind) != message:
                    told[kind] = message
                    await self.socket.send_bytes(message)
            if self.room.is_over:
                return
            await self._rest()
            if self.leads:
                await asyncio.sleep(TELL_SECONDS)

    async def _rest(self) -> None:
        """Waits for news; meanwhile says now and then that the server is there."""
        while not self._woken.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._woken.wait()
                    return
            await self.socket.send_bytes(encode_message(BeatHeader()))

    def _messages(self) -> list[tuple[str, bytes]]:
        room = self.room
        key = None if room.question is None else room.question.key
        followers = len(room.followers) if self.leads else 0
        told: list[Any] = [ClassHeader(state=room.state, followers=followers)]
        if self.leads:
            counts = room.counts()
            told.append(TallyHeader(question=key, counts=counts, answered=sum(counts)))
        elif room.seen is not None:
            told.append(LeadHeader(**dict(room.seen), question=key))
        return [(header.type, encode_message(header)) for header in told]

    async def _listen(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            text = message.get("text") or ""
            if not self._may_speak() or len(text) > LONGEST_MESSAGE:
                with contextlib.suppress(RuntimeError, OSError):
                    await self.socket.close(POLICY_VIOLATION, words.classroom.TOO_FAST)
                return
            try:
                self._obey(json.loads(text))
            except (ValidationError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
                error = ErrorHeader(run=None, message=words.served.NOT_UNDERSTOOD)
                await self.socket.send_bytes(encode_message(error))

    def _may_speak(self) -> bool:
        now = time.monotonic()
        self._credit = min(AT_ONCE, self._credit + PER_SECOND * (now - self._counted)) - 1.0
        self._counted = now
        return self._credit >= 0.0

    def _obey(self, request: dict[str, Any]) -> None:
        if not self.leads:
            if (answer := request.get("answer")) is not None:
                self.room.answer(self, answer["question"], answer["said"])
            return
        if "seen" in request:
            self.room.show(Seen.model_validate(request["seen"]))
        if "ask" in request:
            asked = request["ask"]
            self.room.ask(None if asked is None else Question.model_validate(asked))
        if request.get("end") is True:
            self.room.end()


def read_class(rooms: Classrooms, asked: Mapping[str, str], role: str | None) -> Classroom:
    """The class that an address asks for, as whoever it says.

    Args:
        role: of a shared app, None elsewhere.

    Raises:
        ConfigError: no such class, one that is full, or somebody who may not lead it.
    """
    room = rooms.find(asked.get(CLASS, "")[:40])
    if room is None:
        raise ConfigError(words.classroom.OVER)
    if LEAD in asked:
        if role == "viewer" or not room.is_secret(asked[LEAD][:80]):
            raise ConfigError(words.classroom.NOT_YOURS)
    elif len(room.followers) >= MOST_FOLLOWERS:
        raise ConfigError(words.classroom.FULL.format(most=MOST_FOLLOWERS))
    return room
