"""Workers: found by their lock, watched, ended; and what becomes of the jobs of a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ltviz import launch
from ltviz.errors import LtvizError
from ltviz.launch import processes
from ltviz.launch.processes import hold_worker_lock, is_watched
from ltviz.recording import Recording, send_request

RECIPE = {"steps": 60, "batch_size": 16, "max_per_class": 30, "probe_points": 100, "watch_share": 0.5}


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def worker(home: Path) -> Iterator[launch.WorkerState]:
    state = launch.spawn_worker(home)
    try:
        yield state
    finally:
        launch.end_worker(state, patience=0.2)


def state_of(home: Path, worker: launch.WorkerState) -> str:
    return next(w.state for w in launch.workers(home) if w.worker_id == worker.worker_id)


def job(name: str, methods: tuple[str, ...], **run: object) -> launch.Job:
    runs = tuple(launch.JobRun(run_id=f"{name}-{method.replace('_', '-')}", method=method) for method in methods)
    return launch.Job(job_id=name, runs=runs, run={**RECIPE, **run})


def test_a_worker_trains_what_is_queued_obeys_and_ends_politely(home: Path, worker: launch.WorkerState) -> None:
    with launch.hold_app_lock(home):
        assert state_of(home, worker) == "starting", "its lock is held from the first moment"
        wait(lambda: state_of(home, worker) == "idle")
        assert (home / ".ltviz" / "catalogue.json").is_file()
        assert os.getpgid(worker.pid) == worker.pid != os.getpgid(0), "a session of its own"

        launch.submit(home, job("first", ("ce", "supcon")))
        wait(lambda: all(Recording(home / f"first-{m}").status().state == "finished" for m in ("ce", "supcon")))
        assert Recording(home / "first-ce").info.race == "first"
        wait(lambda: launch.jobs(home) == [])

        launch.submit(home, job("second", ("ce",), steps=100_000))
        run = home / "second-ce"
        wait(lambda: Recording(run).steps())
        assert state_of(home, worker) == "busy"
        assert [(j.job_id, p, w) for j, p, w in launch.jobs(home)] == [("second", "claimed", worker.worker_id)]
        send_request(run, "stop")
        wait(lambda: Recording(run).status().state == "finished")
        assert Recording(run).status().reason == "stopped"

        launch.submit(home, job("third", ("no-such-method",)))
        wait(lambda: Recording(home / "third-no-such-method").status().state == "failed")
        assert "no-such-method" in (Recording(home / "third-no-such-method").status().reason or "")

        launch.submit(home, job("fourth", ("ce",), steps=100_000))
        wait(lambda: Recording(home / "fourth-ce").steps())
        launch.end_worker(worker)
        assert Recording(home / "fourth-ce").status().reason == "stopped", "SIGTERM is a polite stop"
        assert state_of(home, worker) == "dead" and launch.jobs(home) == []


def test_the_runs_of_a_killed_worker_fail_with_its_last_words(home: Path, worker: launch.WorkerState) -> None:
    with launch.hold_app_lock(home):
        launch.submit(home, job("doomed", ("ce", "supcon"), steps=100_000))
        wait(lambda: Recording(home / "doomed-supcon").steps())
        assert launch.fail_abandoned(home) == [], "a living worker keeps its job"
        os.killpg(worker.pid, signal.SIGKILL)
        wait(lambda: state_of(home, worker) == "dead")
        assert Recording(home / "doomed-ce").status().state == "lost"
        with (home / ".ltviz" / "workers" / worker.worker_id / "log.txt").open("a") as log:
            log.write("CUDA error: the last words\n")
        assert [j.job_id for j in launch.fail_abandoned(home)] == ["doomed"]
        for name in ("doomed-ce", "doomed-supcon"):
            status = Recording(home / name).status()
            assert status.state == "failed" and "died" in (status.reason or "")
            assert "killed it, as it does for want of memory: resume the run" in (status.reason or "")
            assert "the last words" in status.details["log_tail"]  # type: ignore[operator]
        assert launch.jobs(home) == [] and launch.fail_abandoned(home) == []


def test_a_worker_that_dies_at_start_leaves_its_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    state = launch.spawn_worker(home)
    wait(lambda: state_of(home, state) == "dead")
    assert launch.log_tail(home, state.worker_id) == ""
    launch.submit(home, job("first", ("ce",)))
    launch.claim(home, state.worker_id)
    launch.fail_abandoned(home)
    assert Recording(home / "first-ce").status().state == "failed"


def test_an_idle_worker_leaves_when_nobody_watches(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ltviz.launch import worker;"
        "worker.UNWATCHED_SECONDS = 0.3; worker._LOOK = 0.05;"
        f"sys.exit(worker.main(['--home', {str(home)!r}, '--id', 'lonely']))"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        with launch.hold_app_lock(home), launch.hold_app_lock(home):
            wait(lambda: any(w.state == "idle" for w in launch.workers(home)))
            time.sleep(0.6)
            assert child.poll() is None, "two apps watch"
        assert child.wait(timeout=60) == 0
    finally:
        child.kill()
        child.wait()


def test_the_app_lock_is_shared_and_dies_with_its_holder(home: Path) -> None:
    assert not is_watched(home)
    with launch.hold_app_lock(home):
        with launch.hold_app_lock(home):
            assert is_watched(home)
        assert is_watched(home)
    assert not is_watched(home)


def test_a_worker_id_belongs_to_one_process(home: Path) -> None:
    held = hold_worker_lock(home, "mine")
    with pytest.raises(LtvizError, match="mine is in use"):
        hold_worker_lock(home, "mine")
    os.close(held)
    os.close(hold_worker_lock(home, "mine"))


def test_a_log_tail_is_short_and_plain(home: Path) -> None:
    folder = home / ".ltviz" / "workers" / "talker"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_bytes(
        b"x" * 200_000 + b"\n" + b"\x1b[31mred\xff\n" + b"\n".join(b"%d" % i for i in range(20))
    )
    lines = launch.log_tail(home, "talker").splitlines()
    assert lines == [str(i) for i in range(8, 20)]
    assert "\x1b" not in launch.log_tail(home, "talker", lines=100)
    assert launch.log_tail(home, "nobody") == ""


def test_a_process_that_is_not_the_worker_is_never_touched(home: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"], start_new_session=True)
    try:
        stale = launch.WorkerState(worker_id="stale", pid=other.pid, create_time=1.0, state="busy")
        launch.end_worker(stale, patience=0.1)
        assert other.poll() is None, "the pid was given to another process meanwhile"
    finally:
        other.kill()
        other.wait()


def test_folders_of_dead_workers_do_not_pile_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_KEEP_DEAD", 2)
    for i in range(5):
        os.close(hold_worker_lock(home, f"worker-{i}"))
        processes.write_state(home, launch.WorkerState(worker_id=f"worker-{i}", pid=1, create_time=0.0, state="idle"))
    launch.fail_abandoned(home)
    assert [w.worker_id for w in launch.workers(home)] == ["worker-3", "worker-4"]


def test_a_run_whose_worker_was_killed_goes_on_from_its_weights(home: Path, worker: launch.WorkerState) -> None:
    """What the button of the page asks for."""
    with launch.hold_app_lock(home):
        launch.submit(home, job("killed", ("ce",), steps=1200))
        run = home / "killed-ce"
        wait(lambda: (run / "weights" / "1000").exists())
        os.killpg(worker.pid, signal.SIGKILL)
        wait(lambda: state_of(home, worker) == "dead")
        launch.fail_abandoned(home)
        assert Recording(run).status().state == "failed"
        frames = Recording(run).steps()
        member = launch.JobRun(run_id="killed-ce", method="ce")
        launch.submit(home, launch.Job(job_id="go-on", runs=(member,), resume=True))
        other = launch.spawn_worker(home)
        try:
            wait(lambda: Recording(run).status().state == "finished")
            steps = Recording(run).steps()
            assert steps[: len(frames)] == frames and steps[-1] == 1200
            assert [line["step"] for line in Recording(run).metrics()] == list(range(1, 1201))
            launch.submit(home, launch.Job(job_id="again", runs=(member,), resume=True))
            wait(lambda: launch.jobs(home) == [])
            assert Recording(run).status().state == "finished", "a complete run is left as it is"
        finally:
            launch.end_worker(other, patience=0.2)
