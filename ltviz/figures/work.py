"""The work of a force's parts as a ribbon over training steps."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from ltviz.figures.layout import new_figure, plain
from ltviz.figures.palette import MOVERS, Movers, fade, theme_colours
from ltviz.metrics.work import Work

SURE, PALE = 0.75, 0.2


def ribbon(
    work: Work, column: int, theme: str = "light", *, title: str = "", movers: Movers | None = None
) -> go.Figure:
    """What each part has done by each step: what went along with the way is stacked above 0, what went against it
    below, and a line is all of it. All is pale where too few steps are known to tell (`Work.tells`).

    Args:
        work: as `ltviz.metrics.work.work` gives it.
        column: which of its N points, 0 to N - 1.
        theme: "light" or "dark".
        title: any text.
        movers: names the classes of parts that are told by class.
    """
    figure = new_figure(theme, title_text=plain(title), hovermode="x unified")
    figure.update_xaxes(title_text="step", showgrid=False)
    figure.update_yaxes(title_text="work (loss)", zeroline=True)
    movers = movers or Movers()
    done = {name: values[:, column] for name, values in work.done.items() if np.abs(values[:, column]).max() > 0}
    for name, values in done.items():
        colour = movers.colour(name, theme)
        for above in (True, False):
            kept = np.maximum(values, 0) if above else np.minimum(values, 0)
            if not kept.any():
                continue
            figure.add_scatter(
                x=work.steps,
                y=kept,
                name=plain(movers.name(name)),
                legendgroup=name,
                showlegend=above or not (values > 0).any(),
                stackgroup="along" if above else "against",
                mode="lines",
                line={"width": 0.5, "color": colour},
                fillcolor=fade(colour, SURE if work.tells(column) else PALE),
                customdata=values,
                hovertemplate="%{customdata:.3g}",
            )
    if len(done) > 1:
        figure.add_scatter(
            x=work.steps,
            y=np.sum(list(done.values()), axis=0),
            name=MOVERS["total"],
            mode="lines",
            line={"width": 2, "color": theme_colours(theme)["ink"]},
            hovertemplate="%{y:.3g}",
        )
    return figure
