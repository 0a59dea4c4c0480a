"""Class counts, and what depends on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ltviz.figures.layout import measure_title, new_figure, number_format, plain
from ltviz.figures.lines import DASHES
from ltviz.figures.palette import group_colours, method_colour, theme_colours
from ltviz.metrics import ShotGroups

# 1, 2, 5, 10, ...: plotly's own labels of a log axis leave out the power of ten
TICKS = [step * 10**power for power in range(7) for step in (1, 2, 5)]
GROUP_NAMES = ("many", "medium", "few")
# plotly's marker names: a shape a method, as the lines have dashes
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "x")


def class_counts(
    counts: Sequence[int] | np.ndarray,
    names: Sequence[str],
    groups: ShotGroups,
    theme: str,
    *,
    held_out: Sequence[int] | np.ndarray = (),
    logarithmic: bool = False,
) -> go.Figure:
    """Bars of the training counts, head to tail, coloured by shot group. Small enough for a side bar.

    Args:
        counts: (C,) training samples.
        names: (C,) class names.
        groups: of these classes.
        theme: "light" or "dark".
        held_out: (C,) test samples, which become dashes; none where empty.
        logarithmic: whether each power of ten is as high as the next, so that a tail of single samples is seen.
    """
    counts = np.asarray(counts)
    order = np.argsort(-counts, kind="stable")
    figure = new_figure(theme, bargap=0.18, showlegend=False, margin={"l": 30, "r": 4, "t": 8, "b": 20})
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    for group, members, colour in zip(GROUP_NAMES, groups.items(), group_colours(), strict=True):
        classes = members[1]
        figure.add_trace(
            go.Bar(
                x=place[classes],
                y=counts[classes],
                name=group,
                marker={"color": colour, "line": {"width": 0}},
                customdata=[plain(names[c]) for c in classes],
                hovertemplate=f"%{{customdata}}: %{{y}} samples ({group})<extra></extra>",
            )
        )
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
    if len(held_out):
        held_out = np.asarray(held_out)
        figure.add_trace(
            go.Scatter(
                x=place,
                y=held_out,
                name="test",
                mode="markers",
                marker={"symbol": "line-ew", "size": 9, "line": {"width": 2, "color": theme_colours(theme)["ink"]}},
                customdata=[plain(name) for name in names],
                hovertemplate="%{customdata}: %{y} test samples<extra></extra>",
            )
        )
    if logarithmic:
        most = max(counts.max(initial=1), *held_out) if len(held_out) else counts.max(initial=1)
        powers = [10**power for power in range(7) if 10**power <= most]
        # below 1, so that a class of one sample has a bar
        figure.update_yaxes(type="log", range=[np.log10(0.6), np.log10(1.5 * most)], tickvals=powers)
    else:
        figure.update_yaxes(nticks=3, rangemode="tozero")
    return figure


def against_counts(
    values: Mapping[str, np.ndarray],
    counts: Sequence[int] | np.ndarray,
    names: Sequence[str],
    measure: str,
    colours: Mapping[str, str] | None = None,
    theme: str = "light",
) -> go.Figure:
    """A per-class quantity (spread, territory, accuracy) against the training count, on a log axis.

    Args:
        values: title of a run or method -> (C,), NaN where a class has none.
        counts: (C,) training samples, > 0 to be shown.
        names: (C,) class names.
        measure: key of the registry, or any name.
        colours: title -> "#rrggbb"; default by name.
        theme: "light" or "dark".
    """
    counts = np.asarray(counts, dtype=np.float64)
    order = np.argsort(-counts, kind="stable")
    ticks, unit = number_format(measure)
    figure = new_figure(theme, title_text=measure_title(measure))
    figure.update_xaxes(type="log", title_text="training samples of the class", autorange="reversed", tickvals=TICKS)
    figure.update_yaxes(tickformat=ticks, ticksuffix=unit)
    shown = ":.1%" if ticks else ":.3g"
    for index, (title, per_class) in enumerate(values.items()):
        colour = (colours or {}).get(title) or method_colour(title)
        figure.add_trace(
            go.Scatter(
                x=counts[order],
                y=np.asarray(per_class, dtype=np.float64)[order],
                name=plain(title),
                mode="lines+markers",
                marker={"color": colour, "size": 8, "symbol": SHAPES[index % len(SHAPES)]},
                line={"color": colour, "width": 1, "dash": DASHES[index % len(DASHES)]},
                customdata=[plain(names[c]) for c in order],
                hovertemplate=f"%{{customdata}}, %{{x:.0f}} samples: %{{y{shown}}}{unit}",
            )
        )
    return figure
