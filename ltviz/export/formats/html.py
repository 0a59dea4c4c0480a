"""The replay: runs in 3-D in one page that opens anywhere."""

from __future__ import annotations

from ltviz.export.formats import Wanted, Written
from ltviz.export.replay import MAX_MB, replay_of
from ltviz.recording.files import write_whole

ABOUT = "a replay in 3-D, one page that opens anywhere"
OUT = "ltviz-replay.html"


def write(wanted: Wanted) -> Written:
    """Its frames are thinned evenly to `max_mb`; a step is where it opens."""
    made = replay_of(
        wanted.runs, projection=wanted.projection, theme=wanted.theme, step=wanted.step, max_mb=wanted.max_mb or MAX_MB
    )
    write_whole(wanted.out, made.html)
    told = {"moments": made.moments, "recorded": made.recorded}
    return Written(used=made.used, told=told, left_out=made.left_out)
