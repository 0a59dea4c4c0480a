"""A method of another package: what it shows goes from its declaration to the socket and into a replay, and nobody on
the way knows its words."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ltviz_app.service.hub import Hub
from ltviz_app.service.replay import build_replay

from ltviz.cli import main
from ltviz.marks import Caps, Points, Segments, Vectors
from ltviz.recording import Recording

STEPS = 4
KINDS = {"stars": Points, "bridges": Segments, "domes": Caps, "winds": Vectors, "hidden": Points}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(home: Path, showcase: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Path]:
    """Folder of a short run of the plug-in, trained as anybody would."""
    folder = home / "plugged"
    wish = f"train {showcase} --data digits-lt --dim 3 --steps {STEPS} --seed 0 --probe-points 60 --run-dir {folder}"
    assert main(wish.split()) == 0, capsys.readouterr().err
    yield folder


def split(message: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def array(header: dict[str, Any], payload: bytes, name: str) -> np.ndarray:
    offset, count, word = header["arrays"][name]
    return np.frombuffer(payload, np.dtype(word).newbyteorder("<"), count, offset)


def check_header(header: dict[str, Any]) -> None:
    assert [(mark["key"], mark["title"], mark["primitive"], mark["sign"], mark["on"]) for mark in header["marks"]] == [
        ("stars", "Stars", "points", "mist", True),
        ("bridges", "Bridges", "segments", "shift", True),
        ("domes", "Domes", "caps", "cap", True),
        ("winds", "Winds", "vectors", "arrow", True),
        ("poles", "Poles", "points", "square", True),
        ("hidden", "Hidden", "points", "plus", False),
    ]
    assert [mark["directed"] for mark in header["marks"]] == [False, True, False, False, False, False]
    assert header["marks"][2]["short"] == "Caps of 10° and more, a < b."
    assert [(reading["key"], reading["unit"]) for reading in header["readings"]] == [("pulse", "beats")]


def check_frame(header: dict[str, Any], payload: bytes) -> None:
    classes = len(header["centres"])
    columns = {"stars": {"places", "y", "age"}, "bridges": {"a", "b", "y"}, "domes": {"places", "angle", "y"}}
    columns["hidden"] = {"places", "y"}
    names = {f"marks.{key}.{column}" for key, held in columns.items() for column in held}
    assert {name for name in header["arrays"] if name.startswith("marks.")} == names
    assert array(header, payload, "marks.stars.age").tolist() == list(range(12))
    assert array(header, payload, "marks.domes.angle").tolist() == [1000 + 250 * c for c in range(classes)]
    assert array(header, payload, "marks.bridges.b").shape == (7 * 3,)
    assert header["vectors"]["winds"][0] is None and header["vectors"]["winds"][1] == [0, 0, 1]
    assert header["readings"]["pulse"] == [c + 1 for c in range(classes)]
    assert len(header["landmarks"]["poles"]) == classes


def test_its_recording_holds_what_it_shows(run: Path) -> None:
    recording = Recording(run)
    frame = recording.frame(STEPS)
    assert {key: type(shown) for key, shown in frame.marks.items()} == KINDS
    assert frame.readings["pulse"].tolist() == list(range(1, recording.info.num_classes + 1))
    assert [mark.key for mark in recording.info.marks] == ["stars", "bridges", "domes", "winds", "poles", "hidden"]
    np.testing.assert_array_equal(frame.marks["domes"].places, frame.landmarks["poles"])


def test_its_messages_and_its_replay_hold_what_it_shows(run: Path, home: Path) -> None:
    async def ask() -> tuple[bytes, bytes, bytes]:
        hub, woken = Hub(home), asyncio.Event()
        try:
            with hub.watch(["plugged"], woken.set) as tails:
                tail = tails["plugged"]
                while not tail.looked:
                    await asyncio.sleep(0.01)
                frame = await hub.frame(tail, STEPS, "none")
                assert frame is not None
                header, message = await hub.header(tail), frame.message(seq=1, time=0.0, live=False)
            return header, message, (await build_replay(hub, ["plugged"])).html
        finally:
            await hub.close()

    header, message, html = asyncio.run(ask())
    check_header(split(header)[0])
    check_frame(*split(message))
    found = re.search(rb'<script type="application/json" id="contents">(.*?)</script>', html)
    assert found is not None
    (held,) = json.loads(found[1])["runs"]
    unpacked = [gzip.decompress(base64.b64decode(text)) for text in (held["header"], held["frames"][-1])]
    check_header(split(unpacked[0])[0])
    check_frame(*split(unpacked[1]))


def test_nobody_on_the_way_knows_a_methods_words() -> None:
    """Words of the methods' own marks and readings stand nowhere between a method's file and the stage."""
    from ltviz.marks import COMMON
    from ltviz.methods import registry

    own = {mark.title for kind in registry.methods().values() for mark in kind.marks if mark.key not in COMMON}
    own |= {reading.title for kind in registry.methods().values() for reading in kind.readings}
    rooms = [*ROOT.glob("ltviz/recording/*.py"), *ROOT.glob("ltviz/training/*.py"), *ROOT.glob("app/service/*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in rooms if path.name != "older.py")
    assert own and not {title for title in own if f'"{title}"' in text}
