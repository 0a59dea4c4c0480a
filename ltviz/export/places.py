"""Where the points of a frame are drawn, and a small picture of them."""

from __future__ import annotations

import math

import numpy as np

from ltviz.figures.palette import class_ramp
from ltviz.projection import RunProjections
from ltviz.recording import Frame, RunInfo

YAW, PITCH = 0.5, 0.35
"""The preview's camera, in radians."""
MOST_POINTS = 700
GREY = "#969696"


def drawn(frame: Frame, views: RunProjections) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Points (N, 3) and landmarks, name -> (K, 3), as the stage draws them: two and three dimensions as they are, more
    through the projection of `views`.

    Raises:
        DataError: this frame has no such view.
    """
    dim = frame.embeddings.shape[1]
    if dim <= 3:
        pad = ((0, 0), (0, 3 - dim))
        return np.pad(frame.embeddings, pad), {name: np.pad(mark, pad) for name, mark in frame.landmarks.items()}
    fit = views.at(frame)
    return fit.shown, {name: fit.placement.place(mark) for name, mark in frame.landmarks.items()}


def preview(frame: Frame, info: RunInfo, views: RunProjections, *, side: int = 320) -> str:
    """An SVG of the sphere from the side: at most `MOST_POINTS` points, the near ones larger and over the far ones,
    coloured by class from head to tail. The same frame always gives the same text.

    Raises:
        DataError: as `drawn`.
    """
    points, _ = drawn(frame, views)
    rows = np.arange(len(points)) if frame.present is None else np.flatnonzero(frame.present)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_POINTS)).astype(int)] if len(rows) else rows
    if frame.embeddings.shape[1] == 2:
        x, y, depth = points[rows, 0], points[rows, 1], np.zeros(len(rows))
    else:
        x, y, depth = _seen(points[rows])
    colours = [GREY] * (info.num_classes + 1)  # the last one is that of label -1
    for colour, label in zip(class_ramp(info.num_classes) if info.num_classes else (), info.order, strict=True):
        colours[label] = colour
    radius = side * 0.44
    circles = [
        f'<circle cx="{side / 2 + radius * x[at]:.1f}" cy="{side / 2 - radius * y[at]:.1f}" '
        f'r="{side / 160 * (1.5 + 0.7 * depth[at]):.1f}" fill="{colours[frame.labels[rows[at]]]}" '
        f'fill-opacity="{0.7 + 0.3 * depth[at]:.2f}"/>'
        for at in np.argsort(depth, kind="stable")
    ]
    rim = f'<circle cx="{side / 2}" cy="{side / 2}" r="{radius:.1f}" fill="#f4f4f1" stroke="#c9c9c4"/>'
    size = f'width="{side}" height="{side}" viewBox="0 0 {side} {side}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{rim}{"".join(circles)}</svg>'


def _seen(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N,) to the right, up, and towards the eye, of points (N, 3) whose third axis points up."""
    across = math.cos(YAW) * points[:, 0] - math.sin(YAW) * points[:, 1]
    away = math.sin(YAW) * points[:, 0] + math.cos(YAW) * points[:, 1]
    up = math.cos(PITCH) * points[:, 2] - math.sin(PITCH) * away
    return across, up, math.sin(PITCH) * points[:, 2] + math.cos(PITCH) * away
