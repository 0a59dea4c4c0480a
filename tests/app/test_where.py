"""The menu that says where a race trains, and what the supervisor does with one that is on a cluster."""

from __future__ import annotations

from pathlib import Path

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.service.supervisor import Supervisor
from streamlit.testing.v1 import AppTest

from ltviz import launch
from ltviz.errors import ConfigError
from ltviz.launch import away as module
from ltviz.launch.away import Away, away

RACE = Away(
    job=launch.Job(
        job_id="race-one",
        runs=(launch.JobRun(run_id="one-ce", method="ce"), launch.JobRun(run_id="one-bcl", method="bcl")),
        run={"steps": 5},
    ),
    on="ray",
)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Races whose process would have been started; none is."""
    found: list[str] = []
    monkeypatch.setattr(module, "_start", lambda home, folder: found.append(folder.name))
    return found


@pytest.fixture
def page(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")
    for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS", "LTVIZ_SUBMITIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda name, path=None: None)
    return AppTest.from_file(str(Path(ltviz_app.__file__).parent / "main.py"), default_timeout=30)


def menus(app: AppTest) -> list[str]:
    return [menu.label for menu in app.selectbox]


def test_a_machine_without_a_cluster_has_no_menu(page: AppTest) -> None:
    assert words.lab.WHERE not in menus(page.run())


def test_a_race_goes_where_the_menu_says(page: AppTest, home: Path, started: list[str], monkeypatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "http://head:8265")
    app = page.run()
    assert app.selectbox(key="race-where").options == ["This machine", "Ray"]
    app.selectbox(key="race-where").select("ray").run()
    app.number_input(key="race-gpus").set_value(0.5)
    next(button for button in app.button if button.label == words.lab.TRAIN).click().run()
    assert not app.exception and launch.jobs(home) == [], "no worker of this machine has it"
    (race,) = away(home)
    assert (race.on, race.gpus, started) == ("ray", 0.5, [race.job.job_id])
    assert [run.method for run in race.job.runs] == list(words.lab.DEFAULT_RACE)
    drawn = "\n".join(element.proto.body for element in app.get("html"))
    assert "queued, on Ray" in drawn
    app.button(key="stop-all").click().run()
    assert (home / ".ltviz" / "away" / race.job.job_id / "stop").exists()


def test_the_supervisor_follows_and_stops_what_is_away(home: Path, started: list[str], runs) -> None:
    dead = launch.WorkerState(worker_id="worker-none", pid=2**22 + 1, create_time=0.0, state="dead")
    supervisor = Supervisor(home, spawn=lambda home: dead)
    supervisor.send_away(RACE)
    assert supervisor.queued_runs() == {"one-ce": "ce", "one-bcl": "bcl"}
    supervisor.look()
    assert started == ["race-one"] * 2, "whoever looks sees that it has its process"
    writer = runs.begin(home, "one-ce")
    supervisor.stop("one-ce")
    assert [*(home / "one-ce" / "control").iterdir()], "it trains, and is asked as any run is"
    assert not (home / ".ltviz" / "away" / "race-one" / "stop").exists()
    writer.close()
    assert set(supervisor.queued_runs()) == {"one-bcl"}
    supervisor.stop("one-bcl")
    assert (home / ".ltviz" / "away" / "race-one" / "stop").exists(), "it has not begun: it is taken back"


def test_who_may_only_look_sends_nothing_away(home: Path, started: list[str]) -> None:
    def refuse() -> None:
        raise ConfigError("Viewers look.")

    supervisor = Supervisor(home)
    supervisor.permit = refuse
    with pytest.raises(ConfigError):
        supervisor.send_away(RACE)
    assert away(home) == [] and started == []
