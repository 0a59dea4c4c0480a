"""Runs in a notebook where no widget can live: a replay in plain HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path

from ltviz.errors import LtvizError
from ltviz.export.replay import replay_of

SAVED_BYTES = 2_500_000
"""Size of a replay inside a notebook: it is saved with it."""
HEIGHT = 760


class Replayed:
    """What `ltviz.show` gives where no widget can live, or none is wished.

    Args:
        folders: id -> folder of a run.
        note: said above it.
    """

    def __init__(self, folders: Mapping[str, Path], projection: str | None = None, note: str = "") -> None:
        self.folders, self.projection, self.note = dict(folders), projection, note

    def __repr__(self) -> str:
        return f"<ltviz replay of {', '.join(self.folders)}>" + (f"\n{self.note}" if self.note else "")

    def _repr_html_(self) -> str:
        return (f"<p>{html.escape(self.note)}</p>" if self.note else "") + replay_frame(self.folders, self.projection)


def replay_frame(folders: Mapping[str, Path], projection: str | None) -> str:
    """HTML: a frame that holds the replay and may reach nothing around it; a sentence where there is none to show."""
    try:
        replay = replay_of(folders, projection=projection, max_mb=SAVED_BYTES / 1e6, guest=True)
    except (LtvizError, OSError) as error:
        return f"<p>{html.escape(str(error))}</p>"
    return (
        f'<iframe title="ltviz" sandbox="allow-scripts allow-downloads" loading="lazy" '
        f'style="width: 100%; height: {HEIGHT}px; border: 0" srcdoc="{html.escape(replay.html.decode())}"></iframe>'
    )
