"""The queue as the page shows it: how full each device is, what waits behind what, and the buttons that change it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.service.supervisor import Supervisor
from streamlit.testing.v1 import AppTest

from ltviz import launch
from ltviz.errors import ConfigError
from ltviz.launch import needs
from ltviz.launch.processes import write_state

GB = 10**9
DEVICES = (
    launch.Device(uuid="small", title="Small card", bytes=8 * GB),
    launch.Device(uuid="large", title="Large card", bytes=24 * GB),
)


def job(number: int, **run: object) -> launch.Job:
    runs = (launch.JobRun(run_id=f"run-{number}", method="supcon"), launch.JobRun(run_id=f"two-{number}", method="ce"))
    return launch.Job(job_id=f"job-{number}", runs=runs, run={"steps": 5, "data": "digits-lt", **run})


@pytest.fixture
def worker(home: Path) -> Iterator[str]:
    """A worker that lives, by its lock, and has taken nothing yet; it sees two devices."""
    worker_id = "worker-made-up"
    folder = home / ".ltviz" / "workers" / worker_id
    folder.mkdir(parents=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    state = {"worker_id": worker_id, "pid": 2**22 + 1, "create_time": 0.0, "state": "busy", "devices": DEVICES}
    write_state(home, launch.WorkerState.model_validate(state))
    yield worker_id
    os.close(lock)


@pytest.fixture
def queue(home: Path, worker: str) -> Path:
    """A race that trains, on the larger device, and three that wait."""
    for number in range(4):
        launch.submit(home, job(number))
    assert launch.claim(home, worker, needs.chooser(home, DEVICES[1:])) is not None
    return home


def order(home: Path) -> list[str]:
    return [found.job_id for found, place, _ in launch.jobs(home) if place == "queued"]


def test_the_supervisor_knows_devices_and_what_waits(queue: Path) -> None:
    supervisor = Supervisor(queue)
    small, large = supervisor.uses()
    assert (small.device, small.taken, small.jobs) == (DEVICES[0], 0, 0)
    assert large.device == DEVICES[1] and large.jobs == 1 and large.taken > needs.CONTEXT
    assert [found.job_id for found, _ in supervisor.waiting()] == ["job-1", "job-2", "job-3"]
    assert all(need is not None and need > needs.CONTEXT for _, need in supervisor.waiting())
    supervisor.move("job-3", "job-1")
    supervisor.cancel("job-2")
    supervisor.cancel("job-0")
    assert order(queue) == ["job-3", "job-1"] and len(launch.jobs(queue)) == 3, "what trains is not cancelled so"


def test_stop_everything_takes_back_what_waits_before_it_ends_what_trains(queue: Path, runs) -> None:
    supervisor = Supervisor(queue)
    writer = runs.begin(queue, "run-0")
    by_hand = runs.begin(queue, "by-hand")
    supervisor.stop_all(["by-hand"])
    assert order(queue) == []
    asked = [run for run in ("run-0", "by-hand") if [*(queue / run / "control").iterdir()]]
    assert asked == ["run-0", "by-hand"]
    assert set(supervisor._stops) == {"run-0", "two-0", "by-hand"}
    writer.close()
    by_hand.close()


def test_who_may_only_look_changes_no_order(queue: Path) -> None:
    def refuse() -> None:
        raise ConfigError("Viewers look.")

    supervisor = Supervisor(queue)
    supervisor.permit = refuse
    for act in (
        lambda: supervisor.move("job-3", "job-1"),
        lambda: supervisor.cancel("job-3"),
        lambda: supervisor.stop_all(["run-0"]),
    ):
        with pytest.raises(ConfigError):
            act()
    assert order(queue) == ["job-1", "job-2", "job-3"]


@pytest.fixture
def page(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")
    return AppTest.from_file(str(Path(ltviz_app.__file__).parent / "main.py"), default_timeout=20)


def said(app: AppTest) -> str:
    texts = [str(getattr(element, "value", "")) for element in [*app.main, *app.sidebar]]
    return "\n".join([*texts, *(element.proto.body for element in app.get("html"))]).replace("\\", "")


def test_the_page_shows_the_queue_and_lets_one_change_it(queue: Path, page: AppTest) -> None:
    app = page.run()
    assert not app.exception
    told = said(app)
    assert "Small card: 0.0 GB of 8.0 GB, nothing trains." in told
    assert "of 24.0 GB, 1 race." in told and words.lab.WAITING in told and ", about 0.6 GB" in told
    assert app.button(key="waiting-up-job-1").disabled and app.button(key="waiting-down-job-3").disabled
    app.button(key="waiting-first-job-3").click().run()
    assert order(queue) == ["job-3", "job-1", "job-2"]
    app.button(key="waiting-cancel-job-2").click().run()
    assert order(queue) == ["job-3", "job-1"] and not app.exception
    app.button(key="stop-all").click().run()
    assert order(queue) == [] and words.lab.WAITING not in said(app)


def test_a_refusal_is_said_and_a_viewer_sees_no_buttons(queue: Path, page: AppTest, monkeypatch) -> None:
    def refuse(*asked: object) -> None:
        raise ConfigError("Not now.")

    monkeypatch.setattr(Supervisor, "move", refuse)
    app = page.run()
    app.button(key="waiting-first-job-3").click().run()
    assert [error.value for error in app.error] == [r"Not now\."]
    monkeypatch.setattr(studio_module.Studio, "may_train", False)
    assert words.lab.WAITING in said(app.run())
    assert not [button for button in app.button if str(button.key).startswith("waiting-")]


def test_without_gpus_the_page_says_nothing_of_devices(home: Path, page: AppTest) -> None:
    launch.submit(home, job(1))
    assert words.lab.WAITING not in said(page.run()), "it is taken in a moment"
    assert launch.claim(home, "worker-a") is not None
    launch.submit(home, job(2))
    told = said(page.run())
    assert words.lab.WAITING in told and "GPU" not in told and " GB" not in told.partition(words.lab.WAITING)[2]
