"""Replays: what is in the file, how it is thinned, what it lets in, and who may ask for it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import ltviz_app.service.replaypage as replaypage
import numpy as np
import pytest
from ltviz_app.service.hub import Hub
from ltviz_app.service.packing import thin
from ltviz_app.service.replay import Opening, Replay, build_replay
from ltviz_app.service.replayroute import serve_replay
from ltviz_app.service.studio import Studio
from ltviz_app.service.supervisor import Supervisor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import ltviz
from ltviz.errors import ConfigError
from ltviz.text import plain

HOSTILE = "</script><script>alert(1)</script><!--"


def build(home: Path, *runs: str, **more: object) -> Replay:
    async def work() -> Replay:
        hub = Hub(home)
        try:
            return await build_replay(hub, runs, **more)
        finally:
            await hub.close()

    return asyncio.run(work())


def contents(replay: Replay) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="contents">(.*?)</script>', replay.html.decode(), re.S)
    return json.loads(text)


def header(packed: str) -> dict:
    message = gzip.decompress(base64.b64decode(packed))
    return json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])


def test_it_holds_the_streams_own_messages(home: Path, runs: SimpleNamespace) -> None:
    runs.finished(home, "one-run", title="One")
    runs.finished(home, "two-run", title="Two", steps=(0, 7))
    replay = build(home, "one-run", "two-run", opening=Opening(step=5, theme="dark", sight="camera=1,0,3"))
    held = contents(replay)
    assert (replay.runs, replay.moments, replay.recorded) == (("one-run", "two-run"), 4, 4)
    assert held["data"] | {"step": 5, "theme": "dark", "opening": "camera=1,0,3", "replay": True} == held["data"]
    assert held["data"]["runs"] == ["one-run", "two-run"] and held["data"]["token"] == ""
    one, two = held["runs"]
    assert (one["state"]["steps"], two["state"]["steps"]) == ([0, 5, 10], [0, 7])
    assert one["state"]["state"] == "finished" and header(one["header"])["title"] == "One"
    assert [header(frame)["step"] for frame in one["frames"]] == [0, 5, 10]
    page = replay.html.decode()
    assert "<title>Replay of One and Two</title>" in page and "Steps 0 to 10" in page and "evenly chosen" not in page


def test_too_many_frames_are_thinned_and_the_page_says_so(home: Path, runs: SimpleNamespace) -> None:
    runs.finished(home, "long-run", steps=tuple(range(0, 200, 2)), n=3000)
    whole = build(home, "long-run", limit=50_000_000)
    assert whole.moments == 100
    fixed = len(whole.html) - sum(map(len, contents(whole)["runs"][0]["frames"]))
    limit = fixed + 200_000
    small = build(home, "long-run", limit=limit)
    steps = contents(small)["runs"][0]["state"]["steps"]
    assert 2 <= small.moments < 20 and (steps[0], steps[-1]) == (0, 198)
    assert 0.6 * 200_000 < len(small.html) - fixed < 1.05 * 200_000
    assert f"{small.moments} of 100 recorded moments are in it" in small.html.decode()
    fixed -= len(contents(whole)["runs"][0]["moves"])  # which go before moments do
    with pytest.raises(ConfigError, match="take fewer runs"):
        build(home, "long-run", limit=fixed + 10_000)


def test_thinning_is_even_and_keeps_both_ends() -> None:
    assert thin([1, 5, 9], 3) == [1, 5, 9]
    assert thin(range(101), 5) == [0, 25, 50, 75, 100]
    assert thin(range(101), 2) == [0, 100]
    assert thin(range(101), 1) == []


def test_names_are_data(home: Path, runs: SimpleNamespace) -> None:
    runs.finished(home, "evil-run", title=HOSTILE, names=(HOSTILE, "\u2028", "&amp;"))
    replay = build(home, "evil-run")
    page = replay.html.decode()
    assert page.count("<script") == page.count("</script>") == 3 and "<!--" not in page
    assert header(contents(replay)["runs"][0]["header"])["class_names"] == [
        plain(name) for name in (HOSTILE, "\u2028", "&amp;")
    ]
    assert "Replay of &lt;/script&gt;&lt;script&gt;" in page


def test_the_page_reaches_nowhere_and_needs_no_address(home: Path, runs: SimpleNamespace) -> None:
    runs.finished(home, "one-run")
    page = build(home, "one-run").html.decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None and "default-src 'none'" in policy[1] and "unsafe" not in policy[1]
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", re.sub(r"<script.*?</script>", "", page, flags=re.S))
    (found,) = re.findall(r'<script type="importmap">(.*?)</script>', page)
    modules = {
        name: base64.b64decode(address.partition("base64,")[2]).decode()
        for name, address in json.loads(found)["imports"].items()
    }
    assert {"ltviz/assembly.js", "ltviz/incoming/replay.js", f"ltviz/{replaypage.ENTRY}"} <= set(modules)
    for name, source in modules.items():
        asked = re.findall(r'^import\b[^;"(]*?"([^"]+)";', source, re.M)
        assert set(asked) <= set(modules), f"{name} imports what is not there"
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source), (
            name
        )


def test_a_run_in_training_is_no_longer_live_and_one_without_frames_is_left_out(
    home: Path, runs: SimpleNamespace
) -> None:
    with runs.begin(home, "live-run") as writer, runs.begin(home, "empty-run"):
        runs.frame(writer, 3)
        replay = build(home, "live-run", "empty-run")
    (held,) = contents(replay)["runs"]
    assert (held["run"], held["state"]["state"]) == ("live-run", "recorded")


def test_a_damaged_frame_is_left_out(home: Path, runs: SimpleNamespace) -> None:
    folder = runs.finished(home, "one-run")
    frame = folder / "frames" / "000000005.safetensors"
    frame.write_bytes(frame.read_bytes()[:-40] + bytes(40))
    replay = build(home, "one-run")
    assert contents(replay)["runs"][0]["state"]["steps"] == [0, 10]


@pytest.mark.parametrize("asked, said", [(("one-run", "one-run"), "each run once"), (("no-run",), "run with frames")])
def test_runs_that_make_no_replay_are_named(
    home: Path, runs: SimpleNamespace, asked: tuple[str, ...], said: str
) -> None:
    runs.finished(home, "one-run")
    with pytest.raises(ConfigError, match=said):
        build(home, *asked)


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(home: Path, runs: SimpleNamespace) -> Ask:
    """Asks the app for a replay of one run; the query may be changed and headers added."""
    runs.finished(home, "one-run")
    studio = Studio(home, Supervisor(home), Hub(home))

    async def replay(request: Request) -> Response:
        return await serve_replay(request, studio)

    app = Starlette(routes=[Route("/ltviz/replay", replay)])

    def send(old: str = "", new: str = "", **headers: str) -> httpx.Response:
        address = f"/ltviz/replay?runs=one-run&token={studio.token}"

        async def work() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8501") as client:
                answer = await client.get(address.replace(old, new) if old else address + new, headers=headers)
            await studio.hub.close()
            return answer

        return asyncio.run(work())

    return send


def test_the_route_gives_a_file_that_opens_as_the_page_is(ask: Ask) -> None:
    answer = ask(new="&step=5&theme=dark&camera=1,0.5,3&layers=caps&class=2&arrows=alike&colour=groups&more=x")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"] and answer.headers["cache-control"] == "no-store"
    data = contents(Replay(answer.content, (), 0, 0))["data"]
    assert (data["step"], data["theme"]) == (5, "dark")
    assert data["opening"] == "camera=1%2C0.5%2C3&layers=caps&colour=groups&arrows=alike&class=2"


@pytest.mark.parametrize(
    "change, headers, said",
    [
        (("token=", "token=x"), {}, "token"),
        (("", ""), {"Origin": "http://evil.example"}, "own page only"),
        (("", ""), {"Sec-Fetch-Site": "cross-site"}, "own page only"),
        (("runs=one-run", "runs=../x"), {}, "run id"),
        (("runs=one-run", "runs="), {}, "1 to 24 runs"),
        (("runs=one-run", "runs=no-run"), {}, "frames"),
        (("runs=one-run", "runs=one-run&step=x"), {}, "must be a number"),
        (("runs=one-run", "runs=one-run&projection=x"), {}, "projection"),
    ],
)
def test_the_route_refuses_what_the_stream_refuses(
    ask: Ask, change: tuple[str, str], headers: dict[str, str], said: str
) -> None:
    answer = ask(*change, **headers)
    assert answer.status_code == 403 and said in answer.text and "importmap" not in answer.text


def test_pictures_leave_room_for_moments_and_grey_ones_stay_grey(home: Path) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 3))
    images = {
        "colour-run": rng.integers(0, 256, (400, 32, 32, 3), np.uint8),
        "grey-run": np.zeros((400, 8, 8), np.uint8),
    }
    for name, pictures in images.items():
        with ltviz.record(home / name, labels=np.arange(400) % 4, images=pictures) as run:
            for step in range(6):
                run.frame(step, embeddings=z)
    sizes = {}
    for limit in (20_000_000, 2_000_000, 1_100_000):
        replay = build(home, "colour-run", "grey-run", limit=limit)
        assert replay.moments == 6 and len(replay.html) <= limit
        heads = {run["run"]: header(run["header"]) for run in contents(replay)["runs"]}
        sizes[limit] = heads["colour-run"]["thumb"]
        assert heads["grey-run"]["thumb"] == [8, 8]
    assert sizes == {20_000_000: [32, 32, 3], 2_000_000: [16, 16, 3], 1_100_000: [10, 10, 3]}
