"""A self-contained page that compares runs."""

from __future__ import annotations

from ltviz.export import report
from ltviz.export.formats import Wanted, Written

ABOUT = "a page that compares runs"
OUT = "ltviz-report.html"


def write(wanted: Wanted) -> Written:
    """Light where no theme is asked for, as it is read on paper as well."""
    used = report.write_report(
        wanted.out, wanted.runs, title=wanted.title, theme=wanted.theme or "light", judge=wanted.judge
    )
    rest = len(wanted.runs) - used
    return Written(used=used, left_out=[f"{rest} runs, which the report names"] if rest else [])
