"""The moving picture of a result: a run whose frames are what it computes on the way to its number. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from ltviz.errors import ConfigError, LtvizError
from ltviz.recording import Recorder, Recording, record

OF = "exhibit"
"""Where a run's config says which result it is the film of."""
SPARSER = 12
"""A frame is later than the one before by a twelfth of its step at least: a descent moves where it begins."""


class Watch(Protocol):
    """What a computation shows of itself: rows (N, D) at a step, the class of each by number or name, and
    numbers of its own."""

    def __call__(
        self, step: int, rows: Any, *, classes: Any, last: bool = False, numbers: Mapping[str, float] | None = None
    ) -> None: ...


def unwatched(*_: Any, **__: Any) -> None:
    """Nobody looks."""


@dataclass(eq=False)
class Film:
    """A watch that records, in a `with` block; the run begins with its first frame.

    A folder that holds a film of the same result is filmed anew.
    """

    folder: Path
    exhibit: str
    says: Mapping[str, Any]
    """What the run's config says beside the result's name, such as its claim."""
    _run: Recorder | None = field(default=None, init=False)
    _due: int = field(default=0, init=False)

    def __enter__(self) -> Film:
        return self

    def __call__(
        self, step: int, rows: Any, *, classes: Any, last: bool = False, numbers: Mapping[str, float] | None = None
    ) -> None:
        if step < self._due and not last:
            return
        if self._run is None:
            self._run = self._begin(classes)
        self._run.frame(step, embeddings=rows, metrics=numbers)
        self._due = step + 1 + step // SPARSER

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._run is not None:
            self._run.__exit__(kind, error, trace)

    def _begin(self, classes: Any) -> Recorder:
        return record(
            self.folder,
            labels=np.asarray(classes),
            title=self.exhibit,
            config={OF: self.exhibit, **self.says},
            on_error="raise",
            overwrite=is_film(self.folder, self.exhibit),
        )


def is_film(folder: Path, exhibit: str) -> bool:
    """Whether a folder holds the film of a result."""
    try:
        return Recording(folder).info.config.get(OF) == exhibit
    except LtvizError:
        return False


def check_folder(folder: Path, exhibit: str) -> None:
    """ConfigError where a film would have to take the place of another run, said before anything is computed."""
    if Recording(folder).exists and not is_film(folder, exhibit):
        raise ConfigError(f"the folder of a film must hold no other run, but this one does; give another: {folder}")
