"""Fitted views of a run, kept in its folder: `projections/<name>/<step>.safetensors`.

What is there is read instead of fitted again, so a view is the same for all who look, also after a restart and in a
copy of the folder. Each file says of which frame it is (a checksum of the frame's embeddings and labels), so one that
belongs to another run, or was made by other rules, is not used. A folder that cannot be written costs nothing but the
keeping: views stay in memory then.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording import Frame, tensors
from ltviz.recording.files import inner_folder, read_plain, write_whole
from ltviz.recording.frame import file_name, step_of

RULES = 3
"""Raised when the same frame gives another view or another meter than before; files of other rules are fitted again."""
FOLDER = "projections"
MOST_BYTES = 128 << 20
"""Of all views in one run's folder; what goes beyond is kept in memory."""
MEMORY_BYTES = 16 << 20
FILE_BYTES = 64 << 20
_NUMBERS = ("kept_variance", "kept_angle_order", "kept_centre_order", "trustworthiness", "jitter")

log = logging.getLogger("ltviz")


@dataclass(frozen=True)
class Kept:
    """What was kept of one view: the placement's arrays and its honesty."""

    frame: int
    """`fingerprint` of the frame it is of."""
    arrays: dict[str, np.ndarray]
    honesty: dict[str, float]

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values()) + 500


def fingerprint(frame: Frame) -> int:
    """A checksum of all that a view depends on: labels and embeddings with their shape."""
    about = zlib.crc32(f"{frame.embeddings.shape}".encode(), zlib.crc32(np.ascontiguousarray(frame.labels).data))
    return zlib.crc32(np.ascontiguousarray(frame.embeddings).data, about)


class ProjectionCache:
    """The views of the run in `run`, which is read without trust: it may come from a stranger.

    Any thread may use it. Damaged files are counted as missing, said once, and written anew.

    Args:
        may_write: asked before each view is written; where it may not be, memory alone keeps it.
    """

    def __init__(self, run: Path, may_write: Callable[[], bool] = lambda: True) -> None:
        self.run, self._may_write = Path(run), may_write
        self._guard = threading.Lock()
        self._memory: OrderedDict[tuple[str, int], Kept] = OrderedDict()
        self._held = 0
        self._steps: dict[str, set[int]] = {}
        self._bytes: int | None = None
        self._writable = True

    def read(self, name: str, step: int, frame: int) -> Kept | None:
        """The view called `name` of a step, if it is of the frame with this fingerprint."""
        with self._guard:
            kept = self._memory.get((name, step)) or self._load(name, step)
            if kept is None or kept.frame != frame:
                self._list(name).discard(step)
                return None
            self._remember(name, step, kept)
            return kept

    def steps(self, name: str) -> list[int]:
        """Steps that have a view of this name, growing; some of them may turn out to be damaged."""
        with self._guard:
            return sorted(self._list(name))

    def write(self, name: str, step: int, kept: Kept) -> None:
        """Keeps a view; where the folder cannot be written it is said once, and memory keeps it."""
        with self._guard:
            self._remember(name, step, kept)
            self._list(name).add(step)
            if not self._writable or not self._may_write():
                return
            meta = {"kind": "projection", "rules": str(RULES), "name": name, "step": str(step)}
            meta |= {"frame": str(kept.frame), "honesty": json.dumps(kept.honesty)}
            data = tensors.encode(kept.arrays, meta)
            try:
                if self._used() + len(data) > MOST_BYTES:
                    raise RecordingError(f"The views of this run fill {MOST_BYTES >> 20} MiB; more are not written.")
                folder = self._folder(name)
                # Level by level: a run that was deleted meanwhile must not come back as a folder of views.
                for level in (folder.parent, folder):
                    level.mkdir(exist_ok=True)
                write_whole(folder / file_name(step), data)
                self._bytes = self._used() + len(data)
            except (OSError, RecordingError) as error:
                self._writable = False
                log.warning("Views of %s are kept in memory only: %s", self.run, error)

    def _load(self, name: str, step: int) -> Kept | None:
        try:
            arrays, meta = tensors.decode(read_plain(self._folder(name) / file_name(step), limit=FILE_BYTES))
            if meta.get("rules") != str(RULES) or (meta.get("name"), meta.get("step")) != (name, str(step)):
                return None
            return Kept(int(meta.get("frame", "")), arrays, _numbers(meta.get("honesty", "")))
        except FileNotFoundError:
            return None
        except (OSError, RecordingError, ValueError) as error:
            log.warning("The view %s of step %d of %s is made again: %s", name, step, self.run, error)
            return None

    def _list(self, name: str) -> set[int]:
        if name not in self._steps:
            try:
                names = [path.name for path in self._folder(name).iterdir()]
            except (OSError, RecordingError):
                names = []
            self._steps[name] = {step for entry in names if (step := step_of(entry)) is not None}
        return self._steps[name]

    def _remember(self, name: str, step: int, kept: Kept) -> None:
        before = self._memory.pop((name, step), None)
        self._memory[name, step] = kept
        self._held += kept.nbytes - (before.nbytes if before else 0)
        while self._held > MEMORY_BYTES and len(self._memory) > 1:
            self._held -= self._memory.popitem(last=False)[1].nbytes

    def _used(self) -> int:
        if self._bytes is None:
            root = inner_folder(self.run, FOLDER)
            self._bytes = sum(path.lstat().st_size for path in root.glob("*/*")) if root.is_dir() else 0
        return self._bytes

    def _folder(self, name: str) -> Path:
        return inner_folder(inner_folder(self.run, FOLDER), name.replace(":", "-"))


def _numbers(text: str) -> dict[str, float]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("its honesty cannot be read")
    numbers: Mapping[str, float] = {key: found[key] for key in _NUMBERS if type(found.get(key)) in (int, float)}
    return {key: float(value) for key, value in numbers.items() if math.isfinite(value)}
