from __future__ import annotations

import json
import shutil
import time

import numpy as np
import pytest

from ltviz.errors import RecordingError
from ltviz.recording import Recording, list_runs, record
from ltviz.recording import recording as module


def test_frames_come_in_the_order_of_steps(run, embeddings):
    seen = Recording(run)
    assert seen.exists and seen.run_id == "test-run"
    assert seen.steps() == [0, 10, 20]
    assert [frame.step for frame in seen.since(-1)] == [0, 10, 20]
    assert [frame.step for frame in seen.since(None)] == [0, 10, 20]
    assert [frame.step for frame in seen.since(10)] == [20]
    assert seen.since(20) == []
    for frame in seen.since(-1):
        np.testing.assert_array_equal(frame.embeddings, embeddings(frame.step))
        assert frame.labels.tolist() == [0, 0, 0, 1, 1, 2]
    last = seen.last()
    assert last is not None and last.step == 20 and last.metrics == {"loss": 2.0}


def test_events_of_all_frames_come_from_the_headers_alone(tmp_path, monkeypatch):
    event = {"kind": "pause", "step": 3}
    with record(tmp_path / "run", labels=[0, 1, 1]) as run:
        for step in (1, 3, 5):
            run.frame(step, embeddings=np.eye(3), events=[event] if step == 3 else [])
    seen = Recording(tmp_path / "run")
    monkeypatch.setattr(Recording, "_load", None)
    assert seen.frame_events() == {3: [event]}
    (tmp_path / "run" / "frames" / "000000003.safetensors").unlink()
    assert seen.frame_events() == {}


def test_a_reader_follows_a_writer(create, embeddings):
    made = create()
    seen = Recording(made.path)
    assert seen.steps() == [] and seen.last() is None
    cursor, got = -1, []
    for step in range(5):
        made.frame(step, embeddings=embeddings(step))
        new = seen.since(cursor)
        got += [frame.step for frame in new]
        cursor = new[-1].step
        assert seen.status().step == step or seen.steps()[-1] == step
    assert got == [0, 1, 2, 3, 4]
    made.close()


def test_the_description_is_read_strictly(run):
    seen = Recording(run)
    assert seen.info.class_names == ["ant", "bee", "cat"] and seen.info.order.tolist() == [0, 1, 2]
    assert seen.config == {"run": {"seed": 0}, "method": {"temperature": 0.1}}
    (run / "run.json").write_text("{}")
    with pytest.raises(RecordingError, match=r"run.json cannot be read: Its field 'run_id'"):
        _ = seen.info


def test_a_description_that_was_replaced_is_read_again(run):
    seen = Recording(run)
    assert seen.info.title == ""
    fields = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(fields | {"title": "Another title"}))
    assert seen.info.title == "Another title"


def test_metrics_of_frames_come_from_their_headers(run, monkeypatch):
    monkeypatch.setattr(module, "decode_frame", None)
    seen = Recording(run)
    assert seen.frame_metrics() == {0: {"loss": 0.0}, 10: {"loss": 1.0}, 20: {"loss": 2.0}}


def test_headers_are_read_once(run, monkeypatch):
    seen = Recording(run)
    seen.steps()
    monkeypatch.setattr(module.tensors, "read_metadata", None)
    assert seen.steps() == [0, 10, 20] and len(seen.frame_metrics()) == 3


def test_a_bad_frame_is_counted_and_the_others_load(run):
    path = run / "frames" / "000000010.safetensors"
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    seen = Recording(run)
    assert [frame.step for frame in seen.since(-1)] == [0, 20]
    assert seen.steps() == [0, 20]
    assert seen.bad_frames() == [(path, "The tensor 'embeddings' does not match its checksum.")]
    with pytest.raises(RecordingError, match=r"frame of step 10 cannot be read, others can: The tensor 'embeddings'"):
        seen.frame(10)


def test_bad_frames_are_found_without_having_been_asked_for(run):
    path = run / "frames" / "000000010.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert [bad.path for bad in Recording(run).bad_frames()] == [path]


def test_a_frame_that_is_put_right_is_read_again(run):
    path = run / "frames" / "000000010.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    seen = Recording(run)
    assert seen.steps() == [0, 20]
    path.write_bytes(whole)
    assert seen.steps() == [0, 10, 20] and seen.bad_frames() == []


def test_stray_files_and_a_missing_description_are_no_bad_frames(run):
    (run / "frames" / ".000000030.safetensors.9-9.tmp").write_bytes(b"half")
    (run / "frames" / "000000030.tmp").write_bytes(b"half")
    (run / "run.json").unlink()
    seen = Recording(run)
    assert seen.steps() == [0, 10, 20] and len(seen.since(-1)) == 3 and seen.bad_frames() == []
    with pytest.raises(RecordingError, match=r"has no run.json"):
        _ = seen.config


def test_a_damaged_probe_costs_the_labels_only(run, embeddings):
    probe = run / "probe.safetensors"
    probe.write_bytes(probe.read_bytes()[:-1])
    seen = Recording(run)
    frame = seen.frame(10)
    np.testing.assert_array_equal(frame.embeddings, embeddings(10))
    assert set(frame.labels.tolist()) == {-1}
    assert [bad.path for bad in seen.bad_frames()] == [probe]


def test_loss_terms_are_read_as_they_come(run):
    seen = Recording(run)
    assert seen.metrics() == [{"step": 0, "loss": 0.0}, {"step": 10, "loss": 1.0}, {"step": 20, "loss": 2.0}]
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 30, "loss"')
        file.flush()
        assert len(seen.metrics()) == 3
        file.write(": 3.0}\nnot json\n[1]\n")
        file.flush()
        assert seen.metrics()[3:] == [{"step": 30, "loss": 3.0}]
    (run / "metrics.jsonl").write_text('{"step": 0, "loss": 9.0}\n')
    assert seen.metrics() == [{"step": 0, "loss": 9.0}], "a file that shrank is another file"


def test_a_missing_frame_has_its_sentence(run):
    with pytest.raises(RecordingError, match="no frame of step 11"):
        Recording(run).frame(11)


class TestStatus:
    def test_a_folder_that_is_not_there_yet(self, tmp_path):
        seen = Recording(tmp_path / "later")
        assert not seen.exists
        assert seen.status().state == "queued"
        assert seen.steps() == [] and seen.metrics() == [] and seen.bad_frames() == []

    def test_a_folder_that_was_deleted(self, run):
        seen = Recording(run)
        assert seen.status().state == "finished"
        shutil.rmtree(run)
        status = seen.status()
        assert status.state == "lost" and "deleted" in (status.reason or "")

    def test_a_folder_whose_status_is_gone(self, run):
        (run / "status.json").unlink()
        assert Recording(run).status().state == "lost"

    def test_a_status_that_cannot_be_read(self, run):
        (run / "status.json").write_bytes(b'{"state": "run')
        status = Recording(run).status()
        assert status.state == "lost" and "status.json cannot be read" in (status.reason or "")

    def test_an_active_state_without_a_writer_is_lost(self, run):
        fields = json.loads((run / "status.json").read_text())
        for state in ("starting", "running", "paused", "stopping"):
            (run / "status.json").write_text(json.dumps(fields | {"state": state, "beat": time.time()}))
            assert Recording(run).status().state == "lost"

    def test_a_writer_elsewhere_is_known_by_its_beat(self, run, monkeypatch):
        clock = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        fields = json.loads((run / "status.json").read_text()) | {"state": "running", "host": "elsewhere"}

        def beat(at: float) -> None:
            (run / "status.json").write_text(json.dumps(fields | {"beat": at}))

        now = time.time()
        seen = Recording(run)
        beat(now)
        assert seen.status().state == "running"
        clock[0] += 5
        assert seen.status().state == "running"
        clock[0] += 2
        assert seen.status().state == "lost", "no beat for 7 s"
        beat(now + 1)
        assert seen.status().state == "running", "it came back"
        beat(now - 3600)
        assert seen.status().state == "running", "its clock was set back; it lives all the same"

    def test_an_old_beat_from_elsewhere_is_lost_at_first_sight(self, run):
        fields = json.loads((run / "status.json").read_text())
        (run / "status.json").write_text(json.dumps(fields | {"state": "running", "host": "elsewhere", "beat": 1.0}))
        assert Recording(run).status().state == "lost"


def test_runs_are_listed_newest_first(create, tmp_path, info):
    for name, created in (("first-run", 10.0), ("third-run", 30.0), ("second-run", 20.0)):
        made = create(name)
        made.close()
        fields = json.loads((made.path / "run.json").read_text())
        (made.path / "run.json").write_text(json.dumps(fields | {"created": created}))
    (tmp_path / "empty-folder").mkdir()
    (tmp_path / "Not A Run").mkdir()
    (tmp_path / "linked-run").symlink_to(tmp_path / "first-run")
    (tmp_path / "broken-run").mkdir()
    (tmp_path / "broken-run" / "run.json").write_text("{")
    assert [seen.run_id for seen in list_runs(tmp_path)] == ["broken-run", "third-run", "second-run", "first-run"]
    assert list_runs(tmp_path / "missing") == []


def test_a_frame_that_a_look_at_the_folder_missed_is_not_passed_over(run, monkeypatch):
    looks = iter([[0, 20], [0, 10, 20, 30]])
    monkeypatch.setattr(Recording, "frame_files", lambda self: next(looks))
    assert [frame.step for frame in Recording(run).since(-1)] == [0, 10, 20]
