"""How the samples of each class lie around their centre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ltviz.figures.layout import SHORT_NAME, new_figure, plain
from ltviz.figures.palette import class_ramp, fade
from ltviz.metrics import Classes
from ltviz.metrics.clouds import centre_angles


def sample_angles(z: np.ndarray, y: np.ndarray, names: Sequence[str], theme: str = "light") -> go.Figure:
    """Ridges of the angle between a sample and its class centre, one a class, head on top.

    Args:
        z: (N, D) embeddings.
        y: (N,) classes 0 ... C-1, class 0 with most samples.
        names: (C,) class names.
        theme: "light" or "dark".

    Raises:
        DataError: embeddings or labels that cannot be used.
    """
    classes = Classes.of(z, y, len(names)).normalised()
    angles = np.degrees(centre_angles(classes))
    figure = new_figure(theme, title_text="Angle of samples to their class centre", showlegend=False, violingap=0)
    for c in classes.present:
        colour = class_ramp(len(names))[c]
        figure.add_trace(
            go.Violin(
                x=angles[classes.y == c],
                # by number, so that two classes of one name stay two ridges
                y0=int(c),
                orientation="h",
                side="negative",  # upwards on a reversed axis
                width=1.7,
                spanmode="hard",
                points=False,
                line={"color": colour, "width": 1.2},
                fillcolor=fade(colour, 0.35),
                hoverinfo="skip",
            )
        )
    figure.update_xaxes(ticksuffix="°", rangemode="tozero")
    figure.update_yaxes(
        tickvals=[int(c) for c in classes.present],
        ticktext=[plain(names[c], SHORT_NAME) for c in classes.present],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )
    return figure
