"""A stranger's run folder: every sentence is ltviz's own, nothing outside the folder is read, nothing hangs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.errors import LtvizError, RecordingError
from ltviz.recording import Recording, list_runs, load_weights, save_weights, send_request, terms
from ltviz.recording import recording as module
from ltviz.recording.frame import Frame, encode_frame
from ltviz.recording.tensors import encode

Z = np.eye(3, dtype=np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with ltviz.record(tmp_path / "home" / "stranger", labels=[0, 1, 2]) as run:
        run.frame(0, embeddings=Z)
        run.frame(1, embeddings=Z)
    return run.path


def change(path: Path, **fields: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"run_id": "../../etc"},
        {"run_id": 7},
        {"num_classes": 10**30},
        {"num_classes": "3"},
        {"num_classes": True},
        {"dim": -1},
        {"dim": 10**12},
        {"class_names": "abc"},
        {"class_names": ["a", "b"]},
        {"class_names": ["a", "b", 3]},
        {"class_names": ["a", "b", "c" * 30_000]},
        {"counts": [1, 2, -3]},
        {"counts": [1, 2, 10**300]},
        {"created": "yesterday"},
        {"total_steps": 10**18},
        {"config": ["a"]},
        {"versions": {"ltviz": {"__class__": "os.system"}}},
        {"format": "1"},
        {"format": 10**9},
        {"method": ["os.system"]},
        {"title": "x" * 5000},
        {"imbalance_factor": 0},
        {"seed": 10**40},
    ],
)
def test_descriptions_that_lie_are_refused_in_one_sentence(folder, fields):
    change(folder / "run.json", **fields)
    with pytest.raises(RecordingError, match=r"run.json cannot be read: ") as refusal:
        _ = Recording(folder).info
    assert len(str(refusal.value)) < 600 and "\n" not in str(refusal.value)
    assert [seen.run_id for seen in list_runs(folder.parent)] == ["stranger"], "the list of runs still stands"


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b'{"created": NaN}', b"1e999999", b"9" * 100_000],
)
@pytest.mark.parametrize("name", ["run.json", "status.json"])
def test_json_that_is_none_is_refused(folder, name, data):
    (folder / name).write_bytes(data)
    seen = Recording(folder)
    if name == "run.json":
        with pytest.raises(RecordingError, match=r"run.json cannot be read"):
            _ = seen.info
    else:
        assert seen.status().state == "lost" and "cannot be read" in (seen.status().reason or "")


def test_markup_in_names_stays_text_and_code_stays_unread(folder):
    change(
        folder / "run.json",
        class_names=["<img src=x onerror=alert(1)>", "$$", "é🙂"],
        method="__import__('os').system('touch /tmp/never')",
        config={"method": {"_target_": "os.system", "__reduce__": ["os.system", "id"]}},
    )
    info = Recording(folder).info
    assert info.class_names[0] == "<img src=x onerror=alert(1)>"
    assert info.method == "__import__('os').system('touch /tmp/never')"
    assert info.config["method"] == {"_target_": "os.system", "__reduce__": ["os.system", "id"]}


@pytest.mark.parametrize("name", ["run.json", "status.json", "probe.safetensors", "metrics.jsonl"])
def test_files_beyond_all_measure_are_not_read(folder, name, monkeypatch):
    for cap in ("MAX_INFO", "MAX_STATUS", "MAX_ARRAYS"):
        assert getattr(module, cap) <= 1 << 30
    assert terms.MAX_METRICS <= 1 << 30
    with (folder / name).open("ab") as file:
        file.truncate(1 << 40)  # sparse: it takes no room
    monkeypatch.setattr(terms, "MAX_METRICS", 1 << 20)
    seen = Recording(folder)
    seen.status(), seen.metrics()
    assert [frame.step for frame in seen.since(-1)] == [0, 1]
    for what in ("info", "probe"):
        if name.startswith(("run", "probe")[what == "probe"]):
            with pytest.raises(RecordingError, match="at most"):
                getattr(seen, what)


def test_links_are_not_followed_out_of_the_folder(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text((folder / "run.json").read_text())
    outside = tmp_path / "outside"
    outside.mkdir()
    frame = (folder / "frames" / "000000000.safetensors").read_bytes()
    (tmp_path / "frame").write_bytes(frame)

    (folder / "run.json").unlink()
    (folder / "run.json").symlink_to(secret)
    (folder / "frames" / "000000000.safetensors").unlink()
    (folder / "frames" / "000000000.safetensors").symlink_to(tmp_path / "frame")
    seen = Recording(folder)
    with pytest.raises(RecordingError, match="It is a link"):
        _ = seen.info
    assert seen.steps() == [1]
    assert "It is a link" in seen.bad_frames()[0].reason

    (folder / "control").rmdir()
    (folder / "control").symlink_to(outside)
    with pytest.raises(RecordingError, match="'control' is a link"):
        send_request(folder, "stop")
    (folder / "weights").symlink_to(outside)
    with pytest.raises(RecordingError, match="'weights' is a link"):
        save_weights(folder, 1, {}, {})
    with pytest.raises(RecordingError, match="'weights' is a link"):
        load_weights(folder)
    assert list(outside.iterdir()) == []

    (folder / "frames").rename(tmp_path / "frames")
    (folder / "frames").symlink_to(tmp_path / "frames")
    with pytest.raises(RecordingError, match="'frames' is a link"):
        Recording(folder).steps()


def test_resuming_a_strangers_run_does_not_write_through_links(folder, tmp_path):
    from ltviz.recording import RunWriter

    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / "metrics.jsonl").symlink_to(victim)
    with RunWriter.resume(folder) as writer, pytest.raises(RecordingError, match=r"metrics.jsonl cannot be written"):
        writer.log(5, {"loss": 1.0})
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(victim)
    with pytest.raises(RecordingError, match="cannot be locked"):
        RunWriter.resume(folder)
    assert victim.read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no named pipes")
@pytest.mark.parametrize("name", ["run.json", "status.json", "probe.safetensors", "metrics.jsonl", "lock"])
def test_pipes_do_not_block_the_reader(folder, name):
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    seen = Recording(folder)
    for read in (seen.status, seen.steps, seen.bad_frames, seen.metrics, lambda: seen.info, lambda: seen.since(-1)):
        try:
            read()
        except LtvizError as error:
            assert "not a plain file" in str(error)


def bytes_of_frame(**changes: object) -> bytes:
    metadata = {"kind": "frame", "step": "0", "epoch": "0", "seconds": "0", "metrics": "{}", "events": "[]"}
    arrays: dict[str, np.ndarray] = {"embeddings": Z}
    for name, value in changes.items():
        if isinstance(value, np.ndarray):
            arrays[name.replace("__", ".")] = value
        else:
            metadata[name] = str(value)
    return encode(arrays, metadata)


@pytest.mark.parametrize(
    "changes",
    [
        {"embeddings": np.ones(3)},
        {"embeddings": np.ones((3, 1))},
        {"embeddings": np.ones((4, 3))},
        {"embeddings": np.full((3, 3), np.nan)},
        {"embeddings": np.zeros((0, 3))},
        {"target_index": np.array([5])},
        {"target_index": np.array([[0, 1]])},
        {"landmarks__targets": np.ones((2, 9))},
        {"landmarks__../x": np.ones((2, 3))},
        {"samples__prediction": np.array([1, 2])},
        {"samples__prediction": np.array([np.nan, 0, 0])},
        {"step": "7"},
        {"step": "-0"},
        {"step": "9" * 5000},
        {"kind": "probe"},
        {"epoch": "nan"},
        {"seconds": "inf"},
        {"seconds": "x"},
        {"metrics": '{"loss": "<script>"}'},
        {"metrics": '{"loss": 1e999}'},
        {"metrics": "[1]"},
        {"metrics": "9" * 9000},
        {"metrics": "[" * 100_000},
        {"events": '["x"]'},
        {"events": "{"},
    ],
)
def test_frames_with_sound_checksums_and_wrong_contents_are_bad_frames(folder, changes):
    path = folder / "frames" / "000000000.safetensors"
    path.write_bytes(bytes_of_frame(**changes))
    seen = Recording(folder)
    assert [frame.step for frame in seen.since(-1)] == [1]
    (bad,) = seen.bad_frames()
    assert bad.path == path and "\n" not in bad.reason
    assert 1 in seen.frame_metrics()
    with pytest.raises(RecordingError, match="cannot be read, others can"):
        seen.frame(0)


def test_labels_beyond_the_classes_are_not_believed(folder):
    labels = np.array([0, 1, 40_000], np.int32)
    arrays = {"labels": labels, "split": np.zeros(3, np.uint8), "sample_ids": np.arange(3)}
    (folder / "probe.safetensors").write_bytes(encode(arrays, {"kind": "probe"}))
    seen = Recording(folder)
    with pytest.raises(RecordingError, match=r"label 40000, run.json 3 classes"):
        _ = seen.probe
    assert seen.frame(0).labels.tolist() == [-1, -1, -1]


def test_ten_thousand_files_that_are_no_frames_are_stepped_over(folder):
    for index in range(2000):
        (folder / "frames" / f"junk-{index}").touch()
    (folder / "frames" / "000000005.safetensors").mkdir()
    seen = Recording(folder)
    assert seen.steps() == [0, 1]
    assert [bad.reason for bad in seen.bad_frames()] == ["It is not a plain file."]


def test_events_and_metrics_may_carry_any_text(folder):
    frame = Frame(
        step=2,
        labels=np.zeros(3),
        embeddings=Z,
        metrics={"</script>": 1.0},
        events=[{"kind": "\u2028"}],
    )
    (folder / "frames" / "000000002.safetensors").write_bytes(encode_frame(frame))
    assert Recording(folder).frame(2).metrics == {"</script>": 1.0}
