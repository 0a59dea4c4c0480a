"""A part of many samples that stands for all: drawn rows, and a first look at a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltviz.recording import Recording, record
from ltviz.recording import drawn as module
from ltviz.recording.drawn import draw_evenly, drawn_of, first_look


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 500)
    monkeypatch.setattr(module, "DRAWN", 200)


def run_of(path: Path, labels: np.ndarray, **frame) -> Recording:
    z = np.random.default_rng(0).normal(size=(len(labels), 4)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    with record(path, labels=labels) as run:
        run.frame(3, embeddings=z, **frame)
    return Recording(path)


@pytest.mark.parametrize(
    "counts, most",
    [([900, 90, 10], 100), ([900, 90, 10], 999), ([334, 333, 333], 100), ([996, 1, 1, 1, 1], 20), ([5] * 200, 100)],
)
def test_as_many_are_drawn_as_were_asked_for(counts: list[int], most: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = draw_evenly(labels, most)
    assert len(rows) == most and (np.diff(rows) > 0).all()
    if 4 * len(counts) <= most:
        found = np.bincount(labels[rows], minlength=len(counts))
        wanted = np.array(counts) * most / len(labels)
        assert (found >= np.minimum(counts, 2)).all()
        assert (np.abs(found - wanted) <= 2 + 2 * len(counts)).all()


def test_rare_classes_have_as_many_as_make_a_centre(tmp_path: Path) -> None:
    labels = np.repeat([0, 1], [980, 20])
    frame = run_of(tmp_path / "run", labels).last()
    assert frame is not None
    found = np.bincount(drawn_of(frame).labels)
    assert found.sum() == 200 and found[1] == 20


def test_a_first_look_is_what_stands_for_the_frame(tmp_path: Path) -> None:
    recording = run_of(tmp_path / "run", np.arange(1000) % 7)
    look, frame = first_look(recording, 3), recording.last()
    assert look is not None and frame is not None
    rows, some = look
    whole = drawn_of(frame)
    assert np.array_equal(some.embeddings, whole.embeddings) and np.array_equal(some.labels, whole.labels)
    assert np.array_equal(frame.embeddings[rows], some.embeddings) and some.metrics == frame.metrics


def test_few_samples_absent_ones_and_damage_have_no_first_look(tmp_path: Path) -> None:
    assert first_look(run_of(tmp_path / "few", np.arange(400) % 7), 3) is None
    recording = run_of(tmp_path / "run", np.arange(1000) % 7)
    assert first_look(recording, 4) is None
    path = recording.path / "frames" / "000000003.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert first_look(recording, 3) is None
    path.write_bytes(whole[:9] + b"\xff" + whole[10:])
    assert first_look(recording, 3) is None
    path.write_bytes(whole)
    assert first_look(recording, 3) is not None
    with record(tmp_path / "part", labels=np.arange(1000) % 7) as run:
        run.frame(3, embeddings=np.eye(4)[np.arange(900) % 4], sample_ids=np.arange(900))
    assert first_look(Recording(tmp_path / "part"), 3) is None
