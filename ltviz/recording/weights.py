"""Saved weights: weights/<step>/ with one tensor file a group and state.json, made whole before it gets its name."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.files import inner_folder, make_folder, read_plain, sync_folder, unwritable, write_whole
from ltviz.recording.frame import check_step

MAX_STATE = 64 << 20
MAX_TENSORS = 8 << 30
_GROUP = re.compile(r"[a-z][a-z0-9_]{0,40}")
_STEP = re.compile(r"\d{1,9}")

log = logging.getLogger("ltviz")


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What was saved at `step`: `tensors` group -> name -> array, and `state`, plain JSON values."""

    step: int
    tensors: dict[str, dict[str, np.ndarray]]
    state: dict[str, Any]


def save_weights(
    run_path: str | os.PathLike[str],
    step: int,
    groups: Mapping[str, Mapping[str, np.ndarray]],
    state: Mapping[str, Any],
    *,
    keep: int = 3,
) -> Path:
    """Save tensors and state under weights/<step>/ and point LATEST at it; gives that folder.

    Args:
        groups: group ("model", "optimizer") -> tensor name -> array of any type that safetensors holds.
        state: JSON values: random states, the sampler's place, scalars of the optimiser.
        keep: how many saved steps stay; older ones are removed, 0 keeps all.

    Raises:
        DiskFull: no room; what was saved before is untouched.
        RecordingError: a state that is not JSON, a group name outside [a-z0-9_].

    >>> import tempfile
    >>> run = tempfile.mkdtemp()
    >>> save_weights(run, 100, {"model": {"scale": np.float32([2])}}, {"batches": 7}).name
    '100'
    >>> load_weights(run).state
    {'batches': 7}
    """
    step = check_step(step)
    if any(not _GROUP.fullmatch(name) for name in groups):
        raise RecordingError(f"Groups of weights must have names of a-z, 0-9 and _; got {sorted(groups)}.")
    try:
        text = json.dumps(dict(state))
    except (TypeError, ValueError) as error:
        raise RecordingError(f"The state saved with weights must be plain JSON values ({error}).") from error
    folder = inner_folder(Path(run_path), "weights")
    make_folder(folder)
    building = folder / f".{step}.{os.getpid()}.tmp"
    final = folder / str(step)
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        for name, arrays in groups.items():
            write_whole(
                building / f"{name}.safetensors",
                tensors.encode(arrays, {"kind": "weights", "step": str(step)}, most=MAX_TENSORS),
                sync=True,
            )
        envelope = {
            "format": tensors.FORMAT,
            "step": step,
            "groups": sorted(groups),
            "crc32": _crc(text),
            "state": text,
        }
        write_whole(building / "state.json", json.dumps(envelope).encode(), sync=True)
        if final.exists():
            shutil.rmtree(final)
        building.rename(final)
    except OSError as error:
        raise unwritable(error, final, 0) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    sync_folder(folder)
    write_whole(folder / "LATEST", str(step).encode(), sync=True)
    if keep > 0:
        for old in _saved_steps(folder)[:-keep]:
            shutil.rmtree(folder / str(old), ignore_errors=True)
    return final


def load_weights(run_path: str | os.PathLike[str], step: int | None = None) -> Weights:
    """The weights saved at `step`, by default the newest sound ones; damaged ones on the way there are logged.

    Raises RecordingError where none can be read.

    >>> import tempfile
    >>> run = tempfile.mkdtemp()
    >>> for step in (100, 200):
    ...     _ = save_weights(run, step, {"model": {"scale": np.float32([step])}}, {})
    >>> load_weights(run).tensors["model"]["scale"], load_weights(run, 100).step
    (array([200.], dtype=float32), 100)
    """
    folder = inner_folder(Path(run_path), "weights")
    if step is not None:
        return _load(folder, check_step(step))
    candidates = _saved_steps(folder)[::-1]
    for candidate in candidates:
        try:
            return _load(folder, candidate)
        except RecordingError as error:
            log.warning("%s", error)
    raise RecordingError(
        f"The run has no weights that can be read ({len(candidates)} saved, none sound), so it cannot go on; "
        f"train it anew ({run_path})."
    )


def _load(folder: Path, step: int) -> Weights:
    where = inner_folder(folder, str(step))
    try:
        envelope = json.loads(read_plain(where / "state.json", limit=MAX_STATE))
        text, names, version = envelope["state"], envelope["groups"], envelope["format"]
        if version > tensors.FORMAT:
            raise RecordingError(f"A newer ltviz wrote them (format {version}, this one reads up to {tensors.FORMAT}).")
        if envelope["crc32"] != _crc(text) or not all(_GROUP.fullmatch(name) for name in names):
            raise RecordingError("state.json does not match its checksum.")
        groups = {
            name: tensors.decode(read_plain(where / f"{name}.safetensors", limit=MAX_TENSORS))[0] for name in names
        }
        return Weights(step, groups, json.loads(text))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, RecordingError) as error:
        reason = error if isinstance(error, RecordingError) else type(error).__name__
        raise RecordingError(f"The weights of step {step} cannot be read: {reason} ({where})") from error


def _saved_steps(folder: Path) -> list[int]:
    try:
        with os.scandir(folder) as entries:
            return sorted(int(entry.name) for entry in entries if _STEP.fullmatch(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RecordingError(f"The weights cannot be looked into ({error.strerror}; {folder}).") from error


def _crc(text: str) -> int:
    return zlib.crc32(text.encode())
