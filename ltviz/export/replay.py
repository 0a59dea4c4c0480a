"""The replay page of runs, made by the app's own code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ltviz.launch.app import load_app
from ltviz.recording import Recording, checkpoints_home
from ltviz.recording.names import slug

MAX_MB = 12.0
"""Size of a page, where nobody says another."""


@dataclass(frozen=True)
class Made:
    """A page and what is in it."""

    html: bytes
    used: int
    moments: int
    recorded: int
    left_out: Sequence[str]


def replay_of(
    runs: Sequence[Recording] | Mapping[str, Path],
    *,
    projection: str | None = None,
    theme: str | None = None,
    step: int | None = None,
    max_mb: float = MAX_MB,
    guest: bool = False,
) -> Made:
    """The page.

    Args:
        runs: recordings, or folders by the id that each is to have.
        projection: for more than three dimensions; the first of the registry where None.
        theme: "light", "dark", or None for what the reader's system prefers.
        step: the moment that it holds when it opens; None plays.
        max_mb: size that it is thinned to.
        guest: it will stand inside of another page.

    Raises:
        ConfigError: no run has frames, there is no such projection, or the page would be larger.
    """
    load_app()
    from ltviz_app.service.hub import Hub  # the name exists once `load_app` has found the app's folder
    from ltviz_app.service.replay import DEFAULT_PROJECTION, Opening, Replay, build_replay

    folders = dict(runs) if isinstance(runs, Mapping) else by_id(runs)

    async def build() -> Replay:
        hub = Hub(checkpoints_home(), folders=folders)
        try:
            return await build_replay(
                hub,
                list(folders),
                projection=projection or DEFAULT_PROJECTION,
                opening=Opening(theme=theme, step=step, guest=guest),
                limit=int(max_mb * 1e6),
            )
        finally:
            await hub.close()

    with ThreadPoolExecutor(1) as aside:  # whoever calls this may have a loop of their own running, as notebooks do
        replay = aside.submit(asyncio.run, build()).result()
    left_out = [f"{run}: it has no frame that can be read" for run in folders if run not in replay.runs]
    return Made(replay.html, len(replay.runs), replay.moments, replay.recorded, left_out)


def by_id(runs: Sequence[Recording]) -> dict[str, Path]:
    """Id -> folder. A folder may have any name; those that are one id in the end are told apart by a number."""
    found: dict[str, Path] = {}
    for run in runs:
        name = slug(run.run_id)
        same = [name, *(f"{name[:60]}-{number}" for number in range(2, len(runs) + 1))]
        found[next(free for free in same if free not in found)] = run.path
    return found
