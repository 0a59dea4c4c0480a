"""A picture of the last step, as the stage saves it."""

from __future__ import annotations

from ltviz.export.formats import Wanted, Written
from ltviz.export.formats._pictures import write_picture

ABOUT = "a picture of the last step, or of --step"
OUT = "ltviz-stage.png"


def write(wanted: Wanted) -> Written:
    """Needs chromium and playwright."""
    return write_picture(wanted, "PNG", ".png")
