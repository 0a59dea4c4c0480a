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
from ltviz.recording.files import inner_folder, read_plain, unwritable, write_whole
from ltviz.recording.frame import file_name, step_of
from ltviz.recording.lock import RunLock
from ltviz.recording.recording import MAX_INFO, MAX_STATUS, Recording
from ltviz.recording.tensors import MAX_ARRAYS
from ltviz.recording.weights import MAX_TENSORS

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
FIRST = ("run.json", "status.json")
"""Without these, and without frames, a folder is no run: they go first."""
LEFT_OUT = frozenset({"lock", "control"})
"""What is of this machine and this moment, and travels nowhere: who writes the run, and what the writer was asked."""
LONGEST = 100
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .,=()+@-]*")
_DEEPEST = 4
_LIMITS = {"run.json": MAX_INFO, "status.json": MAX_STATUS}


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


def own_files(run: Path) -> tuple[list[str], list[str]]:
    """The run's own files, run.json and status.json first, and what lies beside them: paths with forward slashes."""
    own, beside = [], []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        folder = inner_folder(run, inside) if inside else run
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            raise RecordingError(f"The run's folder cannot be looked into ({error.strerror}; {folder}).") from error
        for entry in entries:
            name = f"{inside}/{entry.name}" if inside else entry.name
            if name in LEFT_OUT or STRAY.fullmatch(entry.name):
                beside += [name] if name == "control" and any(Path(entry.path).iterdir()) else []
            elif not is_own(*_top(name)):
                beside.append(name)
            elif entry.is_symlink():
                raise RecordingError(f"'{name}' is a link; links inside a run folder are not followed ({run}).")
            elif entry.is_dir() and name.count("/") < _DEEPEST - 1 and name.partition("/")[0] in FOLDERS:
                waiting.append(name)
            elif entry.is_file() and is_own_file(name):
                own.append(name)
            else:
                beside.append(name)
    return sorted(own, key=lambda name: (name not in FIRST, name)), sorted(beside)


def _top(name: str) -> tuple[str, str]:
    """What `is_own` asks of a path: an entry of the run's folder, or of one of its own folders and that folder."""
    first, _, rest = name.partition("/")
    return (rest.partition("/")[0], first) if rest else (first, "")


def is_own_file(name: str) -> bool:
    """Whether a path below a run's folder is one of its own files, and nothing that leads elsewhere on any system."""
    parts = name.split("/")
    plain = len(parts) <= _DEEPEST and len(name) <= LONGEST and all(_PART.fullmatch(part) for part in parts)
    return plain and is_own(*_top(name)) and parts[0] not in LEFT_OUT and (len(parts) > 1) == (parts[0] in FOLDERS)


def most_bytes(name: str) -> int:
    """What the reader of a file takes at most."""
    return MAX_TENSORS if name.startswith("weights/") else _LIMITS.get(name, MAX_ARRAYS)


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
        for name in sorted(names, key=lambda name: (name not in FIRST, name)):
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
