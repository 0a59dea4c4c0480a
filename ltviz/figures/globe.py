"""One frame as a sphere that can be turned, for notebooks, reports and exports. The live view is the stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ltviz.errors import ConfigError
from ltviz.figures.layout import SHORT_NAME, flat, new_figure, plain
from ltviz.figures.palette import class_ramp, scale, theme_colours
from ltviz.metrics import Classes

if TYPE_CHECKING:
    from ltviz.projection import Placement
    from ltviz.recording import Frame, RunInfo

# Classes that get an entry of their own in the legend; more would hide the sphere.
MOST_NAMED = 20
MERIDIANS, PARALLELS, SMOOTHNESS = 12, 5, 72


def sphere(
    frame: Frame,
    info: RunInfo,
    theme: str = "light",
    *,
    matrix: np.ndarray | None = None,
    placement: Placement | None = None,
) -> go.Figure:
    """Points, class centres and targets of a frame on the unit sphere, coloured from head to tail; samples without a
    label are grey.

    Args:
        frame: embeddings (N, D) and landmarks.
        info: of its run, for class names (class 0 has most samples) and title.
        theme: "light" or "dark".
        matrix: (D, 3) projection, needed where D > 3; the title then says that this is one.
        placement: in place of `matrix`, what any projection gives, such as
            `ltviz.projection.REGISTRY["umap"]().update(frame.embeddings, centres).placement`.

    Raises:
        ConfigError: D > 3 and neither, or a matrix of another shape.
    """
    dim = frame.embeddings.shape[1]
    place = _linear(dim, matrix) if placement is None else placement.place
    colours = theme_colours(theme)
    projected = " (projection)" if dim > 3 else ""
    figure = new_figure(
        theme,
        title_text=f"{plain(info.title)}, step {frame.step}{projected}",
        margin={"l": 8, "r": 0, "t": 36, "b": 0},
        scene=_scene(),
        legend={"itemsizing": "constant", "orientation": "v", "x": 1, "y": 0.9},
    )
    figure.add_trace(_wires(colours["line"]))
    free = frame.labels < 0
    present = getattr(frame, "present", None)  # whatever is like a frame may be drawn
    if present is not None:
        free &= present
    if free.any():
        grey = _cloud(place(frame.embeddings[free]), f"unlabelled ({free.sum():,})", colours["unlabelled"])
        figure.add_trace(grey)
    if (frame.labels >= 0).any():
        _add_classes(figure, frame, info, place, colours)
    if "targets" in frame.landmarks:
        diamond = {"size": 5, "symbol": "diamond-open", "color": colours["muted"]}
        targets = place(frame.landmarks["targets"])
        owner = [f"target {i}" for i in range(len(targets))]
        if frame.target_index is not None:
            for c, i in enumerate(frame.target_index):
                owner[int(i)] = f"target of {info.class_names[c]}"
        figure.add_trace(_marks(targets, owner, "targets", diamond, None))
    return figure


def _add_classes(
    figure: go.Figure,
    frame: Frame,
    info: RunInfo,
    place: Callable[[np.ndarray], np.ndarray],
    colours: Mapping[str, str],
) -> None:
    """Labelled samples and the centres of their classes."""
    classes = Classes.of_labelled(frame.embeddings, frame.labels, info.num_classes)
    names = [str(name) for name in info.class_names]
    points = place(classes.z)
    if info.num_classes <= MOST_NAMED:
        for c in classes.present:
            figure.add_trace(
                _cloud(points[classes.y == c], plain(names[c], SHORT_NAME), class_ramp(info.num_classes)[c])
            )
    else:
        figure.add_trace(_crowd(points, classes.y, names, info.num_classes))
    centres = place(classes.centres)
    ring = {"size": 7, "symbol": "circle-open", "color": colours["ink"], "line": {"width": 2}}
    label = info.num_classes <= MOST_NAMED
    figure.add_trace(_marks(centres, names, "class centres", ring, colours["ink"] if label else None))


def _linear(dim: int, matrix: np.ndarray | None) -> Callable[[np.ndarray], np.ndarray]:
    if matrix is None and dim <= 3:
        matrix = np.eye(dim, 3)
    if matrix is None or np.shape(matrix) != (dim, 3):
        given = "none" if matrix is None else str(np.shape(matrix))
        raise ConfigError(
            f"A sphere of {dim}-dimensional embeddings needs a projection matrix ({dim}, 3), got {given}."
        )
    view = np.asarray(matrix)
    return lambda points: points @ view


def _scene() -> dict[str, object]:
    axis = {"visible": False, "range": [-1.08, 1.08]}
    return {
        "xaxis": axis,
        "yaxis": axis,
        "zaxis": axis,
        "aspectmode": "cube",
        "camera": {"eye": {"x": 1.1, "y": 1.1, "z": 0.7}},
        "dragmode": "orbit",
    }


def _wires(colour: str) -> go.Scatter3d:
    """Meridians and parallels as one line; NaN lifts the pen."""
    around = np.linspace(0, 2 * np.pi, SMOOTHNESS)
    lift = np.full((1, 3), np.nan)
    parts = []
    for turn in np.arange(MERIDIANS) * np.pi / MERIDIANS:
        circle = np.stack([np.sin(around) * np.cos(turn), np.sin(around) * np.sin(turn), np.cos(around)], axis=1)
        parts += [circle, lift]
    for height in np.sin(np.linspace(-np.pi / 2, np.pi / 2, PARALLELS + 2)[1:-1]):
        radius = np.sqrt(1 - height**2)
        parts += [np.stack([radius * np.cos(around), radius * np.sin(around), np.full_like(around, height)], 1), lift]
    x, y, z = np.vstack(parts).T
    return go.Scatter3d(
        x=x, y=y, z=z, mode="lines", line={"color": colour, "width": 1}, hoverinfo="skip", showlegend=False
    )


def _cloud(points: np.ndarray, name: str, colour: str) -> go.Scatter3d:
    x, y, z = points.T
    marker = {"size": 3, "color": colour, "opacity": 0.85}
    hover = {"text": [name] * len(x), "hovertemplate": "%{text}<extra></extra>"}
    return go.Scatter3d(x=x, y=y, z=z, mode="markers", marker=marker, name=name, **hover)


def _crowd(points: np.ndarray, labels: np.ndarray, names: list[str], num_classes: int) -> go.Scatter3d:
    x, y, z = points.T
    marker = {
        "size": 3,
        "opacity": 0.85,
        "color": labels,
        "cmin": 0,
        "cmax": num_classes - 1,
        "colorscale": scale(class_ramp(10)),
        "colorbar": {"title": {"text": "class, head to tail"}, "thickness": 10, "outlinewidth": 0},
    }
    return go.Scatter3d(
        x=x,
        y=y,
        z=z,
        mode="markers",
        marker=marker,
        name="samples",
        text=[plain(names[c]) for c in labels],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _marks(points: np.ndarray, names: list[str], title: str, marker: dict, ink: str | None) -> go.Scatter3d:
    """Landmarks with names on hover, and beside them where a text colour is given."""
    x, y, z = points.T
    return go.Scatter3d(
        x=x,
        y=y,
        z=z,
        mode="markers" if ink is None else "markers+text",
        marker=marker,
        text=[flat(name) for name in names],
        textposition="top center",
        textfont={"color": ink, "size": 11} if ink else None,
        name=title,
        hovertext=[plain(name) for name in names],
        hovertemplate="%{hovertext}<extra></extra>",
    )
