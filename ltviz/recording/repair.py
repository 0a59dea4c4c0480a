"""Checks a run folder whole. Nothing is lost: what does not hold is put aside, into `damaged/`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ltviz.errors import RecordingError
from ltviz.recording.evaluation import read_evaluation
from ltviz.recording.files import is_there, make_folder, read_plain, unwritable, write_whole
from ltviz.recording.info import parse_status
from ltviz.recording.lock import RunLock
from ltviz.recording.notes import read_notes
from ltviz.recording.own import STRAY, strangers
from ltviz.recording.recording import MAX_STATUS, Recording
from ltviz.recording.terms import MAX_LINE, MAX_METRICS
from ltviz.recording.weights import load_weights

DAMAGED = "damaged"


class Damage(NamedTuple):
    """Something in a run's folder that does not hold."""

    file: str
    """Below the run's folder, with forward slashes."""
    reason: str
    done: str
    """What was done about it, or is to be done by a person."""


def repair(path: Path) -> list[Damage]:
    """Checks every file of the run in the folder `path`; what is damaged is moved to `damaged/`, under its own name.

    Frames, weights, notes, status and evaluation are put aside, so that those who read pass over them in silence; loss
    terms are written again without the lines that cannot be read; what a killed writer left half-made is put aside too.
    Files of other people stay where they are. Without a sound run.json or probe nothing can be made up: that is said.

    Raises:
        RunLocked: somebody writes the run.
        RecordingError: there is no run, or its folder cannot be written.
    """
    recording = Recording(path)
    if not recording.exists:
        raise RecordingError(f"There is no run in this folder; `ltviz runs` lists those there are ({path}).")
    lock = RunLock.acquire(path / "lock")
    try:
        return list(_repair(recording))
    finally:
        lock.release()


def _repair(recording: Recording) -> Iterator[Damage]:
    path = recording.path
    for name, read in (("run.json", lambda: recording.info), ("probe.safetensors", lambda: recording.probe)):
        if (reason := _trouble(read)) is not None:
            yield Damage(name, reason, "copy it from another run of the same race or from a backup")
    for bad in recording.bad_frames():
        if bad.path.name != "probe.safetensors":
            yield _put_aside(path, bad.path.relative_to(path).as_posix(), bad.reason)
    checks: dict[str, Callable[[], object]] = {
        "status.json": lambda: parse_status(read_plain(path / "status.json", limit=MAX_STATUS)),
        "notes.json": lambda: read_notes(path),
        "evaluation.json": lambda: read_evaluation(path),
    }
    for name, read in checks.items():
        if is_there(path / name) and (reason := _trouble(read)) is not None:
            yield _put_aside(path, name, reason)
    yield from _weights(path)
    yield from _terms(path)
    for name in _strays(path):
        yield _put_aside(path, name, "A killed writer left it half-made.")


def _weights(path: Path) -> Iterator[Damage]:
    folder = path / "weights"
    if not folder.is_dir():
        return
    saved = sorted((entry for entry in folder.iterdir() if entry.name.isdecimal()), key=lambda entry: int(entry.name))
    sound = []
    for entry in saved:
        step = int(entry.name)
        if (reason := _trouble(lambda step=step: load_weights(path, step))) is None:
            sound.append(step)
        else:
            yield _put_aside(path, f"weights/{entry.name}", reason)
    latest = folder / "LATEST"
    told = latest.read_text(errors="replace").strip() if latest.is_file() else ""
    if sound and told != str(sound[-1]):
        write_whole(latest, str(sound[-1]).encode(), sync=True)
        yield Damage("weights/LATEST", f"It named '{told[:20]}', not the newest sound weights.", "written anew")


def _terms(path: Path) -> Iterator[Damage]:
    file = path / "metrics.jsonl"
    if not is_there(file):
        return
    data = read_plain(file, limit=MAX_METRICS)
    lines = [line for line in data.split(b"\n") if line]
    kept = [line for line in lines if _is_line(line)]
    if len(kept) < len(lines) or (data and not data.endswith(b"\n")):
        lost = len(lines) - len(kept)
        aside = _free(path, "metrics.jsonl")
        make_folder(aside.parent)
        write_whole(aside, data, sync=True)
        write_whole(file, b"".join(line + b"\n" for line in kept), sync=True)
        done = f"written anew without them; the file as it was is {aside.relative_to(path).as_posix()}"
        yield Damage("metrics.jsonl", f"{lost:,} of its lines cannot be read.", done)


def _is_line(text: bytes) -> bool:
    try:
        line = json.loads(text) if len(text) <= MAX_LINE else None
    except (ValueError, RecursionError):
        return False
    return isinstance(line, dict) and isinstance(line.get("step"), int)


def _strays(path: Path) -> list[str]:
    return [name for name in strangers(path, strays=True) if STRAY.fullmatch(name.rpartition("/")[2])]


def _trouble(read: Callable[[], object]) -> str | None:
    try:
        read()
    except (RecordingError, OSError, ValueError) as error:
        return str(error)
    return None


def _put_aside(path: Path, name: str, reason: str) -> Damage:
    aside = _free(path, name)
    make_folder(aside.parent)
    try:
        shutil.move(path / name, aside)
    except OSError as error:
        raise unwritable(error, aside, 0) from error
    return Damage(name, reason, f"moved to {aside.relative_to(path).as_posix()}")


def _free(path: Path, name: str) -> Path:
    """A name in `damaged/` that nothing has."""
    base, number = path / DAMAGED / name.replace("/", "-"), 0
    while is_there(aside := base if number == 0 else base.with_name(f"{number}-{base.name}")):
        number += 1
    return aside
