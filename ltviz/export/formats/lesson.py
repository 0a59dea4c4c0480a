"""A lesson with its recordings: one page that asks, plays and answers anywhere."""

from __future__ import annotations

from ltviz.errors import ConfigError
from ltviz.export.formats import Wanted, Written
from ltviz.export.lesson import lesson_page
from ltviz.recording.files import write_whole

ABOUT = "a lesson and its recordings, one page that asks, plays and answers anywhere"
OUT = "ltviz-lesson.html"
MADE_OF = "lesson"
MAX_MB = 4.0


def write(wanted: Wanted) -> Written:
    """Its recordings are thinned evenly to `max_mb`."""
    if wanted.lesson is None or wanted.home is None:
        raise ConfigError("--to lesson writes one lesson; try `ltviz export LESSON --to lesson`")
    lesson, path = wanted.lesson
    made = lesson_page(lesson, path, wanted.home, theme=wanted.theme, max_mb=wanted.max_mb or MAX_MB)
    write_whole(wanted.out, made.html)
    told = {"steps": len(lesson.steps), "moments": made.moments, "recorded": made.recorded}
    return Written(used=made.used, told=told, left_out=made.left_out)
