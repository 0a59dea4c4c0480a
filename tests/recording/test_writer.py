from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ltviz.errors import DiskFull, RecordingError, RunLocked
from ltviz.recording import Recording, RunInfo, RunWriter, mark_failed, writer
from ltviz.recording import probe as probe_module
from ltviz.recording.probe import make_thumbnails


def test_a_run_is_the_folder_that_was_promised(run, embeddings):
    names = {path.name for path in run.iterdir()}
    assert names == {"run.json", "probe.safetensors", "frames", "metrics.jsonl", "status.json", "control", "lock"}
    assert sorted(path.name for path in (run / "frames").iterdir()) == [
        "000000000.safetensors",
        "000000010.safetensors",
        "000000020.safetensors",
    ]
    description = json.loads((run / "run.json").read_text())
    assert description["method"] == "supcon" and description["fingerprints"] == {"weights": None, "batches": None}
    assert json.loads((run / "status.json").read_text())["state"] == "finished"


def test_the_probe_is_kept_with_its_pictures(create):
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    with create(split=[0, 0, 1, 0, 1, 1], sample_ids=[5, 4, 3, 2, 1, 0], images=images) as made:
        pass
    probe = Recording(made.path).probe
    assert probe.labels.tolist() == [0, 0, 0, 1, 1, 2] and probe.split.tolist() == [0, 0, 1, 0, 1, 1]
    assert probe.sample_ids.tolist() == [5, 4, 3, 2, 1, 0]
    np.testing.assert_array_equal(probe.thumbnails, images)


@pytest.mark.parametrize(
    ("images", "shape", "brightest"),
    [
        (np.ones((6, 28, 28)), (6, 28, 28), 255),
        (np.full((6, 3, 64, 64), 0.5, np.float32), (6, 32, 32, 3), 128),
        (np.full((6, 50, 70, 3), 200, np.uint8), (6, 16, 23, 3), 200),
        (np.full((6, 40, 40, 4), 200, np.uint8), (6, 20, 20, 3), 200),
        (np.linspace(-2, 2, 6 * 16).reshape(6, 4, 4), (6, 4, 4), 255),
        (np.ones((6, 1, 28, 28), bool), (6, 28, 28), 255),
    ],
)
def test_pictures_become_small(create, images, shape, brightest):
    with create(images=images) as made:
        assert made.probe.thumbnails.shape == shape
        assert made.probe.thumbnails.dtype == np.uint8 and made.probe.thumbnails.max() == brightest


RED_GREEN = np.zeros((6, 32, 32, 3), np.uint8)
RED_GREEN[..., 0], RED_GREEN[:, :16, :, 1], RED_GREEN[:, :, 20:, 2] = 250, 130, 7


@pytest.mark.parametrize(
    "images",
    [
        RED_GREEN,
        np.moveaxis(RED_GREEN, 3, 1),
        RED_GREEN / 255,
        np.moveaxis(RED_GREEN / np.float32(255), 3, 1),
        np.concatenate([RED_GREEN, RED_GREEN[..., :1] // 2], axis=3),
    ],
    ids=["bytes", "torch's order", "0 to 1", "0 to 1 in torch's order", "with opacity"],
)
def test_pictures_keep_their_colours(create, images):
    with create(images=images) as made:
        pass
    np.testing.assert_array_equal(Recording(made.path).probe.thumbnails, RED_GREEN)


def test_large_pictures_are_made_small_block_by_block_like_all_at_once(create, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (6, 65, 66, 3), dtype=np.uint8)
    whole = make_thumbnails(images, 6)
    expected = images[:, :63, :66].reshape(6, 21, 3, 22, 3, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(whole, expected, atol=0.5 + 1e-4)
    monkeypatch.setattr(probe_module, "_BLOCK", 2 * images[0].size)
    np.testing.assert_array_equal(make_thumbnails(images, 6), whole)


def test_pictures_of_many_samples_get_fewer_pixels():
    images = np.full((10, 32, 32, 3), 9, np.uint8)
    assert make_thumbnails(images, 10, most_bytes=10 * 16 * 16 * 3).shape == (10, 16, 16, 3)
    assert make_thumbnails(images, 10, most_bytes=1).shape == (10, 1, 1, 3), "and at least one"
    assert make_thumbnails(images, 10).shape == (10, 32, 32, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": [0, 1, 3]}, r"labels must lie in \[0, 3\).*got 0 to 3"),
        ({"labels": [0.5, 1.0]}, "whole numbers"),
        ({"labels": []}, "whole numbers"),
        ({"split": [0, 1, 3, 0, 0, 0]}, "split must be 0"),
        ({"sample_ids": [1]}, "sample_ids must be 6"),
        ({"images": np.zeros((5, 4, 4))}, "images must be 6 pictures"),
        ({"images": np.full((6, 4, 4), np.nan)}, "pixels are NaN"),
    ],
)
def test_what_does_not_fit_leaves_nothing_behind(create, tmp_path, given, message):
    with pytest.raises(RecordingError, match=message):
        create("deep/er/run", **given)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_a_run_begins_leaves_nothing_behind(create, tmp_path, monkeypatch):
    def write(path: Path, data: bytes, *, sync: bool = False) -> None:
        if path.name == "run.json":
            raise DiskFull("The disk is full.")
        path.write_bytes(data)

    monkeypatch.setattr(writer, "write_whole", write)
    with pytest.raises(DiskFull):
        create("deep/er/run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_a_run_is_refused_and_left_alone(create, run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"}
    with pytest.raises(RecordingError, match="already holds a run"):
        create()
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"} == before


def test_a_folder_with_other_things_in_it_keeps_them(create, tmp_path):
    (tmp_path / "test-run").mkdir()
    (tmp_path / "test-run" / "notes.txt").write_text("mine")
    with pytest.raises(RecordingError):
        create(labels=[99])
    assert [path.name for path in (tmp_path / "test-run").iterdir()] == ["notes.txt"]
    create().close()
    assert (tmp_path / "test-run" / "notes.txt").read_text() == "mine"


def test_a_path_that_is_a_file_is_refused(tmp_path, info):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be made"):
        RunWriter.create(tmp_path / "file", info, labels=[0])


def test_steps_must_grow(create, embeddings):
    with create() as made:
        made.frame(5, embeddings=embeddings(5))
        for step in (5, 4):
            with pytest.raises(RecordingError, match="Steps must grow"):
                made.frame(step, embeddings=embeddings(0))
    np.testing.assert_array_equal(Recording(made.path).frame(5).embeddings, embeddings(5))


def test_a_refused_frame_leaves_no_file(create, embeddings):
    with create() as made:
        with pytest.raises(RecordingError, match="NaN"):
            made.frame(0, embeddings=embeddings(0) * np.nan)
        assert list((made.path / "frames").iterdir()) == []
        made.frame(0, embeddings=embeddings(0))


def test_a_closed_run_takes_no_frame(create, embeddings):
    made = create()
    made.close()
    made.close()
    with pytest.raises(RecordingError, match="closed"):
        made.frame(0, embeddings=embeddings(0))


def test_the_callers_arrays_are_not_changed_and_not_kept(create, embeddings):
    z = embeddings(0)
    with create() as made:
        made.frame(0, embeddings=z)
        z[:] = 7
        made.frame(1, embeddings=embeddings(1).astype(np.float64)[::-1])
    np.testing.assert_array_equal(Recording(made.path).frame(0).embeddings, embeddings(0))
    np.testing.assert_array_equal(Recording(made.path).frame(1).embeddings, embeddings(1)[::-1])


def test_resuming_rewrites_nothing_and_goes_on(run, embeddings):
    before = {path: path.read_bytes() for path in (run / "frames").iterdir()}
    (run / "frames" / ".000000030.safetensors.1-2.tmp").write_bytes(b"half")
    with RunWriter.resume(run) as made:
        assert made.last_step == 20
        with pytest.raises(RecordingError, match="Steps must grow"):
            made.frame(20, embeddings=embeddings(1))
        made.frame(30, embeddings=embeddings(30))
    after = {path: path.read_bytes() for path in (run / "frames").iterdir()}
    assert {path: after[path] for path in before} == before
    assert len(after) == 4, "what a killed writer left half-made is gone"
    assert Recording(run).steps() == [0, 10, 20, 30]


def test_resuming_counts_seconds_on(create, embeddings):
    with create() as made:
        made.frame(0, embeddings=embeddings(0), seconds=100.0)
    with RunWriter.resume(made.path) as again:
        again.frame(1, embeddings=embeddings(1))
    assert 100.0 < Recording(made.path).frame(1).seconds < 110.0


def test_resuming_writes_over_a_frame_that_was_torn(run, embeddings):
    torn = run / "frames" / "000000020.safetensors"
    torn.write_bytes(torn.read_bytes()[:100])
    with RunWriter.resume(run) as made:
        assert made.last_step == 10
        made.frame(20, embeddings=embeddings(20))
    assert Recording(run).steps() == [0, 10, 20] and Recording(run).bad_frames() == []


def test_resuming_needs_a_run(tmp_path):
    with pytest.raises(RecordingError, match="no run to go on with"):
        RunWriter.resume(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_exception_is_the_reason_of_a_failed_run(create):
    with pytest.raises(ZeroDivisionError), create() as made:
        raise ZeroDivisionError("a loss\nwent wrong \udc80")
    status = Recording(made.path).status()
    assert (status.state, status.reason) == ("failed", "ZeroDivisionError: a loss went wrong ?")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(0)])
def test_a_person_who_stops_a_run_does_not_fail_it(create, stop):
    with pytest.raises(type(stop)), create() as made:
        raise stop
    status = Recording(made.path).status()
    assert (status.state, status.reason) == ("finished", "stopped")


def test_states_and_details_reach_the_reader(create):
    made = create()
    seen = Recording(made.path)
    assert seen.status().state == "starting"
    made.set_state("running", watch_share=0.05)
    made.set_state("paused", "disk full", needs_mb=3)
    status = seen.status()
    assert (status.state, status.reason) == ("paused", "disk full")
    assert status.details == {"watch_share": 0.05, "needs_mb": 3}
    assert (status.pid, status.step) == (os.getpid(), None)
    with pytest.raises(RecordingError, match="cannot be set"):
        made.set_state("dancing")
    made.close()
    assert seen.status().state == "finished"


def test_the_beat_goes_on_while_training_does_nothing(create, monkeypatch):
    monkeypatch.setattr(writer, "BEAT_SECONDS", 0.02)
    made = create()
    seen = Recording(made.path)
    first = seen.status().beat
    made._closed.wait(0.2)
    assert seen.status().beat > first
    made.close()


def test_a_second_writer_is_told_who_the_first_is(create):
    with create() as made:
        with pytest.raises(RunLocked, match=rf"already running \(pid {os.getpid()} on "):
            create()
        with pytest.raises(RunLocked):
            RunWriter.resume(made.path)
    RunWriter.resume(made.path).close()


def test_a_frame_is_on_the_disk_before_it_has_its_name(create, embeddings, monkeypatch):
    order: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace
    made = create()
    monkeypatch.setattr(os, "fsync", lambda descriptor: (order.append("sync"), real_sync(descriptor))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (order.append(Path(to).name), real_replace(self, to))[1])
    made.frame(0, embeddings=embeddings(0))
    names = [entry for entry in order if entry in ("sync", "000000000.safetensors")]
    assert names == ["sync", "000000000.safetensors", "sync"], "the file, its name, the folder"
    monkeypatch.undo()
    made.close()


def test_frames_in_quick_succession_share_a_sync(create, embeddings, monkeypatch):
    synced = []
    real = os.fsync
    made = create()
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), real(descriptor))[1])
    for step in range(20):
        made.frame(step, embeddings=embeddings(step))
    assert len(synced) <= 4, "one frame and its folder, perhaps one beat"
    made.close()
    assert len(synced) >= 20, "at the end all of them"


def test_loss_terms_are_one_object_a_line(create):
    with create() as made:
        made.log(0, {"loss": 1.5})
        made.log(1, {"loss": float("inf"), "other": np.float32(2)})
        with pytest.raises(RecordingError, match="named 'step'"):
            made.log(2, {"step": 1.0})
        with pytest.raises(RecordingError, match="must be numbers"):
            made.log(2, {"loss": "low"})
    lines = (made.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"step": 0, "loss": 1.5}, {"step": 1, "loss": None, "other": 2.0}]


def test_a_torn_line_stays_alone(run):
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 21, "lo')
    with RunWriter.resume(run) as made:
        made.log(30, {"loss": 3.0})
    assert [line["step"] for line in Recording(run).metrics()] == [0, 10, 20, 30]


def test_the_dimension_may_be_learnt_from_the_first_frame(tmp_path, info, embeddings):
    open_info = info.model_copy(update={"dim": None})
    with RunWriter.create(tmp_path / "run", open_info, labels=[0, 1, 2]) as made:
        made.frame(0, embeddings=embeddings(0, rows=3, dim=5))
        with pytest.raises(RecordingError, match="must have 5 columns"):
            made.frame(1, embeddings=embeddings(0, rows=3, dim=4))
    assert Recording(tmp_path / "run").info.dim == 5


def test_descriptions_must_agree_with_themselves(info):
    with pytest.raises(ValueError, match="class_names"):
        RunInfo.model_validate({**info.model_dump(), "num_classes": 4})


class TestMarkFailed:
    def test_a_run_that_never_came_gets_a_status(self, tmp_path):
        mark_failed(tmp_path / "run", "The worker\ndied.", log_tail="Killed\udc80")
        status = Recording(tmp_path / "run").status()
        assert (status.state, status.reason, status.details) == ("failed", "The worker died.", {"log_tail": "Killed?"})

    def test_such_a_folder_may_still_become_a_run(self, create, embeddings, tmp_path):
        mark_failed(tmp_path / "test-run", "The worker died.")
        with create() as made:
            made.frame(0, embeddings=embeddings(0))
        assert Recording(made.path).status().state == "finished"

    def test_a_living_writer_is_not_declared_dead(self, create):
        with create() as made, pytest.raises(RunLocked):
            mark_failed(made.path, "The worker died.")

    def test_a_finished_run_stays_finished(self, run):
        mark_failed(run, "The worker died.")
        assert Recording(run).status().state == "finished"
