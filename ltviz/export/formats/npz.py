"""One run as arrays for NumPy."""

from __future__ import annotations

import numpy as np

from ltviz.errors import RecordingError
from ltviz.export.formats import Wanted, Written, frames_of, only_run
from ltviz.recording import Frame
from ltviz.recording.files import whole_file

ABOUT = "one run as arrays for NumPy"
OUT = "ltviz-run.npz"


def write(wanted: Wanted) -> Written:
    """Arrays of F frames, N samples, D dimensions, C classes; nothing in it is pickled.

    embeddings (F, N, D) float32, or (N, D) of the one step that was asked for; labels (N,) int32, -1 without one;
    steps (F,) or () int64; class_names (C,) and counts (C,); split (N,) 0 train, 1 test, 2 validation; sample_ids (N,);
    present (F, N) bool where samples are absent in some frames; targets (F, K, D) and other landmarks where all frames
    have them, as "landmarks.<name>".
    """
    recording, left_out = only_run(wanted, "npz"), []
    frames = list(frames_of(recording, wanted.step, left_out))
    if not frames:
        raise RecordingError(f"{recording.run_id} has no frame that can be read ({recording.path}); choose another run")
    info, probe = recording.info, recording.probe
    arrays = {
        "embeddings": np.stack([frame.embeddings for frame in frames]),
        "steps": np.asarray([frame.step for frame in frames], np.int64),
        **_landmarks(frames),
    }
    if any(frame.present is not None for frame in frames):
        arrays["present"] = np.stack([_present(frame) for frame in frames])
    if wanted.step is not None:
        arrays = {name: array[0] for name, array in arrays.items()}
    arrays |= {
        "labels": probe.labels,
        "split": probe.split,
        "sample_ids": probe.sample_ids,
        "class_names": np.asarray(info.class_names, np.str_),
        "counts": np.asarray(info.counts, np.int64),
    }
    with whole_file(wanted.out) as path, path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return Written(used=1, told={"frames": len(frames)}, left_out=left_out)


def _present(frame: Frame) -> np.ndarray:
    return np.ones(len(frame.embeddings), bool) if frame.present is None else frame.present


def _landmarks(frames: list[Frame]) -> dict[str, np.ndarray]:
    found = {}
    for name, first in frames[0].landmarks.items():
        if all(name in frame.landmarks and frame.landmarks[name].shape == first.shape for frame in frames):
            found[f"landmarks.{name}"] = np.stack([frame.landmarks[name] for frame in frames])
    return found
