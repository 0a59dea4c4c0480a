"""What all figures share: page colours, quiet axes, and names that stay text."""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go

from ltviz.figures.palette import theme_colours
from ltviz.metrics import MEASURES, Measure

FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
"""Of figures that leave the app, and of the pages they are exported to; on its pages they take the page's own."""
LONGEST_NAME = 48
SHORT_NAME = 16


def plain(name: object, longest: int = LONGEST_NAME) -> str:
    """A name from outside as text: plotly reads tags, entities and dollar signs in labels; long names break layouts."""
    text = " ".join(str(name).split())
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return html.escape(text, quote=False).replace("$", "&#36;")


def flat(name: object) -> str:
    """A short name as text for labels inside a 3-D scene, which reads tags but leaves entities as they stand."""
    text = " ".join(str(name).split())
    return (text if len(text) <= SHORT_NAME else text[: SHORT_NAME - 1] + "…").replace("<", "‹").replace(">", "›")


def new_figure(theme: str, **layout: Any) -> go.Figure:
    """An empty figure in the page colours of `theme`, "light" or "dark"."""
    colours = theme_colours(theme)
    axis = {
        "gridcolor": colours["line"],
        "linecolor": colours["line"],
        "zerolinecolor": colours["line"],
        "tickfont": {"color": colours["muted"], "size": 11},
        "title": {"font": {"color": colours["muted"], "size": 12}, "standoff": 8},
        "automargin": True,
        "ticks": "",
    }
    figure = go.Figure()
    figure.update_layout(
        # without a template of its own plotly would add its default one, light in any theme
        template="none",
        paper_bgcolor=colours["paper"],
        plot_bgcolor=colours["paper"],
        font={"family": FONT, "color": colours["ink"], "size": 12},
        title={"font": {"size": 14}, "x": 0, "xref": "paper", "xanchor": "left"},
        margin={"l": 48, "r": 12, "t": 36, "b": 36},
        # plotly takes Arial for hover labels where no font is named, whatever that of the figure is
        hoverlabel={
            "bgcolor": colours["paper"],
            "bordercolor": colours["line"],
            "font": {"color": colours["ink"], "family": FONT, "size": 12},
        },
        legend={"orientation": "h", "y": -0.18, "x": 0, "font": {"size": 11}},
        xaxis=axis,
        yaxis=axis,
    )
    figure.update_layout(**layout)
    return figure


def measure_of(key: str) -> Measure | None:
    """The registry's entry, or None for a key that is no measure (a loss term, a user's own metric)."""
    return MEASURES.get(key)


def measure_title(key: str) -> str:
    """Title of a chart of this measure, with the better direction as an arrow."""
    entry = measure_of(key)
    if entry is None:
        return plain(key.replace("_", " ")).capitalize()
    return f"{plain(entry.title)} {entry.arrow}".rstrip()


def set_font(figure: go.Figure, family: str) -> go.Figure:
    """Every text of the figure in one family; gives the figure."""
    figure.update_layout(font_family=family, hoverlabel_font_family=family)
    return figure


def number_format(key: str) -> tuple[str, str]:
    """d3 format of ticks and unit after a number: percent for shares, degrees with their sign."""
    entry = measure_of(key)
    unit = entry.unit if entry else ""
    return {"share": (".0%", ""), "degrees": ("", "°")}.get(unit, ("", ""))
