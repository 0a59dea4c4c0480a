"""What moved, as the timeline is told: out of frames, over the stream as they come, and in a replay file."""

from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import json
import struct
from pathlib import Path

import numpy as np
from ltviz_app.service.alarms import Alarms
from ltviz_app.service.hub import Hub
from ltviz_app.service.moves import encode_moves
from ltviz_app.service.replay import build_replay

from ltviz.metrics.moves import MoveWatch
from ltviz.recording import Recording

N = 30
COUNTS = (5, 40, 12)
"""Of classes 0, 1, 2, which are 2, 0, 1 by rank."""
RANK = np.array([2, 0, 1])
Columns = dict[str, list[list[tuple[int, int, int]]]]


def columns(header: dict, payload: bytes) -> Columns:
    """Kind -> for each step (row, before, after) of those that moved."""

    def read(name: str) -> list[int]:
        at, items, kind = header["arrays"][name]
        return np.frombuffer(payload, np.dtype(kind).newbyteorder("<"), items, at).tolist()

    found = {}
    for kind in {name.partition(".")[0] for name in header["arrays"]}:
        rows = list(zip(*(read(f"{kind}.{name}") for name in ("rows", "before", "after")), strict=True))
        ends = np.cumsum([0, *read(f"{kind}.counts")]).tolist()
        found[kind] = [rows[a:b] for a, b in itertools.pairwise(ends)]
    return found


def taken_apart(message: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def moving(runs, home: Path, steps: range, writer=None):
    """A run, still open: at step s, samples 0 to s - 1 are said to be of class 2, the others of class 0; sample 3 isn't
    there at step 2, and sample 4 has no prediction at step 1."""
    writer = writer or runs.begin(home, "run-one", n=N, counts=COUNTS)
    for step in steps:
        said = np.where(np.arange(N) < step, 2, 0)
        said[4] = -1 if step == 1 else said[4]
        present = np.arange(N) != 3 if step == 2 else None
        writer.frame(step, embeddings=runs.points(step, N), samples={"prediction": said}, present=present)
    return writer


def test_predictions_and_borders_of_a_run(home: Path, runs):
    moving(runs, home, range(6)).close()
    recording = Recording(home / "run-one")
    found = Alarms().find(recording).moves
    header, payload = taken_apart(encode_moves(recording, found))
    assert header["type"] == "moves" and header["steps"] == list(range(6)) and "step" not in header
    assert header["anew"] and header["joined"] == 0 and header["looked"] is None
    told = columns(header, payload)
    assert told["prediction"] == [[], [(0, 2, 1)], [(1, 2, 1)], [(2, 2, 1)], [(3, 2, 1)], [(4, 2, 1)]]
    # Over again, sample by sample, with the centres of the training samples that are there.
    nearest, known = [], np.full(N, -1)
    for frame in (recording.frame(step) for step in recording.steps()):
        there = np.full(N, True) if frame.present is None else frame.present
        train = there & (recording.probe.split == 0)
        means = np.stack([frame.embeddings[train & (frame.labels == c)].mean(0) for c in range(3)])
        side = (frame.embeddings @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T).argmax(1)
        moved = [i for i in range(N) if there[i] and known[i] not in (-1, side[i])]
        nearest.append([(i, RANK[known[i]], RANK[side[i]]) for i in moved])
        known[there] = side[there]
    assert told["border"] == nearest and sum(map(len, nearest)) > N


def test_the_stream_goes_on_where_it_was(talk, home: Path, runs):
    writer = moving(runs, home, range(3))
    viewer = talk("run-one")
    viewer.wait(lambda: sum(len(said["steps"]) for said in viewer.of("moves")) == 3)
    moving(runs, home, range(3, 6), writer)
    viewer.wait(lambda: sum(len(said["steps"]) for said in viewer.of("moves")) == 6)
    said = [(header, payload) for header, payload in viewer.messages if header.get("type") == "moves"]
    assert [header["anew"] for header, _ in said] == [True] + [False] * (len(said) - 1)
    whole = [at for message in said for at in columns(*message)["prediction"]]
    assert whole == [[], [(0, 2, 1)], [(1, 2, 1)], [(2, 2, 1)], [(3, 2, 1)], [(4, 2, 1)]]
    writer.close()


def test_a_replay_holds_it_within_its_size(home: Path, runs):
    moving(runs, home, range(6)).close()

    async def build(limit: int) -> dict:
        hub = Hub(home)
        try:
            replay = await build_replay(hub, ["run-one"], limit=limit)
        finally:
            await hub.close()
        text = replay.html.decode().partition('id="contents">')[2].partition("</script>")[0]
        return json.loads(text)["runs"][0]

    packed = asyncio.run(build(12_000_000))["moves"]
    header, payload = taken_apart(gzip.decompress(base64.b64decode(packed)))
    assert header["steps"] == list(range(6)) and columns(header, payload)["prediction"][5] == [(4, 2, 1)]


def test_of_very_many_changes_steps_are_joined_and_it_is_said(home: Path, runs):
    moving(runs, home, range(6)).close()
    recording, watch = Recording(home / "run-one"), MoveWatch(most=12)
    for step in range(6):
        watch.take(step, {"prediction": (np.arange(N) + step) % 3})
    header, payload = taken_apart(encode_moves(recording, watch.told()))
    assert header["joined"] > 0 and header["steps"][-1] == 5
    assert len(columns(header, payload)["prediction"]) == len(header["steps"]) < 6
