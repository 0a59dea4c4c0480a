"""A class over the stream: who may lead, what followers are told, how answers come back, and what a flood does."""

from __future__ import annotations

import contextlib
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ltviz_app.service import classroom
from ltviz_app.service.classroom import Classroom, Classrooms, Question, read_class
from ltviz_app.service.studio import Studio
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ltviz.errors import ConfigError

TOKEN = "a-token"
SEEN = {"page": "learn", "search": "lesson=a&step=2", "pose": [0.5, 0.25, 4.0], "mode": "hold", "at": 50}


class Member:
    """One socket of a class; `until` reads on until a message of a type says what is wanted."""

    def __init__(self, session: ClientConnection):
        self.session = session

    def say(self, **request: Any) -> None:
        self.session.send(json.dumps(request))

    def until(self, kind: str, seconds: float = 30.0, **wanted: Any) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            data = self.session.recv(timeout=left)
            assert isinstance(data, bytes)
            header = json.loads(data[4 : 4 + struct.unpack_from("<I", data)[0]])
            if header.get("type") == kind and all(header[name] == value for name, value in wanted.items()):
                return header
        raise TimeoutError(f"no {kind} with {wanted}")


@pytest.fixture
def room(studio: Studio) -> Classroom:
    return studio.classrooms.open()


@pytest.fixture
def join(address: str, room: Classroom) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:

        def enter(lead: bool = False) -> Member:
            secret = f"&lead={room.secret}" if lead else ""
            session = connect(f"{address}?class={room.code}&token={TOKEN}{secret}")
            return Member(stack.enter_context(session))

        yield enter


def test_followers_are_told_what_the_leader_sees_and_who_comes_later_too(join: Any) -> None:
    leader, early = join(lead=True), join()
    leader.until("class", state="open", followers=1)
    leader.say(seen=SEEN)
    told = early.until("lead")
    assert {name: told[name] for name in SEEN} == SEEN and told["question"] is None
    leader.say(seen={**SEEN, "at": 60})
    assert early.until("lead", at=60)["mode"] == "hold"
    assert join().until("lead")["at"] == 60
    leader.until("class", followers=2)


@pytest.mark.parametrize("change", [{"lead": "wrong"}, {"class": "nowhere"}, {"token": "x"}, {"lead": ""}])
def test_a_wrong_secret_code_or_token_is_refused(address: str, room: Classroom, change: dict[str, str]) -> None:
    asked = {"class": room.code, "token": TOKEN, **change}
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{address}?{'&'.join(f'{name}={value}' for name, value in asked.items())}")
    assert refused.value.response.status_code == 403


def test_another_site_and_a_viewer_cannot_lead(address: str, room: Classroom, studio: Studio) -> None:
    with pytest.raises(InvalidStatus):
        connect(
            f"{address}?class={room.code}&token={TOKEN}&lead={room.secret}",
            additional_headers={"Origin": "http://evil.example"},
        )
    asked = {"class": room.code, "lead": room.secret}
    with pytest.raises(ConfigError, match="Only whoever began"):
        read_class(studio.classrooms, asked, "viewer")
    assert read_class(studio.classrooms, asked, "trainer") is room


def test_a_follower_cannot_show_ask_or_end(join: Any, room: Classroom) -> None:
    leader, follower = join(lead=True), join()
    follower.say(seen=SEEN, ask={"key": "q", "options": 2}, end=True)
    leader.say(seen={**SEEN, "at": 7})
    assert follower.until("lead")["at"] == 7 and room.question is None and not room.is_over


def test_answers_come_back_as_counts_and_go_with_who_gave_them(join: Any) -> None:
    leader, a, b = join(lead=True), join(), join()
    leader.say(seen=SEEN, ask={"key": "a/1", "options": 3})
    for member, said in ((a, 2), (b, 2)):
        member.until("lead", question="a/1")
        member.say(answer={"question": "a/1", "said": said})
    assert leader.until("tally", answered=2)["counts"] == [0, 0, 2]
    a.say(answer={"question": "a/1", "said": 0})
    assert leader.until("tally", counts=[1, 0, 1])["question"] == "a/1", "a later answer takes the earlier one's place"
    leader.say(ask={"key": "a/2", "low": 0.0, "high": 1.0})
    a.until("lead", question="a/2")
    a.say(answer={"question": "a/1", "said": 1})
    a.say(answer={"question": "a/2", "said": 1.0})
    assert leader.until("tally", question="a/2", answered=1)["counts"] == [0] * 9 + [1]
    leader.say(ask={"key": "a/1", "options": 3})
    assert leader.until("tally", question="a/1")["counts"] == [1, 0, 1], "what was answered is still there"
    b.session.close()
    assert leader.until("tally", answered=1)["counts"] == [1, 0, 0]


@pytest.mark.parametrize("said", [3, -1, 0.5, True, None, "two", 1e308, [1], {"a": 1}])
def test_what_is_no_answer_is_said_and_not_counted(join: Any, room: Classroom, said: Any) -> None:
    leader, follower = join(lead=True), join()
    leader.say(seen=SEEN, ask={"key": "q", "options": 3})
    follower.until("lead", question="q")
    follower.say(answer={"question": "q", "said": said})
    follower.until("error")
    follower.say(answer={"question": "another", "said": 1})
    follower.say(answer={"question": "q", "said": 1})
    assert leader.until("tally", answered=1)["counts"] == [0, 1, 0]


@pytest.mark.parametrize(
    "seen",
    [
        {"page": "../etc"},
        {"page": "lab", "search": "x" * 3000},
        {"page": "lab", "pose": [1, 2]},
        {"page": "lab", "pose": [1, 2, 1e300]},
        {"page": "lab", "poses": {f"run-{i}": [1, 2, 3] for i in range(30)}},
        {"page": "lab", "speed": -1},
        {"page": "lab", "more": 1},
        "lab",
    ],
)
def test_a_leader_s_nonsense_reaches_nobody(join: Any, room: Classroom, seen: Any) -> None:
    leader = join(lead=True)
    leader.say(seen=seen)
    leader.until("error")
    assert room.seen is None


def test_a_flood_ends_its_own_socket_and_no_other(join: Any) -> None:
    leader, quiet, loud = join(lead=True), join(), join()
    with pytest.raises(ConnectionClosed) as ended:
        for _ in range(2_000):
            loud.say(answer={"question": "q", "said": 1})
        loud.until("never")
    assert ended.value.rcvd is not None and ended.value.rcvd.code == 1008
    large = join()
    with pytest.raises(ConnectionClosed):
        large.say(answer="x" * 20_000)
        large.until("never")
    leader.say(seen=SEEN)
    assert quiet.until("lead")["at"] == 50


def test_a_class_outlives_a_reload_and_ends_with_its_leader(
    join: Any, room: Classroom, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, follower = join(lead=True), join()
    leader.say(seen=SEEN)
    follower.until("lead")
    leader.session.close()
    follower.until("class", state="away")
    back = join(lead=True)
    follower.until("class", state="open")
    monkeypatch.setattr(classroom, "GRACE_SECONDS", 0.0)
    assert studio.classrooms.find(room.code) is room, "whoever is back leads it for as long as they like"
    back.session.close()
    follower.until("class", state="ended")
    with pytest.raises(ConnectionClosed):
        follower.until("never")
    assert studio.classrooms.find(room.code) is None and not room.followers and not room.leaders


def test_whoever_leads_may_end_it_at_once(join: Any, room: Classroom, studio: Studio) -> None:
    leader, follower = join(lead=True), join()
    follower.until("class", state="open")
    leader.say(end=True)
    follower.until("class", state="ended")
    assert studio.classrooms.find(room.code) is None


def test_classes_followers_and_questions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Classrooms()
    opened = [rooms.open() for _ in range(classroom.MOST_CLASSES)]
    with pytest.raises(ConfigError, match="end one of them"):
        rooms.open()
    assert len({room.code for room in opened}) == len(opened)
    monkeypatch.setattr(classroom, "GRACE_SECONDS", -1.0)
    rooms.open()
    monkeypatch.undo()
    room = Classroom()
    for i in range(200):
        room.ask(Question(key=f"q{i}", options=2))
    assert len(room.answers) == classroom.MOST_QUESTIONS
    monkeypatch.setattr(classroom, "MOST_FOLLOWERS", 0)
    full = Classrooms()
    with pytest.raises(ConfigError, match="no more fit"):
        read_class(full, {"class": full.open().code}, None)
