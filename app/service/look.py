"""What every stage is told besides its runs: colours, and what its measures mean. Nothing here needs a page."""

from __future__ import annotations

from typing import Any

from ltviz.figures import palette
from ltviz.metrics import MEASURES

from .. import words


def stage_look() -> dict[str, Any]:
    """Colours of the classes and the measures of panels and table, as JSON."""
    return {
        "ramp": list(palette.class_ramp(10)),
        "categorical": list(palette.OKABE_ITO),
        "measures": [describe_measure(key, title) for key, title in words.TABLE.items()],
    }


def describe_measure(key: str, title: str) -> dict[str, Any]:
    """What the stage's table says about a measure; `title` is its short head."""
    measure = MEASURES[key]
    return {
        "key": key,
        "title": title,
        "unit": measure.unit,
        "better": measure.better,
        "short": measure.short,
        "caution": measure.caution,
    }
