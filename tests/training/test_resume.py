"""A run that is interrupted and goes on is, bit for bit, the run that was never interrupted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltviz.errors import ConfigError, RecordingError, RunLocked
from ltviz.methods import registry
from ltviz.recording import Recording, RunWriter, load_weights, send_request
from ltviz.training import phase as phase_module
from ltviz.training.race import Race
from ltviz.training.start import resume

Start = Callable[..., Race]


class Killed(BaseException):
    """Ends a training where it stands, as a crash would."""


def kill_at(step: int) -> Callable[[int], None]:
    def progress(now: int) -> None:
        if now == step:
            raise Killed

    return progress


def assert_same_training(one: Path, two: Path, last: int = 40) -> None:
    """The same losses at every step, the same embeddings wherever both have a frame, the same weights at the end."""
    first, second = Recording(one), Recording(two)
    assert first.metrics() == second.metrics()
    assert [row["step"] for row in second.metrics()] == list(range(1, last + 1))
    shared = set(first.steps()) & set(second.steps())
    assert last in shared
    for step in shared:
        np.testing.assert_array_equal(first.frame(step).embeddings, second.frame(step).embeddings)
    trained, again = (load_weights(path, last) for path in (one, two))
    assert trained.state == again.state
    for group, arrays in trained.tensors.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, again.tensors[group][name], err_msg=f"{group} {name}")


@pytest.fixture
def whole(start: Start, tmp_path: Path) -> Path:
    start("toy", folder="whole").run()
    return tmp_path / "whole" / "toy"


@pytest.mark.parametrize("cut, saved", [(23, 20), (23, None), (20, 20), (1, None), (39, 30)])
def test_a_killed_run_goes_on_exactly(
    start: Start, tmp_path: Path, whole: Path, cut: int, saved: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10 if saved else 1000)
    path = tmp_path / "runs" / "toy"
    with pytest.raises(Killed):
        start("toy", progress=kill_at(cut)).run()
    assert (path / "weights" / "LATEST").exists() == (saved is not None)
    frames = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in (path / "frames").iterdir()}
    assert len(frames) >= cut // 2
    (outcome,) = resume([path]).run()
    assert (outcome.state, outcome.step) == ("finished", 40)
    assert_same_training(whole, path)
    assert all((file.stat().st_mtime_ns, file.read_bytes()) == before for file, before in frames.items())
    seconds = [frame.seconds for frame in Recording(path).since(None)]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("name", registry.methods())
def test_every_method_goes_on_exactly(start: Start, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queues, moving averages, matchings and the method's own rng state are all among what is saved."""
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10)
    data = "digits-ml" if registry.method(name).several_labels else "digits-lt"
    start(name, folder="whole", data=data).run()
    with pytest.raises(Killed):
        start(name, data=data, progress=kill_at(24)).run()
    resume([tmp_path / "runs" / name]).run()
    assert_same_training(tmp_path / "whole" / name, tmp_path / "runs" / name)


def test_a_stopped_run_goes_on_exactly(start: Start, tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "runs" / "toy"
    start("toy", progress=lambda step: send_request(path, "stop") if step == 17 else None).run()
    assert Recording(path).status().reason == "stopped"
    resume([path]).run()
    assert_same_training(whole, path)
    assert Recording(path).status().state == "finished" and Recording(path).status().reason is None


def test_several_interruptions_and_a_whole_race_go_on_exactly(
    start: Start, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 8)
    paths = [tmp_path / "runs" / name for name in ("toy", "twin")]
    with pytest.raises(Killed):
        start("toy", "twin", progress=kill_at(9)).run()
    for cut in (15, 31):
        with pytest.raises(Killed):
            resume(paths, progress=kill_at(cut)).run()
    resume(paths).run()
    for path in paths:
        assert_same_training(whole, path)


def test_runs_that_stopped_at_different_steps_meet_again(start: Start, tmp_path: Path, whole: Path) -> None:
    toy, twin = (tmp_path / "runs" / name for name in ("toy", "twin"))

    def stop(step: int) -> None:
        if step in (9, 25):
            send_request(toy if step == 9 else twin, "stop")

    start("toy", "twin", progress=stop).run()
    resume([toy, twin]).run()
    assert_same_training(whole, toy)
    assert_same_training(whole, twin)


def test_a_change_that_a_frame_tells_of_is_made_again(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came after the last saved weights; the frames know it, so the run that goes on makes it at its step."""
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10)

    def change(folder: str, cut: int | None) -> Callable[[int], None]:
        def progress(step: int) -> None:
            if step == 23:
                send_request(tmp_path / folder / "toy", "set", {"temperature": 0.7, "learning_rate": 0.005})
            if step == cut:
                raise Killed

        return progress

    start("toy", folder="changed", progress=change("changed", None)).run()
    with pytest.raises(Killed):
        start("toy", progress=change("runs", 28)).run()
    resume([tmp_path / "runs" / "toy"]).run()
    assert_same_training(tmp_path / "changed" / "toy", tmp_path / "runs" / "toy")


def test_the_data_folder_is_remembered_and_may_move(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run on files needs no variable to go on; where their folder is gone, the variable names the new one."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    rng = np.random.default_rng(0)
    for prefix, n in (("train", 60), ("t10k", 20)):
        images = rng.integers(0, 256, (n, 28, 28), np.uint8)
        head = bytes((0, 0, 8, 3)) + b"".join(side.to_bytes(4, "big") for side in images.shape)
        (old / f"{prefix}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        labels = bytes(range(10)) * (n // 10)
        (old / f"{prefix}-labels-idx1-ubyte").write_bytes(bytes((0, 0, 8, 1)) + n.to_bytes(4, "big") + labels)
    monkeypatch.setenv("LTVIZ_DATA", str(old))
    path = tmp_path / "runs" / "toy"
    with pytest.raises(Killed):
        start("toy", data="mnist-lt", max_per_class=6, progress=kill_at(5)).run()
    monkeypatch.delenv("LTVIZ_DATA")
    with pytest.raises(Killed):
        resume([path], progress=kill_at(9)).run()
    old.rename(new)
    monkeypatch.setenv("LTVIZ_DATA", str(new))
    assert resume([path]).run()[0].state == "finished"


def test_a_torn_last_line_of_losses_is_written_again(start: Start, tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "runs" / "toy"
    with pytest.raises(Killed):
        start("toy", progress=kill_at(12)).run()
    losses = path / "metrics.jsonl"
    losses.write_bytes(losses.read_bytes()[:-20])
    resume([path]).run()
    assert_same_training(whole, path)


def test_what_cannot_go_on_is_refused(start: Start, tmp_path: Path, whole: Path) -> None:
    with pytest.raises(RecordingError, match="has done all 40"):
        resume([whole])
    with pytest.raises(RecordingError, match=r"no run\.json"):
        resume([tmp_path])
    path = tmp_path / "runs" / "toy"
    with pytest.raises(Killed):
        start("toy", progress=kill_at(12)).run()
    other = tmp_path / "other" / "toy"
    with pytest.raises(Killed):
        start("toy", folder="other", progress=kill_at(12), batch_size=17).run()
    with pytest.raises(ConfigError, match="resume each alone"):
        resume([path, other])

    def second(step: int) -> None:
        if step == 20:
            with pytest.raises(RunLocked, match="already running"):
                resume([path])

    assert resume([path], progress=second).run()[0].state == "finished"


_REFUSED = r"samples it began with|other initial weights|dim must be|by a script|eight fixed copies"


@pytest.mark.parametrize("spoil", ["batches", "samples", "weights", "settings", "augmentation", "recorded by a script"])
def test_a_run_that_would_not_go_on_exactly_is_refused(start: Start, tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "runs" / "toy"
    with pytest.raises(Killed):
        start("toy", progress=kill_at(12)).run()
    told = json.loads((path / "run.json").read_text())
    if spoil == "batches":
        told["fingerprints"]["batches"] = "0" * 64
    elif spoil == "weights":
        told["fingerprints"]["weights"] = "0" * 64
    elif spoil == "settings":
        told["config"]["run"]["dim"] = 1
    elif spoil == "augmentation":
        del told["config"]["augmentation"]  # as in runs that saw eight fixed copies of each image
    elif spoil == "recorded by a script":
        told["method"] = None
    else:
        start("toy", folder="other", seed=1)
        shutil.copy(tmp_path / "other" / "toy" / "probe.safetensors", path / "probe.safetensors")
    (path / "run.json").write_text(json.dumps(told))
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != "lock"}
    with pytest.raises(RecordingError, match=_REFUSED):
        resume([path])
    assert {file: file.read_bytes() for file in before} == before


@pytest.mark.parametrize("spoil", ["weights", "of another method", "teacher"])
def test_a_race_that_cannot_go_on_leaves_every_folder_as_it_was(start: Start, tmp_path: Path, spoil: str) -> None:
    """What is wrong shows only once the folders are open; their status says what it said, and nobody holds them."""
    names = ("toy", "gml") if spoil == "teacher" else ("toy", "twin")
    paths = [tmp_path / "runs" / name for name in names]
    stop = {2: paths[0], 3: paths[1]}
    start(*names, progress=lambda step: send_request(stop[step], "stop") if step in stop else None).run()
    weights = paths[1] / "weights"
    if spoil == "weights":
        for file in weights.rglob("model.safetensors"):
            file.write_bytes(file.read_bytes()[:-9])
    elif spoil == "of another method":
        shutil.rmtree(weights)
        start("ce", folder="other", steps=3).run()
        shutil.copytree(tmp_path / "other" / "ce" / "weights", weights)
    else:
        shutil.rmtree(weights)
        teacher = paths[1].with_name("gml-teacher") / "run.json"
        teacher.write_text(teacher.read_text().replace('"steps": 40', '"steps": 41'))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.name != "lock"}
    with pytest.raises(RecordingError, match=r"none sound|names or shapes differ|holds another run"):
        resume(paths)
    after = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.name != "lock"}
    assert after.keys() == before.keys()
    assert [file.name for file in before if after[file] != before[file]] == []
    with RunWriter.resume(paths[0]):
        pass  # the lock was given back
