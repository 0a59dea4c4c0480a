"""The clock decides what each panel shows: pure, so time is a number here. A replay's clock runs the same cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ltviz_app.service.clock import Clock, Track, union

CASES = json.loads((Path(__file__).parents[1] / "clock_cases.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_it_goes_as_the_cases_say(case: dict[str, Any]):
    clock, tracks, live = Clock(case.get("hz", 10.0), case.get("step")), case["tracks"], case.get("live", [])
    now = 100.0
    for line in case["lines"]:
        tracks, live, began = line.get("tracks", tracks), line.get("live", live), now
        known = {run: Track(tuple(steps), run in live) for run, steps in tracks.items()}
        if "say" in line:
            clock.obey(line["say"])
            clock.tick(known, now)
            assert clock.targets(known) == line["shows"], line
        for tick in range(line.get("ticks", 0)):
            now += (clock.wait(now) or 0.0) + 1e-9
            clock.tick(known, now)
            assert clock.targets(known) == line["shows"], (line, tick)
        assert clock.mode == line.get("mode", clock.mode), line
        assert clock.interval == pytest.approx(line.get("interval", clock.interval), abs=1e-6), line
        assert now - began == pytest.approx(line.get("passes", now - began), abs=1e-6), line


def test_a_resting_clock_keeps_its_beat():
    clock, tracks = Clock(hz=10), {"a": Track((0,), live=False)}
    clock.tick(tracks, 1.0)
    beat = clock.beat
    clock.tick(tracks, 1.2)
    assert clock.beat == beat + 1


def test_nothing_moves_by_itself_while_a_step_is_held():
    assert Clock(step=25).wait(0.0) is None


@pytest.mark.parametrize(("hz", "kept"), [(0, 0.1), (-5, 0.1), (1e9, 60.0), (25, 25)])
def test_hz_is_held_in_its_bounds(hz: float, kept: float):
    assert Clock(hz=hz).hz == kept


def test_union_of_timelines():
    assert union([]) == ()
    assert union([(), (1, 2)]) == (1, 2)
    assert union([(1, 2), (1, 2)]) == (1, 2)
    assert list(union([(1, 3), (2, 3)])) == [1, 2, 3]
