"""Curves of a measure over training steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ltviz.errors import ConfigError
from ltviz.figures.layout import measure_title, new_figure, number_format, plain
from ltviz.figures.palette import fade, method_colour, theme_colours

Curve = tuple[Sequence[float], Sequence[float]]
# Shape beside colour, so that lines can be told apart in print and by any eye.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def curves(
    series: Mapping[str, Curve],
    measure: str,
    colours: Mapping[str, str] | None = None,
    theme: str = "light",
    *,
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    ceilings: Sequence[Curve] = (),
) -> go.Figure:
    """One line a run or method.

    Args:
        series: title -> (steps, values), equally long, steps ascending. NaN breaks a line.
        measure: key of the registry, or any other name, which becomes the title.
        colours: title -> "#rrggbb"; default by name.
        theme: "light" or "dark".
        bands: title -> (low, high) at the same steps, drawn as a fill: the spread over seeds.
        ceilings: (steps, values) that the measure cannot exceed, each drawn once as a quiet dashed line.

    Raises:
        ConfigError: steps and values of different length, or an unknown theme.
    """
    ticks, unit = number_format(measure)
    figure = new_figure(theme, title_text=measure_title(measure), hovermode="x unified")
    figure.update_xaxes(title_text="step", showgrid=False)
    figure.update_yaxes(tickformat=ticks, ticksuffix=unit)
    for index, (title, (steps, values)) in enumerate(series.items()):
        if len(steps) != len(values):
            raise ConfigError(f"A curve needs one value a step, got {len(steps)} steps and {len(values)} values.")
        colour = (colours or {}).get(title) or method_colour(title)
        if bands and title in bands:
            figure.add_trace(_band(steps, *bands[title], colour))
        figure.add_trace(
            go.Scatter(
                x=np.asarray(steps),
                y=np.asarray(values, dtype=np.float64),
                name=plain(title),
                mode="lines" if len(steps) > 1 else "markers",
                line={"color": colour, "width": 2, "dash": DASHES[index % len(DASHES)]},
                hovertemplate="%{y:.1%}" if ticks else f"%{{y:.3g}}{unit}",
            )
        )
    _draw_ceilings(figure, ceilings, unit, theme)
    return figure


def _draw_ceilings(figure: go.Figure, ceilings: Sequence[Curve], unit: str, theme: str) -> None:
    """The axis begins at 0 where there are any, so that what is missing can be seen."""
    look = theme_colours(theme)
    colour = look["muted"]
    told = {f"{values[-1]:.3g}": (steps, values) for steps, values in ceilings if len(values)}
    for said, (steps, values) in told.items():
        line = {"color": colour, "width": 1.2, "dash": "dash"}
        figure.add_scatter(
            x=np.asarray(steps),
            y=np.asarray(values, dtype=np.float64),
            name="at most",
            mode="lines" if len(steps) > 1 else "markers",
            line=line,
            marker={"color": colour, "symbol": "line-ew-open", "size": 12},
            hovertemplate=f"%{{y:.3g}}{unit}",
            showlegend=False,
        )
        figure.add_annotation(
            x=1,
            xref="paper",
            xanchor="right",
            y=float(values[-1]),
            yanchor="bottom",
            yshift=2,
            bgcolor=look["paper"],  # no line of the grid goes through it
            borderpad=0,
            text=f"at most {said}{unit}",
            showarrow=False,
            font={"color": colour, "size": 11},
        )
    if told:
        figure.update_yaxes(rangemode="tozero")


def seed_band(runs: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, lowest and highest of the same curve over seeds, at the steps that all runs have.

    Args:
        runs: (steps, values) of each seed, at least one.

    Returns:
        steps, mean, low, high; empty where no step is common to all.

    Raises:
        ConfigError: no run.
    """
    if not runs:
        raise ConfigError("A band over seeds needs at least one run.")
    tables = [dict(zip(steps, values, strict=True)) for steps, values in runs]
    common = sorted(set.intersection(*(set(table) for table in tables)))
    values = np.array([[table[step] for step in common] for table in tables], dtype=np.float64)
    return np.array(common), values.mean(axis=0), values.min(axis=0), values.max(axis=0)


def _band(steps: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> go.Scatter:
    return go.Scatter(
        x=np.concatenate([steps, steps[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=fade(colour, 0.16),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
