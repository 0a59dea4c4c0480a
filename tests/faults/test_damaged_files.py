"""Files cut or flipped anywhere: noticed, named, and no other file suffers."""

from __future__ import annotations

import random

import numpy as np
import pytest

import ltviz
from ltviz.errors import LtvizError, RecordingError
from ltviz.recording import Recording

LABELS = np.arange(20) % 4


def z(step: int) -> np.ndarray:
    rows = np.random.default_rng(step).normal(size=(20, 3))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    with ltviz.record(tmp_path / "run", labels=LABELS, images=np.zeros((20, 4, 4), np.uint8)) as run:
        for step in range(3):
            run.frame(step, embeddings=z(step), targets=np.eye(4, 3) + 0.1, metrics={"loss": step})
            run._writer.log(step, {"loss": step})
    return tmp_path / "run"


def everything(folder) -> dict[int, np.ndarray]:
    """Reads all there is to read; only ltviz's own errors may come, and not from the frames as a whole."""
    seen = Recording(folder)
    frames = {frame.step: frame.embeddings for frame in seen.since(-1)}
    seen.bad_frames(), seen.status(), seen.metrics(), seen.frame_metrics(), seen.steps(), seen.last()
    for name in ("info", "config", "probe"):
        try:
            getattr(seen, name)
        except LtvizError as error:
            assert str(folder) in str(error)
    return frames


@pytest.mark.parametrize(
    "name", ["frames/000000001.safetensors", "probe.safetensors", "run.json", "status.json", "metrics.jsonl", "lock"]
)
def test_a_file_cut_anywhere_costs_no_other(folder, name):
    whole = (folder / name).read_bytes()
    is_frame = name.startswith("frames")
    for length in range(0, len(whole), 97):
        (folder / name).write_bytes(whole[:length])
        frames = everything(folder)
        assert frames.keys() == ({0, 2} if is_frame else {0, 1, 2})
        assert all(np.array_equal(frames[step], z(step)) for step in frames)
        if is_frame:
            bad = Recording(folder).bad_frames()
            assert [entry.path.name for entry in bad] == ["000000001.safetensors"] and bad[0].reason
    (folder / name).write_bytes(whole)
    assert everything(folder).keys() == {0, 1, 2} and Recording(folder).bad_frames() == []


def test_a_cut_metrics_file_gives_its_whole_lines(folder):
    path = folder / "metrics.jsonl"
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        assert len(Recording(folder).metrics()) == whole[:length].count(b"\n")


def test_a_tail_appears_once_it_is_complete(folder):
    path = folder / "frames" / "000000002.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    seen = Recording(folder)
    assert seen.steps() == [0, 1] and [frame.step for frame in seen.since(0)] == [1]
    with path.open("ab") as file:
        file.write(whole[-1:])
    assert [frame.step for frame in seen.since(1)] == [2] and seen.bad_frames() == []


def test_five_hundred_flipped_bits_are_all_noticed(folder):
    path = folder / "frames" / "000000001.safetensors"
    whole = path.read_bytes()
    expected = Recording(folder).frame(1)
    chance = random.Random(0)
    for _ in range(500):
        position, bit = chance.randrange(len(whole)), chance.randrange(8)
        damaged = bytearray(whole)
        damaged[position] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            frame = Recording(folder).frame(1)
        except RecordingError:
            continue
        np.testing.assert_array_equal(frame.embeddings, expected.embeddings)
        np.testing.assert_array_equal(frame.landmarks["targets"], expected.landmarks["targets"])
        assert (frame.metrics, frame.events, frame.seconds) == (expected.metrics, expected.events, expected.seconds)


def test_a_newer_version_is_refused_clearly(folder, monkeypatch):
    newer = folder / "frames" / "000000003.safetensors"
    with monkeypatch.context() as patch:
        from ltviz.recording import frame, tensors

        patch.setattr(tensors, "FORMAT", 2)
        made = frame.Frame(step=3, labels=LABELS, embeddings=z(3))
        newer.write_bytes(frame.encode_frame(made))
    seen = Recording(folder)
    assert seen.steps() == [0, 1, 2]
    assert seen.bad_frames() == [(newer, "A newer ltviz wrote it (format 2, this one reads up to 1); update ltviz.")]
    with pytest.raises(RecordingError, match=r"newer ltviz .*format 2"):
        seen.frame(3)
    run_json = folder / "run.json"
    run_json.write_text(run_json.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(RecordingError, match=r"newer ltviz .*format 2"):
        _ = Recording(folder).info
