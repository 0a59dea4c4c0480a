"""A trainer killed at any moment: no frame that it acknowledged is lost, none is corrupt, and it can go on."""

from __future__ import annotations

import importlib.util
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest

from ltviz.recording import Recording, RunWriter

spec = importlib.util.spec_from_file_location("endless_writer", Path(__file__).with_name("endless_writer.py"))
assert spec is not None and spec.loader is not None
endless_writer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(endless_writer)


@pytest.mark.parametrize("attempt", range(50 if os.environ.get("LTVIZ_NIGHTLY") == "1" else 8))
def test_a_killed_writer_loses_nothing(tmp_path, start_writer, attempt):
    folder = tmp_path / "endless-run"
    child = start_writer(folder)
    assert child.stdout is not None and child.stdout.readline() == "0\n"
    time.sleep(random.Random(attempt).uniform(0.0, 0.2))
    child.kill()
    child.wait()
    acknowledged = [0, *(int(line) for line in child.stdout if line.endswith("\n"))]

    seen = Recording(folder)
    frames = seen.since(-1)
    assert seen.bad_frames() == []
    assert {frame.step for frame in frames} >= set(acknowledged)
    for frame in frames:
        np.testing.assert_array_equal(frame.embeddings, endless_writer.embeddings(frame.step))
    assert seen.status().state == "lost"
    assert len(seen.metrics()) >= len(acknowledged)

    last = frames[-1].step
    with RunWriter.resume(folder) as writer:
        assert writer.last_step == last
        writer.frame(last + 1, embeddings=endless_writer.embeddings(last + 1))
    assert seen.steps() == [*(frame.step for frame in frames), last + 1]
    assert seen.status().state == "finished"
    assert not list((folder / "frames").glob(".*")), "nothing half-written stays"


def test_a_reader_beside_a_fast_writer_sees_whole_frames_only(tmp_path, start_writer):
    folder = tmp_path / "endless-run"
    child = start_writer(folder)
    assert child.stdout is not None and child.stdout.readline() == "0\n"
    seen, cursor, count = Recording(folder), -1, 0
    end = time.monotonic() + 60
    while count < 200 and time.monotonic() < end:
        for frame in seen.since(cursor):
            np.testing.assert_array_equal(frame.embeddings, endless_writer.embeddings(frame.step))
            assert frame.step == cursor + 1
            cursor, count = frame.step, count + 1
        assert seen.status().state == "running"
    assert count >= 200 and seen.bad_frames() == []
