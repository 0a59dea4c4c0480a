"""Forces in frames: those of the step that follows, at no cost to training; what-ifs with honest stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ltviz.data.inputs import HeldInputs
from ltviz.errors import ConfigError
from ltviz.methods import registry
from ltviz.methods.base import Batch, Method
from ltviz.methods.parts.forces import PARTS, TOTAL
from ltviz.methods.supcon import SupCon
from ltviz.metrics.agreement import LENT, STAND_INS
from ltviz.recording import Frame, Recording, send_request
from ltviz.training.catalogue import catalogue
from ltviz.training.forces import QUEUE, ForceMeter, parse_what_if
from ltviz.training.probe_set import ProbeSet
from ltviz.training.race import Race

Start = Callable[..., Race]
WATCHED = {"steps": 12, "max_fps": 1000.0, "watch_share": 0.95}
"""Every step has a frame."""


def frames(path: Path) -> list[Frame]:
    run = Recording(path)
    return [run.frame(step) for step in run.steps()]


def summed(parts: dict[str, np.ndarray]) -> np.ndarray:
    return np.sum([parts[name] for name in PARTS if name in parts], axis=0)


def test_a_frame_holds_forces_at_first_at_last_and_every_so_often(start: Start, tmp_path: Path) -> None:
    start("supcon", **WATCHED, forces_every=5).run()
    held = frames(tmp_path / "runs" / "supcon")
    assert [frame.step for frame in held if frame.forces] == [0, 5, 10, 12]
    for frame in held[::5]:
        parts = frame.forces["supcon"]
        assert all(part.shape == (10, 3) and part.dtype == np.float32 for part in parts.values())
        np.testing.assert_allclose(summed(parts), parts[TOTAL], rtol=1e-3, atol=1e-4)
        assert np.abs(parts[TOTAL]).max() > 1e-2
        assert frame.pulls is not None and frame.pulls.shape == (10, 10, 3) and frame.pulls.dtype == np.float32
        similar = sum(parts[part] for part in ("positives", "head", "medium", "tail"))
        np.testing.assert_allclose(frame.pulls.sum(1), similar, rtol=1e-3, atol=1e-4)
        assert np.abs(frame.pulls[~np.eye(10, dtype=bool)]).max() > 1e-2, "classes push one another"
    start("supcon", folder="never", **WATCHED, forces_every=0).run()
    assert not any(frame.forces for frame in frames(tmp_path / "never" / "supcon"))


@pytest.mark.parametrize("name", ["toy", "supcon", "bcl", "kcl", "gml", "proco", "ce"])
def test_the_force_of_a_frame_is_what_the_next_step_exerts(start: Start, tmp_path: Path, name: str) -> None:
    """With its batch, augmentations, dropout and drawn positives: caught in the step itself."""
    settings = {"teacher": "none"} if name == "gml" else {}
    race = start(name, **WATCHED, forces_every=1, settings=settings)
    (lane,) = race.lanes
    method, train, caught = lane.method, lane.train, {}

    def watched(batch: Batch) -> None:
        given: list[Tensor] = []
        hook = method.head.register_forward_hook(lambda head, inputs, h: h.retain_grad() or given.append(h))
        train(batch)
        hook.remove()
        (h,) = given
        assert h.grad is not None
        force = -len(h) * h.detach().norm(dim=1, keepdim=True) * h.grad
        labels = batch.y.repeat(len(h) // len(batch.y))
        caught[batch.step] = {c: force[labels == c].mean(0).numpy() for c in labels.unique().tolist()}

    lane.train = watched  # type: ignore[method-assign]
    race.run()
    for frame in frames(tmp_path / "runs" / name)[:-1]:
        total = frame.forces[name][TOTAL]
        wanted = caught[frame.step + 1]
        for c in range(len(total)):
            np.testing.assert_allclose(total[c], wanted.get(c, np.zeros(3)), rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["toy", "supcon", "kcl", "tsc", "gml", "proco", "paco"])
def test_training_never_feels_that_forces_are_measured(start: Start, tmp_path: Path, name: str) -> None:
    settings = {"teacher": "none"} if name == "gml" else {}
    start(name, folder="plain", **WATCHED, forces_every=0, settings=settings).run()
    start(name, folder="measured", **WATCHED, forces_every=1, what_if="bcl,kcl,tsc", settings=settings).run()
    plain, measured = (Recording(tmp_path / folder / name) for folder in ("plain", "measured"))
    np.testing.assert_array_equal(plain.frame(12).embeddings, measured.frame(12).embeddings)
    assert [row["total"] for row in plain.metrics()] == [row["total"] for row in measured.metrics()]
    assert len(measured.frame(12).forces) >= 3


def test_lanes_of_a_race_do_not_disturb_each_other(start: Start, tmp_path: Path) -> None:
    start("kcl", folder="alone", **WATCHED, forces_every=1).run()
    start("supcon", "kcl", folder="together", **WATCHED, forces_every=1, what_if="supcon,kcl").run()
    alone, together = (Recording(tmp_path / folder / "kcl").frame(12) for folder in ("alone", "together"))
    np.testing.assert_array_equal(alone.embeddings, together.embeddings)
    assert together.forces.keys() == {"kcl", "supcon"}
    np.testing.assert_array_equal(alone.forces["kcl"][TOTAL], together.forces["kcl"][TOTAL])


def test_runs_with_several_labels_have_forces_too(start: Start, tmp_path: Path) -> None:
    start("bce", data="digits-ml", max_per_class=None, **WATCHED, forces_every=12).run()
    parts = Recording(tmp_path / "runs" / "bce").frame(12).forces["bce"]
    np.testing.assert_allclose(summed(parts), parts[TOTAL], rtol=1e-3, atol=1e-4)
    assert np.abs(parts["positives"]).max() > 1e-3


# ---------------------------------------------------------------------- what-if


def test_a_run_imagines_other_methods_on_its_own_embeddings(start: Start, tmp_path: Path) -> None:
    start("supcon", **WATCHED, forces_every=12, what_if="supcon, simclr,bcl,tsc,gml,proco,ce").run()
    forces = Recording(tmp_path / "runs" / "supcon").frame(12).forces
    assert forces.keys() == {"supcon", "simclr", "bcl", "tsc", "gml", "proco", "ce"}
    for parts in forces.values():
        np.testing.assert_allclose(summed(parts), parts[TOTAL], rtol=1e-3, atol=1e-4)
    assert "targets" in forces["tsc"] and "prior" in forces["gml"]
    # SimCLR and SupCon see the same views: to the one, other images of the class are negatives
    there = np.abs(forces["supcon"][TOTAL]).sum(1) > 0
    np.testing.assert_array_equal(there, np.abs(forces["simclr"][TOTAL]).sum(1) > 0)
    assert not np.allclose(forces["supcon"][TOTAL], forces["simclr"][TOTAL], atol=1e-3)


def test_stand_ins_are_made_of_the_runs_own_training_samples(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    race = start("supcon", **WATCHED)
    (lane,) = race.lanes
    probe = lane._observer.probe
    seen = lane._observer.observe(lane.method, 0).embeddings
    scene = lane._force_meter._scene(lane.method, race.batches.at(1), seen)
    train = probe.split == 0
    for c in range(10):
        mean = seen[train & (probe.labels == c)].mean(0)
        np.testing.assert_allclose(scene.means[c], mean, atol=1e-5)
        np.testing.assert_allclose(scene.centres[c], mean / np.linalg.norm(mean), atol=1e-4)
    stored = {tuple(row) for row in seen[train].round(4).tolist()}
    assert {tuple(row) for row in scene.queue.numpy().round(4).tolist()} <= stored
    share = torch.bincount(scene.queue_y, minlength=10) / QUEUE
    np.testing.assert_allclose(share, lane.method.counts / lane.method.counts.sum(), atol=0.06)
    lane.method.eval()
    with torch.no_grad():
        assert not torch.allclose(scene.z[:, 0], lane.method.embed(race.batches.at(1).view(0))), "not as in a step"
    torch.testing.assert_close(scene.z.norm(dim=2), torch.ones(16, 2))


def test_a_queue_of_stand_ins_needs_no_sample_of_every_class() -> None:
    labels = np.array([0, 0, 2, 1], dtype=np.int32)
    probe = ProbeSet(
        inputs=HeldInputs(np.zeros((4, 2, 2), np.float32)),
        labels=labels,
        split=np.array([0, 0, 0, 1], np.uint8),
        sample_ids=np.arange(4),
    )
    meter = ForceMeter(probe, torch.tensor([60.0, 20.0, 20.0]), seed=0)
    drawn = np.bincount(labels[np.flatnonzero(probe.split == 0)[meter._queue]], minlength=3) / QUEUE
    np.testing.assert_allclose(drawn, [0.75, 0, 0.25], atol=0.06)


@pytest.mark.parametrize(
    "text, several, says",
    [
        ("clip", False, "what_if must name methods among .*supcon.*, got 'clip'; try bcl,tsc"),
        ("bcl,no such", False, "got 'no such'"),
        ("ce", True, "what_if must be empty where samples have several labels.*got 'ce'"),
    ],
)
def test_names_that_cannot_be_imagined_are_refused_in_a_sentence(text: str, several: bool, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse_what_if(text, several_labels=several)
    assert "\n" not in str(caught.value)


def test_names_are_taken_once_and_in_order() -> None:
    assert parse_what_if(" tsc,bcl ,tsc,", several_labels=False) == ("tsc", "bcl")
    assert parse_what_if("", several_labels=True) == ()


def test_the_catalogue_says_who_can_be_imagined() -> None:
    told = {entry["name"]: entry["what_if"] for entry in catalogue()["methods"]}
    assert told["bcl"] and told["ce"] and not told["clip"] and not told["ltml"]


def test_a_race_with_a_wrong_name_writes_nothing(start: Start, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="got 'clip'"):
        start("supcon", what_if="clip")
    assert not (tmp_path / "runs").exists()


def test_what_is_measured_may_change_while_the_run_trains(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "supcon"

    def ask(step: int) -> None:
        if step == 4:
            send_request(path, "set", {"what_if": "bcl", "forces_every": 1})
        if step == 8:
            send_request(path, "set", {"what_if": "clip"})

    start("supcon", **WATCHED, forces_every=0, progress=ask).run()
    held = frames(path)
    assert [set(frame.forces) for frame in held] == [set()] * 5 + [{"supcon", "bcl"}] * 8
    events = [event for frame in held for event in frame.events]
    assert [(e["kind"], e["name"], e["step"]) for e in events] == [
        ("setting", "what_if", 5),
        ("setting", "forces_every", 5),
        ("refused", "what_if", 9),
    ]
    assert "got 'clip'" in events[-1]["message"]


# ---------------------------------------------------------------------- faults


class Torn(SupCon):
    """It cannot be rehearsed, but it trains."""

    def __deepcopy__(self, memo: dict[int, Any]) -> SupCon:
        raise IndexError("out of range")


class Burst(SupCon):
    """Its losses are NaN from the eighth step on."""

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        terms = super().losses(batch)
        return {**terms, "contrast": terms["contrast"] * (torch.nan if batch.step >= 8 else 1)}


@pytest.mark.parametrize("kind, forced, last", [(Torn, [], 12), (Burst, list(range(7)), 7)])
def test_a_fault_costs_the_forces_and_no_frame(
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: type[Method],
    forced: list[int],
    last: int,
) -> None:
    real = registry.method
    monkeypatch.setattr(registry, "method", lambda name: kind if name == "odd" else real(name))
    (outcome,) = start("odd", **WATCHED, forces_every=1).run()
    held = frames(tmp_path / "runs" / "odd")
    assert [frame.step for frame in held] == list(range(last + 1))
    assert [frame.step for frame in held if frame.forces] == forced
    if kind is Torn:
        assert outcome.state == "finished" and "no forces at step 3: IndexError: out of range" in caplog.text
        kept = [part for record in caplog.records for part in record.args or ()]
        assert not any(isinstance(part, BaseException) for part in kept), "its frames would keep the memory"
    else:
        assert outcome.state == "failed" and "at step 8 of 12 because loss term 'contrast' is nan" in str(
            outcome.reason
        )


def test_a_large_batch_has_no_what_if_and_says_so(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ltviz.methods.parts.similarities.LARGEST", 40)
    start("supcon", **WATCHED, forces_every=12, what_if="bcl").run()
    forces: dict[str, Any] = Recording(tmp_path / "runs" / "supcon").frame(12).forces
    assert forces.keys() == {"supcon"} and forces["supcon"].keys() == {TOTAL}
    assert "no what-if of bcl, because forces hold a weight for each row and partner, at most 40" in caplog.text


# ---------------------------------------------------------------------- how far a what-if can be trusted


def test_a_run_says_how_far_its_what_if_is_its_own_force(start: Start, tmp_path: Path) -> None:
    """SupCon meets nothing but the batch: its what-if is its force. A read-out's directions are not its centres."""
    start("supcon", "ce", "bcl", **WATCHED, forces_every=5).run()
    found = {name: frames(tmp_path / "runs" / name) for name in ("supcon", "ce", "bcl")}
    for held in found.values():
        assert [frame.step for frame in held if STAND_INS in frame.metrics] == [0, 5, 10, 12]
    assert all(frame.metrics[STAND_INS] > 0.999 for frame in found["supcon"][::5])
    assert not any(LENT in frame.metrics for name in ("supcon", "bcl") for frame in found[name])
    assert all(frame.metrics[LENT] > frame.metrics[STAND_INS] for frame in found["ce"][::5])
    for frame in found["ce"][5::5]:  # at step 0 the read-out's directions mean nothing yet
        assert frame.metrics[LENT] > 0.9 > frame.metrics[STAND_INS]


@pytest.mark.parametrize("name", ["ce", "reweight", "logit_adjust"])
def test_a_read_out_lends_its_directions_to_a_what_if(start: Start, tmp_path: Path, name: str) -> None:
    start(name, **WATCHED, forces_every=4).run()
    held = [frame for frame in frames(tmp_path / "runs" / name) if frame.forces]
    assert np.median([frame.metrics[LENT] for frame in held]) > 0.9
