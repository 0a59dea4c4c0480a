"""A training that changes on the way: what switches do, what is recorded of them, and that a resume crosses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.recording import Recording, load_weights
from ltviz.training import phase as phase_module
from ltviz.training.race import Race
from ltviz.training.start import resume

Start = Callable[..., Race]
SGD = {"optimizer": "sgd", "nesterov": True, "learning_rate": 0.05, "weight_decay": 5e-4}
SWITCHES = "0.5: renew, temperature=0.4; 0.75: pull_weight=0, learning_rate=0.01"


class Killed(BaseException):
    """Ends a training where it stands, as a crash would."""


def kill_at(step: int) -> Callable[[int], None]:
    def progress(now: int) -> None:
        if now == step:
            raise Killed

    return progress


def events(path: Path) -> list[dict[str, Any]]:
    return [event for frame in Recording(path).since(None) for event in frame.events]


def without_step(path: Path, step: int) -> list[dict[str, Any]]:
    return [row for row in Recording(path).metrics() if row["step"] <= step]


@pytest.mark.parametrize("run", [{}, SGD])
def test_a_switch_leaves_what_was_before_and_changes_what_follows(
    start: Start, tmp_path: Path, run: dict[str, Any]
) -> None:
    constant = {**run, "schedule": "constant"}
    start("toy", folder="plain", **constant).run()
    start("toy", folder="renewed", switches="0.5: renew", **constant).run()
    start("toy", folder="set", switches="0.5: pull_weight=0", **constant).run()
    plain, renewed, changed = (tmp_path / folder / "toy" for folder in ("plain", "renewed", "set"))
    for path in (renewed, changed):
        # the loss of step 21 is computed before the optimiser moves anything
        assert without_step(path, 20) == without_step(plain, 20)
        assert Recording(path).metrics()[22:] != Recording(plain).metrics()[22:]
    assert Recording(renewed).metrics()[20] == Recording(plain).metrics()[20], "only what the optimiser recalls is gone"
    before = Recording(changed).metrics()[20]
    assert before["total"] == before["classify"] != Recording(plain).metrics()[20]["total"]


def test_the_frames_and_run_json_tell_of_switches(start: Start, tmp_path: Path) -> None:
    start("toy", switches=SWITCHES).run()
    path = tmp_path / "runs" / "toy"
    assert events(path) == [
        {"kind": "renewed", "step": 21},
        {"kind": "setting", "name": "temperature", "value": 0.4, "before": 0.2, "step": 21},
        {"kind": "setting", "name": "pull_weight", "value": 0.0, "before": 1.0, "step": 31},
        {"kind": "setting", "name": "learning_rate", "value": 0.01, "before": 2e-3, "step": 31},
    ]
    assert Recording(path).config["run"]["switches"] == SWITCHES
    rates = [row["learning_rate"] for row in Recording(path).metrics()]
    assert rates[20] == rates[0] == 2e-3 and rates[30] > rates[29]


@pytest.mark.parametrize("run", [{}, SGD])
@pytest.mark.parametrize("cut, saved", [(20, 20), (21, 20), (24, None), (34, 30)])
def test_a_resume_crosses_switches_bit_for_bit(
    start: Start, tmp_path: Path, run: dict[str, Any], cut: int, saved: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10 if saved else 1000)
    start("toy", folder="whole", switches=SWITCHES, **run).run()
    with pytest.raises(Killed):
        start("toy", switches=SWITCHES, progress=kill_at(cut), **run).run()
    path, whole = tmp_path / "runs" / "toy", tmp_path / "whole" / "toy"
    resume([path]).run()
    assert Recording(path).metrics() == Recording(whole).metrics()
    one, two = load_weights(whole, 40), load_weights(path, 40)
    assert one.state == two.state
    for group, arrays in one.tensors.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, two.tensors[group][name], err_msg=f"{group} {name}")
    told = [(event["kind"], event.get("name"), event["step"]) for event in events(path)]
    assert told == [(event["kind"], event.get("name"), event["step"]) for event in events(whole)], "each is told once"


@pytest.mark.parametrize("name", ["tsc", "proco"])
def test_sgd_goes_on_exactly_with_queues_and_matchings(
    start: Start, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10)
    start(name, folder="whole", switches="0.5: renew", **SGD).run()
    with pytest.raises(Killed):
        start(name, switches="0.5: renew", progress=kill_at(24), **SGD).run()
    resume([tmp_path / "runs" / name]).run()
    assert Recording(tmp_path / "runs" / name).metrics() == Recording(tmp_path / "whole" / name).metrics()


def test_each_method_of_a_race_takes_what_it_knows(start: Start, tmp_path: Path) -> None:
    start("toy", "ce", switches="0.5: pull_weight=0").run()
    assert [event["name"] for event in events(tmp_path / "runs" / "toy")] == ["pull_weight"]
    assert events(tmp_path / "runs" / "ce") == []


def test_re_weighting_may_come_late(start: Start, tmp_path: Path) -> None:
    """As in LDAM-DRW: equal weights at first, those of the effective number from there on."""
    settings = {"weighting": "effective", "beta": 0.0}
    start("reweight", folder="late", settings=settings, switches="0.8: beta=0.9999").run()
    start("reweight", folder="never", settings=settings).run()
    late, never = (Recording(tmp_path / folder / "reweight").metrics() for folder in ("late", "never"))
    assert late[:32] == never[:32] and late[32:] != never[32:]


@pytest.mark.parametrize(
    "switches, said",
    [
        ("0.5: nothing=1", "switches must name settings that may change while a run trains, got nothing; try "),
        ("0.5: size=2", "got size; try "),
        ("0.5: temperature=99", "temperature must be less than or equal to 10, got 99"),
    ],
)
def test_a_switch_that_cannot_be_is_refused_before_anything_is_written(
    start: Start, tmp_path: Path, switches: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        start("toy", switches=switches)
    assert not (tmp_path / "runs").exists()


# ---------------------------------------------------------------------- epochs


def test_epochs_say_how_many_steps_there_are(start: Start, tmp_path: Path) -> None:
    (outcome,) = start("toy", epochs=2.5, batch_size=16).run()
    recording = Recording(tmp_path / "runs" / "toy")
    steps = round(2.5 * sum(recording.info.counts) / 16)
    assert outcome.step == steps == recording.info.total_steps == recording.config["run"]["steps"]
    assert recording.config["run"]["epochs"] == 2.5
    assert recording.frame(steps).epoch == pytest.approx(2.5, abs=0.5 * 16 / sum(recording.info.counts))


def test_epochs_count_samples_and_not_labels(start: Start, tmp_path: Path) -> None:
    (outcome,) = start("bce", data="digits-ml", epochs=1, batch_size=50).run()
    info = Recording(tmp_path / "runs" / "bce").info
    assert outcome.step < sum(info.counts) / 50 - 1, "a mosaic with two labels is one sample"


def test_the_teacher_trains_as_its_student_does(start: Start, tmp_path: Path) -> None:
    start("gml", steps=12, **SGD).run()
    held = Recording(tmp_path / "runs" / "gml-teacher").config["run"]
    assert held["optimizer"] == "sgd"
