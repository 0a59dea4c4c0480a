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
    monkeypatch.setattr(frame_index, "LIST_SECONDS", 0.0)
    monkeypatch.setattr(frame_index, "LIST_RATIO", 0.0)
    assert 400 in index.steps_within(60.0)[0]


def test_uneven_frames_are_followed_and_what_is_followed_is_seldom_listed(run, costs: list[str], monkeypatch) -> None:
    monkeypatch.setattr(frame_index, "REST_RATIO", 0)
    monkeypatch.setattr(frame_index, "LIST_SECONDS", 1e9)
    index = FrameIndex(run.path)
    index.steps_within(60.0)
    costs.clear()
    for step in (298, 299, 330, 331 + frame_index.REACH - 1):
        run._writer.frame(step, embeddings=np.eye(3))
        assert index.steps_within(60.0)[0][-1] == step and costs == ["read"], "no listing, and no other header"
        costs.clear()
        index.steps_within(60.0)
        assert not costs, "nothing is new"
    run._writer.frame(900, embeddings=np.eye(3))
    assert index.steps_within(60.0, lists=False)[0][-1] == 394
    monkeypatch.setattr(frame_index, "LIST_SECONDS", 0)
    assert index.steps_within(60.0, lists=False)[0][-1] == 394 and not costs
    monkeypatch.setattr(frame_index, "LIST_RATIO", 0)
    assert index.steps_within(60.0)[0][-1] == 900


def test_a_frame_that_is_followed_while_the_folder_is_listed_stays(run, monkeypatch) -> None:
    index = FrameIndex(run.path)
    index.metrics()
    real = os.listdir

    def slow(path):
        names = real(path)
        run._writer.frame(300, embeddings=np.eye(3))
        # As another thread would, while this one lists.
        index._follow_on()
        return names

    monkeypatch.setattr(os, "listdir", slow)
    assert index.files()[-1] == 300
    monkeypatch.setattr(os, "listdir", real)
    index.path(300).unlink()
    assert index.files()[-1] == 297, "the next listing tells"


def test_old_frames_that_come_bit_by_bit_are_merged_in_order(run, costs: list[str], monkeypatch) -> None:
    clock = iter(range(10**6))
    monkeypatch.setattr(frame_index.time, "thread_time", lambda: float(next(clock)))
    index, seen = FrameIndex(run.path), []
    while not index.steps_within(10.5)[1]:
        index._rest_until = 0.0
        seen.append(list(index._readable))
        assert seen[-1] == sorted(seen[-1]) and seen[-1][-1] == 297
    assert len(seen) > 5 and costs.count("read") == 100
    assert list(index.metrics()) == list(range(0, 300, 3)), "by step, in whatever order they came"


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
