"""The hub reads each frame once, keeps its memory bounded, and rests when nobody watches."""

from __future__ import annotations

import asyncio
from pathlib import Path

import ltviz_app.service.hub as hub_module
import pytest
from ltviz_app.service.hub import Hub
from ltviz_app.service.tail import Tail

from ltviz.errors import ConfigError
from ltviz.recording import Recording
from ltviz.recording.keep import KeepRule, thin


async def seen(tail: Tail, true, seconds: float = 30.0) -> None:
    for _ in range(int(seconds / 0.01)):
        if true(tail.snapshot):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not in time: {tail.snapshot}")


def test_a_viewer_who_comes_later_is_told_the_state_of_now(home: Path, runs):
    writer = runs.begin(home, "run-one")
    runs.frame(writer, 0)

    async def story() -> None:
        hub = Hub(home)
        with hub.watch(["run-one"], lambda: None) as tails:
            tail = tails["run-one"]
            await seen(tail, lambda s: s.steps == (0,))
            before = tail.snapshot.state
            first = await hub.header(tail)
            assert f'"state":"{before}"'.encode() in first and await hub.header(tail) is first, "made once"
            writer.close()
            await seen(tail, lambda s: s.state == "finished")
            assert b'"state":"finished"' in await hub.header(tail)
        await hub.close()

    asyncio.run(story())


@pytest.fixture
def reads(monkeypatch) -> list[int]:
    """Steps that were read and quantised."""
    read, encode = [], hub_module._encode

    def counted(tail, info, step, name, projections):
        read.append(step)
        return encode(tail, info, step, name, projections)

    monkeypatch.setattr(hub_module, "_encode", counted)
    return read


def test_ten_viewers_cost_one_read(home: Path, reads: list[int], runs):
    runs.finished(home, "run-one", steps=(0, 5))

    async def story() -> None:
        hub = Hub(home)
        with hub.watch(["run-one"], lambda: None) as tails:
            tail = tails["run-one"]
            await seen(tail, lambda s: s.steps == (0, 5))
            frames = await asyncio.gather(*(hub.frame(tail, 5, "centres") for _ in range(10)))
            assert len({id(f) for f in frames}) == 1
            assert await hub.frame(tail, 5, "centres") is frames[0]
        await hub.close()

    asyncio.run(story())
    assert reads == [5]


def test_frames_that_nobody_asks_for_are_not_read(home: Path, reads: list[int], runs):
    async def story() -> None:
        hub = Hub(home)
        with runs.begin(home, "run-one") as writer, hub.watch(["run-one"], lambda: None) as tails:
            for step in range(20):
                runs.frame(writer, step)
            await seen(tails["run-one"], lambda s: s.steps and s.steps[-1] == 19)
        await hub.close()

    asyncio.run(story())
    assert reads == []


def test_the_cache_is_bounded_and_keeps_what_was_used_last(home: Path, reads: list[int], runs):
    runs.finished(home, "run-one", steps=tuple(range(6)))

    async def story() -> None:
        hub = Hub(home, cache_bytes=2000)
        with hub.watch(["run-one"], lambda: None) as tails:
            tail = tails["run-one"]
            await seen(tail, lambda s: len(s.steps) == 6)
            for step in range(6):
                await hub.frame(tail, step, "centres")
                await hub.frame(tail, 0, "centres")
            assert hub._cached == sum(kept.nbytes for kept in hub._cache.values()) <= 2000
        await hub.close()

    asyncio.run(story())
    assert reads == [0, 1, 2, 3, 4, 5], "step 0 stayed because it was used"


def test_the_task_ends_with_the_last_viewer(home: Path, runs):
    runs.finished(home, "run-one")

    async def story() -> None:
        hub = Hub(home)
        with hub.watch(["run-one"], lambda: None), hub.watch(["run-one"], lambda: None) as tails:
            assert len(tails["run-one"].watchers) == 2
            assert len(hub._tasks) == 2 and not any(task.done() for task in hub._tasks)
        assert hub._tails == {}
        await asyncio.wait_for(asyncio.gather(*hub._tasks), 20)
        with hub.watch(["run-one"], lambda: None) as tails:
            await seen(tails["run-one"], lambda s: s.steps)
        await hub.close()

    asyncio.run(story())


def test_an_unchanged_run_wakes_nobody(home: Path, runs):
    runs.finished(home, "run-one")

    async def story() -> None:
        hub, woken = Hub(home), []
        with hub.watch(["run-one"], lambda: woken.append(1)) as tails:
            await seen(tails["run-one"], lambda s: s.state == "finished" and len(s.steps) == 3)
            await asyncio.sleep(0.1)
            count = len(woken)
            await asyncio.sleep(1.2)
            assert len(woken) == count
        await hub.close()

    asyncio.run(story())


def test_another_run_under_the_same_name_is_not_shown_from_the_cache(home: Path, reads: list[int], runs):
    import shutil

    async def story() -> None:
        hub = Hub(home)
        folder = runs.finished(home, "run-one", steps=(0,))
        with hub.watch(["run-one"], lambda: None) as tails:
            await seen(tails["run-one"], lambda s: s.steps)
            await hub.frame(tails["run-one"], 0, "centres")
        shutil.rmtree(folder)
        runs.finished(home, "run-one", steps=(0,))
        with hub.watch(["run-one"], lambda: None) as tails:
            await seen(tails["run-one"], lambda s: s.steps)
            await hub.frame(tails["run-one"], 0, "centres")
        await hub.close()

    asyncio.run(story())
    assert reads == [0, 0]


@pytest.mark.parametrize("run", ["../up", "a/b", "UP", "", "x", "a" * 65, "run-one\n"])
def test_no_path_is_built_from_a_name_that_is_no_run_id(home: Path, run: str):
    with pytest.raises(ConfigError):
        Hub(home).folder(run)


def test_a_run_that_is_thinned_goes_on_with_the_frames_that_are_left(home: Path, runs):
    folder = runs.finished(home, "run-one", steps=tuple(range(10)))

    async def story() -> None:
        hub = Hub(home)
        with hub.watch(["run-one"], lambda: None) as tails:
            tail = tails["run-one"]
            await seen(tail, lambda s: len(s.steps) == 10)
            thin(Recording(folder), KeepRule.parse("1/d"))
            assert await hub.frame(tail, 5, "none") is None, "between two looks at the folder"
            await seen(tail, lambda s: s.steps == (0, 9))
            assert tail.snapshot.state == "finished" and await hub.frame(tail, 9, "none") is not None
            assert not tail.recording.bad_frames()
        await hub.close()

    asyncio.run(story())
