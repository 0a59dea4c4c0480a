"""What is told of settings that were changed while a run trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.recording import Recording
from ltviz.recording.changes import changes_of


def write(path: Path, events: dict[int, list[dict]]) -> Recording:
    with ltviz.record(path, labels=np.arange(4) % 2) as run:
        for step in range(0, 50, 10):
            z = np.eye(4, 3) + 0.1
            run.frame(step, embeddings=z, metrics={"own": step / 100}, events=events.get(step, []))
    return Recording(path)


def setting(step: int, value: float, before: float | None = 0.1, name: str = "temperature") -> dict:
    return {"kind": "setting", "name": name, "value": value, "before": before, "step": step}


def test_each_change_is_held_against_the_frames_around_it(tmp_path):
    found = changes_of(write(tmp_path / "run", {20: [setting(15, 0.5)], 40: [setting(35, 0.2, before=0.5)]}))
    assert [(change.step, change.before, change.value, change.at) for change in found] == [
        (15, 0.1, 0.5, (10, 30)),
        (35, 0.5, 0.2, (30, 40)),
    ]
    assert found[0].measures["own"] == pytest.approx((0.1, 0.3))
    assert found[1].measures["own"] == pytest.approx((0.3, 0.4))


def test_what_cannot_be_compared_is_not(tmp_path):
    found = changes_of(write(tmp_path / "run", {0: [setting(0, 0.5)], 40: [setting(45, 1.0)]}))
    assert [(change.at, change.measures) for change in found] == [(None, {}), (None, {})]


def test_other_events_are_no_changes(tmp_path):
    others = [
        {"kind": "swap", "step": 10},
        {"kind": "refused", "name": "x", "value": 1, "step": 10},
        {"kind": "setting"},
    ]
    assert changes_of(write(tmp_path / "run", {10: others})) == []
