"""What the geometry lab is told, in the app and in a file of its own: colours, and which loss is which method's."""

from __future__ import annotations

from typing import Any

from ltviz.figures import palette

LOSSES = {
    "ce": "ce",
    "logit-adjust": "logit_adjust",
    "reweight": "reweight",
    "simclr": "simclr",
    "supcon": "supcon",
    "supcon-in": "supcon_in",
    "kcl": "kcl",
    "tsc": "tsc",
    "bcl": "bcl",
    "gml": "gml",
    "ntce": "ntce",
    "nonl": "nonl",
    "etf": "etf",
    "align-uniform": "align_uniform",
}
"""Key of a loss in app/stage/lab/losses/list.js -> the method whose colour it wears in every chart."""


def lab_data(theme: str | None) -> dict[str, Any]:
    """The component's data, as JSON; the same at every rerun.

    Args:
        theme: "light", "dark", or None for what the page around says.
    """
    return {
        "looks": {key: {"colour": palette.method_colour(method)} for key, method in LOSSES.items()},
        "ramp": list(palette.class_ramp(10)),
        "categorical": list(palette.OKABE_ITO),
        "theme": theme,
    }
