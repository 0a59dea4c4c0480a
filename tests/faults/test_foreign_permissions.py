"""Folders and files of other people inside a home: every reader says so in a sentence of its own, none breaks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ltviz

CLOSED = {
    "own": {},
    "nothing": {"": 0o000},
    "names-only": {"": 0o744},
    "enter-only": {"": 0o711},
    "frames": {"frames": 0o000},
    "frame-names": {"frames": 0o744},
    "one-frame": {"frames/000000000.safetensors": 0o000},
    "description": {"run.json": 0o000},
    "probe": {"probe.safetensors": 0o000},
    "status": {"status.json": 0o000},
    "lock": {"lock": 0o000},
    "control": {"control": 0o000},
    "weights": {"weights": 0o000},
}
AS_A_STRANGER = """
import os, sys
import numpy.ma  # before the right to read where Python is installed may be given up
from pathlib import Path
import ltviz
from ltviz.errors import LtvizError
from ltviz.recording import Home, Recording, RunWriter, load_weights, mark_failed, send_request
from ltviz.recording.notes import delete_run, note_run, read_notes, tag_run

home = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)
raw = []

def attempt(what, act):
    try:
        return act()
    except LtvizError as error:
        assert "\\n" not in str(error), error
    except Exception as error:
        raw.append(f"{what}: {type(error).__name__}: {error}")

runs = Home(home)
attempt("list", runs.recordings)
assert "own" in [run.run_id for run in runs.recordings()]
for name in sorted(os.listdir(home)):
    run = Recording(home / name)
    for part in ("exists", "run_id", "info", "probe", "config", "attributes"):
        attempt(f"{name}.{part}", lambda: getattr(run, part))
    for part in ("status", "steps", "frame_files", "frame_metrics", "bad_frames", "metrics", "last"):
        attempt(f"{name}.{part}", getattr(run, part))
    for what, act in {
        "since": lambda: run.since(None),
        "frame": lambda: run.frame(0),
        "notes": lambda: read_notes(run.path),
        "weights": lambda: load_weights(run.path),
        "find": lambda: runs.find(name),
        "tag": lambda: tag_run(run.path, ["a"]),
        "note": lambda: note_run(run.path, "a"),
        "delete": lambda: delete_run(run.path),
        "ask": lambda: send_request(run.path, "stop"),
        "fail": lambda: mark_failed(run.path, "x"),
        "resume": lambda: RunWriter.resume(run.path),
        "record": lambda: ltviz.record(run.path, labels=[0, 1, 2]),
        "go on": lambda: ltviz.record(run.path, labels=[0, 1, 2], resume=True),
        "replace": lambda: ltviz.record(run.path, labels=[0, 1, 2], overwrite=True),
    }.items():
        attempt(f"{name}.{what}", act)
print("\\n".join(raw))
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions of this kind are those of POSIX")
@pytest.mark.skipif(os.name != "nt" and os.geteuid() != 0, reason="another user's folders take the right to be one")
def test_nothing_of_another_person_breaks_a_reader_or_escapes_as_an_error_that_is_not_ours(tmp_path: Path):
    reachable = [tmp_path, *tmp_path.parents]
    before = {folder: folder.stat().st_mode for folder in reachable}
    home = tmp_path / "home"
    home.mkdir()
    for name, modes in CLOSED.items():
        with ltviz.record(home / name, labels=[0, 1, 2]) as run:
            run.frame(0, embeddings=np.eye(3))
        (home / name / "weights").mkdir()
        (home / name / "metrics.jsonl").write_text('{"step": 0}\n')
        for inside, mode in modes.items():
            (home / name / inside).chmod(mode)
    try:
        for folder in reachable:
            folder.chmod(before[folder] | 0o055)
        done = subprocess.run(
            [sys.executable, "-c", AS_A_STRANGER, str(home)], capture_output=True, text=True, check=False
        )
    finally:
        for folder, mode in before.items():
            folder.chmod(mode)
        for name in CLOSED:
            (home / name).chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "", done.stdout
