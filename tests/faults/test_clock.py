from __future__ import annotations

import time

import numpy as np
import pytest

import ltviz
from ltviz.recording import Recording

DAY = 86_400.0


@pytest.mark.parametrize("jump", [DAY, -DAY, 3600.0, -3600.0])
def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch, jump):
    real, offset = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + offset[0])
    with ltviz.record(tmp_path / "run", labels=[0, 1, 2]) as run:
        seen = Recording(run.path)
        run.frame(0, embeddings=np.eye(3))
        assert seen.status().state == "running"
        offset[0] = jump
        run.frame(1, embeddings=np.eye(3))
        assert seen.status().state == "running" and Recording(run.path).status().state == "running"
        offset[0] = 0.0
        run.frame(2, embeddings=np.eye(3))
    seconds = [frame.seconds for frame in seen.since(-1)]
    assert seconds == sorted(seconds) and seconds[-1] < 60
    assert seen.status().state == "finished"
