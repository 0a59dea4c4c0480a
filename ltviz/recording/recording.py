"""Recording: reads a run folder, never writes in it, never waits for its writer."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording import older, tensors
from ltviz.recording.attributes import ATTRIBUTES, Attribute, decode_attributes
from ltviz.recording.files import Identity, identity, inner_folder, is_there, open_plain, read_bytes, read_plain
from ltviz.recording.frame import Frame, decode_frame
from ltviz.recording.frame_index import FrameIndex
from ltviz.recording.info import ACTIVE, MAX_DECLARED, RunInfo, Status, parse_info, parse_status
from ltviz.recording.lock import STALE_SECONDS, is_held
from ltviz.recording.probe import Probe, decode_probe
from ltviz.recording.recorded_metrics import RecordedMetrics
from ltviz.recording.steps import Steps
from ltviz.recording.tensors import MAX_ARRAYS
from ltviz.recording.terms import PassingTerms, Terms

MAX_INFO = 32 << 20
MAX_STATUS = 4 << 20


class BadFrame(NamedTuple):
    """A file that was skipped, and one sentence why."""

    path: Path
    reason: str


class Recording:
    """The run in the folder `path`, which need not exist yet, may grow while it is read, and may be deleted.

    Bad files are skipped and counted (`bad_frames`), good ones after them still load. Objects are meant to be kept:
    steps and metrics that were read before are not read again.

    Args:
        run_id: what the run goes by in its home, which `ltviz.recording.home` knows.

    >>> import tempfile
    >>> from ltviz.recording import record
    >>> with record(tempfile.mkdtemp() + "/my-run", labels=[0, 0, 1]) as run:
    ...     run.frame(0, embeddings=np.eye(3), landmarks={"prototypes": np.eye(3)[:2]})
    >>> recording = Recording(run.path)
    >>> recording.status().state, recording.info.counts, [mark.title for mark in recording.info.marks]
    ('finished', [2, 1], ['Prototype'])
    >>> recording.last().embeddings.shape
    (3, 3)
    """

    def __init__(self, path: str | os.PathLike[str], *, run_id: str | None = None) -> None:
        self.path = Path(path)
        self._run_id = run_id
        self._guard = threading.RLock()
        self._frames = FrameIndex(self.path)
        self._info: tuple[Identity, RunInfo] | None = None
        self._probe: tuple[Identity, Probe] | None = None
        self._attributes: tuple[Identity, tuple[Attribute, ...]] = ((0, 0, 0), ())
        self._terms = Terms(self.path / "metrics.jsonl")
        self._passing = PassingTerms(self.path / "metrics.jsonl")
        self._beat: tuple[float, float] | None = None
        self._seen = False

    def __repr__(self) -> str:
        return f"Recording({str(self.path)!r})"

    @property
    def exists(self) -> bool:
        """Whether the folder holds a run, or the status of one."""
        return any(is_there(self.path / name) for name in ("run.json", "status.json", "frames"))

    @property
    def run_id(self) -> str:
        """What the run goes by, wherever it was made: its id in the home it was found in, else its folder's name."""
        return self._run_id or self.path.resolve().name

    @property
    def info(self) -> RunInfo:
        """run.json; RecordingError where it is missing, damaged or of a newer version."""
        with self._guard:
            found, data = self._read("run.json", MAX_INFO, self._info)
            if data is None:
                assert self._info is not None
                return self._info[1]
            info = self._parsed(parse_info, data, "run.json")
            if "marks" not in info.model_fields_set:
                names = self._tensor_names()
                info = info.model_copy(update={"marks": older.declare(names)[:MAX_DECLARED]})
                if not names:  # a frame that is to come will say what there is to see
                    return info
            self._info = (found, info)
            return info

    def _tensor_names(self) -> list[str]:
        """Names of the tensors in the newest frame whose header can be read; none without one."""
        for step in reversed(self.frame_files()):
            with contextlib.suppress(FileNotFoundError, RecordingError, ValueError, AttributeError):
                return list(json.loads(tensors.read_metadata(self._frames.path(step)).get("crc32", "")).keys())
        return []

    @property
    def config(self) -> dict[str, Any]:
        """The settings that the run was started with, as plain values; errors as in `info`."""
        return self.info.config

    @property
    def probe(self) -> Probe:
        """The samples of every frame; RecordingError where the file is missing or damaged."""
        with self._guard:
            found, data = self._read("probe.safetensors", MAX_ARRAYS, self._probe)
            if data is not None:
                # First: an error of run.json is not one of the probe.
                info = self.info if is_there(self.path / "run.json") else None
                decode = partial(_decode_probe, info=info)
                self._probe = (found, self._parsed(decode, data, "probe.safetensors"))
            assert self._probe is not None
            return self._probe[1]

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What else is known of the samples; RecordingError where the file is damaged."""
        with self._guard:
            if is_there(self.path / ATTRIBUTES):
                found, data = self._read(ATTRIBUTES, MAX_ARRAYS, self._attributes)
                if data is not None:
                    decode = partial(decode_attributes, count=len(self.probe.labels))
                    self._attributes = (found, self._parsed(decode, data, ATTRIBUTES))
            return self._attributes[1]

    def frame_files(self) -> list[int]:
        """Steps of all files named like frames, growing, sound or not: one look at the folder, nothing is opened.

        RecordingError where that folder is a link, or may not be looked into.
        """
        return list(self._frames.files())

    def steps(self) -> list[int]:
        """Steps of the frames that can be read, growing.

        One look at the folder, a second where it shows a new frame; the header of each new frame is checked, once.
        Damage inside its tensors shows in `frame`.
        """
        return list(self._index())

    def steps_within(self, seconds: float, *, lists: bool = True) -> tuple[Steps, bool]:
        """As `steps`, by one look and with so much time for new headers, the newest frame's first; and whether that was
        enough. Asked again, it goes on: a run of very many frames is shown before all of them have been looked at, and
        a frame between others may come later than they. Without `lists` only the next frames are looked for.
        """
        return self._frames.steps_within(seconds, lists=lists)

    def frame_metrics(self) -> RecordedMetrics:
        """step -> metrics of all frames that there are now, from the files' headers alone."""
        return self._index()

    def frame_events(self) -> dict[int, list[dict[str, Any]]]:
        """step -> events of all frames that have any, from the files' headers alone."""
        self._index()
        return {step: list(events) for step, events in self.known_events().items()}

    def known_events(self) -> Mapping[int, list[dict[str, Any]]]:
        """As `frame_events`, of the frames that have been looked at already; not to be changed. The same object as
        before where nothing has changed."""
        return self._frames.events()

    def frame(self, step: int) -> Frame:
        """The frame of `step`, every checksum compared; RecordingError where there is none, or where it is damaged."""
        path = self._frames.path(step)
        try:
            return self._load(step)
        except FileNotFoundError as error:
            raise RecordingError(f"The run has no frame of step {step}; see steps() ({path}).") from error
        except RecordingError as error:
            raise RecordingError(f"The frame of step {step} cannot be read, others can: {error} ({path})") from error

    def since(self, cursor: int | None) -> list[Frame]:
        """Frames with a step after `cursor`, growing; None or -1 gives all. Damaged ones are skipped and counted."""
        after = -1 if cursor is None else cursor
        frames = (self._try_load(step) for step in self._index() if step > after)
        return [frame for frame in frames if frame is not None]

    def last(self) -> Frame | None:
        """The newest frame that can be read; None where there is none."""
        frames = (self._try_load(step) for step in reversed(list(self._index())))
        return next((frame for frame in frames if frame is not None), None)

    def bad_frames(self) -> list[BadFrame]:
        """What was skipped and why. Frames that nobody has read yet are read now, so the list is complete."""
        with self._guard:
            for step in self._index():
                _ = self._frames.is_sound(step) or self._try_load(step)
            bad = [BadFrame(self._frames.path(step), reason) for step, reason in self._frames.bad()]
        for name, read in (("probe.safetensors", lambda: self.probe), (ATTRIBUTES, lambda: self.attributes)):
            try:
                _ = read() if is_there(self.path / name) else None
            except RecordingError as error:
                bad.append(BadFrame(self.path / name, str(error)))
        return bad

    def metrics(self) -> Sequence[dict[str, Any]]:
        """The lines of metrics.jsonl, {"step": 3, "loss": 0.7, ...}; a term that was not finite is None.

        A last line that is not complete yet is left for later; a damaged line is left out.
        """
        with self._guard:
            return self._terms.read()

    def passing_metrics(self) -> Sequence[dict[str, Any]]:
        """As `metrics`, for who takes in every line once: those that were there at the last look are not kept."""
        with self._guard:
            return self._passing.read()

    def status(self) -> Status:
        """How the run is doing. "lost": it was active and its writer is gone.

        Whether the writer lives is asked of the kernel's lock, never of a clock. Only for a writer on another machine,
        whose lock may not reach here, the beat decides: one that does not change for 6 s.
        """
        try:
            status = parse_status(read_plain(self.path / "status.json", limit=MAX_STATUS))
        except FileNotFoundError:
            return self._status_without_file()
        except RecordingError as error:
            held = is_held(self.path / "lock")
            return Status(state="running" if held else "lost", reason=f"status.json cannot be read: {error}")
        self._seen = True
        if status.state in ACTIVE and not is_held(self.path / "lock") and not self._beats_elsewhere(status):
            reason = "The training process is gone; what it wrote is kept."
            return status.model_copy(update={"state": "lost", "reason": reason})
        return status

    def _status_without_file(self) -> Status:
        if self.exists:
            self._seen = True
            if is_held(self.path / "lock"):
                return Status(state="starting")
            return Status(state="lost", reason="The run has no status.json, and no process writes it.")
        if self._seen:
            return Status(state="lost", reason="The run's folder has been deleted.")
        return Status(state="queued", reason="The run's folder is not there yet.")

    def _beats_elsewhere(self, status: Status) -> bool:
        if status.host == socket.gethostname()[:200]:
            return False
        now = time.monotonic()
        if self._beat is None:
            self._beat = (status.beat, now - max(0.0, time.time() - status.beat))
        elif self._beat[0] != status.beat:
            self._beat = (status.beat, now)
        return now - self._beat[1] <= STALE_SECONDS

    def _index(self) -> RecordedMetrics:
        """Metrics of each frame that is not known to be bad, by growing step."""
        return self._frames.metrics()

    def _try_load(self, step: int) -> Frame | None:
        try:
            return self._load(step)
        except (FileNotFoundError, RecordingError):
            return None  # _load has counted it, or it has been deleted

    def _load(self, step: int) -> Frame:
        inner_folder(self.path, "frames")
        data = self._read_frame(step)
        labels = self._labels()
        try:
            frame = decode_frame(data, step=step, labels=labels, num_classes=self._num_classes())
        except RecordingError as error:
            self._frames.set_bad(step, error)
            raise
        self._frames.set_sound(step)
        return frame

    def _read_frame(self, step: int) -> bytes:
        try:
            return read_plain(self._frames.path(step), limit=MAX_ARRAYS)
        except RecordingError as error:
            self._frames.set_bad(step, error)
            raise

    def _labels(self) -> np.ndarray | None:
        try:
            return self.probe.labels
        except RecordingError:
            return None  # the embeddings are sound without them; bad_frames names the probe

    def _num_classes(self) -> int | None:
        try:
            return self.info.num_classes
        except (FileNotFoundError, RecordingError):
            return None  # a frame can be read without run.json; bad_frames names that

    def _read(self, name: str, limit: int, known: tuple[Identity, Any] | None) -> tuple[Identity, bytes | None]:
        """Identity and bytes of a file of the run; None for the bytes where it is the one that is `known`."""
        try:
            with open_plain(self.path / name) as (descriptor, about):
                found = identity(about)
                if known is not None and known[0] == found:
                    return found, None
                if about.st_size > limit:
                    raise RecordingError(f"It holds {about.st_size:,} bytes; at most {limit:,} are read.")
                return found, read_bytes(descriptor, about.st_size)
        except FileNotFoundError as error:
            raise RecordingError(f"The run has no {name}; is this the folder of a run? ({self.path})") from error
        except RecordingError as error:
            raise RecordingError(f"{name} cannot be read: {error} ({self.path})") from error

    def _parsed(self, parse: Any, data: bytes, name: str) -> Any:
        try:
            return parse(data)
        except RecordingError as error:
            raise RecordingError(f"{name} cannot be read: {error} ({self.path})") from error


def _decode_probe(data: bytes, *, info: RunInfo | None) -> Probe:
    probe = decode_probe(data)
    if info is not None and int(probe.labels.max()) >= info.num_classes:
        raise RecordingError(f"It has a label {probe.labels.max()}, run.json {info.num_classes} classes.")
    return probe
