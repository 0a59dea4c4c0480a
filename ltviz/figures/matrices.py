"""Square pictures of classes against classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ltviz.errors import DataError
from ltviz.figures.layout import SHORT_NAME, new_figure, plain
from ltviz.figures.palette import class_ramp, scale, theme_colours
from ltviz.geometry import fits, ideal_cosine, optimal_targets
from ltviz.metrics.centres import unit_centres

# Names under the axes up to here; more would overlap.
MOST_NAMES = 24


def centre_cosines(centres: np.ndarray, counts: Sequence[int], names: Sequence[str], theme: str = "light") -> go.Figure:
    """Cosines between class centres as a heat map, classes from most to fewest samples, with the ideal beside it.

    The ideal is the regular simplex; where none fits, the best arrangement found, and the title says so. Its classes
    have no order, so only its range of values can be compared.

    Args:
        centres: (C, D) class means; NaN rows are absent classes and stay empty.
        counts: (C,) training samples.
        names: (C,) class names.
        theme: "light" or "dark".

    Raises:
        DataError: fewer than two classes, or counts or names of another length.
    """
    units = unit_centres(centres)
    num_classes, dim = units.shape
    if num_classes < 2 or len(counts) != num_classes or len(names) != num_classes:
        raise DataError(
            f"Cosines of centres need 2 classes or more and a count and name for each,"
            f" got {num_classes}, {len(counts)} and {len(names)}."
        )
    order = np.argsort(-np.asarray(counts), kind="stable")
    here = units[order] @ units[order].T
    goal = optimal_targets(num_classes, dim)
    words = f"simplex: {ideal_cosine(num_classes):.2f}" if fits(num_classes, dim) else "best found, no simplex fits"
    figure = make_subplots(1, 2, subplot_titles=("class centres", words), horizontal_spacing=0.08)
    labels = [plain(names[c], SHORT_NAME) for c in order]
    figure.add_trace(_heat(here, labels, "and", ".2f"), 1, 1)
    figure.add_trace(_heat(goal @ goal.T, None, "", ".2f"), 1, 2)
    figure.update_layout(new_figure(theme).layout)
    colours = theme_colours(theme)
    figure.update_layout(
        coloraxis={
            "cmin": -1,
            "cmax": 1,
            # one hue to each side of the page colour: opposite, orthogonal, equal
            "colorscale": [(0, class_ramp(10)[0]), (0.5, colours["paper"]), (1, class_ramp(10)[-1])],
            "colorbar": {"title": {"text": "cosine", "font": {"size": 11}}, "tickfont": {"size": 11}}
            | {"thickness": 10, "outlinewidth": 0},
        },
    )
    figure.update_annotations(font={"size": 12, "color": colours["muted"]})
    figure.update_xaxes(showgrid=False, zeroline=False, showticklabels=False, constrain="domain")
    figure.update_yaxes(_name_axis(labels) | {"autorange": "reversed", "scaleanchor": "x", "constrain": "domain"})
    figure.update_yaxes(showticklabels=False, scaleanchor="x2", col=2)
    return figure


def confusion(y: np.ndarray, predictions: np.ndarray, names: Sequence[str], theme: str = "light") -> go.Figure:
    """Confusion matrix, rows true classes, each row its shares of predictions.

    Args:
        y, predictions: (N,) classes 0 ... C-1.
        names: (C,) class names, from most to fewest samples.
        theme: "light" or "dark".

    Raises:
        DataError: shapes that differ, or a class outside 0 ... C-1.
    """
    truth, predicted = np.asarray(y), np.asarray(predictions)
    size = len(names)
    if truth.ndim != 1 or truth.shape != predicted.shape:
        raise DataError(
            f"A confusion matrix takes labels and predictions (N,), got {truth.shape} and {predicted.shape}."
        )
    if len(truth) and not (min(truth.min(), predicted.min()) >= 0 and max(truth.max(), predicted.max()) < size):
        raise DataError(f"Labels and predictions must lie in 0 ... {size - 1}.")
    table = np.zeros((size, size))
    np.add.at(table, (truth, predicted), 1)
    total = table.sum(axis=1, keepdims=True)
    share = np.divide(table, total, out=np.full_like(table, np.nan), where=total > 0)
    labels = [plain(name, SHORT_NAME) for name in names]
    figure = new_figure(theme, title_text="Where test points go")
    figure.add_trace(_heat(share, labels, "taken for", ".1%"))
    figure.update_layout(
        coloraxis={
            "cmin": 0,
            "cmax": 1,
            "colorscale": scale([theme_colours(theme)["paper"], class_ramp(10)[2]]),
            "colorbar": {"tickformat": ".0%", "tickfont": {"size": 11}, "thickness": 10, "outlinewidth": 0},
        },
    )
    figure.update_xaxes(_name_axis(labels) | {"title_text": "predicted", "constrain": "domain"})
    square = {"autorange": "reversed", "scaleanchor": "x", "constrain": "domain"}
    figure.update_yaxes(_name_axis(labels) | square | {"title_text": "true"})
    return figure


def likeness(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], theme: str = "light", title: str = ""
) -> go.Figure:
    """How alike spaces are, -1 to 1, as a heat map: runs against runs, or steps against steps.

    Args:
        values: (R, K); NaN cells stay empty.
        rows, columns: names of the R rows and K columns.
        theme: "light" or "dark".
        title: of the figure.

    Raises:
        DataError: names of another number than rows or columns.
    """
    if values.shape != (len(rows), len(columns)):
        raise DataError(f"Likeness {values.shape} needs a name a row and column, got {len(rows)} and {len(columns)}.")
    names = [plain(name, SHORT_NAME) for name in rows], [plain(name, SHORT_NAME) for name in columns]
    figure = new_figure(theme, title_text=title)
    heat = _heat(values, None, "", ".2f")
    heat.customdata = [[f"{row} and {column}" for column in names[1]] for row in names[0]]
    heat.hovertemplate = "%{customdata}: %{z:.2f}<extra></extra>"
    figure.add_trace(heat)
    figure.update_layout(
        coloraxis={
            "cmin": 0,
            "cmax": 1,
            "colorscale": scale([theme_colours(theme)["paper"], class_ramp(10)[2]]),
            "colorbar": {"tickfont": {"size": 11}, "thickness": 10, "outlinewidth": 0},
        }
    )
    figure.update_xaxes(_name_axis(names[1]) | {"constrain": "domain"})
    figure.update_yaxes(_name_axis(names[0]) | {"autorange": "reversed", "constrain": "domain"})
    return figure


def _heat(values: np.ndarray, names: Sequence[str] | None, between: str, shown: str) -> go.Heatmap:
    """Cells by number and not by name, so that two classes of one name stay two rows."""
    size = len(values)
    told = None if names is None else [[f"{row} {between} {column}" for column in names] for row in names]
    return go.Heatmap(
        z=np.round(values, 4),
        customdata=told,
        coloraxis="coloraxis",
        hovertemplate=("%{customdata}: " if told else "") + f"%{{z:{shown}}}<extra></extra>",
        xgap=1 if size <= 40 else 0,
        ygap=1 if size <= 40 else 0,
    )


def _name_axis(names: Sequence[str]) -> dict[str, object]:
    """Axis settings that put names under cells, or nothing where they would overlap."""
    if len(names) > MOST_NAMES:
        return {"showgrid": False, "zeroline": False, "showticklabels": False}
    return {"showgrid": False, "zeroline": False, "tickvals": list(range(len(names))), "ticktext": list(names)}
