"""Jobs as files: a job is taken once, whoever asks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from ltviz import launch
from ltviz.errors import ConfigError


def job(number: int, **run: object) -> launch.Job:
    runs = (launch.JobRun(run_id=f"run-{number}", method="supcon", settings={"temperature": 0.2}),)
    return launch.Job(job_id=f"job-{number}", runs=runs, run=run)


def test_jobs_are_taken_in_the_order_they_came_and_go_when_released(home: Path) -> None:
    for number in (2, 1, 3):
        launch.submit(home, job(number, steps=number))
    assert [(j.job_id, place, worker) for j, place, worker in launch.jobs(home)] == [
        ("job-2", "queued", None),
        ("job-1", "queued", None),
        ("job-3", "queued", None),
    ]
    taken = launch.claim(home, "worker-a")
    assert taken == job(2, steps=2)
    assert [(j.job_id, place, worker) for j, place, worker in launch.jobs(home)] == [
        ("job-2", "claimed", "worker-a"),
        ("job-1", "queued", None),
        ("job-3", "queued", None),
    ]
    launch.release(home, "job-2", "worker-a")
    assert [j.job_id for j, _, _ in launch.jobs(home)] == ["job-1", "job-3"]
    assert launch.withdraw(home, "job-1") and not launch.withdraw(home, "job-1")
    assert launch.claim(home, "worker-a") == job(3, steps=3)
    assert launch.claim(home, "worker-a") is None and not launch.withdraw(home, "job-3")


def test_no_job_is_taken_twice(home: Path) -> None:
    for number in range(60):
        launch.submit(home, job(number))
    taken: list[str] = []

    def take(worker: str) -> None:
        while (found := launch.claim(home, worker)) is not None:
            taken.append(found.job_id)

    threads = [threading.Thread(target=take, args=(f"worker-{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"job-{number}" for number in range(60))


def test_what_is_no_job_is_passed_over(home: Path) -> None:
    queue = home / ".ltviz" / "queue"
    launch.submit(home, job(1))
    (queue / "broken.json").write_text("{")
    (queue / "list.json").write_text("[]")
    (queue / ".draft.tmp").write_text("{}")
    assert [j.job_id for j, _, _ in launch.jobs(home)] == ["job-1"]
    assert launch.claim(home, "worker-a") == job(1) and launch.claim(home, "worker-a") is None


@pytest.mark.parametrize("run_id", ["../evil", "A", "a/b", "", "x" * 65, "-abc"])
def test_ids_that_could_leave_the_home_are_refused(run_id: str) -> None:
    with pytest.raises(ValidationError):
        launch.JobRun(run_id=run_id, method="ce")
    with pytest.raises(ValidationError):
        launch.Job(job_id=run_id, runs=(launch.JobRun(run_id="fine", method="ce"),))


def test_impossible_settings_are_refused_at_the_door(home: Path) -> None:
    with pytest.raises(ConfigError, match="dim must be greater than or equal to 2, got 1; try 3"):
        launch.submit(home, job(1, dim=1))
    runs = tuple(launch.JobRun(run_id="same", method=name) for name in ("ce", "bcl"))
    with pytest.raises(ConfigError, match="needs its own id"):
        launch.submit(home, launch.Job(job_id="twice", runs=runs))
    assert launch.jobs(home) == []
