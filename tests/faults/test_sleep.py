"""A laptop that sleeps: a trainer that stands still is still at work, and goes on as if nothing had been."""

from __future__ import annotations

import os
import signal
import time

import pytest

from ltviz.recording import Recording

SECONDS = 60.0 if os.environ.get("LTVIZ_NIGHTLY") == "1" else 1.2


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_a_trainer_that_slept_is_not_lost_and_goes_on(tmp_path, start_writer):
    folder = tmp_path / "endless-run"
    child = start_writer(folder)
    assert child.stdout is not None and child.stdout.readline() == "0\n"
    child.send_signal(signal.SIGSTOP)
    seen = Recording(folder)
    slept = seen.steps()
    time.sleep(SECONDS)
    assert seen.status().state == "running" and Recording(folder).status().state == "running"
    asleep = seen.steps()
    assert len(asleep) <= len(slept) + 1
    child.send_signal(signal.SIGCONT)
    end = time.monotonic() + 60
    while len(seen.steps()) < len(asleep) + 3 and time.monotonic() < end:
        time.sleep(0.02)
    steps = seen.steps()
    assert steps == list(range(len(steps))) and len(steps) >= len(asleep) + 3 and seen.bad_frames() == []
    assert seen.status().state == "running"
