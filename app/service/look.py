"""What every stage is told besides its runs: colours, and what its measures mean. Nothing here needs a page."""

from __future__ import annotations

from typing import Any

from ltviz.figures import palette
from ltviz.metrics import Measure, shown_in
from ltviz.metrics.registry import of_sphere


def stage_look() -> dict[str, Any]:
    """Colours of the classes and the measures of panels and table, each in its order, as JSON."""
    return {
        "ramp": list(palette.class_ramp(10)),
        "categorical": list(palette.OKABE_ITO),
        "measures": [describe_measure(measure, measure.label_in("table")) for measure in shown_in("table")],
        "panel": [
            describe_measure(measure, measure.label_in("table")) | {"name": panel_name(measure)}
            for measure in shown_in("panel")
        ],
    }


def panel_name(measure: Measure) -> str:
    """What a measure is called under a sphere, where there is room for a word."""
    return measure.shown["panel"].label or measure.brief or measure.title


def describe_measure(measure: Measure, title: str) -> dict[str, Any]:
    """What the stage says about a measure; `title` is its short head."""
    return {
        "key": measure.key,
        "title": title,
        "unit": measure.unit,
        "better": measure.better,
        "short": measure.short,
        "caution": measure.caution,
        "simplex": measure.needs_simplex,
        "standsFor": measure.stands_for,
        "sphere": of_sphere(measure.key),
    }
