"""Figures on the page: in its own font, and in a grid that closes up where a measure is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ltviz.figures.layout import set_font

from . import forms
from .style import FONT

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT, SQUARE = 216, 340
COLUMNS = 3
TITLE_SIZE = 13

Cell = tuple[str, "go.Figure | str | None"]
"""Key of a place, and what stands in it: a figure, why there is none, or nothing at all, which takes no place."""


def draw_grid(cells: Sequence[Cell], *, columns: int = COLUMNS, height: int = HEIGHT) -> None:
    """The cells that hold something, as many in a row as the page has room for, at most `columns`; two and four of them
    in pairs, so that none stands alone."""
    shown = [(key, content) for key, content in cells if content is not None]
    if not shown:
        return
    if len(shown) in (1, 2, 4):
        columns = min(columns, 2)
    # The rules of the page lay out what has such a name: columns of Streamlit would stay three on a narrow page.
    grid = st.container(key=f"grid{columns}-{shown[0][0]}")
    for key, content in shown:
        if isinstance(content, str):
            grid.caption(forms.escape(content))
        else:
            # One legend stands above all charts, so each keeps its room; titles begin at the edge, so that they fit.
            content.update_layout(showlegend=False, title={"font": {"size": TITLE_SIZE}, "x": 0, "xref": "container"})
            draw_figure(grid, content, key, height)


def draw_figure(place: Any, figure: go.Figure, key: str, height: int) -> None:
    """One figure, without plotly's tools."""
    figure.update_layout(height=height)
    place.plotly_chart(set_font(figure, FONT), key=key, theme=None, config={"displayModeBar": False})
