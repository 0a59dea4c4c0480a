"""Trials of a sweep on a cluster: what is lost is tried again, what is finished never, and nothing is lost with us."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ltviz import launch
from ltviz.errors import TrainingError
from ltviz.launch import trials as module
from ltviz.launch.sweep import Cell, Sweep, plan, read_sweep
from ltviz.launch.tally import SweepStatus
from ltviz.launch.trials import TRIES, Place, Site, Trial, Trials
from ltviz.methods import registry
from ltviz.methods.base import Settings
from ltviz.recording import RunInfo, RunWriter, mark_failed, run_path
from ltviz.training.stop import Stop

STEPS = 3


def finish(home: Path, cell: Cell) -> None:
    for run in cell.job.runs:
        info = RunInfo(
            run_id=run.run_id,
            method=run.method,
            created=time.time(),
            dim=3,
            num_classes=3,
            class_names=["a", "b", "c"],
            counts=[30, 20, 10],
            total_steps=STEPS,
            seed=cell.run.seed,
        )
        with RunWriter.create(run_path(home, run.run_id), info, labels=np.repeat(np.arange(3), 2)) as writer:
            for step in range(STEPS + 1):
                writer.frame(step, embeddings=np.eye(6, 3) + 0.1)


class FakeSite(Site):
    """Each trial goes on by one place a look; the last is "ended", where it has done what `how` says of it."""

    def __init__(self, home: Path, cells: Sequence[Cell]) -> None:
        self.home, self.cells = home, {cell.job.runs[0].run_id: cell for cell in cells}
        self.how: dict[str, list[str]] = {}
        """Name -> what becomes of it at each submission: "finish" where nothing is said."""
        self.submitted: list[str] = []
        self.jobs: dict[str, list[Place]] = {}
        self.names: dict[str, str] = {}
        self.stopped: list[str] = []

    def submit(self, trials: Sequence[Trial]) -> list[str]:
        found = []
        for trial in trials:
            job = f"job-{len(self.submitted)}"
            self.submitted.append(trial.name)
            self.names[job] = trial.name
            how = (self.how.get(trial.name) or ["finish"]).pop(0)
            ways: dict[str, list[Place]] = {"lose": ["queued", "running", "lost"], "stay": ["running"]}
            self.jobs[job] = ways.get(how, ["queued", "running", "ended"])
            if how == "finish":
                finish(self.home, self.cells[trial.name])
            elif how == "fail":
                for run in self.cells[trial.name].job.runs:
                    mark_failed(run_path(self.home, run.run_id), "no such file")
            found.append(job)
        return found

    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        return {one: self._next(one) for one in ids}

    def _next(self, one: str) -> Place:
        left = self.jobs.get(one, ["lost"])
        return left[0] if len(left) == 1 else left.pop(0)

    def stop(self, ids: Sequence[str]) -> None:
        self.stopped += ids
        self.jobs |= {one: ["ended"] for one in ids}

    def output(self, trial: str) -> str:
        return "sh: ltviz: not found"


@pytest.fixture
def cells() -> list[Cell]:
    kinds = {"ce": Settings, "bcl": Settings}
    return plan(Sweep(name="tails", settings={}, methods=("ce", "bcl"), run={"seed": (0, 1), "steps": (STEPS,)}), kinds)


@pytest.fixture
def site(home: Path, cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> FakeSite:
    monkeypatch.setattr(module, "_POLL", 0.001)
    return FakeSite(home, cells)


def sweep(home: Path, cells: Sequence[Cell], site: Site, **more: object) -> SweepStatus:
    given = {"tag": "tails", "stop": Stop(), "site": site, **more}
    return Trials(home, cells, **given).run()  # type: ignore[arg-type]


def names(cells: Sequence[Cell]) -> list[str]:
    return [cell.job.runs[0].run_id for cell in cells]


def test_every_race_is_a_trial_and_what_is_finished_is_none(home: Path, cells: list[Cell], site: FakeSite) -> None:
    finish(home, cells[0])
    ended: list[str] = []
    status = sweep(home, cells, site, ended=lambda run, state: ended.append(run))
    assert site.submitted == names(cells[1:])
    assert status.count("finished") == 4 and status.skipped == 2
    assert sorted(ended) == sorted(run.run_id for run in cells[1].job.runs)


def test_a_trial_whose_node_is_lost_runs_again_and_the_others_do_not(
    home: Path, cells: list[Cell], site: FakeSite
) -> None:
    first, second = names(cells)
    site.how[second] = ["lose", "finish"]
    status = sweep(home, cells, site)
    assert site.submitted == [first, second, second] and status.count("finished") == 4


def test_a_run_that_says_why_it_failed_is_not_tried_again(home: Path, cells: list[Cell], site: FakeSite) -> None:
    site.how[names(cells)[0]] = ["fail"]
    status = sweep(home, cells, site)
    assert site.submitted == names(cells)
    assert status.count("failed") == 2 and status.count("finished") == 2


def test_a_trial_that_never_gets_as_far_as_its_runs_ends_the_sweep(
    home: Path, cells: list[Cell], site: FakeSite
) -> None:
    site.how[names(cells)[0]] = ["nothing"] * 9
    with pytest.raises(TrainingError, match=r"broke 3 times \(sh: ltviz: not found\); see that nodes have ltviz"):
        sweep(home, cells, site)
    assert site.submitted.count(names(cells)[0]) == TRIES


def test_a_later_start_finds_the_trials_that_an_earlier_one_left(home: Path, cells: list[Cell], site: FakeSite) -> None:
    class Gone(Exception):
        pass

    def die(status: SweepStatus) -> None:
        raise Gone

    site.how = {name: ["stay"] for name in names(cells)}
    with pytest.raises(Gone):
        sweep(home, cells, site, progress=die)
    assert len(json.loads((home / ".ltviz" / "trials" / "tails.json").read_text())) == 2

    def go_on(status: SweepStatus) -> None:
        for cell in cells:
            if not run_path(home, names([cell])[0]).exists():
                finish(home, cell)
        site.jobs = {one: ["ended"] for one in site.jobs}

    status = sweep(home, cells, site, progress=go_on)
    assert site.submitted == names(cells), "nothing is submitted twice"
    assert status.count("finished") == 4
    assert json.loads((home / ".ltviz" / "trials" / "tails.json").read_text()) == {}


def test_a_stop_ends_the_trials(home: Path, cells: list[Cell], site: FakeSite) -> None:
    stop = Stop()
    site.how = {name: ["stay"] for name in names(cells)}
    status = sweep(home, cells, site, stop=stop, progress=lambda status: stop.ask())
    assert sorted(site.stopped) == ["job-0", "job-1"]
    assert status.count("stopped") == 4


def test_the_command_is_words_whatever_the_paths_are_called(home: Path, cells: list[Cell], tmp_path: Path) -> None:
    odd = tmp_path / "a home; rm -rf $HOME"
    trial = Trials(odd, cells, tag="t", site=FakeSite(odd, cells), stop=Stop())._sent[0].trial
    inner = trial.line.partition("exec ltviz ")[2].partition("; else")[0]
    assert tuple(shlex.split(inner)) == trial.command


def test_an_app_that_looks_at_the_home_is_given_nothing_of_a_trial(home: Path, cells: list[Cell]) -> None:
    """Its worker stands by in the same home, mostly on another machine: it must not take what a node was given."""
    from ltviz.cli import main

    cell = Cell(cells[0].run, cells[0].job.model_copy(update={"run": {**cells[0].job.run, **TINY}}))
    claimed: list[launch.Job] = []
    over = threading.Event()

    def stand_by() -> None:
        while not over.wait(0.005):
            claimed.extend(filter(None, [launch.claim(home, "worker-of-an-app")]))

    app = threading.Thread(target=stand_by)
    app.start()
    try:
        file = home / "job.json"
        home.mkdir(exist_ok=True)
        file.write_bytes(cell.job.as_file())
        assert main(["train", "--job", str(file), "--home", str(home)]) == 0
    finally:
        over.set()
        app.join()
    assert claimed == [] and sorted(finished(home)) == sorted(run.run_id for run in cell.job.runs)
    assert launch.workers(home) == []


# ---------------------------------------------------------------------- clusters

TINY = {"batch_size": 16, "max_per_class": 20, "probe_points": 40, "evaluate": False, "device": "cpu"}

SMALL = 'methods = ["ce"]\nseed = [0, 1]\nsteps = 40\nbatch_size = 16\nmax_per_class = 20\nprobe_points = 40\n'


@pytest.fixture(scope="module")
def ray_head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Ray head of this machine with a job server; its address."""
    port, dashboard = free_port(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # its sockets allow no long path
    flags = [f"--port={port}", f"--dashboard-port={dashboard}", f"--temp-dir={folder}", "--num-cpus=2"]
    command = [sys.executable, "-m", "ray.scripts.scripts"]
    start = [*command, "start", "--head", "--disable-usage-stats", *flags]
    there = {"XDG_CACHE_HOME": str(folder / "disk")}
    subprocess.run(start, check=True, capture_output=True, timeout=120, env={**os.environ, **there})
    yield f"http://127.0.0.1:{dashboard}"
    subprocess.run([*command, "stop", "--force"], check=False, capture_output=True, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class ThreadOf(threading.Thread):
    """A call that is waited for elsewhere."""

    def __init__(self, call: Callable[[str], object], line: str):
        super().__init__(target=call, args=(line,), daemon=True)
        self.start()


def plan_of(file: Path) -> list[Cell]:
    return plan(read_sweep(file), {name: kind.Settings for name, kind in registry.methods().items()})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL + "evaluate = false\n")
    return path


def line_of(home: Path, cell: Cell) -> str:
    """What a node executes, its job written as when it was submitted."""
    site = FakeSite(home, [cell])
    site.how[names([cell])[0]] = ["stay"]
    stop = Stop()
    trials = Trials(home, [cell], tag="t", site=site, stop=stop, progress=lambda status: stop.ask())
    trials.run()
    return trials._sent[0].trial.line


def finished(home: Path) -> list[str]:
    from ltviz.recording import list_runs

    return [run.run_id for run in list_runs(home) if run.status().state == "finished"]


def test_a_sweep_on_a_ray_cluster(home: Path, file: Path, ray_head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltviz.cli import main

    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", ray_head)
    line = ["sweep", str(file), "--on", "ray", "--home", str(home), "--json"]
    assert main(line) == 0
    assert len(finished(home)) == 2
    before = [(run_path(home, run) / "run.json").stat().st_mtime_ns for run in finished(home)]
    assert main(line) == 0
    assert [(run_path(home, run) / "run.json").stat().st_mtime_ns for run in finished(home)] == before


def test_a_race_of_the_app_on_a_ray_cluster(home: Path, ray_head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a process of its own, which is asked for again and again and is there once."""
    from ltviz.launch.away import Away, _children, away, follow_again, send_away

    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", ray_head)
    job = launch.Job(
        job_id="race-away", runs=(launch.JobRun(run_id="away-ce", method="ce"),), run={**TINY, "steps": 40}
    )
    send_away(home, Away(job=job, on="ray"))
    deadline = time.monotonic() + 120
    while (away(home) or _children) and time.monotonic() < deadline:
        follow_again(home)
        time.sleep(0.1)
    assert away(home) == [] and finished(home) == ["away-ce"]


def test_a_sweep_on_ray_nodes_that_do_not_see_the_home(
    home: Path,
    file: Path,
    ray_head: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    nightly: bool,
) -> None:
    """The folder at its path there is another one, and what comes back comes by the mirror."""
    from ltviz.cli import main

    if not nightly:
        pytest.skip("each night: what it is made of is tested without Ray in test_apart.py")
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", ray_head)
    monkeypatch.setattr(module, "token_of", lambda home: "of-a-home-elsewhere")
    file.write_text(file.read_text().replace("[0, 1]", "0"))
    bucket = tmp_path / "bucket"
    assert main(["sweep", str(file), "--on", "ray", "--home", str(home), "--mirror", f"file://{bucket}"]) == 0
    (run,) = finished(home)
    assert f"nodes do not see {home}, so their runs came by file://{bucket}" in capsys.readouterr().err
    for name in ("status.json", "weights/40/model.safetensors", f"frames/{40:09d}.safetensors"):
        assert (run_path(home, run) / name).read_bytes() == (bucket / run / name).read_bytes()
    assert not (run_path(home, run) / "mirror.json").exists() and (bucket / run / "mirror.json").exists()


def test_a_sweep_through_submitit(home: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltviz.cli import main

    monkeypatch.setenv("LTVIZ_SUBMITIT", "local")
    assert main(["sweep", str(file), "--on", "slurm", "--home", str(home), "--json"]) == 0
    assert len(finished(home)) == 2


def test_a_race_of_the_app_through_submitit_outlives_what_follows_it_and_is_stopped(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that followed it is gone, as with an app: the next one finds the job, and stops it."""
    from ltviz.launch.away import Away, _children, away, call_back, follow, send_away
    from ltviz.recording import Recording

    monkeypatch.setenv("LTVIZ_SUBMITIT", "local")
    monkeypatch.setattr(module, "_PATIENCE", 5.0)
    job = launch.Job(
        job_id="race-slurm", runs=(launch.JobRun(run_id="slurm-ce", method="ce"),), run={**TINY, "steps": 1_000_000}
    )
    send_away(home, Away(job=job, on="slurm", options={"timeout_min": 10}))
    recording, note = Recording(run_path(home, "slurm-ce")), home / ".ltviz" / "trials" / "race-slurm.json"

    def wait(fact: Callable[[], object]) -> None:
        deadline = time.monotonic() + 120
        while not fact():
            assert time.monotonic() < deadline, recording.status()
            time.sleep(0.05)

    wait(lambda: recording.status().state == "running" and note.exists())
    sent = note.read_text()
    _children[-1].kill()
    _children.pop().wait()
    assert recording.status().state == "running" and [race.job for race in away(home)] == [job]
    call_back(home, "race-slurm")
    follow(home, "race-slurm")
    assert away(home) == []
    wait(lambda: recording.status().state == "finished")
    jobs = [*(home / ".ltviz" / "slurm" / "race-slurm").glob("*_submitted.pkl")]
    assert len(json.loads(sent)) == len(jobs) == 1, "nothing was submitted twice"
    assert recording.status().reason == "stopped"
    assert [*(recording.path / "weights").glob("*/model.safetensors")], "it was asked, and saved what it had"


def test_a_preempted_trial_saves_its_weights_and_goes_on(home: Path, file: Path, tmp_path: Path) -> None:
    """What submitit does when Slurm wants the node back: checkpoint, and the command again."""
    from ltviz.launch.slurm_site import Attempt
    from ltviz.recording import Recording, send_request

    file.write_text(SMALL.replace("steps = 40", "steps = 2000").replace("[0, 1]", "0") + "evaluate = false\n")
    (cell,) = plan_of(file)
    line = line_of(home, cell)
    recording = Recording(run_path(home, cell.job.runs[0].run_id))
    first = Attempt()
    waiter = ThreadOf(first, line)
    deadline = time.monotonic() + 60
    while len(recording.steps()) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    send_request(recording.path, "pause")  # so that it is in the middle when the node is wanted back
    while recording.status().state != "paused" and time.monotonic() < deadline:
        time.sleep(0.01)
    again = first.checkpoint(line)
    waiter.join(120)
    stopped_at = recording.status().step or 0
    assert 0 < stopped_at < 2000 and (recording.path / "weights" / str(stopped_at)).is_dir()
    assert again.function(*again.args) == 0
    assert recording.status().state == "finished" and recording.status().step == 2000
    assert stopped_at in recording.steps(), "it went on; a new start would have cleared the folder"


def test_clusters_that_are_not_there_are_said(
    home: Path, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ltviz.cli import main

    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://127.0.0.1:9")
    assert main(["sweep", str(file), "--on", "ray", "--home", str(home), "--dry-run"]) == 0, "a plan needs no cluster"
    assert main(["sweep", str(file), "--on", "ray", "--home", str(home)]) == 1
    assert "a Ray job server must answer at http://127.0.0.1:9" in capsys.readouterr().err
    monkeypatch.delenv("LTVIZ_SUBMITIT", raising=False)
    monkeypatch.setattr("ltviz.launch.slurm_site.which", lambda name: None)
    assert main(["sweep", str(file), "--on", "slurm", "--home", str(home)]) == 2
    assert "on slurm needs sbatch on PATH" in capsys.readouterr().err
    monkeypatch.setenv("LTVIZ_SUBMITIT", "local")
    assert main(["sweep", str(file), "--on", "slurm", "--slurm", "nonsense", "--home", str(home)]) == 2
    assert main(["sweep", str(file), "--on", "slurm", "--slurm", "no_such=1", "--home", str(home)]) == 2
    assert "slurm must have options of submitit's executor" in capsys.readouterr().err
