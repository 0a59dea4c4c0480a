"""Two measures against one another, with time as the path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ltviz.errors import ConfigError
from ltviz.figures.layout import measure_title, new_figure, number_format, plain
from ltviz.figures.lines import DASHES
from ltviz.figures.palette import method_colour, theme_colours

Path = tuple[Sequence[float], Sequence[float], Sequence[float]]


def phase_portrait(
    paths: Mapping[str, Path],
    across: str = "tsc_alignment",
    up: str = "uniformity",
    colours: Mapping[str, str] | None = None,
    theme: str = "light",
) -> go.Figure:
    """Paths of runs through the plane of two measures: small dots are steps, the ring is the last one.

    After Wang and Isola 2020, figure 3, who place encoders in the plane of alignment and uniformity.

    Args:
        paths: title -> (steps, values of `across`, values of `up`), equally long.
        across, up: keys of the registry, or other names.
        colours: title -> "#rrggbb"; default by name.
        theme: "light" or "dark".

    Raises:
        ConfigError: steps and values of different length.
    """
    figure = new_figure(theme)
    ink = theme_colours(theme)["ink"]
    for axis, key in ((figure.update_xaxes, across), (figure.update_yaxes, up)):
        ticks, unit = number_format(key)
        axis(title_text=measure_title(key), tickformat=ticks, ticksuffix=unit)
    for index, (title, (steps, x, y)) in enumerate(paths.items()):
        if not len(steps) == len(x) == len(y):
            raise ConfigError(f"A path needs both values at each step, got {len(steps)}, {len(x)} and {len(y)}.")
        if len(steps) == 0:
            continue
        colour = (colours or {}).get(title) or method_colour(title)
        last = np.arange(len(steps)) == len(steps) - 1
        figure.add_trace(
            go.Scatter(
                x=np.asarray(x, dtype=np.float64),
                y=np.asarray(y, dtype=np.float64),
                name=plain(title),
                mode="lines+markers",
                line={"color": colour, "width": 1.5, "dash": DASHES[index % len(DASHES)]},
                marker={
                    "color": colour,
                    "size": np.where(last, 11, 4),
                    "line": {"color": ink, "width": np.where(last, 1.5, 0)},
                },
                customdata=np.asarray(steps),
                hovertemplate="step %{customdata}: %{x:.3g}, %{y:.3g}",
            )
        )
    return figure
