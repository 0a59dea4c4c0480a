"""The geometry lab as one page that opens anywhere: it needs no run, and asks nobody for anything."""

from __future__ import annotations

from .. import words
from .lab import lab_data
from .replaypage import GEOMETRY, write_page
from .stagescript import worker_source

WORKER = "lab/worker.js"


def build_lab(theme: str | None = None) -> bytes:
    """The file, UTF-8.

    Args:
        theme: "light", "dark", or None for what the reader's system prefers.
    """
    return write_page(
        title=words.served.GEOMETRY_TITLE,
        note=words.served.GEOMETRY_NOTE,
        contents={"data": lab_data(theme), "worker": worker_source(WORKER)},
        theme=theme,
        kind=GEOMETRY,
    )
