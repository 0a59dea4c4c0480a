"""A race: the same start and batches for all, frames of the same steps, requests obeyed, faults contained."""

from __future__ import annotations

import json
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from ltviz.data.batch import Batch
from ltviz.errors import DiskFull, RecordingError, RunLocked
from ltviz.recording import Frame, Recording, load_weights, send_request
from ltviz.training import phase as phase_module
from ltviz.training.race import Race

Start = Callable[..., Race]


def at_step(step: int, act: Callable[[], None]) -> Callable[[int], None]:
    """A progress function that acts once, after `step`."""
    return lambda now: act() if now == step else None


def test_all_methods_of_a_race_start_alike_and_see_the_same(start: Start, tmp_path: Path) -> None:
    outcomes = start("toy", "twin").run()
    assert [(o.state, o.reason, o.step) for o in outcomes] == [("finished", None, 40)] * 2
    toy, twin = (Recording(tmp_path / "runs" / name) for name in ("toy", "twin"))
    assert toy.info.fingerprints == twin.info.fingerprints and len(toy.info.fingerprints.weights or "") == 64
    assert toy.info.race == twin.info.race is not None
    np.testing.assert_array_equal(toy.probe.sample_ids, twin.probe.sample_ids)
    assert toy.steps() == twin.steps()
    np.testing.assert_array_equal(toy.frame(40).embeddings, twin.frame(40).embeddings)


def test_another_seed_is_another_start(start: Start) -> None:
    infos = [start("toy", folder=f"s{seed}", seed=seed).lanes[0].writer.info for seed in (0, 1)]
    assert infos[0].fingerprints.weights != infos[1].fingerprints.weights
    assert infos[0].fingerprints.batches != infos[1].fingerprints.batches


def test_a_method_learns_the_same_alone_and_in_a_race(start: Start, tmp_path: Path) -> None:
    """Neither dropout (torch's random numbers) nor the method's own ones are shared between lanes."""
    start("toy", folder="alone").run()
    start("twin", "toy", folder="together").run()
    alone, together = (Recording(tmp_path / folder / "toy") for folder in ("alone", "together"))
    np.testing.assert_array_equal(alone.frame(40).embeddings, together.frame(40).embeddings)


def test_a_frame_tells_all(start: Start, tmp_path: Path) -> None:
    start("toy").run()
    run = Recording(tmp_path / "runs" / "toy")
    steps = run.steps()
    assert steps[0] == 0 and steps[-1] == 40 and len(steps) >= 20
    frame, info, probe = run.frame(40), run.info, run.probe
    assert frame.embeddings.shape == (len(probe.labels), 3)
    np.testing.assert_allclose(np.linalg.norm(frame.embeddings, axis=1), 1, atol=1e-5)
    assert frame.landmarks["targets"].shape == (10, 3) and frame.target_index is not None
    assert frame.target_index.tolist() == [9, *range(9)]
    assert frame.samples["prediction"].shape == frame.samples["confidence"].shape == probe.labels.shape
    right = frame.samples["prediction"] == probe.labels
    accuracy = np.mean([right[(probe.split == 1) & (probe.labels == c)].mean() for c in range(10)])
    assert frame.metrics["accuracy_all"] == pytest.approx(accuracy, abs=1e-6)
    assert {"centre_sum", "min_centre_angle", "uniformity", "accuracy_few", "spread_tail"} <= frame.metrics.keys()
    assert frame.epoch == pytest.approx(40 * 16 / sum(info.counts))
    seconds = [run.frame(step).seconds for step in steps]
    assert seconds == sorted(seconds) and seconds[-1] > 0
    terms = run.metrics()
    assert [row["step"] for row in terms] == list(range(1, 41))
    assert {"classify", "pull", "total", "learning_rate"} <= terms[0].keys()
    assert terms[0]["learning_rate"] == pytest.approx(2e-3) and terms[-1]["learning_rate"] < 2e-5
    assert info.config["engine"]["why"].startswith("cpu") and info.config["run"]["steps"] == 40
    assert 0 < run.status().details["watch_share"] < 1


def test_training_lowers_the_loss_and_raises_accuracy(start: Start, tmp_path: Path) -> None:
    start("toy", steps=150).run()
    run = Recording(tmp_path / "runs" / "toy")
    losses = [row["classify"] for row in run.metrics()]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    assert run.frame(150).metrics["accuracy_all"] > run.frame(0).metrics["accuracy_all"] + 0.2


# ---------------------------------------------------------------------- requests


def test_stop_ends_one_run_with_a_frame_and_weights_and_the_others_go_on(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "toy"
    outcomes = start("toy", "twin", progress=at_step(11, lambda: send_request(path, "stop"))).run()
    assert [(o.state, o.reason, o.step) for o in outcomes] == [("finished", "stopped", 11), ("finished", None, 40)]
    run = Recording(path)
    assert run.status().state == "finished" and run.status().reason == "stopped"
    assert run.steps()[-1] == 11 and (path / "weights" / "11").is_dir()
    assert [event["kind"] for event in run.frame(11).events] == ["stopped"]


def test_pause_holds_the_whole_race_until_resume(start: Start, tmp_path: Path) -> None:
    toy, twin = tmp_path / "runs" / "toy", tmp_path / "runs" / "twin"
    seen: dict[str, object] = {}

    def look() -> None:
        deadline = time.monotonic() + 60
        while Recording(twin).status().state != "paused" and time.monotonic() < deadline:
            time.sleep(0.01)
        before = (toy / "metrics.jsonl").read_bytes()
        time.sleep(0.2)
        seen["still"] = (toy / "metrics.jsonl").read_bytes() == before
        seen["states"] = [Recording(path).status().state for path in (toy, twin)]
        seen["reason"] = Recording(twin).status().reason
        send_request(twin, "resume")

    watcher = threading.Thread(target=look)

    def pause() -> None:
        send_request(toy, "pause")
        watcher.start()

    began = time.perf_counter()
    race = start("toy", "twin", progress=at_step(15, pause))
    outcomes = race.run()
    took = time.perf_counter() - began
    watcher.join()
    assert seen["still"] and seen["states"] == ["paused", "paused"] and "toy" in str(seen["reason"])
    assert [o.state for o in outcomes] == ["finished", "finished"]
    for path in (toy, twin):
        kinds = [event["kind"] for frame in Recording(path).since(None) for event in frame.events]
        assert kinds == ["pause", "resume"]
    assert outcomes[0].seconds < took - 0.2, "the pause is not counted"


def test_a_paused_race_can_be_changed_and_stopped(start: Start, tmp_path: Path) -> None:
    toy, twin = tmp_path / "runs" / "toy", tmp_path / "runs" / "twin"

    def ask() -> None:
        send_request(toy, "pause")
        threading.Timer(0.1, lambda: send_request(toy, "set", {"temperature": 0.5})).start()
        threading.Timer(0.2, lambda: send_request(toy, "stop")).start()
        threading.Timer(0.3, lambda: send_request(twin, "stop")).start()

    outcomes = start("toy", "twin", progress=at_step(5, ask)).run()
    assert [(o.state, o.reason, o.step) for o in outcomes] == [("finished", "stopped", 5)] * 2
    assert "setting" in [event["kind"] for event in Recording(toy).frame(5).events]


def test_a_change_is_written_into_the_frame_where_it_took_effect(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "toy"
    wanted = {"temperature": 0.4, "learning_rate": 0.01, "pull_weight": 0, "watch_share": 0.5}
    race = start("toy", "twin", progress=at_step(10, lambda: send_request(path, "set", wanted)))
    race.run()
    frames = Recording(path).since(None)
    told = [(frame.step, event) for frame in frames for event in frame.events]
    assert [event["name"] for _, event in told] == list(wanted) and {step for step, _ in told} == {12}
    assert told[0][1] == {"kind": "setting", "name": "temperature", "value": 0.4, "before": 0.2, "step": 11}
    rates = {row["step"]: row["learning_rate"] for row in Recording(path).metrics()}
    assert rates[11] / rates[10] == pytest.approx(5, rel=0.05)
    assert race.pacer.allowed == 0.5
    others = {row["step"]: row["learning_rate"] for row in Recording(tmp_path / "runs" / "twin").metrics()}
    assert others[11] < others[10], "a change concerns one run"


@pytest.mark.parametrize("at_the_start", [True, False])
def test_a_race_keeps_the_frames_that_its_rule_says(start: Start, tmp_path: Path, at_the_start: bool) -> None:
    path = tmp_path / "runs" / "toy"
    change = at_step(10, lambda: send_request(path, "set", {"keep": "1/h"}))
    start("toy", max_fps=1000.0, watch_share=0.9, **({"keep": "1/h"} if at_the_start else {"progress": change})).run()
    recording = Recording(path)
    told = {step: [event["value"] for event in events] for step, events in recording.frame_events().items()}
    assert list(told.values()) == ([] if at_the_start else [["1/h"]])
    assert recording.steps() == [0, *told, 40]


@pytest.mark.parametrize(
    "values, says",
    [
        ({"temperature": 0}, "temperature must be greater than 0, got 0; try 0.2"),
        ({"temperature": "warm"}, "temperature must be a valid number"),
        ({"learning_rate": 11}, "learning_rate must be less than or equal to 10"),
        ({"size": 4}, "size cannot change while a run trains"),
        ({"dim": 5}, "dim cannot change while a run trains"),
        ({"x" * 500: 1}, "x... cannot change while a run trains"),
    ],
)
def test_an_invalid_request_is_refused_and_told(start: Start, tmp_path: Path, values: dict, says: str) -> None:
    path = tmp_path / "runs" / "toy"
    (outcome,) = start("toy", progress=at_step(10, lambda: send_request(path, "set", values))).run()
    assert outcome.state == "finished"
    events = [event for frame in Recording(path).since(None) for event in frame.events]
    assert [event["kind"] for event in events] == ["refused"] and says in events[0]["message"]
    alike = start("toy", folder="untouched").run()[0]
    assert alike.metrics == outcome.metrics


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    "fault, says",
    [
        ("nan", "loss term 'pull' is nan"),
        ("inf", "loss term 'classify' is inf"),
        ("gradient", "gradient of loss term 'pull' is not finite"),
    ],
)
def test_a_step_that_is_not_finite_is_refused_before_weights_change(
    start: Start, tmp_path: Path, fault: str, says: str
) -> None:
    kept: dict[int, list[torch.Tensor]] = {}
    race = start(
        "faulty",
        "toy",
        settings={},
        progress=lambda step: kept.setdefault(step, [p.detach().clone() for p in method.parameters()]),
    )
    lane = race.lanes[0]
    method = lane.method
    method.settings = type(method).Settings(fault=fault, at=7)  # type: ignore[call-arg]
    faulty, toy = race.run()
    assert (faulty.state, toy.state) == ("failed", "finished") and toy.step == 40
    status = Recording(tmp_path / "runs" / "faulty").status()
    assert status.state == "failed" and status.reason is not None
    assert says in status.reason and "step 7 of 40" in status.reason and "learning rate 0.00" in status.reason
    assert all(torch.equal(now, before) for now, before in zip(method.parameters(), kept[6], strict=True))
    assert Recording(tmp_path / "runs" / "faulty").steps()[-1] == 6, "the last good frame is kept"


@pytest.mark.parametrize(
    "fault, says",
    [
        (
            "memory",
            "ran out of memory on cpu at step 7 (20.00 MiB were needed, 5.25 MiB were free); try batch size 2 "
            "instead of 16; the weights of step 6 are kept",
        ),
        ("bug", "failed at step 7 with IndexError: list index out of range; the weights of step 6 are kept"),
    ],
)
def test_a_method_that_breaks_ends_alone(start: Start, tmp_path: Path, fault: str, says: str) -> None:
    race = start("faulty", "toy")
    race.lanes[0].method.settings = type(race.lanes[0].method).Settings(fault=fault)  # type: ignore[call-arg]
    faulty, toy = race.run()
    assert (faulty.state, toy.state) == ("failed", "finished")

    assert says in (faulty.reason or "")


def test_what_a_failed_step_held_is_free_when_smaller_ones_are_measured(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    race = start("faulty")
    lane = race.lanes[0]
    lane.method.settings = type(lane.method).Settings(fault="memory")  # type: ignore[call-arg]
    held: list[weakref.ref[torch.Tensor]] = []
    alive: list[bool] = []
    losses = lane.method.losses

    def holding(batch: Batch) -> Mapping[str, torch.Tensor]:
        tensor = torch.ones(8)
        held.append(weakref.ref(tensor))
        return losses(batch)

    def fitting(size: int) -> tuple[int, float]:
        alive.extend(one() is not None for one in held)
        return size, 2.0**20

    monkeypatch.setattr(lane.method, "losses", holding)
    monkeypatch.setattr(lane, "fitting_batch", fitting)
    (outcome,) = race.run()
    assert alive and not any(alive)
    assert "; try a smaller encoder; the weights" in (outcome.reason or ""), "no smaller batch fits"


def test_a_full_disk_makes_the_race_wait_and_go_on(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "_RETRY", 0.05)
    race = start("toy", "twin")
    writer, path = race.lanes[0].writer, tmp_path / "runs" / "toy"
    write, told = writer.write, []

    def full(frame: Frame) -> None:
        if frame.step == 20 and len(told) < 3:
            told.append(Recording(path).status())
            raise DiskFull("the disk is full: the frame needs 0.1 MB")
        write(frame)

    monkeypatch.setattr(writer, "write", full)
    outcomes = race.run()
    assert [o.state for o in outcomes] == ["finished", "finished"]
    assert [status.state for status in told] == ["running", "paused", "paused"]
    assert "0.1 MB" in (told[-1].reason or "")
    assert Recording(path).steps() == Recording(tmp_path / "runs" / "twin").steps()
    assert Recording(path).status().state == "finished" and Recording(path).status().reason is None


def test_losses_that_found_no_room_are_written_later(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "_RETRY", 0.01)
    race, tries = start("toy"), []
    writer = race.lanes[0].writer
    log = writer.log

    def full(step: int, terms: dict[str, float]) -> None:
        tries.append(step)
        if step == 21 and tries.count(21) < 4:
            raise DiskFull("the disk is full")
        log(step, terms)

    monkeypatch.setattr(writer, "log", full)
    assert race.run()[0].state == "finished" and tries.count(21) == 4
    assert [row["step"] for row in Recording(tmp_path / "runs" / "toy").metrics()] == list(range(1, 41))


def test_a_stop_is_obeyed_while_the_disk_is_full(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase_module, "_RETRY", 0.05)
    race, path = start("toy"), tmp_path / "runs" / "toy"
    writer = race.lanes[0].writer
    write = writer.write

    def full(frame: Frame) -> None:
        if frame.step >= 10:
            send_request(path, "stop")
            raise DiskFull("the disk is full")
        write(frame)

    monkeypatch.setattr(writer, "write", full)
    (outcome,) = race.run()
    assert (outcome.state, outcome.reason, outcome.step) == ("finished", "stopped", 10)
    assert Recording(path).steps()[-1] == 8 and Recording(path).status().state == "finished"


def test_a_race_that_is_cut_off_leaves_no_run_behind_as_running(start: Start, tmp_path: Path) -> None:
    def cut() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start("toy", progress=at_step(9, cut)).run()
    status = Recording(tmp_path / "runs" / "toy").status()
    assert status.state == "failed" and "cut off at step 9" in (status.reason or "")


# ---------------------------------------------------------------------- folders


def test_a_folder_with_a_run_is_refused_and_nothing_of_the_race_is_left(start: Start, tmp_path: Path) -> None:
    start("twin").run()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RecordingError, match=r"has a run already.*--resume"):
        start("toy", "twin")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_writer_that_cannot_begin_takes_its_forerunners_with_it(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes the second folder after it was looked at: the first is removed, but not a file that was there."""
    (tmp_path / "runs" / "toy").mkdir(parents=True)
    (tmp_path / "runs" / "toy" / "notes.txt").write_text("mine")
    monkeypatch.setattr("ltviz.training.folders.check_free", lambda path: None)
    start("twin").run()
    with pytest.raises(RecordingError, match="already holds a run"):
        start("toy", "twin")
    assert [path.name for path in (tmp_path / "runs" / "toy").iterdir()] == ["notes.txt"]
    assert Recording(tmp_path / "runs" / "twin").status().state == "finished"


def test_a_second_trainer_is_turned_away_while_the_first_trains(start: Start, tmp_path: Path) -> None:
    def second() -> None:
        with pytest.raises(RunLocked, match="already running") as caught:
            start("toy")
        assert caught.value.exit_code == 3

    assert start("toy", progress=at_step(5, second)).run()[0].state == "finished"


def test_the_description_is_plain_json(start: Start, tmp_path: Path) -> None:
    start("toy")
    config = json.loads((tmp_path / "runs" / "toy" / "run.json").read_text())["config"]
    assert config["method"] == {"temperature": 0.2, "pull_weight": 1.0, "size": 3}


@pytest.mark.parametrize("fault", ["deleted", "a file for its requests", "a file for its frames"])
def test_a_run_that_is_taken_away_ends_alone(start: Start, tmp_path: Path, fault: str) -> None:
    runs = tmp_path / "runs"

    def take_away() -> None:
        if fault == "deleted":
            shutil.rmtree(runs / "toy")
            return
        place = runs / "toy" / ("control" if "requests" in fault else "frames")
        shutil.rmtree(place)
        place.write_text("no folder")

    toy, twin = start("toy", "twin", progress=at_step(10, take_away)).run()
    assert (twin.state, twin.reason, twin.step) == ("finished", None, 40)
    if "requests" in fault:  # nobody can ask for anything, which is no reason to end
        assert (toy.state, toy.step) == ("finished", 40)
    else:
        assert toy.state == "failed" and "cannot be written" in (toy.reason or "")
    assert Recording(runs / "twin").status().state == "finished"


def test_a_run_that_fails_keeps_what_its_reason_says(start: Start, tmp_path: Path) -> None:
    race = start("faulty")
    race.lanes[0].method.settings = type(race.lanes[0].method).Settings(fault="bug")  # type: ignore[call-arg]
    (faulty,) = race.run()
    assert "the weights of step 6 are kept" in (faulty.reason or "")
    assert load_weights(tmp_path / "runs" / "faulty").step == 6


def test_weights_that_are_not_finite_are_not_kept(start: Start, tmp_path: Path) -> None:
    race = start("faulty")
    method = race.lanes[0].method
    method.settings = type(method).Settings(fault="bug")  # type: ignore[call-arg]
    method.register_buffer("average", torch.tensor([float("nan")]))
    (faulty,) = race.run()
    assert "no weights have been saved yet" in (faulty.reason or "")
    assert not (tmp_path / "runs" / "faulty" / "weights" / "6").exists()


def test_a_full_disk_at_the_very_end_delays_it_and_the_run_is_finished(
    start: Start, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(phase_module, "_RETRY", 0.01)
    race = start("toy")
    writer, tries = race.lanes[0].writer, []
    real = writer.set_state

    def set_state(state, *args, **more):
        if state == "finished" and len(tries) < 3:
            tries.append(state)
            raise DiskFull("The disk is full")
        real(state, *args, **more)

    monkeypatch.setattr(writer, "set_state", set_state)
    (toy,) = race.run()
    assert len(tries) == 3 and toy.state == "finished"
    assert Recording(tmp_path / "runs" / "toy").status().state == "finished"


def test_a_closed_terminal_is_a_polite_stop_but_not_under_nohup() -> None:
    import os
    import signal

    from ltviz.training.stop import Stop

    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        stop = Stop()
        with stop.on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.asked
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        stop = Stop()
        with stop.on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGHUP, before)
