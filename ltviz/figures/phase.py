"""A phase diagram: how close rare classes end, over imbalance and one thing more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ltviz.errors import DataError
from ltviz.figures.layout import new_figure, plain
from ltviz.figures.palette import class_ramp, scale, theme_colours


def phase_diagram(
    angles: np.ndarray,
    ratios: Sequence[float],
    rows: Sequence[float],
    *,
    against: str,
    border: Sequence[float | None] = (),
    found: Sequence[float | None] = (),
    title: str = "",
    theme: str = "light",
) -> go.Figure:
    """Smallest angle between rare classes as a heat map, with the predicted border drawn on it.

    Args:
        angles: (Y, X) degrees; NaN where a cell has not been run.
        ratios: (X,) imbalance of each column, above 0, drawn by their logarithm.
        rows: (Y,) temperature, energy or dimension of each row, above 0, by their logarithm too.
        against: what the rows are, such as "temperature".
        border: (Y,) imbalance above which theory predicts one point; infinity and None are not drawn.
        found: (Y,) the same as runs found it; None where they did not.
        title: of the figure.
        theme: "light" or "dark".

    Raises:
        DataError: shapes that do not match, or ratios or rows that are not above 0.
    """
    values, across, up = (np.asarray(given, dtype=np.float64) for given in (angles, ratios, rows))
    if values.shape != (len(up), len(across)) or not values.size:
        raise DataError(
            f"A phase diagram needs an angle for each row and ratio, ({len(up)}, {len(across)}), got {values.shape}."
        )
    if not (np.isfinite(across).all() and np.isfinite(up).all() and across.min() > 0 and up.min() > 0):
        raise DataError("Ratios and rows of a phase diagram must be above 0.")
    colours = theme_colours(theme)
    figure = new_figure(theme, title_text=plain(title))
    figure.add_trace(
        go.Heatmap(
            x=across,
            y=up,
            z=np.round(values, 3),
            zmin=0,
            colorscale=scale([class_ramp(10)[-1], colours["paper"], class_ramp(10)[0]]),
            colorbar={"title": {"text": "smallest<br>tail angle, °", "font": {"size": 11}}, "thickness": 10}
            | {"tickfont": {"size": 11}, "outlinewidth": 0},
            hovertemplate=f"imbalance %{{x:.4g}}, {plain(against)} %{{y:.4g}}: %{{z:.1f}}°<extra></extra>",
        )
    )
    for name, places, look in (
        ("predicted border", border, {"mode": "lines+markers", "line": {"color": colours["ink"], "dash": "dash"}}),
        ("border of runs", found, {"mode": "markers", "marker": {"symbol": "x", "size": 8, "color": colours["ink"]}}),
    ):
        known = [(x, y) for x, y in zip(places, up, strict=False) if x is not None and np.isfinite(x)]
        if known:
            x, y = zip(*known, strict=True)
            figure.add_trace(go.Scatter(x=x, y=y, name=name, hovertemplate="%{x:.4g} at %{y:.4g}", **look))
    figure.update_xaxes(title_text="imbalance", type="log", showgrid=False)
    figure.update_yaxes(title_text=plain(against), type="log", showgrid=False)
    figure.update_layout(legend={"orientation": "h", "y": 1.06, "x": 1, "xanchor": "right"})
    return figure
