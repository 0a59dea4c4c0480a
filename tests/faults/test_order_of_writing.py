"""A power cut: what has its name is whole, because its bytes were on the disk before it got it, and the name after."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ltviz.recording import RunInfo, RunWriter, save_weights
from ltviz.recording import files as module

Z = np.eye(3, dtype=np.float32)


def test_bytes_are_brought_to_the_disk_before_their_name_and_the_folder_after(tmp_path: Path, monkeypatch):
    calls: list[tuple[str, str]] = []
    real_sync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        place = Path(f"/proc/self/fd/{descriptor}")
        calls.append(("sync", str(place.readlink()) if place.is_symlink() else ""))
        real_sync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        calls.append(("name", str(path)))
        return real_replace(path, target)

    monkeypatch.setattr(module.os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    module.write_whole(tmp_path / "file", b"data", sync=True)
    assert [kind for kind, _ in calls] == ["sync", "name", "sync"]
    if calls[0][1]:
        assert calls[0][1] == calls[1][1] and calls[2][1] == str(tmp_path)


def test_what_a_training_needs_to_go_on_is_synced_and_a_frame_is_within_a_second(tmp_path: Path, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr("ltviz.recording.writer.sync_file", synced.append)
    info = RunInfo(run_id="one-run", created=0.0, dim=3, num_classes=1, class_names=["a"], counts=[3])
    whole: list[tuple[str, bool]] = []
    real = module.write_whole

    def write_whole(path: Path, data: bytes, *, sync: bool = False) -> None:
        whole.append((path.name, sync))
        real(path, data, sync=sync)

    for name in ("writer", "weights"):
        monkeypatch.setattr(f"ltviz.recording.{name}.write_whole", write_whole)
    with RunWriter.create(tmp_path / "one-run", info, labels=[0, 0, 0]) as writer:
        for step in range(3):
            writer.frame(step, embeddings=Z)
        save_weights(writer.path, 1, {"model": {"w": Z}}, {})
    kept = dict(whole)
    assert all(kept[name] for name in ("run.json", "probe.safetensors", "model.safetensors", "state.json", "LATEST"))
    left = {name for name, sync in whole if name.startswith("00") and not sync}
    assert left <= {path.name for path in synced}, "what was not synced by itself is synced at the end"
    assert ("status.json", True) in whole
