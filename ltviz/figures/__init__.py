"""Plotly figures of recorded runs: pure functions, arrays in, figure out. Notebooks, exports and the app use them.

plotly is imported when the first figure is asked for, so that `figures.palette` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ltviz.figures import palette

if TYPE_CHECKING:
    from ltviz.figures.counts import against_counts as against_counts
    from ltviz.figures.counts import class_counts as class_counts
    from ltviz.figures.globe import sphere as sphere
    from ltviz.figures.lines import curves as curves
    from ltviz.figures.lines import seed_band as seed_band
    from ltviz.figures.matrices import centre_cosines as centre_cosines
    from ltviz.figures.matrices import confusion as confusion
    from ltviz.figures.matrices import likeness as likeness
    from ltviz.figures.phase import phase_diagram as phase_diagram
    from ltviz.figures.portrait import phase_portrait as phase_portrait
    from ltviz.figures.violins import sample_angles as sample_angles
    from ltviz.figures.work import ribbon as ribbon

HOMES = {
    "against_counts": "counts",
    "centre_cosines": "matrices",
    "class_counts": "counts",
    "confusion": "matrices",
    "curves": "lines",
    "likeness": "matrices",
    "phase_diagram": "phase",
    "phase_portrait": "portrait",
    "ribbon": "work",
    "sample_angles": "violins",
    "seed_band": "lines",
    "sphere": "globe",
}

__all__ = [
    "against_counts",
    "centre_cosines",
    "class_counts",
    "confusion",
    "curves",
    "palette",
    "phase_diagram",
    "phase_portrait",
    "ribbon",
    "sample_angles",
    "seed_band",
    "sphere",
]


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(f"ltviz.figures.{HOMES[name]}"), name)
    raise AttributeError(f"module 'ltviz.figures' has no attribute {name!r}")
