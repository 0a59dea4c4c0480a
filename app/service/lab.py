"""What the geometry lab is told, in the app and in a file of its own: colours, and which loss is which method's."""

from __future__ import annotations

from typing import Any

from ltviz.figures import palette

METHODS = {
    "ce": "ce",
    "logit-adjust": "logit_adjust",
    "simclr": "simclr",
    "supcon": "supcon",
    "kcl": "kcl",
    "tsc": "tsc",
    "bcl": "bcl",
    "gml": "gml",
}
"""Key of a loss in app/stage/lab/losses/list.js -> the method whose colour it wears in every chart."""
OWN = {
    "reweight": "#b07d00",
    "supcon-in": "#4567e0",
    "ntce": "#00857a",
    "nonl": "#d2601a",
    "etf": "#64801c",
    "align-uniform": "#bf4f9b",
}
"""Colours of the other losses."""


def lab_data(theme: str | None) -> dict[str, Any]:
    """The component's data, as JSON; the same at every rerun.

    Args:
        theme: "light", "dark", or None for what the page around says.
    """
    return {
        "looks": {
            key: {"colour": colour}
            for key, colour in ({key: palette.method_colour(method) for key, method in METHODS.items()} | OWN).items()
        },
        "ramp": list(palette.class_ramp(10)),
        "categorical": list(palette.OKABE_ITO),
        "theme": theme,
    }
