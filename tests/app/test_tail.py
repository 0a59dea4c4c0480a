"""What following a run costs goes with its news, not with its history."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ltviz_app.service.alarms import Alarms
from ltviz_app.service.tail import Tail

from ltviz.recording import Recording


def calls(work: Any) -> Counter[str]:
    """Functions that are called meanwhile, of Python and of C, by name."""
    found: Counter[str] = Counter()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            found[frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name] += 1
        elif event == "c_call":
            found[argument.__qualname__] += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize("live", [True, False])
def test_an_idle_run_costs_the_same_whatever_is_behind_it(home: Path, runs, live: bool):
    found = {}
    for frames in (5, 200):
        writer = runs.begin(home, f"run-{frames}", n=6)
        for step in range(frames):
            runs.frame(writer, step, n=6)
        if not live:
            writer.close()
        tail, alarms = Tail(f"run-{frames}", Recording(home / f"run-{frames}")), Alarms()

        def idle(begin: int, end: int, tail: Tail = tail, alarms: Alarms = alarms) -> None:
            for beat in range(begin, end):  # half a minute of a watch that moves by itself
                tail.poll(1e9 + beat / 10, 10.0)
                if tail.searched != tail.snapshot:
                    tail.search(alarms, 60.0)

        idle(0, 60)
        assert list(tail.snapshot.steps) == list(range(frames)) and tail.searched == tail.snapshot
        found[frames] = calls(lambda idle=idle: idle(60, 360))
        if live:
            writer.close()
    few, many = found[5], found[200]
    # The clock of the machine says when a folder is due again: some looks more or fewer are no history.
    more = {name: (few[name], count) for name, count in many.items() if count > 2 * few[name] + 50}
    assert not more and many.total() > 300, more
