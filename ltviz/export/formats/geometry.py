"""The geometry lab: losses that move points without a network, in one page that opens anywhere."""

from __future__ import annotations

from ltviz.export.formats import Wanted, Written
from ltviz.export.lab import lab_page
from ltviz.recording.files import write_whole

ABOUT = "the geometry lab, one page that computes by itself and needs no run"
OUT = "ltviz-geometry.html"
MADE_OF = "nothing"


def write(wanted: Wanted) -> Written:
    """Only the theme is asked for."""
    write_whole(wanted.out, lab_page(wanted.theme))
    return Written(used=0)
