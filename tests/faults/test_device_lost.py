"""A device that is gone is gone for the whole process: every lane ends at once, and says what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltviz.launch.worker import Worker
from ltviz.methods import registry
from ltviz.recording import Recording, load_weights
from ltviz.training.engine import device_lost, out_of_memory
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin

QUICK = {"steps": 12, "batch_size": 16, "max_per_class": 30, "imbalance_factor": 10, "probe_points": 60}
SAID = "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"


def race_that_loses_its_device(folder: Path, monkeypatch: pytest.MonkeyPatch, *, saved: bool):
    """A race of ce and supcon; the step after the fifth of supcon meets the fault, and whatever is asked later too."""
    monkeypatch.setattr("ltviz.training.phase.SAVE_STEPS", 4 if saved else 1000)
    dead: list[int] = []
    kind = registry.method("supcon")
    losses = kind.losses

    def failing(self, batch):
        if batch.step == 6:
            dead.append(batch.step)
            raise torch.AcceleratorError(SAID) if hasattr(torch, "AcceleratorError") else RuntimeError(SAID)
        return losses(self, batch)

    monkeypatch.setattr(kind, "losses", failing)
    names = ("ce", "supcon", "bcl")
    race = begin([Entrant(folder / name, name, {}) for name in names], RunSettings(**QUICK))  # type: ignore[arg-type]
    for lane in race.lanes:

        def is_sound(name: str = lane.name) -> bool:
            assert not dead, f"{name} asks a device that is gone"
            return True

        monkeypatch.setattr(lane._learner, "is_sound", is_sound)
    return race


@pytest.mark.parametrize("saved", [True, False])
def test_every_run_of_the_process_ends_and_says_what_is_kept(tmp_path, monkeypatch, saved):
    race = race_that_loses_its_device(tmp_path, monkeypatch, saved=saved)
    outcomes = race.run()
    assert race.lost_device and [outcome.state for outcome in outcomes] == ["failed"] * 3
    kept = "the weights of step 4 are kept" if saved else "no weights have been saved yet"
    for outcome in outcomes:
        status = Recording(outcome.path).status()
        assert status.state == "failed" and status.reason == outcome.reason and outcome.reason is not None
        assert "was lost at step 6" in outcome.reason and "device-side assert triggered)" in outcome.reason
        assert outcome.reason.endswith(kept) and "\n" not in outcome.reason and "resume" in outcome.reason
        assert Recording(outcome.path).bad_frames() == []
        if saved:
            assert load_weights(outcome.path).step == 4
    assert "supcon's part" in (outcomes[0].reason or "") and "supcon's part" not in (outcomes[1].reason or "")


@pytest.mark.parametrize("lost", [True, False])
def test_a_fault_in_the_steps_of_a_teacher_is_told_by_all_whom_it_concerns(tmp_path, monkeypatch, lost):
    """A device that is gone ends the whole race, the teacher's end only its student."""
    monkeypatch.setattr("ltviz.training.phase.SAVE_STEPS", 4)
    kind = registry.method("logit_adjust")
    losses = kind.losses

    def failing(self, batch):
        if batch.step == 6:
            raise RuntimeError(SAID if lost else "can't allocate memory: you tried to allocate 4096 bytes.")
        return losses(self, batch)

    monkeypatch.setattr(kind, "losses", failing)
    names = ("ce", "gml")
    race = begin([Entrant(tmp_path / name, name, {}) for name in names], RunSettings(**QUICK))  # type: ignore[arg-type]
    other, student = race.run()
    teacher = Recording(tmp_path / "gml-teacher").status()
    kept = load_weights(tmp_path / "gml-teacher").step
    assert race.lost_device == lost and kept == (4 if lost else 5)
    assert teacher.state == student.state == "failed" and f"the weights of step {kept} are kept" in teacher.reason
    if lost:
        assert other.state == "failed" and other.step == 0, "no step is tried on a device that is gone"
        assert other.reason == student.reason
        assert "was lost at step 6 in logit_adjust's part of the race (CUDA error" in (other.reason or "")
    else:
        assert (other.state, other.reason, other.step) == ("finished", None, 12)
        assert "needs its teacher, which failed at step 5: logit_adjust ran out of memory" in (student.reason or "")
        assert "resume gml-teacher first" in (student.reason or "")


def test_a_worker_without_a_device_takes_no_other_job(tmp_path, monkeypatch):
    from ltviz import launch

    race = race_that_loses_its_device(tmp_path, monkeypatch, saved=False)
    worker = Worker(tmp_path, "worker-one", lock=-1)
    monkeypatch.setattr(worker, "_begin", lambda job, entrants: race)
    worker.train(launch.Job(job_id="job", runs=(launch.JobRun(run_id="some-run", method="ce"),), run={}))
    assert worker.stop.asked


@pytest.mark.parametrize(
    "said, lost",
    [
        ("CUDA error: unspecified launch failure\nmore", True),
        ("CUDA error: an illegal memory access was encountered", True),
        ("CUDA error: uncorrectable ECC error encountered", True),
        ("HIP error: unspecified launch failure", True),
        ("CUDA error: invalid argument", False),
        ("CUDA error: out of memory", False),
        ("mat1 and mat2 shapes cannot be multiplied", False),
        ("a method of somebody says: unknown error", False),
    ],
)
def test_only_what_kills_the_context_is_a_lost_device(said, lost):
    found = device_lost(RuntimeError(said))
    assert found == (said.partition("\n")[0] if lost else None)
    assert (out_of_memory(RuntimeError(said)) is not None) == ("out of memory" in said)
    assert device_lost(ValueError(said)) is None
