"""What a look at a run costs grows with what is new, not with what is there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.recording import frame_index, tensors
from ltviz.recording.frame_index import FrameIndex


@pytest.fixture
def run(tmp_path: Path):
    with ltviz.record(tmp_path / "run", labels=[0, 1, 2]) as run:
        for step in range(0, 300, 3):
            run._writer.frame(step, embeddings=np.eye(3), metrics={"loss": float(step)})
        yield run


@pytest.fixture
def costs(monkeypatch) -> list[str]:
    """What was listed or read since."""
    seen: list[str] = []
    real_list, real_read = os.listdir, tensors.read_metadata
    monkeypatch.setattr(os, "listdir", lambda path: seen.append("list") or real_list(path))
    monkeypatch.setattr(tensors, "read_metadata", lambda path: seen.append("read") or real_read(path))
    return seen


def test_each_header_is_read_once_and_nothing_where_nothing_is_new(run, costs: list[str]) -> None:
    index = FrameIndex(run.path)
    assert list(index.metrics()) == list(range(0, 300, 3)) and costs.count("read") == 100
    costs.clear()
    assert index.metrics() is index.metrics() and set(costs) == {"list"}
    costs.clear()
    run._writer.frame(300, embeddings=np.eye(3))
    assert 300 in index.metrics() and costs.count("read") == 1


def test_a_frame_where_the_next_is_expected_is_found_unlisted(run, costs: list[str], monkeypatch) -> None:
    monkeypatch.setattr(frame_index, "REST_RATIO", 1e9)
    index = FrameIndex(run.path)
    assert index.steps_within(60.0)[1]
    costs.clear()
    for step in (300, 303):
        run._writer.frame(step, embeddings=np.eye(3))
    known, complete = index.steps_within(60.0)
    assert list(known)[-2:] == [300, 303] and costs == ["read", "read"] and not complete
    run._writer.frame(400, embeddings=np.eye(3))
    assert 400 not in index.steps_within(60.0)[0], "its turn comes with the next listing"
    monkeypatch.setattr(index, "_rest_until", 0.0)
    assert 400 in index.steps_within(60.0)[0]


def test_a_look_without_time_shows_the_newest_and_goes_on(run, costs: list[str]) -> None:
    index = FrameIndex(run.path)
    known, complete = index.steps_within(0.0)
    assert list(known) == [297] and not complete
    index._rest_until = 0.0
    known, complete = index.steps_within(60.0)
    assert list(known) == list(range(0, 300, 3)) and complete and costs.count("read") == 100


def test_frames_that_go_are_forgotten_and_those_that_come_back_are_read_again(run, costs: list[str]) -> None:
    index = FrameIndex(run.path)
    index.metrics()
    path = run.path / "frames" / "000000006.safetensors"
    data = path.read_bytes()
    path.unlink()
    assert 6 not in index.metrics()
    costs.clear()
    path.write_bytes(data)
    assert list(index.metrics()) == list(range(0, 300, 3)) and costs.count("read") == 1


def test_a_frame_at_the_end_of_a_long_run_sorts_and_copies_nothing(run, monkeypatch) -> None:
    index = FrameIndex(run.path)
    before = index.metrics()
    steps, _ = index.steps_within(60.0)
    inner = index._metrics
    for step in (steps[-1] + 100, steps[-1] + 200):
        run.frame(step, embeddings=np.eye(3))
    monkeypatch.setattr(frame_index, "REST_RATIO", 0)
    index._rest_until = 0.0
    monkeypatch.setattr(frame_index, "LIST_SECONDS", 0.0)
    later, _ = index.steps_within(60.0)
    assert later == (*steps, steps[-1] + 100, steps[-1] + 200) and index._metrics is inner
    assert index._known is None and list(before) == list(steps), "who had asked keeps what they were given"
    assert index.steps_within(60.0)[0] is later
    assert list(index.metrics()) == list(later)
    index.path(steps[0]).unlink()
    assert list(index.metrics()) == list(later[1:]) == list(index.steps_within(60.0)[0])
