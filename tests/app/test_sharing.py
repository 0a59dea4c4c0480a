"""A shared app: viewers look, trainers train, and nobody else sees a run, whatever a page draws or does not draw."""

from __future__ import annotations

import dataclasses
import http.client
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import uvicorn
from ltviz_app import words
from ltviz_app.service.guard import SIGN_IN, AnswerHeaders, Guard
from ltviz_app.service.sharing import Sharing, TooManyTries
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from streamlit.testing.v1 import AppTest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ltviz import launch
from ltviz.cli import main
from ltviz.errors import ConfigError
from ltviz.recording import Recording, new_run_id

PASSWORD = "correct horse"
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def sharing() -> Sharing:
    return Sharing(PASSWORD)


@pytest.fixture
def shared(studio, sharing):
    """The studio of a shared app, with tries of its own."""
    sharing._wrong.clear()
    sharing._all_wrong.clear()
    return dataclasses.replace(studio, sharing=sharing)


@pytest.fixture
def client(shared):
    from ltviz_app.server import _answer_of, _stream_of
    from ltviz_app.service.replayroute import serve_replay
    from ltviz_app.service.stream import explain_stream

    async def anything(request: Request) -> PlainTextResponse:
        return PlainTextResponse("a run")

    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    app = Starlette(
        routes=[
            WebSocketRoute("/ltviz/stream", _stream_of(shared)),
            Route("/ltviz/stream", _answer_of(explain_stream, shared), methods=["POST"]),
            Route("/ltviz/replay", _answer_of(serve_replay, shared)),
            Mount("/", routes=[Route("/{path:path}", anything, methods=methods)]),
        ],
        middleware=[Middleware(AnswerHeaders), Middleware(Guard, sharing=shared.sharing)],
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="websockets-sansio"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield Client(listening.getsockname()[1])
    server.should_exit = True
    thread.join(10)
    listening.close()


class Client:
    """A browser of few words: it keeps cookies, and follows nothing."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    @property
    def _cookie(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def request(self, method: str, path: str, *, headers=None, data=None, content: bytes = b"") -> SimpleNamespace:
        talk = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = content if data is None else urlencode(data).encode()
        talk.request(method, path, body, {**self._cookie, **(headers or {})})
        answer = talk.getresponse()
        text, told = answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
        talk.close()
        if "set-cookie" in told:
            name, _, value = told["set-cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value
        return SimpleNamespace(status_code=answer.status, text=text, headers=told)

    def get(self, path: str, **more) -> SimpleNamespace:
        return self.request("GET", path, **more)

    def post(self, path: str, **more) -> SimpleNamespace:
        return self.request("POST", path, **more)

    def websocket(self, path: str):
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=self._cookie, max_size=None)


def as_viewer(client: Client, sharing: Sharing) -> Client:
    answer = client.get(f"/compare?runs=one-run&share={sharing.token}&step=3", headers=PAGE)
    assert answer.status_code == 303 and answer.headers["location"] == "./compare?runs=one-run&step=3"
    told = answer.headers["set-cookie"].lower()
    assert "httponly" in told and "samesite=lax" in told and sharing.token.lower() not in told
    return client


def as_trainer(client: Client) -> Client:
    answer = client.post(SIGN_IN, data={"password": PASSWORD})
    assert answer.status_code == 303 and "httponly" in answer.headers["set-cookie"].lower()
    return client


def test_a_stranger_sees_no_run_on_any_route(client):
    for method in ("GET", "POST", "PUT", "DELETE"):
        for path in ("/", "/compare?runs=one-run", "/ltviz/replay?runs=one-run", "/_stcore/upload_file/a", "/media/x"):
            answer = client.request(method, path, headers=PAGE)
            assert answer.status_code in (401, 403) and "a run" not in answer.text, (method, path)
    for path in ("/ltviz/stream?runs=one-run&token=a-token", "/_stcore/stream"):
        with pytest.raises(InvalidStatus, match="403"):
            client.websocket(path)
    assert client.get("/_stcore/health").status_code == 200


def test_a_wrong_link_or_cookie_lets_nobody_in(client, sharing):
    assert client.get("/?share=wrong", headers=PAGE).status_code == 403
    for cookie in ("", "trainer", "trainer.x.y", "trainer.x.", sharing.admit("viewer").replace("viewer", "trainer")):
        client.cookies[sharing.cookie] = cookie
        assert client.get("/", headers=PAGE).status_code == 401, cookie


def test_viewers_read_and_change_nothing(client, shared, sharing, home: Path, runs):
    runs.finished(home, "one-run")
    as_viewer(client, sharing)
    assert client.get("/").text == "a run"
    assert client.post("/ltviz/stream?runs=one-run&token=a-token").status_code == 426
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = client.request(method, "/_stcore/upload_file/session/file")
        assert answer.status_code == 403 and answer.text == words.sharing.VIEWER
    with client.websocket("/ltviz/stream?runs=one-run&token=a-token") as talk:
        talk.recv(timeout=30)
        for request in ('{"selected": [1, 2]}', '{"stop": true}', '{"kind": "stop", "run": "one-run"}', '{"ack": 1}'):
            talk.send(request)
        time.sleep(0.3)
    assert not (home / ".attention.json").exists() and not list((home / "one-run" / "control").iterdir())


def test_what_a_viewer_makes_be_computed_is_not_written_into_a_run(client, sharing, home: Path, runs):
    runs.finished(home, "one-run", dim=8)
    views = home / "one-run" / "projections"
    ask = "/ltviz/stream?runs=one-run&token=a-token&projection="
    as_viewer(client, sharing)
    assert client.get("/ltviz/replay?runs=one-run&token=a-token&projection=pca").status_code == 200
    with client.websocket(ask + "pca") as talk:
        while b'"pca"' not in talk.recv(timeout=30):
            pass
    assert not views.exists()
    as_trainer(client)
    with client.websocket(ask + "spread") as talk:
        while b'"spread"' not in talk.recv(timeout=30):
            pass
    assert views.exists(), "only what was computed for a viewer stays in memory"


def test_trainers_do_all(client, home: Path, runs):
    runs.finished(home, "one-run")
    as_trainer(client)
    assert client.request("PUT", "/_stcore/upload_file/session/file").text == "a run"
    with client.websocket("/ltviz/stream?runs=one-run&token=a-token") as talk:
        talk.recv(timeout=30)
        talk.send('{"selected": [1, 2]}')
        limit = time.monotonic() + 20
        while not (home / ".attention.json").exists() and time.monotonic() < limit:
            time.sleep(0.02)
    assert (home / ".attention.json").exists()


def test_the_password_is_guessed_a_few_times_only_and_from_its_own_form(client):
    assert client.post(SIGN_IN, data={"password": PASSWORD}, headers={"origin": "https://evil.org"}).status_code == 403
    assert client.post(SIGN_IN, content=b"password=" + b"x" * 50_000).status_code == 403
    for _ in range(4):
        assert client.post(SIGN_IN, data={"password": "wrong"}).status_code == 403
    answer = client.post(SIGN_IN, data={"password": PASSWORD})
    assert answer.status_code == 429 and PASSWORD not in answer.text
    assert client.get("/?share=x").status_code == 429


def test_guesses_from_many_addresses_are_counted_together(sharing):
    sharing._wrong.clear()
    sharing._all_wrong.clear()
    for number in range(60):
        assert not sharing.is_link("wrong", f"10.0.0.{number}")
    with pytest.raises(TooManyTries):
        sharing.is_link(sharing.token, "10.0.1.1")
    sharing._all_wrong.clear()


def test_every_answer_says_what_a_browser_must_not_do_with_it(client, sharing):
    for path in ("/", SIGN_IN, "/ltviz/replay"):
        headers = client.get(path, headers=PAGE).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors" in headers["content-security-policy"] and headers["x-frame-options"] == "SAMEORIGIN"
    assert len(sharing.token) >= 12


# ---------------------------------------------------------------------- the session


def job(run: str) -> launch.Job:
    return launch.Job(job_id=new_run_id("race"), runs=(launch.JobRun(run_id=run, method="ce"),), run={"steps": 5})


def test_a_viewers_session_can_do_nothing_however_it_is_asked(shared, home: Path, runs):
    """Without a session nobody may: here there is none, as for a message that presses what was never drawn."""
    runs.finished(home, "one-run")
    act = shared.supervisor
    for asked in (
        lambda: act.submit(job("new-run")),
        lambda: act.stop("one-run"),
        lambda: act.stop_all(["one-run"]),
        lambda: act.move("new-run", "old-run"),
        lambda: act.cancel("new-run"),
        lambda: act.pause("one-run"),
        lambda: act.resume("one-run"),
        lambda: act.change("one-run", {"temperature": 0.2}),
    ):
        with pytest.raises(ConfigError, match="Viewers look"):
            asked()
    assert launch.jobs(home) == [] and list((home / "one-run" / "control").iterdir()) == []


PRESS = """
import streamlit as st
from ltviz_app.service import studio as module
from ltviz_app.widgets import curation, race
from ltviz.errors import LtvizError
studio = module._open
for act in (
    lambda: race.start_race(studio, ["ce"], {"data": "digits-lt", "steps": 3}, {}),
    lambda: curation._try(studio, lambda: curation.delete_run(studio.hub.runs.folder("one-run"))),
    lambda: curation._change(studio, lambda: curation.tag_run(studio.hub.runs.folder("one-run"), ["seen"])),
):
    try:
        act()
    except LtvizError as error:
        st.error(str(error))
"""


@pytest.mark.parametrize("role", ["viewer", "trainer", None])
def test_pages_of_a_session_do_what_its_cookie_allows(shared, sharing, home: Path, runs, monkeypatch, role):
    from ltviz_app.service import studio as module

    runs.finished(home, "one-run")
    monkeypatch.setattr(module, "_open", shared)
    cookies = {} if role is None else {sharing.cookie: sharing.admit(role)}
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.cookies", property(lambda self: cookies))
    page = AppTest.from_string(PRESS, default_timeout=60).run()
    if role == "trainer":
        assert len(launch.jobs(home)) == 1 and not (home / "one-run").exists()
    else:
        assert [error.value[:12] for error in page.error] == [words.sharing.VIEWER[:12]] * 3
        assert launch.jobs(home) == [] and Recording(home / "one-run").status().state == "finished"
        assert not (home / "one-run" / "notes.json").exists()


# ---------------------------------------------------------------------- the command line


def test_sharing_needs_a_password_and_the_refusal_of_an_open_address_names_it(monkeypatch, capsys):
    monkeypatch.delenv("LTVIZ_TRAINER_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", None)
    assert main(["app", "--share", "--port", "0"]) == 2
    assert "LTVIZ_TRAINER_PASSWORD" in capsys.readouterr().err
    monkeypatch.setenv("LTVIZ_TRAINER_PASSWORD", "short")
    assert main(["app", "--share", "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert "8 to 1000 characters" in said and "short" not in said.replace("shorten", "")
    assert main(["app", "--address", "0.0.0.0", "--port", "0"]) == 2
    assert "--share" in capsys.readouterr().err
