"""A moving picture over all steps, as the stage saves it."""

from __future__ import annotations

from ltviz.export.formats import Wanted, Written
from ltviz.export.formats._pictures import film, write_picture

ABOUT = "a moving picture over all steps"
OUT = "ltviz-stage.gif"


def write(wanted: Wanted) -> Written:
    """Needs chromium and playwright."""
    return write_picture(wanted, "GIF", ".gif", film)
