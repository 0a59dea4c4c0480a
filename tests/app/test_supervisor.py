"""The supervisor with workers that are small scripts: they die, hang or stand by as told."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from ltviz_app import words
from ltviz_app.service.supervisor import Supervisor

from ltviz import launch
from ltviz.errors import ConfigError, DiskFull, RecordingError
from ltviz.launch.processes import write_state
from ltviz.recording import Recording, new_run_id, run_path, send_request

STANDS_BY = "import time; time.sleep(60)"
FROZEN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
DIES = "import sys; print('starting'); sys.exit('ImportError: no module named torch')"


class Workers:
    """Starts scripts as workers: the lock is inherited as a real one's is, the state is written as given."""

    def __init__(self, script: str, state: str = "idle"):
        self.script, self.state = script, state
        self.children: list[subprocess.Popen[bytes]] = []

    def __call__(self, home: Path) -> launch.WorkerState:
        import fcntl

        worker_id = new_run_id("worker")
        folder = home / ".ltviz" / "workers" / worker_id
        folder.mkdir(parents=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (folder / "log.txt").open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-c", self.script],
                stdout=output,
                stderr=output,
                pass_fds=[lock],
                start_new_session=True,
            )
        os.close(lock)
        self.children.append(child)
        state = launch.WorkerState(
            worker_id=worker_id, pid=child.pid, create_time=psutil.Process(child.pid).create_time(), state=self.state
        )
        write_state(home, state)
        return state

    def end(self) -> None:
        for child in self.children:
            child.kill()
            child.wait()


@pytest.fixture
def workers():
    made: list[Workers] = []

    def make(script: str, state: str = "idle") -> Workers:
        made.append(Workers(script, state))
        return made[-1]

    yield make
    for group in made:
        group.end()


def job(*runs: str) -> launch.Job:
    return launch.Job(
        job_id=new_run_id("race"), runs=tuple(launch.JobRun(run_id=r, method="ce") for r in runs), run={"steps": 5}
    )


def begin_run(home: Path, run: str) -> Path:
    """A run folder as a worker leaves it that was killed: active, and nobody holds its lock."""
    import numpy as np

    from ltviz.recording import record

    folder = run_path(home, run)
    with record(folder, labels=np.array([0, 0, 1])) as recording:
        recording.frame(0, embeddings=np.eye(3, dtype=np.float32))
    status = folder / "status.json"
    status.write_text(status.read_text().replace('"finished"', '"running"'))
    return folder


def claim_as(home: Path, worker: launch.WorkerState) -> None:
    assert launch.claim(home, worker.worker_id) is not None


def wait_until(condition, seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come true in time"
        time.sleep(0.02)


def test_one_worker_stands_by_and_is_replaced_when_it_dies(home: Path, workers):
    spawn = workers(STANDS_BY)
    supervisor = Supervisor(home, slots=1, spawn=spawn)
    supervisor.look()
    supervisor.look()
    assert len(spawn.children) == 1 and supervisor.ready and supervisor.trouble is None
    spawn.children[0].kill()
    spawn.children[0].wait()
    supervisor.look()
    assert len(spawn.children) == 2


def test_a_busy_worker_gets_company_only_where_a_slot_is_free(home: Path, workers):
    for slots, expected in [(1, 1), (2, 2)]:
        spawn = workers(STANDS_BY, state="busy")
        supervisor = Supervisor(home / str(slots), slots=slots, spawn=spawn)
        for _ in range(4):
            supervisor.look()
        assert len(spawn.children) == expected


def test_a_worker_that_dies_at_start_is_told_with_its_log_and_its_jobs_fail(home: Path, workers):
    spawn = workers(DIES, state="starting")
    supervisor = Supervisor(home, spawn=spawn)
    supervisor.submit(job("run-one", "run-two"))
    supervisor.look()
    spawn.children[0].wait()
    supervisor.look()
    assert supervisor.trouble is not None
    assert supervisor.trouble.reason == "ImportError: no module named torch."
    assert "starting" in supervisor.trouble.log_tail
    assert Recording(home / "run-one").status().state == "queued", "one death may be chance"

    supervisor._next_start = 0.0
    supervisor.look()
    spawn.children[1].wait()
    supervisor.look()
    for run in ("run-one", "run-two"):
        status = Recording(home / run).status()
        assert status.state == "failed" and "no module named torch" in status.reason
        assert "starting" in status.details["log_tail"]
    assert launch.jobs(home) == []


def test_starts_that_fail_are_spaced_out(home: Path, workers):
    spawn = workers(DIES, state="starting")
    supervisor = Supervisor(home, spawn=spawn)
    supervisor.look()
    spawn.children[0].wait()
    begun = time.monotonic()
    supervisor.look()
    assert supervisor._next_start >= begun + 1.0
    supervisor._next_start += 60.0  # however slow this machine is
    for _ in range(5):
        supervisor.look()
    assert len(spawn.children) == 1


def test_runs_of_a_dead_worker_fail_with_its_last_lines(home: Path, workers):
    spawn = workers("import time; print('Killed by the kernel', flush=True); time.sleep(60)")
    supervisor = Supervisor(home, slots=1, spawn=spawn)
    supervisor.submit(job("run-one"))
    supervisor.look()
    wait_until(lambda: launch.log_tail(home, launch.workers(home)[0].worker_id))
    claim_as(home, launch.workers(home)[0])
    begin_run(home, "run-one")
    spawn.children[0].kill()
    spawn.children[0].wait()
    supervisor.look()
    status = Recording(home / "run-one").status()
    assert status.state == "failed" and "Killed by the kernel" in status.details["log_tail"]


def test_stopping_a_waiting_run_takes_it_out_of_its_race(home: Path):
    supervisor = Supervisor(home)
    supervisor.submit(job("run-one", "run-two"))
    supervisor.stop("run-one")
    assert list(supervisor.queued_runs()) == ["run-two"]
    supervisor.stop("run-two")
    assert launch.jobs(home) == []
    assert [path.name for path in home.iterdir()] == [".ltviz"], "a run that never began leaves nothing"


def test_stopping_all_that_waits_leaves_no_run_behind_and_no_race_loses_its_place(home: Path):
    supervisor = Supervisor(home)
    for number in range(6):
        supervisor.submit(job(*(f"run-{number}-{letter}" for letter in "abcde")))
    supervisor.stop("run-0-a")
    assert [member.run_id for member in launch.jobs(home)[0][0].runs] == [f"run-0-{letter}" for letter in "bcde"]
    for run in supervisor.queued_runs():
        supervisor.stop(run)
    assert launch.jobs(home) == [] and list(home.glob("run-*")) == []
    assert [path.name for path in (home / ".ltviz" / "queue").iterdir()] == []


def test_a_request_to_a_run_without_a_folder_waits_for_it(home: Path, workers):
    supervisor = Supervisor(home, slots=1, spawn=workers(STANDS_BY))
    supervisor.submit(job("run-one"))
    supervisor.look()
    claim_as(home, launch.workers(home)[0])
    supervisor.change("run-one", {"temperature": 0.2})
    supervisor.look()
    assert not (home / "run-one").exists()
    begin_run(home, "run-one")
    supervisor.look()
    assert len(list((home / "run-one" / "control").glob("*.json"))) == 1


def test_a_stop_is_enforced_after_its_patience_on_the_right_group_only(home: Path, workers):
    spawn = workers(FROZEN)
    bystander = workers(STANDS_BY)
    supervisor = Supervisor(home, slots=1, spawn=spawn, patience=60.0)
    supervisor.submit(job("run-one"))
    supervisor.look()
    bystander(home)
    hung = next(w for w in launch.workers(home) if w.pid == spawn.children[0].pid)
    wait_until(lambda: launch.log_tail(home, hung.worker_id))
    claim_as(home, hung)
    folder = begin_run(home, "run-one")
    with _held(folder / "lock"):
        supervisor.stop("run-one")
        supervisor.look()
        assert spawn.children[0].poll() is None, "it has time to stop by itself"
        supervisor._stops["run-one"] = 0.0  # as if its patience had passed
        supervisor.look()
    assert spawn.children[0].wait(20) == -9
    assert bystander.children[0].poll() is None
    supervisor.look()
    assert Recording(folder).status().state == "failed"


def _held(lock: Path):
    """Keeps the run's lock as its trainer would; the supervisor then sees a run that is alive."""
    import contextlib
    import fcntl

    @contextlib.contextmanager
    def hold():
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    return hold()


def test_a_run_that_stops_by_itself_is_left_alone(home: Path, workers):
    spawn = workers(STANDS_BY)
    supervisor = Supervisor(home, slots=1, spawn=spawn, patience=0.0)
    supervisor.look()
    supervisor.submit(job("run-one"))
    claim_as(home, launch.workers(home)[0])
    folder = begin_run(home, "run-one")
    (folder / "status.json").write_text((folder / "status.json").read_text().replace('"running"', '"finished"'))
    supervisor._stops["run-one"] = 0.0
    supervisor.look()
    assert spawn.children[0].poll() is None


def test_a_job_out_of_bounds_is_refused_in_one_sentence(home: Path):
    with pytest.raises(ConfigError, match="steps"):
        Supervisor(home).submit(job("run-one").model_copy(update={"run": {"steps": 0}}))
    assert launch.jobs(home) == []


def test_supervising_holds_the_app_lock_and_goes_on_after_a_problem(home: Path, workers, monkeypatch):
    from ltviz.launch.processes import is_watched

    supervisor = Supervisor(home, spawn=workers(STANDS_BY))
    rounds = []

    def stumble() -> None:
        rounds.append(len(rounds))
        raise OSError("No space left on device")

    monkeypatch.setattr(supervisor, "look", stumble)
    monkeypatch.setattr("ltviz_app.service.supervisor.ROUND_SECONDS", 0.02)
    supervisor.start()
    try:
        wait_until(lambda: len(rounds) > 2)
        assert is_watched(home)
    finally:
        supervisor.close()
    assert not is_watched(home)


def test_requests_reach_a_run_that_trains(home: Path):
    folder = begin_run(home, "run-one")
    supervisor = Supervisor(home)
    supervisor.pause("run-one")
    supervisor.resume("run-one")
    assert len(list((folder / "control").glob("*.json"))) == 2
    send_request(folder, "stop")
    assert len(list((folder / "control").glob("*.json"))) == 3


def test_a_frozen_worker_that_is_ended_is_said_to_have_been_stopped(home: Path, workers):
    """Its runs read as lost from the moment it is gone: that is no end that somebody else has told of."""
    spawn = workers(FROZEN)
    supervisor = Supervisor(home, slots=1, spawn=spawn, patience=60.0)
    supervisor.submit(job("run-one"))
    supervisor.look()
    wait_until(lambda: launch.log_tail(home, launch.workers(home)[0].worker_id))
    claim_as(home, launch.workers(home)[0])
    folder = begin_run(home, "run-one")
    lock = _held(folder / "lock")
    lock.__enter__()
    supervisor.stop("run-one")
    supervisor._stops["run-one"] = 0.0  # as if its patience had passed
    real = launch.end_worker

    def end(*args, **more):
        real(*args, **more)
        lock.__exit__(None, None, None)

    import unittest.mock

    with unittest.mock.patch.object(launch, "end_worker", end):
        supervisor.look()
    status = Recording(folder).status()
    assert status.state == "failed" and status.reason == words.served.STOP_ESCALATED.format(seconds=60.0)


def test_workers_that_end_one_after_another_are_started_ever_more_rarely(home: Path, workers):
    """Whatever ends them, and ready or not: 46 workers in a minute would take the machine down."""
    spawn = workers(STANDS_BY)
    supervisor = Supervisor(home, slots=1, spawn=spawn)
    limit = time.monotonic() + 2.0
    while time.monotonic() < limit:
        supervisor.look()
        for child in spawn.children:
            child.kill()
            child.wait()
    assert len(spawn.children) <= 4


@pytest.fixture
def full_home(tmp_path: Path):
    """A home on a disk of 2 MB that is full; skipped without the right to mount one."""
    place = tmp_path / "small"
    place.mkdir()
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("a small disk takes the right to mount one")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here ({mounted.stderr.decode().strip()})")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leaves no room on a small disk; gives the file that takes it."""
    filler = place / ".filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return filler


def test_a_full_disk_starts_no_workers_says_so_and_training_goes_on_by_itself(full_home: Path, monkeypatch):
    from ltviz_app.service import supervisor as module

    monkeypatch.setattr(module, "CHECK_SECONDS", 0.1)
    filler = fill(full_home)
    supervisor = Supervisor(full_home, slots=1)
    for _ in range(20):
        supervisor.look()
    assert launch.workers(full_home) == [] and list((full_home / ".ltviz").glob("workers/*")) == []
    assert supervisor.trouble is not None and supervisor.trouble.head == words.lab.HOME_BROKEN
    assert "disk is full" in supervisor.trouble.reason
    with pytest.raises(DiskFull):
        supervisor.submit(job("run-one"))
    filler.unlink()
    time.sleep(0.15)
    try:
        supervisor.look()
        assert supervisor.trouble is None
        supervisor.submit(job("run-one"))
        wait_until(lambda: any(w.state == "idle" for w in launch.workers(full_home)), 60)
    finally:
        for worker in launch.workers(full_home):
            launch.end_worker(worker, patience=0.2)


def test_a_worker_whose_state_cannot_be_written_is_not_left_behind(home: Path, monkeypatch):
    from ltviz.launch import processes

    started = []
    real = subprocess.Popen

    def popen(*args, **more):
        started.append(real([sys.executable, "-c", STANDS_BY], **more))
        return started[-1]

    def full(*_):
        raise DiskFull("The disk is full")

    monkeypatch.setattr(processes.subprocess, "Popen", popen)
    monkeypatch.setattr(processes, "write_state", full)
    with pytest.raises(DiskFull):
        launch.spawn_worker(home)
    assert started[0].wait(10) != 0


@pytest.mark.parametrize("kind", ["a file", "read only", "without locks"])
def test_a_home_that_cannot_be_trained_in_says_so_and_is_still_shown(tmp_path: Path, kind, monkeypatch, caplog):
    home = tmp_path / "home"
    if kind == "a file":
        home.write_text("no folder")
    else:
        home.mkdir()
        begin_run(home, "run-one")
    if kind == "read only":
        monkeypatch.setattr("ltviz.recording.files._WRITE", os.O_RDONLY | os.O_DIRECTORY)  # root may write anywhere
    if kind == "without locks":

        def none(*_):
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")

        monkeypatch.setattr("ltviz.launch.processes.fcntl.flock", none)
    supervisor = Supervisor(home, slots=1)
    supervisor.start()
    try:
        wait_until(lambda: supervisor.trouble is not None)
        time.sleep(1.2)
        assert supervisor._thread is not None and supervisor._thread.is_alive()
        said = [line for line in caplog.messages if words.lab.HOME_BROKEN in line]
        assert len(said) == 1, "once, not every half second"
        assert supervisor.queued_runs() == {} and not supervisor.ready and launch.sweeps(home) == []
        if kind != "a file":
            assert [run.run_id for run in supervisor.runs.recordings()] == ["run-one"]
        with pytest.raises(RecordingError) if kind != "without locks" else contextlib.nullcontext():
            supervisor.submit(job("run-two"))
    finally:
        supervisor.close()


def test_a_home_whose_books_are_deleted_is_taken_up_again(home: Path, workers):
    """The lock of a file that is gone is seen by nobody: workers would end after 10 s and come again for ever."""
    import shutil

    from ltviz.launch.processes import is_watched

    supervisor = Supervisor(home, slots=1, spawn=workers(STANDS_BY))
    supervisor.start()
    try:
        wait_until(lambda: is_watched(home))
        # Moved away first: whoever deletes file by file races with the worker, which still writes beside it.
        (home / ".ltviz").rename(home.parent / "deleted")
        shutil.rmtree(home.parent / "deleted", ignore_errors=True)
        wait_until(lambda: is_watched(home))
    finally:
        supervisor.close()
