"""Teachers: trained first as runs of their own, or given; a student that goes on never trains its teacher anew."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz.errors import ConfigError, RecordingError
from ltviz.methods import registry
from ltviz.recording import Recording, load_weights, send_request
from ltviz.training import phase as phase_module
from ltviz.training.phase import Phase
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin, resume

Start = Callable[..., Race]


class Killed(BaseException):
    """Ends a training where it stands, as a crash would."""


def kill(now: int) -> None:
    raise Killed


def teacher_in(student: Path) -> dict[str, np.ndarray]:
    """The teacher's weights as the student holds them."""
    held = load_weights(student).tensors["model"]
    return {name.removeprefix("teacher."): value for name, value in held.items() if name.startswith("teacher.")}


def assert_equal(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> None:
    assert one.keys() == two.keys() and one
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name], err_msg=name)


@pytest.fixture
def whole(start: Start, tmp_path: Path) -> Path:
    """A student that was never interrupted; its teacher lies beside it."""
    assert [outcome.state for outcome in start("gml", folder="whole").run()] == ["finished"]
    return tmp_path / "whole" / "gml"


def test_the_teacher_is_a_run_of_its_own_and_teaches(whole: Path) -> None:
    teacher = Recording(whole.with_name("gml-teacher"))
    info, student = teacher.info, Recording(whole).info
    assert (info.method, info.title) == ("logit_adjust", "Logit adjustment, teacher of GML")
    assert info.config["method"]["classifier"] == "cosine"
    assert teacher.status().state == "finished" and teacher.steps()[-1] == 40
    assert info.fingerprints == student.fingerprints, "the same start, the same batches"
    assert info.created <= student.created, "the newest run is the student"
    assert student.config["teacher"]["run_id"] == "gml-teacher"
    assert_equal(teacher_in(whole), load_weights(teacher.path).tensors["model"])
    assert all(row["distillation"] > 0 for row in Recording(whole).metrics())


def test_a_student_may_go_without(start: Start, tmp_path: Path) -> None:
    start("gml", settings={"teacher": "none"}).run()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["gml"]
    assert all(row["distillation"] == 0 for row in Recording(tmp_path / "runs" / "gml").metrics())


def test_status_and_first_frame_are_there_while_the_teacher_trains(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "_STATUS", 0.0)
    student, other, seen = tmp_path / "runs" / "gml", tmp_path / "runs" / "toy", []
    advance = Phase.advance

    def spy(self: Phase, step: int) -> None:
        status = Recording(student).status()
        seen.append((self.lanes[0].name, step, status.state, status.reason, Recording(other).steps()[:1]))
        advance(self, step)

    monkeypatch.setattr(Phase, "advance", spy)
    start("gml", "toy").run()
    teacher, after = seen[:40], seen[40:]
    assert [row[:2] for row in teacher] == [("logit_adjust", step) for step in range(1, 41)]
    assert teacher[0][2:] == ("starting", "training the teacher", [0])
    said = [f"training the teacher, step {step} of 40" for step in range(1, 40)]
    assert [row[2:] for row in teacher[1:]] == [("starting", reason, [0]) for reason in said]
    assert [row[1:3] for row in after] == [(step, "running") for step in range(1, 41)]


def test_students_of_one_race_share_their_teacher(tmp_path: Path) -> None:
    run = RunSettings(steps=6, batch_size=8, max_per_class=30, imbalance_factor=10, probe_points=50)
    entrants = [Entrant(tmp_path / f"gml-{i}", "gml", {"queue_size": 100 + i}) for i in (1, 2)]
    begin(entrants, run).run()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gml-1", "gml-1-teacher", "gml-2"]
    assert_equal(teacher_in(tmp_path / "gml-1"), teacher_in(tmp_path / "gml-2"))


@pytest.mark.parametrize("during, cut, saved", [("gml", 23, 20), ("gml", 7, None), ("logit_adjust", 17, 10)])
def test_a_killed_student_goes_on_exactly(
    start: Start,
    tmp_path: Path,
    whole: Path,
    during: str,
    cut: int,
    saved: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10 if saved else 1000)
    advance = Phase.advance

    def fatal(self: Phase, step: int) -> None:
        if (self.lanes[0].name, step) == (during, cut):
            raise Killed
        advance(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Phase, "advance", fatal)
        with pytest.raises(Killed):
            start("gml").run()
    student, teacher = (tmp_path / "runs" / name for name in ("gml", "gml-teacher"))
    assert Recording(student).status().state == "failed"
    if during == "gml" and saved:
        shutil.rmtree(teacher)  # its weights are in the student's
    before = None if not teacher.exists() else (teacher / "run.json").read_bytes()
    (outcome,) = resume([student]).run()
    assert (outcome.state, outcome.step) == ("finished", 40)
    assert Recording(student).metrics() == Recording(whole).metrics()
    one, two = (load_weights(path, 40).tensors["model"] for path in (whole, student))
    assert_equal(one, two)
    assert before is None or (teacher / "run.json").read_bytes() == before
    assert teacher.exists() == (before is not None), "a teacher that is not needed is not trained again"


def test_a_person_stops_the_student_while_its_teacher_trains_and_goes_on_later(
    start: Start, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student, teacher = (tmp_path / "runs" / name for name in ("gml", "gml-teacher"))
    advance = Phase.advance

    def ask(self: Phase, step: int) -> None:
        if (self.lanes[0].name, step) == ("logit_adjust", 5):
            send_request(student, "stop")
        advance(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Phase, "advance", ask)
        (outcome,) = start("gml").run()
    assert (outcome.state, outcome.reason, outcome.step) == ("finished", "stopped", 0)
    assert Recording(teacher).last().step < 10
    (outcome,) = resume([student]).run()
    assert (outcome.state, outcome.step) == ("finished", 40)
    assert Recording(teacher).last().step == 40
    assert Recording(student).metrics() == Recording(whole).metrics()


def test_a_pause_of_the_student_holds_its_teacher(
    start: Start, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student, teacher = (tmp_path / "runs" / name for name in ("gml", "gml-teacher"))
    seen: dict[str, Any] = {}

    def look() -> None:
        deadline = time.monotonic() + 60
        while Recording(student).status().state != "paused" and time.monotonic() < deadline:
            time.sleep(0.01)
        before = Recording(teacher).metrics()
        time.sleep(0.2)
        seen["still"] = 5 <= len(before) < 10 and Recording(teacher).metrics() == before
        seen["states"] = [Recording(path).status().state for path in (student, teacher)]
        send_request(student, "resume")

    watcher, advance = threading.Thread(target=look), Phase.advance

    def ask(self: Phase, step: int) -> None:
        if (self.lanes[0].name, step) == ("logit_adjust", 5):
            send_request(student, "pause")
            watcher.start()
        advance(self, step)

    monkeypatch.setattr(Phase, "advance", ask)
    (outcome,) = start("gml").run()
    watcher.join()
    assert seen == {"still": True, "states": ["paused", "paused"]}
    assert (outcome.state, outcome.step) == ("finished", 40)
    seconds = [frame.seconds for frame in Recording(student).since(None)]
    assert min(seconds) >= 0 and seconds == sorted(seconds), "the pause is taken off once"
    assert Recording(student).metrics() == Recording(whole).metrics()


def test_students_that_stop_while_paused_take_their_teacher_with_them(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student, teacher = (tmp_path / "runs" / name for name in ("gml", "gml-teacher"))
    advance = Phase.advance

    def ask(self: Phase, step: int) -> None:
        if (self.lanes[0].name, step) == ("logit_adjust", 5):
            send_request(teacher, "pause")  # of any run of a race
            threading.Timer(0.1, lambda: send_request(student, "stop")).start()
        advance(self, step)

    monkeypatch.setattr(Phase, "advance", ask)
    (outcome,) = start("gml").run()
    assert (outcome.state, outcome.reason, outcome.step) == ("finished", "stopped", 0)
    assert Recording(teacher).status().reason == "stopped"
    told = [event["kind"] for frame in Recording(teacher).since(None) for event in frame.events]
    assert told == ["pause", "resume", "stopped"]


def test_two_teachers_train_in_lock_step_and_each_teaches_its_own(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunSettings(steps=6, batch_size=8, max_per_class=30, imbalance_factor=10, probe_points=50)
    entrants = [Entrant(tmp_path / home / "gml", "gml") for home in ("one", "two")]
    race = begin(entrants, run)
    assert [lane.path for lane in race.teachers] == [tmp_path / home / "gml-teacher" for home in ("one", "two")]
    alone = [tmp_path / "one" / "gml-teacher", tmp_path / "two" / "gml"]
    steps, advance = [], Phase.advance

    def watch(self: Phase, step: int) -> None:
        steps.append((len(self.active), step))
        if steps[-1] == (2, 3) and len(steps) == 3:
            send_request(alone[0], "stop")  # its student has no teacher then; the other's goes on
        advance(self, step)

    monkeypatch.setattr(Phase, "advance", watch)
    outcomes = race.run()
    assert [outcome.state for outcome in outcomes] == ["failed", "finished"]
    assert "gml needs its teacher, which finished at step 3: stopped" in str(outcomes[0].reason)
    assert_equal(teacher_in(alone[1]), load_weights(alone[1].with_name("gml-teacher")).tensors["model"])
    assert steps == [(2, 1), (2, 2), (2, 3), (1, 4), (1, 5), (1, 6), *((1, step) for step in range(1, 7))]


def test_a_teacher_that_fails_ends_its_students_alone(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.method("gml"), "teacher_recipe", ("faulty", {"at": 7}))
    outcomes = {outcome.method: outcome for outcome in start("gml", "toy").run()}
    assert (outcomes["toy"].state, outcomes["toy"].step) == ("finished", 40)
    assert outcomes["gml"].state == "failed"
    reason = str(outcomes["gml"].reason)
    assert reason.startswith("gml needs its teacher, which failed at step 6: ") and "loss term 'pull' is nan" in reason


def test_a_finished_run_may_teach(start: Start, tmp_path: Path) -> None:
    start("toy", folder="home").run()
    start("gml", folder="home", settings={"teacher": "toy"}).run()
    student, teacher = (tmp_path / "home" / name for name in ("gml", "toy"))
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["gml", "toy"]
    assert_equal(teacher_in(student), load_weights(teacher).tensors["model"])
    assert Recording(student).info.config["teacher"] == {
        "run_id": "toy",
        "method": "toy",
        "settings": Recording(teacher).info.config["method"],
        "given": True,
    }


@pytest.mark.parametrize(
    "teacher, run, rule",
    [
        ("nobody", {}, "teacher must be first, none or the id of a finished run, got 'nobody'"),
        ("toy", {"dim": 5}, r"must share the student's dim \(5\), but toy has 3"),
        ("toy", {"seed": 1}, "must rank the classes as the student does"),
        ("half", {}, "must be a run that `ltviz train` has finished, but half is failed"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(
    start: Start, tmp_path: Path, teacher: str, run: dict[str, int], rule: str
) -> None:
    start("toy", folder="home").run()
    with pytest.raises(Killed):
        start("toy", folder="half", progress=kill).run()
    shutil.move(tmp_path / "half" / "toy", tmp_path / "home" / "half")
    with pytest.raises(ConfigError, match=rule):
        start("gml", folder="home", settings={"teacher": teacher}, **run)
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["half", "toy"]


def test_a_trained_teacher_is_used_again_and_another_run_is_not_overwritten(
    start: Start, tmp_path: Path, whole: Path
) -> None:
    teacher = whole.with_name("gml-teacher")
    shutil.rmtree(whole)
    stamp = (teacher / "run.json").stat().st_mtime_ns
    start("gml", folder="whole").run()
    assert (teacher / "run.json").stat().st_mtime_ns == stamp
    shutil.rmtree(whole)
    with pytest.raises(RecordingError, match="holds another run"):
        start("gml", folder="whole", seed=1)
    assert not whole.exists() and teacher.exists()


def test_the_folder_of_a_student_with_a_long_id_has_a_valid_id(tmp_path: Path) -> None:
    run = RunSettings(steps=1, batch_size=4, max_per_class=30, imbalance_factor=10, probe_points=20)
    begin([Entrant(tmp_path / ("a" * 64), "gml")], run).run()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a" * 56 + "-teacher", "a" * 64]


@pytest.mark.parametrize("told", [{"path": "/etc"}, {"run_id": "../toy", "method": "toy"}])
def test_a_tampered_teacher_is_refused(start: Start, whole: Path, told: dict[str, str]) -> None:
    path = whole / "run.json"
    held = json.loads(path.read_text())
    held["config"]["teacher"] = told
    path.write_text(json.dumps(held))
    shutil.rmtree(whole / "weights")
    shutil.rmtree(whole / "frames")
    with pytest.raises(RecordingError, match=r"config\.teacher in run.json must name"):
        resume([whole])
