from __future__ import annotations

import time

import pytest

from ltviz.errors import RunLocked
from ltviz.recording import Recording, RunWriter, mark_failed
from ltviz.recording.lock import RunLock, is_held


def test_the_second_writer_is_refused_within_a_second(tmp_path, start_writer):
    folder = tmp_path / "endless-run"
    child = start_writer(folder)
    assert child.stdout is not None and child.stdout.readline() == "0\n"
    took = []
    while not took or (min(took) >= 1.0 and len(took) < 5):  # on a busy machine one may be late
        began = time.monotonic()
        with pytest.raises(RunLocked, match=rf"already running \(pid {child.pid} on ") as refusal:
            RunWriter.resume(folder)
        took.append(time.monotonic() - began)
    assert min(took) < 1.0
    assert refusal.value.exit_code == 3
    with pytest.raises(RunLocked):
        mark_failed(folder, "not true")
    assert Recording(folder).status().state == "running"


def test_readers_that_ask_do_not_keep_a_writer_out(tmp_path):
    path = tmp_path / "lock"
    RunLock.acquire(path).release()
    for _ in range(50):
        assert not is_held(path)
        lock = RunLock.acquire(path)
        assert is_held(path)
        lock.release()


def test_a_reader_that_holds_the_lock_for_a_moment_is_waited_for(tmp_path, monkeypatch):
    import fcntl
    import threading

    monkeypatch.setattr("ltviz.recording.lock._PATIENCE_SECONDS", 20.0)  # a busy machine's moment is a long one
    path = tmp_path / "lock"
    path.touch()
    with path.open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        threading.Timer(0.1, lambda: fcntl.flock(reader, fcntl.LOCK_UN)).start()
        RunLock.acquire(path).release()


def test_without_kernel_locks_the_age_of_the_file_decides(tmp_path, monkeypatch, caplog):
    import os

    monkeypatch.setattr("ltviz.recording.lock.fcntl", None)
    path = tmp_path / "lock"
    first = RunLock.acquire(path)
    assert "no file locks" in caplog.text
    assert is_held(path)
    with pytest.raises(RunLocked, match=f"pid {os.getpid()}"):
        RunLock.acquire(path)
    os.utime(path, (1e9, 1e9))
    assert not is_held(path), "its holder has not touched it for long"
    first.beat()
    assert is_held(path)
    first.release()
    assert not is_held(path)
    RunLock.acquire(path).release()
