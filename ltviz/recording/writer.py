"""RunWriter: the one process that writes a run."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from ltviz.errors import RecordingError
from ltviz.recording.attributes import ATTRIBUTES, encode_attributes, make_attributes
from ltviz.recording.files import (
    Appender,
    inner_folder,
    is_there,
    make_folder,
    sync_file,
    sync_folder,
    unwritable,
    write_whole,
)
from ltviz.recording.frame import Frame, check_frame, check_step, encode_frame, file_name
from ltviz.recording.info import ACTIVE, MAX_DECLARED, RunInfo, State, Status
from ltviz.recording.keep import Keeper
from ltviz.recording.lock import RunLock
from ltviz.recording.older import undeclared
from ltviz.recording.own import cut_back, make_way, sweep
from ltviz.recording.probe import Probe, encode_probe, make_probe
from ltviz.recording.recording import MAX_INFO, Recording
from ltviz.recording.requests import Request, take_requests
from ltviz.recording.states import changed
from ltviz.recording.terms import MAX_LINE

BEAT_SECONDS = 1.0
SYNC_SECONDS = 1.5
"""A frame syncs itself where the last sync is so long ago; the beat comes earlier where frames are frequent."""
REQUEST_SECONDS = 0.05

log = logging.getLogger("ltviz")


class RunWriter:
    """Writes a run: `create` or `resume` it, then `frame` and `log`, then `close` (a `with` block does).

    A frame costs its encoding and one rename. Bytes are brought to the disk (fsync) at most once a second: by the
    frame itself where frames are rarer than that, else by the thread that also beats status.json once a second, so
    that training does not wait for the disk. A killed process loses nothing; a power cut loses at most the last
    second.

    >>> import tempfile
    >>> info = RunInfo(run_id="my-run", created=0.0, num_classes=2, class_names=["cat", "dog"], counts=[2, 1])
    >>> with RunWriter.create(f"{tempfile.mkdtemp()}/my-run", info, labels=[0, 0, 1]) as writer:
    ...     writer.frame(0, embeddings=[[1, 0, 0], [0, 1, 0], [0, 0, 1]], metrics={"loss": 0.5})
    >>> Recording(writer.path).frame_metrics()
    {0: {'loss': 0.5}}
    """

    def __init__(self, path: Path, info: RunInfo, probe: Probe, lock: RunLock, newest: tuple[int, float]) -> None:
        """Not for callers: use `create` or `resume`."""
        self.path = path
        self._pid = os.getpid()
        self.info = info
        self.probe = probe
        self.keeper = Keeper(path)
        self.last_step, self._seconds_before = newest
        self._lock = lock
        self._opened = time.monotonic()
        self._guard = threading.RLock()
        self._status = Status(state="starting", pid=os.getpid(), host=socket.gethostname()[:200], step=self._last())
        self._synced = -math.inf
        self._unsynced: list[Path] = []
        self._looked = -math.inf
        self._terms = Appender(path / "metrics.jsonl")
        self._closed = threading.Event()
        self._write_status()
        self._thread = threading.Thread(target=self._beat, name=f"ltviz-beat-{path.name}", daemon=True)
        self._thread.start()

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        info: RunInfo,
        *,
        labels: Any,
        split: Any = None,
        sample_ids: Any = None,
        images: Any = None,
        label_sets: Any = None,
        attributes: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> RunWriter:
        """Begin a run in the folder `path`, which is made; arrays as in `probe.make_probe`, `attributes` as in
        `attributes.make_attributes`.

        With `overwrite` a run that is there is deleted, once nothing is wrong with the new one; other files stay.

        Raises:
            RunLocked: another writer holds the run.
            RecordingError: the folder already holds a run or cannot be written, or an array does not fit.
                What was made is removed again.
            DiskFull: no room for the probe.
        """
        path = Path(path).absolute()
        probe = make_probe(
            labels,
            num_classes=info.num_classes,
            split=split,
            sample_ids=sample_ids,
            images=images,
            label_sets=label_sets,
        )
        known = make_attributes(attributes or {}, len(probe.labels))
        files = {"probe.safetensors": encode_probe(probe)}
        if known:
            files[ATTRIBUTES] = encode_attributes(known)
        files["run.json"] = _run_json(info)
        if overwrite:
            make_way(path)
        with contextlib.ExitStack() as undo:
            for folder in make_folder(path):
                undo.callback(_remove, folder)
            new_lock = not is_there(path / "lock")
            lock = RunLock.acquire(path / "lock")
            undo.callback(lock.release)
            if new_lock:
                undo.callback(_remove, path / "lock")
            if is_there(path / "run.json") or Recording(path).frame_files():
                raise RecordingError(
                    "The folder already holds a run; give another folder, go on with it (resume=True) or replace it "
                    f"(overwrite=True): {path}."
                )
            for name in ("frames", "control"):
                for folder in make_folder(inner_folder(path, name)):
                    undo.callback(_remove, folder)
            for name, data in files.items():
                undo.callback(_remove, path / name)
                write_whole(path / name, data, sync=True)
            new_status = not is_there(path / "status.json")
            if new_status:
                undo.callback(_remove, path / "status.json")
            writer = cls(path, info, probe, lock, (-1, 0.0))
            undo.pop_all()
        return writer

    @classmethod
    def resume(cls, path: str | os.PathLike[str], *, step: int | None = None) -> RunWriter:
        """Go on with the run in the folder `path`; `last_step` is its newest sound frame, -1 where it has none.

        No frame is rewritten: the next one must have a later step. What a killed writer left half-made is removed.
        With `step` the run is first cut back to it: frames and loss terms of later steps are deleted, the last ones
        first, and the frame of `step` itself may be written again.
        Raises RunLocked, and RecordingError where the run's description or probe cannot be read.
        """
        path = Path(path).absolute()
        recording = Recording(path)
        if not is_there(path / "run.json"):
            raise RecordingError(f"The folder holds no run to go on with; check the path ({path}).")
        with contextlib.ExitStack() as undo:
            lock = RunLock.acquire(path / "lock")
            undo.callback(lock.release)
            info, probe = recording.info, recording.probe
            for name in ("frames", "control"):
                folder = inner_folder(path, name)
                make_folder(folder)
                sweep(folder)
            if step is not None:
                cut_back(recording, check_step(step))
            newest = recording.last()
            last, seconds = (-1, 0.0) if newest is None else (newest.step, newest.seconds)
            writer = cls(path, info, probe, lock, (last - (last == step), seconds))
            undo.pop_all()
        return writer

    @property
    def seconds(self) -> float:
        """Seconds that this run has been written, over all its attempts; never falls, whatever the clock does."""
        return self._seconds_before + time.monotonic() - self._opened

    def frame(self, step: int, *, embeddings: Any, seconds: float | None = None, **values: Any) -> None:
        """`write` a frame of these values, which are fields of `Frame`; `seconds` are `self.seconds` by default."""
        self.write(
            Frame(
                step=step,
                embeddings=embeddings,
                labels=self.probe.labels,
                seconds=self.seconds if seconds is None else seconds,
                **values,
            )
        )

    def write(self, frame: Frame) -> None:
        """Write a frame, whose step must be later than the one before. Its arrays are not kept.

        When this returns, the frame outlives the process.

        Raises:
            RecordingError: a step that is not later, an array that does not fit or is not finite; nothing is written.
            DiskFull: no room; nothing is left, and the same frame may be tried again.
        """
        step = self.check_next(frame.step)
        frame = check_frame(replace(frame, step=step), num_classes=self.info.num_classes, dim=self.info.dim)
        data = encode_frame(frame)
        self._learn(frame)
        final = self.path / "frames" / file_name(step)
        now = time.monotonic()
        due = now - self._synced >= SYNC_SECONDS
        write_whole(final, data, sync=due)
        self.keeper.add(frame)
        with self._guard:
            if due:
                self._synced = now
            else:
                self._unsynced.append(final)
            self.last_step = step
            self._status = self._status.model_copy(update={"step": step})

    def check_next(self, step: Any, *, after: int = -1) -> int:
        """`step` as an int; RecordingError where no frame of it can be written now, or after the step `after`."""
        step = check_step(step)
        if self._closed.is_set():
            raise RecordingError(
                f"The run is closed, so the frame of step {step} cannot be written ({self.path}).",
                kind="a run that is closed",
            )
        self._check_process()
        after = max(after, self.last_step)
        if step <= after:
            raise RecordingError(
                f"Steps must grow and no frame is rewritten; got step {step} after step {after} ({self.path}).",
                kind="a step not later than the one before",
            )
        return step

    def log(self, step: int, terms: Mapping[str, float]) -> None:
        """Append the loss terms of one step to metrics.jsonl; a term that is not finite is written as null."""
        self._check_process()
        if "step" in terms:
            raise RecordingError("A loss term must not be named 'step'; give it another name.")
        try:
            numbers = {name: float(term) for name, term in terms.items()}
        except (TypeError, ValueError) as error:
            raise RecordingError(f"Loss terms at step {step} must be numbers ({error}).") from error
        finite = {name: number if math.isfinite(number) else None for name, number in numbers.items()}
        line = json.dumps({"step": check_step(step), **finite})
        if len(line) >= MAX_LINE:
            raise RecordingError(
                f"The loss terms of step {step} take {len(line):,} bytes, and no reader takes more than {MAX_LINE:,}; "
                "give fewer of them.",
                kind="more than a reader takes",
            )
        self._terms.append(line)

    def set_state(self, state: State, reason: str | None = None, **details: Any) -> None:
        """Say how the run is doing; `details` (JSON values) are added to those given before."""
        with self._guard:
            self._status = changed(self._status, state, reason, details)
            self._write_status()

    def note(self, reason: str | None = None, **details: Any) -> None:
        """As `set_state`, in the state it is in, and written with the next beat or on closing, so that a folder which
        cannot be written costs nothing here."""
        with self._guard:
            self._status = changed(self._status, self._status.state, reason or self._status.reason, details)

    def requests(self) -> list[Request]:
        """Requests that came in since the last call, oldest first. Cheap: the disk is looked at every 50 ms at most."""
        now = time.monotonic()
        if now - self._looked < REQUEST_SECONDS:
            return []
        self._looked = now
        return take_requests(self.path)

    def close(self) -> None:
        """Bring everything to the disk and give the lock back; a run still active is finished. Again: nothing."""
        if self._closed.is_set() or self.is_child:
            return
        self._closed.set()
        self._thread.join()
        self.keeper.work(at_once=True)
        try:
            self._sync()
            self._terms.close()
            with self._guard:
                if self._status.state in ACTIVE:
                    self._status = self._status.model_copy(update={"state": "finished"})
                self._write_status(sync=True)
        except OSError as error:
            raise unwritable(error, self.path / "status.json", 0) from error
        finally:
            self._lock.release()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        stopped = isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code in (None, 0))
        state, reason = ("finished", "stopped") if stopped else ("failed", f"{type(error).__name__}: {error}")
        try:
            self._status = changed(self._status, state, reason, {})
            self.close()
        except RecordingError as second:
            # The caller's own exception is on its way and says more.
            log.warning("The run could not be closed: %s", second)

    def _learn(self, frame: Frame) -> None:
        """Says in run.json what could not be known before this frame: the dimension, marks that nobody declared."""
        found = undeclared(self.info.marks, frame.marks, frame.landmarks)[: MAX_DECLARED - len(self.info.marks)]
        if self.info.dim is not None and not found:
            return
        marks = [*self.info.marks, *found]
        self.info = self.info.model_copy(update={"dim": frame.embeddings.shape[1], "marks": marks})
        write_whole(self.path / "run.json", _run_json(self.info))
        with self._guard:
            self._unsynced.append(self.path / "run.json")

    @property
    def is_child(self) -> bool:
        """Whether this is a process that was forked off the writer's: the run is not its own."""
        return os.getpid() != self._pid

    def _check_process(self) -> None:
        if self.is_child:
            raise RecordingError(
                f"The run is written by process {self._pid}, of which this one is a child; record there ({self.path}).",
                kind="a child of the writer's process",
            )

    def _last(self) -> int | None:
        return self.last_step if self.last_step >= 0 else None

    def _beat(self) -> None:
        healthy = True
        while not self._closed.wait(BEAT_SECONDS):
            try:
                self._lock.beat()
                with self._guard:
                    self._write_status()
                self._sync()
                self.keeper.work()
                healthy = True
            except (RecordingError, OSError) as error:
                # A beat that fails is no reason to end a training; the next frame tells its writer.
                if healthy:
                    log.warning("The run's status cannot be written for now: %s", error)
                healthy = False

    def _sync(self) -> None:
        with self._guard:
            waiting, self._unsynced = self._unsynced, []
            if waiting:
                self._synced = time.monotonic()
        try:
            for path in waiting:
                sync_file(path)
            for folder in {path.parent for path in waiting}:
                sync_folder(folder)
        except OSError:
            with self._guard:
                self._unsynced = waiting + self._unsynced
            raise

    def _write_status(self, *, sync: bool = False) -> None:
        if self.is_child:
            return
        self._status = self._status.model_copy(update={"beat": time.time()})
        write_whole(self.path / "status.json", self._status.model_dump_json().encode(), sync=sync)


def _run_json(info: RunInfo) -> bytes:
    data = (info.model_dump_json(indent=1) + "\n").encode()
    if len(data) > MAX_INFO:
        raise RecordingError(
            f"The description of the run takes {len(data):,} bytes, and no reader takes more than {MAX_INFO:,}; keep "
            "large settings in a file of your own.",
            kind="more than a reader takes",
        )
    return data


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.rmdir() if path.is_dir() else path.unlink()
