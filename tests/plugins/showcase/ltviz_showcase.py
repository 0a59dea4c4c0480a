"""A method of another package: one mark of each primitive, a landmark of its own and a reading.

It lies here as pip would have installed it, beside its dist-info: with this folder on the path ltviz finds it by its
entry point and knows nothing else of it. It learns as SimCLR does.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.marks import Caps, Mark, Points, Reading, Segments, Shown, Vectors
from ltviz.methods.base import Batch, Card
from ltviz.methods.simclr import SimClr

MEMORY, PAIRS = 12, 7


class Showcase(SimClr):
    """SimCLR that shows a mark of each kind; what they stand for is made up, and tells frames apart."""

    card = Card(
        name="showcase",
        title="Showcase",
        year=2031,
        idea="Shows what a method of another package can show.",
        formula=r"L = 0",
        look_for="A sign of each kind in the legend.",
        sphere="The embeddings that are contrasted.",
        paper="None",
        code=None,
    )
    marks = (
        Mark(key="stars", title="Stars", short="Places that a plug-in remembers.", primitive="points", sign="mist"),
        Mark(
            key="bridges",
            title="Bridges",
            short="Arrows from one view of an image to the other.",
            primitive="segments",
            sign="shift",
            directed=True,
        ),
        Mark(key="domes", title="Domes", short="Caps of 10° and more, a < b.", primitive="caps", sign="cap"),
        Mark(key="winds", title="Winds", short="Where each class is blown.", primitive="vectors", sign="arrow"),
        Mark(key="poles", title="Poles", short="Axes of the space, one a class.", primitive="points", sign="square"),
        Mark(
            key="hidden",
            title="Hidden",
            short="Off until a person switches it on.",
            primitive="points",
            sign="plus",
            on=False,
        ),
    )
    readings = (Reading(key="pulse", title="Pulse", unit="beats", short="The rank of each class, and one more."),)

    def landmarks(self) -> dict[str, Tensor]:
        """ "poles": row c is an axis of the space, up or down."""
        return {"poles": self._poles()}

    def read(self) -> dict[str, Tensor]:
        return {"pulse": torch.arange(1.0, self._classes + 1)}

    def show(self, batch: Batch) -> dict[str, Shown]:
        a, b = self.embed(batch.view(0)), self.embed(batch.view(1))
        poles, classes = self._poles(), torch.arange(self._classes)
        # Class 0 is not blown anywhere: its row is zero.
        winds = F.normalize(poles.roll(1, dims=1), dim=1) * classes[:, None].to(poles)
        return {
            "stars": Points(a[:MEMORY], batch.y[:MEMORY], torch.arange(float(len(a[:MEMORY])))),
            "bridges": Segments(a[:PAIRS], b[:PAIRS], batch.y[:PAIRS]),
            "domes": Caps(poles, 10 + 2.5 * classes, classes),
            "winds": Vectors(winds),
            "hidden": Points(b[:1], batch.y[:1]),
        }

    @property
    def _classes(self) -> int:
        return len(self.counts)

    def _poles(self) -> Tensor:
        dim = self.setup_.dim
        rows = torch.arange(self._classes)
        return F.one_hot(rows % dim, dim).float() * (1 - 2 * ((rows // dim) % 2))[:, None]
