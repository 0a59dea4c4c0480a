from __future__ import annotations

import contextlib
import errno
import os

import numpy as np
import pytest

from ltviz.errors import DiskFull
from ltviz.recording import Recording, RunInfo, RunWriter, save_weights

Z = np.random.default_rng(0).normal(size=(4000, 3)).astype(np.float32)


@pytest.fixture
def writer(tmp_path):
    info = RunInfo(run_id="full-disk", created=0.0, dim=3, num_classes=1, class_names=["a"], counts=[4000])
    with RunWriter.create(tmp_path / "full-disk", info, labels=np.zeros(4000, int)) as writer:
        yield writer


@contextlib.contextmanager
def no_file_above(size: int):
    """The kernel lets no file of this process grow beyond `size` bytes; the last write before that is a short one."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_frame_without_room_leaves_nothing_and_may_be_tried_again(writer):
    writer.frame(0, embeddings=Z)
    with no_file_above(20_000):
        for _ in range(3):
            with pytest.raises(DiskFull, match=r"The disk is full: 000000001.safetensors needs 0.05 MB"):
                writer.frame(1, embeddings=Z)
        assert [path.name for path in (writer.path / "frames").iterdir()] == ["000000000.safetensors"]
        seen = Recording(writer.path)
        assert seen.steps() == [0] and seen.bad_frames() == []
        writer.set_state("paused", "disk full: needs 0.05 MB")
        assert seen.status().state == "paused", "a small file has room"
    writer.frame(1, embeddings=Z)
    assert Recording(writer.path).steps() == [0, 1]


def test_short_writes_are_carried_on(writer, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data[:1000])))
    writer.frame(0, embeddings=Z)
    monkeypatch.undo()
    np.testing.assert_array_equal(Recording(writer.path).frame(0).embeddings, Z)


def test_the_beat_survives_a_full_disk(writer, monkeypatch, caplog):
    from ltviz.recording import writer as module

    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer._closed.wait(1.05)  # the beat that was waited for with the old interval
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        writer._closed.wait(0.1)
    said = [line for line in caplog.messages if "cannot be written for now" in line and str(writer.path) in line]
    assert len(said) == 1, "said once, not every second"
    before = Recording(writer.path).status().beat
    writer._closed.wait(0.1)
    assert Recording(writer.path).status().beat > before


def test_loss_terms_after_a_full_disk_stand_on_their_own_line(writer, monkeypatch):
    writer.log(0, {"loss": 1.0})
    real, calls = os.write, []

    def half(descriptor: int, data: memoryview) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data[:5]))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(DiskFull):
            writer.log(1, {"loss": 2.0})
    writer.log(2, {"loss": 3.0})
    assert [line["step"] for line in Recording(writer.path).metrics()] == [0, 2]


def test_weights_without_room_leave_the_ones_before(writer):
    save_weights(writer.path, 1, {"model": {"w": Z[:10]}}, {})
    with no_file_above(20_000), pytest.raises(DiskFull):
        save_weights(writer.path, 2, {"model": {"w": Z}}, {})
    assert sorted(path.name for path in (writer.path / "weights").iterdir()) == ["1", "LATEST"]
