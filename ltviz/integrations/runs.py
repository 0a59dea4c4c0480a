"""Runs that somebody names, as folders by id: what a notebook and another app share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from ltviz.errors import ConfigError
from ltviz.recording import Home, Recording, checkpoints_home
from ltviz.recording.names import RUN_ID, slug, typed_path

Run: TypeAlias = "Recording | str | os.PathLike[str]"
Runs: TypeAlias = "Run | Iterable[Run]"


def run_folders(runs: Runs) -> dict[str, Path]:
    """Id -> folder of each run, in their order. A folder may have any name; those that are one id in the end are told
    apart by a number.

    Args:
        runs: a run folder, which need not be there yet, the id of a run at home, a Recording, or several of these.

    Raises:
        ConfigError: no run, or a path where none can be.
    """
    if isinstance(runs, Recording | str | os.PathLike):
        several: list[Run] = [runs]
    else:
        several = list(runs) if isinstance(runs, Iterable) else [runs]
    if not several:
        raise ConfigError("at least one run must be given, got none; try ltviz.show('checkpoints/my-run')")
    found: dict[str, Path] = {}
    for run in several:
        folder = _folder_of(run)
        name = slug(run.run_id if isinstance(run, Recording) else folder.name)
        same = [name, *(f"{name[:60]}-{number}" for number in range(2, len(several) + 1))]
        found[next(free for free in same if free not in found)] = folder
    return found


def _folder_of(run: Run) -> Path:
    if isinstance(run, Recording):
        return run.path
    if not isinstance(run, str | os.PathLike):
        raise ConfigError(f"a run must be a path, a run id or an ltviz.Recording, got {type(run).__name__}")
    path = typed_path(os.fspath(run))
    if not path.exists() and RUN_ID.fullmatch(str(path)) and (known := Home(checkpoints_home()).find(str(path))):
        return known.path
    path = path.absolute()
    inside = sorted(child.parent.name for child in path.glob("*/run.json")) if path.is_dir() else []
    if inside and not (path / "run.json").is_file():
        raise ConfigError(f"a run must be one run's folder, but {path} holds several; try {path / inside[0]}")
    if path.is_file() or not path.parent.is_dir():
        raise ConfigError(f"a run must be a folder of frames, or one that is to come, but {path} can be neither")
    return path
