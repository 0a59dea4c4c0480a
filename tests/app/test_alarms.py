"""Alarms are found where frames are read: a timeline has them whichever page is open, and no frame is seen twice."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from ltviz_app.service import alarms as alarms_module
from ltviz_app.service.alarms import Alarms
from ltviz_app.service.hub import Hub

from ltviz.recording import Recording


def narrow(runs, home: Path, run: str, *, steps=range(0, 50, 5)) -> Path:
    """A run whose points all lie around one direction."""
    with runs.begin(home, run, steps=50) as writer:
        for step in steps:
            z = np.array([1.0, 0, 0]) + 0.2 * runs.points(step)
            writer.frame(step, embeddings=(z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32))
    return home / run


@pytest.fixture
def looks(monkeypatch) -> list[tuple[str, int]]:
    """(thread, step) of each look at a frame."""
    seen: list[tuple[str, int]] = []
    look = alarms_module.observe

    def count(frame, *known):
        seen.append((threading.current_thread().name, frame.step))
        return look(frame, *known)

    monkeypatch.setattr(alarms_module, "observe", count)
    return seen


def test_the_timeline_has_them_though_no_page_was_opened(home: Path, runs, talk):
    narrow(runs, home, "narrow-run")
    viewer = talk("narrow-run")
    events = viewer.wait(lambda: [e for state in viewer.of("state")[-1:] for e in state["events"]])
    assert {kind for _, kind, _ in events} == {"alarm"}
    step, _, text = events[0]
    assert step >= 25 and "All training points lie in one hemisphere" in text and "Try " in text


def test_each_frame_is_looked_at_once_and_never_in_the_event_loop(home: Path, runs, looks):
    narrow(runs, home, "narrow-run")

    async def watch(hub: Hub) -> None:
        with hub.watch(["narrow-run"], lambda: None) as tails:
            async with asyncio.timeout(30):
                while tails["narrow-run"].searched is None:
                    await asyncio.sleep(0.01)
            assert tails["narrow-run"].alarms

    async def story() -> None:
        hub = Hub(home)
        await watch(hub)
        assert [step for _, step in looks] == list(range(0, 50, 5))
        assert {thread.rpartition("_")[0] for thread, _ in looks} == {"ltviz-search"}
        await asyncio.sleep(0.1)
        await watch(hub)
        assert hub.alarms.find(hub.recording("narrow-run")).complete
        assert len(looks) == 10, "nobody looks again: no other viewer, no page"
        await hub.close()

    asyncio.run(story())


def test_another_folder_of_the_same_name_is_looked_at_anew(home: Path, runs, looks):
    folder = narrow(runs, home, "narrow-run")
    alarms = Alarms()
    assert alarms.find(Recording(folder)).alarms
    folder.rename(home / "old-run")
    runs.finished(home, "narrow-run", steps=(0, 5, 10))
    assert not alarms.find(Recording(folder)).alarms
    assert len(looks) == 13


def test_a_slice_of_time_bounds_a_look_and_the_next_goes_on(home: Path, runs, looks, monkeypatch):
    recording = Recording(narrow(runs, home, "narrow-run"))
    slow = alarms_module.observe
    monkeypatch.setattr(alarms_module, "observe", lambda *given: (time.sleep(0.02), slow(*given))[1])
    alarms = Alarms()
    assert not alarms.find(recording, seconds=0.05).complete
    assert 1 <= len(looks) < 10
    while not alarms.find(recording, seconds=0.05).complete:
        pass
    assert len(looks) == 10


def test_of_a_long_run_so_many_frames_are_looked_at_and_these_stay_the_same_ones(home: Path, runs, looks, monkeypatch):
    monkeypatch.setattr(alarms_module, "MOST_FRAMES", 4)
    folder = narrow(runs, home, "narrow-run", steps=range(5))
    alarms = Alarms()
    alarms.find(Recording(folder))
    assert [step for _, step in looks] == [0, 2, 4]


def test_what_is_followed_is_looked_at_without_a_listing(home: Path, runs, looks, monkeypatch):
    """The folder of a long run takes its time to be listed, and so do all of its frames' names."""
    recording = Recording(narrow(runs, home, "narrow-run"))
    steps = tuple(recording.steps())
    monkeypatch.setattr(type(recording._frames), "files", lambda self: pytest.fail("the folder is listed"))
    alarms = Alarms()
    assert alarms.find(recording, steps=steps[:4]).complete and len(looks) == 4
    assert alarms.find(recording, steps=steps).alarms and len(looks) == len(steps)


def test_a_frame_that_cannot_be_measured_leaves_the_others(home: Path, runs, looks):
    folder = narrow(runs, home, "narrow-run")
    broken = folder / "frames" / "000000010.safetensors"
    broken.write_bytes(broken.read_bytes()[:100])
    found = Alarms().find(Recording(folder))
    assert found.complete and found.alarms and len(looks) == 9
