"""What in a run's folder is the run's own, and deleting it: somebody's other files may lie beside it, and stay."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from pathlib import Path

from ltviz.errors import RecordingError
from ltviz.recording.files import read_plain, unwritable, write_whole
from ltviz.recording.frame import file_name, step_of
from ltviz.recording.lock import RunLock
from ltviz.recording.recording import MAX_INFO, Recording

STRAY = re.compile(r"\..*\.tmp")
"""A file that a killed writer left half-made."""
FOLDERS = frozenset({"frames", "weights", "control", "projections", "damaged"})
_FILES = frozenset(
    {
        "run.json",
        "status.json",
        "probe.safetensors",
        "attributes.safetensors",
        "metrics.jsonl",
        "evaluation.json",
        "notes.json",
        "lock",
        "log.txt",
    }
)
_FIRST = ("run.json", "status.json")
"""Without these, and without frames, a folder is no run: they go first."""


def is_own(name: str, inside: str = "") -> bool:
    """Whether an entry of a run's folder, or of the folder `inside` it, is one that is written there.

    >>> is_own("run.json"), is_own("epoch_10.pt"), is_own("000000042.safetensors", "frames"), is_own("a.png", "frames")
    (True, False, True, False)
    """
    if STRAY.fullmatch(name):
        return True
    match inside:
        case "":
            return name in _FILES or name in FOLDERS
        case "frames":
            return step_of(name) is not None
        case "control":
            return name.endswith(".json")
        case "weights":
            return name == "LATEST" or name.isdecimal()
    return inside in ("projections", "damaged")


def strangers(run: Path, *, strays: bool = False) -> list[str]:
    """What else lies in a run's folder and in its own folders: paths below it, with forward slashes. With `strays` also
    what killed writers left half-made."""
    found = []
    for inside in ("", *sorted(FOLDERS)):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(run / inside) as entries:
            names = [entry.name for entry in entries]
            odd = [name for name in names if not is_own(name, inside) or (strays and STRAY.fullmatch(name))]
            found += [f"{inside}/{name}".strip("/") for name in odd]
    return sorted(found)


def foreign_folders(path: Path) -> list[str]:
    """Folders and links to folders in the folder of a run that are not the run's own, hidden ones too."""
    with os.scandir(path) as entries:
        return sorted(e.name for e in entries if e.name not in FOLDERS and (e.is_symlink() or e.is_dir()))


def remove_own(run: Path) -> None:
    """Delete the run in the folder `run`, and the folder where nothing else is in it. Its writer must be gone.

    What is the run's first leaves the folder, for one whose name is no run's, so that no reader ever sees half of it.

    Raises:
        RecordingError: it cannot be removed; or it is gone, but some of its files remain in the hidden folder.
    """
    hidden = run.with_name(f".deleted-{run.name[:40]}-{secrets.token_hex(4)}")
    try:
        if strangers(run):
            _move_own(run, hidden)
        else:
            run.rename(hidden)
    except OSError as error:
        raise RecordingError(f"The run cannot be deleted ({error.strerror}; {run}).") from error
    try:
        shutil.rmtree(hidden)
    except OSError as error:
        raise RecordingError(
            f"The run is deleted, but some of its files remain ({error.strerror}; {hidden})."
        ) from error


def _move_own(run: Path, hidden: Path) -> None:
    hidden.mkdir()
    for inside in ("", *sorted(FOLDERS)):
        folder = run / inside
        if inside and (folder.is_symlink() or not folder.is_dir()):
            continue
        names = [one.name for one in folder.iterdir() if is_own(one.name, inside)]
        names = names if inside else [name for name in names if name not in FOLDERS]
        (hidden / inside).mkdir(exist_ok=True)
        for name in sorted(names, key=lambda name: (name not in _FIRST, name)):
            (folder / name).rename(hidden / inside / name)
        if inside:
            with contextlib.suppress(OSError):  # strangers' files are in it
                folder.rmdir()


def sweep(folder: Path) -> None:
    """Removes what a killed writer left half-made."""
    try:
        with os.scandir(folder) as entries:
            for name in [entry.name for entry in entries if STRAY.fullmatch(entry.name)]:
                with contextlib.suppress(OSError):
                    (folder / name).unlink()
    except OSError as error:
        raise RecordingError(f"'{folder.name}' cannot be looked into ({error.strerror}; {folder.parent}).") from error


def make_way(path: Path) -> None:
    """Delete the run in the folder, if there is one; RunLocked where it is being written."""
    if not Recording(path).exists:
        return
    lock = RunLock.acquire(path / "lock")
    try:
        remove_own(path.resolve())
    finally:
        lock.release()


def cut_back(recording: Recording, step: int) -> None:
    """Delete frames and loss terms of steps after `step`. What is left at any moment is a run that was cut less far."""
    try:
        for later in reversed(recording.frame_files()):
            if later > step:
                (recording.path / "frames" / file_name(later)).unlink()
    except OSError as error:
        raise unwritable(error, recording.path / "frames", 0) from error
    # A new run.json tells a viewer that the run is another one from now on, of which it knows no frame yet.
    write_whole(recording.path / "run.json", read_plain(recording.path / "run.json", limit=MAX_INFO))
    terms = recording.metrics()
    if any(line["step"] > step for line in terms):
        kept = (json.dumps(line) + "\n" for line in terms if line["step"] <= step)
        write_whole(recording.path / "metrics.jsonl", "".join(kept).encode())
