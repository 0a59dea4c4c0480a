"""Races that the app has put on a cluster: noted before they are asked for, found again, and called back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz import launch
from ltviz.errors import ConfigError, TrainingError
from ltviz.launch import away as module
from ltviz.launch import trials
from ltviz.launch.away import Away, away, call_back, clusters, follow, send_away
from ltviz.launch.trials import Place, Site, Trial
from ltviz.recording import Recording, RunInfo, RunWriter, run_path

STEPS = 3
JOB = launch.Job(
    job_id="race-one",
    runs=(launch.JobRun(run_id="one-ce", method="ce"), launch.JobRun(run_id="one-bcl", method="bcl")),
    run={"steps": STEPS},
)
RACE = Away(job=JOB, on="ray", gpus=0.5)


class OneSite(Site):
    """A cluster that keeps its trials where they are until it is told otherwise."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.place: Place = "queued"
        self.looks = 0
        self.at_look: Any = lambda looks: None

    def submit(self, trials: Sequence[Trial]) -> list[str]:
        self.submitted += [trial.line for trial in trials]
        return [f"job-{i}" for i, _ in enumerate(trials)]

    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        self.looks += bool(ids)
        self.at_look(self.looks)
        return dict.fromkeys(ids, self.place)

    def stop(self, ids: Sequence[str]) -> None:
        self.place = "ended"

    def output(self, trial: str) -> str:
        return "no such partition"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Folders whose process would have been started."""
    found: list[str] = []
    monkeypatch.setattr(module, "_start", lambda home, folder: found.append(folder.name))
    monkeypatch.setattr(trials, "_POLL", 0.001)
    return found


def finish(home: Path) -> None:
    for run in JOB.runs:
        about = {"dim": 3, "num_classes": 2, "class_names": ["a", "b"], "counts": [3, 1], "total_steps": STEPS}
        info = RunInfo(run_id=run.run_id, method=run.method, created=time.time(), seed=0, **about)  # type: ignore[arg-type]
        with RunWriter.create(run_path(home, run.run_id), info, labels=np.array([0, 1])) as writer:
            writer.frame(STEPS, embeddings=np.eye(2, 3))


def end_well(home: Path, site: OneSite) -> None:
    finish(home)
    site.place = "ended"


def test_a_race_is_noted_before_anything_is_asked_and_goes_when_it_is_over(home: Path, started: list[str]) -> None:
    send_away(home, RACE)
    assert away(home) == [RACE] and started == ["race-one"]
    assert launch.jobs(home) == [], "no worker of this machine takes it"
    site = OneSite()
    site.at_look = lambda looks: end_well(home, site) if looks == 2 else None
    follow(home, "race-one", lambda home, race: site)
    assert len(site.submitted) == 1 and "--job" in site.submitted[0]
    assert away(home) == [] and not (home / ".ltviz" / "away" / "race-one").exists()


def test_the_next_process_finds_what_a_killed_one_has_submitted(home: Path, started: list[str]) -> None:
    class Killed(BaseException):
        pass

    send_away(home, RACE)
    site = OneSite()

    def die(looks: int) -> None:
        if looks == 2:
            raise Killed

    site.at_look = die
    with pytest.raises(Killed):
        follow(home, "race-one", lambda home, race: site)
    assert away(home) == [RACE], "the next app starts it again"
    module.follow_again(home)
    assert started == ["race-one"] * 2
    site.at_look = lambda looks: end_well(home, site) if looks == 4 else None
    follow(home, "race-one", lambda home, race: site)
    assert len(site.submitted) == 1 and away(home) == []


def test_a_race_that_is_called_back_ends_on_the_cluster_too(home: Path, started: list[str]) -> None:
    send_away(home, RACE)
    site = OneSite()
    site.at_look = lambda looks: call_back(home, "race-one") if looks == 2 else None
    follow(home, "race-one", lambda home, race: site)
    assert site.place == "ended" and away(home) == []
    assert not run_path(home, "one-ce").exists(), "nothing is left of what has never begun"
    call_back(home, "race-one")
    assert not (home / ".ltviz" / "away" / "race-one").exists(), "it is over"
    send_away(home, RACE)
    call_back(home, "race-one")
    follow(home, "race-one", lambda home, race: OneSite())
    assert away(home) == []


def test_what_the_cluster_does_not_take_is_said_by_the_runs(home: Path, started: list[str]) -> None:
    def unreachable(home: Path, race: Away) -> Site:
        raise TrainingError("a Ray job server must answer at http://127.0.0.1:9")

    send_away(home, RACE)
    follow(home, "race-one", unreachable)
    for run in JOB.runs:
        status = Recording(run_path(home, run.run_id)).status()
        assert status.state == "failed" and "must answer at http://127.0.0.1:9" in (status.reason or "")
    assert away(home) == []


def test_settings_out_of_bounds_are_refused_before_they_leave(home: Path, started: list[str]) -> None:
    with pytest.raises(ConfigError, match="dim must be"):
        send_away(home, RACE.model_copy(update={"job": JOB.model_copy(update={"run": {"dim": 1}})}))
    assert away(home) == [] and started == []


def test_clusters_are_offered_where_they_can_be_reached(tmp_path: Path) -> None:
    assert clusters({"PATH": str(tmp_path)}) == []
    assert clusters({"PATH": str(tmp_path), "RAY_ADDRESS": "http://head:8265"}) == ["ray"]
    (tmp_path / "sbatch").write_text("#!/bin/sh\n")
    (tmp_path / "sbatch").chmod(0o755)
    assert clusters({"PATH": str(tmp_path), "RAY_API_SERVER_ADDRESS": "http://head:8265"}) == ["ray", "slurm"]
