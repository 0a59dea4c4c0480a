"""What a page of somebody else's is sent of runs: all of it, once, the newest first."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ltviz_app.service.feed as feeds
import pytest
from ltviz_app.service.feed import Feed, Sent

from ltviz.errors import ConfigError


def header(packed: str) -> dict[str, Any]:
    message = gzip.decompress(base64.b64decode(packed))
    return json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])


def ask(home: Path, *runs: str, acts: tuple[Callable[[Sent], object] | None, ...] = (None,)) -> list[dict[str, Any]]:
    """The parcels that a page gets which asks once after each of the acts."""

    async def work() -> list[dict[str, Any]]:
        feed, sent, got = Feed({run: home / run for run in runs}), Sent(), []
        try:
            for act in acts:
                if act is not None:
                    await asyncio.to_thread(act, sent)
                got.append(await feed.parcel(sent))
        finally:
            await feed.close()
        return got

    return asyncio.run(work())


def test_a_page_gets_each_message_of_the_stream_once(home: Path, runs: SimpleNamespace) -> None:
    runs.finished(home, "one-run", title="One")
    runs.finished(home, "two-run", steps=(3,))
    first, second = ask(home, "one-run", "two-run", acts=(None, None))
    assert (first["n"], first["anew"], first["more"], first["live"]) == (1, True, False, False)
    one, two = first["runs"]
    assert (one["run"], one["steps"], two["steps"]) == ("one-run", [0, 5, 10], [3])
    assert header(one["header"])["title"] == "One" and one["state"]["state"] == "finished"
    assert [header(frame)["step"] for frame in one["frames"]] == [0, 5, 10]
    assert (second["n"], second["runs"]) == (1, []), "where nothing is new the number stays"


def test_a_live_run_comes_frame_by_frame_and_its_end_is_told(home: Path, runs: SimpleNamespace) -> None:
    writer = runs.begin(home, "live-run")
    acts = (None, lambda _: runs.frame(writer, 0), lambda _: runs.frame(writer, 7), lambda _: writer.close())
    begun, first, second, ended = ask(home, "live-run", acts=acts)
    assert begun["live"] and begun["runs"][0]["header"] is None and begun["runs"][0]["frames"] == []
    assert first["runs"][0]["header"] and first["runs"][0]["steps"] == [0]
    assert second["runs"][0]["header"] is None and second["runs"][0]["steps"] == [7]
    assert (ended["live"], ended["runs"][0]["steps"], ended["runs"][0]["state"]["state"]) == (False, [], "finished")
    assert [parcel["n"] for parcel in (begun, first, second, ended)] == [1, 2, 3, 4]


def test_a_run_that_is_not_there_yet_is_waited_for(home: Path, runs: SimpleNamespace) -> None:
    waiting, there = ask(home, "late-run", acts=(None, lambda _: runs.finished(home, "late-run")))
    assert waiting["live"] and waiting["runs"][0]["generation"] is None
    assert there["runs"][0]["steps"] == [0, 5, 10] and there["runs"][0]["generation"] is not None


def test_who_has_lost_something_gets_all_of_it_again(home: Path, runs: SimpleNamespace) -> None:
    runs.finished(home, "one-run")
    first, again = ask(home, "one-run", acts=(None, Sent.forget))
    assert again["n"] == 2 and again["anew"] and again["runs"] == first["runs"]


def test_another_run_of_the_same_name_is_another_one(home: Path, runs: SimpleNamespace) -> None:
    def replace(_: Sent) -> None:
        shutil.move(home / "one-run", home / "old-run")
        runs.finished(home, "one-run", steps=(1,))

    runs.finished(home, "one-run")
    first, second = ask(home, "one-run", acts=(None, replace))
    (before,), (after,) = first["runs"], second["runs"]
    assert after["generation"] != before["generation"] and after["header"] and after["steps"] == [1]


def test_a_parcel_has_its_size_and_brings_the_newest_first(
    home: Path, runs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.finished(home, "one-run", steps=(0, 1, 2, 3))
    monkeypatch.setattr(feeds, "PARCEL_BYTES", 1)
    parcels = ask(home, "one-run", acts=(None,) * 4)
    assert [parcel["runs"][0]["steps"] for parcel in parcels] == [[3], [0], [1], [2]]
    assert [parcel["more"] for parcel in parcels] == [True, True, True, False]


def test_what_is_too_much_for_a_page_is_thinned_and_that_is_said(
    home: Path, runs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.finished(home, "one-run", steps=tuple(range(20)))
    (whole,) = ask(home, "one-run")
    monkeypatch.setattr(feeds, "LIMIT_BYTES", 5 * len(whole["runs"][0]["frames"][-1]))
    (part,) = ask(home, "one-run")
    steps = part["runs"][0]["steps"]
    assert len(steps) == 5 and (steps[0], steps[-1]) == (0, 19) and not part["more"]
    assert part["runs"][0]["trouble"].startswith("5 of 20 recorded moments are here")


def test_a_damaged_frame_is_left_out_and_a_damaged_run_says_why(home: Path, runs: SimpleNamespace) -> None:
    good, bad = runs.finished(home, "one-run"), runs.finished(home, "two-run")
    (good / "frames" / "000000005.safetensors").write_bytes(b"no frame")
    (bad / "probe.safetensors").write_bytes(b"no probe")
    (parcel,) = ask(home, "one-run", "two-run")
    one, two = parcel["runs"]
    assert one["steps"] == [0, 10]
    assert two["frames"] == [] and two["trouble"] and not parcel["more"]


def test_an_unknown_projection_is_refused_at_once(home: Path) -> None:
    with pytest.raises(ConfigError, match="projection"):
        Feed({"one-run": home / "one-run"}, "nonsense")
