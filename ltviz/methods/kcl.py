"""KCL: k positives from the queue, no more for head classes than for tail ones (Kang et al., 2021)."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ltviz.geometry import Prediction
from ltviz.marks import Reading, Shown
from ltviz.methods.base import Batch, Card, Setup
from ltviz.methods.moco import Moco, check_queries
from ltviz.methods.parts.captured import drawn
from ltviz.methods.parts.contrast import Contrast
from ltviz.methods.parts.inputs import (
    Labels,
    Mask,
    check_choice,
    check_labels,
    check_mask,
    check_temperature,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.partition import weighted_sum
from ltviz.methods.parts.queue import Queued, QueuedSettings, QueuedStep
from ltviz.methods.parts.running_mean import RunningMean
from ltviz.methods.parts.scene import Queries, Scene
from ltviz.methods.parts.similarities import Partners, own_similarities, pulled_similarities
from ltviz.methods.parts.snippets import ENQUEUE, PROBE, PROBE_TRAINS, QUERIES, QUEUE, probe_loss
from ltviz.methods.parts.theory import contrast_ends
from ltviz.methods.parts.tracing import sizes_are_fixed

ORDERS = ("random", "official")
EMPTY = -1
"""Label of a queue slot that has not been filled: never a positive, but in the denominator."""
BLOCK_ROWS = 256
FEW_POSITIVES = 64
"""Mean number of positives up to which gathering them costs less than a product with the mask."""


@loss("query", "key", "queue", still=("key", "queue"))
def kcl(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Labels,
    queue_y: Labels,
    *,
    temperature: float | Tensor,
    k: int | None = 6,
    positives: Mask | None = None,
    order: str = "random",
    generator: torch.Generator | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""k-positive contrastive loss: the own key and up to k queue entries of the same class attract the query.

    .. math:: L_i = -\frac{1}{1+k_i} \Big( \log p_{i,own} + \sum_{j \in P(i)} \log p_{ij} \Big), \qquad
              k_i = \min(k, \text{available})

    with p the softmax of q_i . (own key, queue) / tau over all 1 + K columns.

    Args:
        query, key: (B, D) unit rows, taken as given; row i of key is query i's own key, always a positive.
        queue: (K, D) keys of earlier batches, K may be 0. It is not copied: take in new keys after backward(), or give
            queue.clone().
        y: (B,) integer labels of the queries.
        queue_y: (K,) integer labels of the queue; -1 marks an empty slot, never a positive, but in the denominator.
        temperature: positive number or 0-d tensor.
        k: positives taken from the queue for each query; where fewer are there all are taken. None takes all always.
        positives: (B, K) bool, the queue entries that attract each query; nothing is drawn then and k is not used.
        order: how the k are found: "random", uniformly without replacement, or "official", see `draw_positives`.
        generator: source of the drawing; None is torch's global one.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.
        RuntimeError: in the backward pass, where key or queue was changed in place since.

    Source: Kang et al. 2021, Eq. 3, where the divisor is always k + 1; code: BalFeat ba60412, which divides by 1 + k_i
    as here, and takes the positives in the order that `topk` leaves ties in (order="official"). Drawing them at random
    is the paper's text and the code of TSC.

    >>> query = key = torch.eye(3)[:2]
    >>> round(kcl(query, key, torch.eye(3)[[0, 2]], [0, 1], [0, 2], temperature=0.5, k=1).item(), 3)
    0.499
    """
    check_queries("kcl", query, key, queue)
    check_choice("kcl", "reduction", reduction, ("mean", "none"))
    tau = check_temperature("kcl", temperature, query)
    check_choice("kcl", "order", order, ORDERS)
    chosen, about = choose_positives("kcl", y, queue_y, query, queue, k, positives, generator, order)
    own, contrast = own_similarities(query, key) / tau, Contrast(about=about)
    num_positives, of_positives = positive_similarities(query, queue, chosen, about)
    evidence = (own + of_positives / tau) / (1 + num_positives)
    if reduction == "none":
        return contrast.log_partition(query, queue, tau, own) - evidence
    weights = own.new_full((len(own),), 1.0 / len(own))
    return weighted_sum(contrast, weights, query, queue, tau, own) - evidence.mean()


def choose_positives(
    loss: str,
    y: Labels,
    queue_y: Labels,
    query: Tensor,
    queue: Tensor,
    k: int | None,
    positives: Mask | None,
    generator: torch.Generator | None,
    order: str = "random",
) -> tuple[Tensor, Partners]:
    """The queue entries that attract each query, (B, K) bool: those given, or else drawn; and the queue as partners."""
    y = check_labels(loss, "y", y, len(query), f"for {len(query)} queries", query)
    queue_y = check_labels(loss, "queue_y", queue_y, len(queue), f"for {len(queue)} queue slots", query)
    if positives is not None:
        shape = (len(query), len(queue))
        chosen = check_mask(loss, "positives", positives, shape, "(queries, queue slots)", query) & (queue_y != EMPTY)
    elif k is not None and k < 0:
        raise ValueError(f"{loss}: k must be 0 or more, but is {k}; try 6")
    else:
        chosen = draw_positives(y, queue_y, k, generator, order)
    return chosen, Partners(queue_y, y, lambda: chosen)


def draw_positives(
    y: Tensor, queue_y: Tensor, k: int | None, generator: torch.Generator | None = None, order: str = "random"
) -> Tensor:
    """Up to k queue entries of each query's class, as (B, K) bool.

    With order "random" they are drawn uniformly without replacement. With "official" they are those that `topk` finds
    first in the 0/1 mask of the class, as in BalFeat: the same slots for every query of a class, whichever keys lie
    there, and other slots on another device.
    """
    available = (y[:, None] == queue_y) & (queue_y != EMPTY)
    if k is None or k >= len(queue_y):
        return available
    if k == 0:
        return torch.zeros_like(available)
    if order == "official":
        found = torch.zeros_like(available).scatter_(1, available.float().topk(k, dim=1).indices, True)
        return available & found
    for a in range(0, len(y), BLOCK_ROWS):
        block = available[a : a + BLOCK_ROWS]
        # the k largest of independent uniforms are a uniform draw without replacement; those not available come last
        draw = partial(torch.rand, block.shape, generator=generator)
        lot = draw(device=y.device) if generator is None else drawn(partial(draw, device=generator.device), y.device)
        lot = lot.masked_fill_(~block, -1.0)
        block &= torch.zeros_like(block).scatter_(1, lot.topk(k, dim=1).indices, True)
    return available


def positive_similarities(query: Tensor, queue: Tensor, chosen: Tensor, about: Partners) -> tuple[Tensor, Tensor]:
    """How many queue entries are chosen for each query, (B,), and the sum of q_i . Q_j over them, (B,)."""
    if sizes_are_fixed():  # how many there are is not to be known
        return chosen.sum(1).to(query.dtype), (query * (chosen.to(queue.dtype) @ queue)).sum(1)
    rows, columns = chosen.nonzero(as_tuple=True)
    if len(rows) <= FEW_POSITIVES * len(query):
        sums = torch.zeros_like(query).index_add(0, rows, queue[columns])
    else:
        blocks = (chosen[a : a + BLOCK_ROWS].to(queue.dtype) for a in range(0, len(query), BLOCK_ROWS))
        sums = torch.cat([block @ queue for block in blocks])
    pulls = pulled_similarities(query, sums, lambda: queue, about)
    return torch.bincount(rows, minlength=len(query)).to(query.dtype), pulls


class KclSettings(QueuedSettings):
    k: int = Field(6, ge=0, le=1024, description="Positives drawn from the queue for each query, of its own class.")
    order: Literal["random", "official"] = Field(
        "random",
        description="How positives are drawn: at random, as the paper says, or the same slots of the queue for every "
        "query of a class, as KCL's official code does.",
    )


class Kcl(Moco):
    """MoCo with k positives of the query's class from the queue; terms `contrast` and `probe`."""

    card = Card(
        name="kcl",
        title="KCL",
        year=2021,
        idea="Every query has the same few positives at most, however many its class has in the queue.",
        formula=r"L_i = -\frac{1}{1+k_i} \Big( \log p_{i,own} + \sum_{j \in P(i)} \log p_{ij} \Big)",
        terms={r"\log p_{i,own} + \sum_{j \in P(i)} \log p_{ij}": "pull"},
        symbols={r"k_i": "k"},
        look_for="Classes with fewer than k keys in the queue find fewer positives.",
        differs="The sum is divided by the positives that there are, as in the official code; the paper always "
        "divides by k + 1. Positives are drawn at random, as the paper says; the official code takes the same "
        "slots of the queue.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="Kang et al., Exploring Balanced Feature Spaces for Representation Learning, ICLR 2021",
        code="https://github.com/bingykang/BalFeat",
    )
    Settings = KclSettings
    on_host = None
    settings: KclSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    readings = (
        *Moco.readings,
        Reading(
            key="positives_found",
            title="Positives found",
            short="How many keys of its class each query of this class really drew from the queue, of the k it asks "
            "for, on average over the last twenty or so batches that held the class.",
        ),
    )
    marks = Queued.marks

    def __init__(self, settings: KclSettings, setup: Setup):
        super().__init__(settings, setup)
        self.found = RunningMean(setup.num_classes)

    def theory(self, counts: np.ndarray) -> Prediction | None:
        """SupCon's: a few positives drawn at random are the mean of all of them in expectation."""
        return contrast_ends(counts, self.setup_.dim, self.settings.temperature) if self.settings.k else None

    def contrast(self, queries: Queries, batch: Batch) -> QueuedStep:
        positives = self.draw(queries, self.settings, self.setup_.generator)
        return QueuedStep(self.attract(queries, positives, self.settings), batch, queries, positives=positives)

    @staticmethod
    def draw(queries: Queries, settings: KclSettings, generator: torch.Generator) -> Tensor:
        """Positives of the queries in the queue, (B, K) bool."""
        return draw_positives(queries.y, queries.queue_y, settings.k, generator, settings.order)

    @staticmethod
    def attract(queries: Queries, positives: Tensor, settings: KclSettings) -> dict[str, Tensor]:
        """The contrastive term where these (B, K) bool attract each query."""
        return {"contrast": kcl(*queries, temperature=settings.temperature, positives=positives)}

    @classmethod
    def what_if(cls, scene: Scene, settings: KclSettings) -> dict[str, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return cls.attract(scene.queries, cls.draw(scene.queries, settings, scene.generator), settings)

    def remember(self, step: QueuedStep) -> None:
        super().remember(step)
        if step.positives is not None:
            self.found.take(step.positives.sum(1), step.queries.y)

    def show(self, batch: Batch) -> dict[str, Shown]:
        """The queue alone: an image's own key is one positive among k, and lines to it would hide the classes."""
        return Queued.show(self, batch)

    def read(self) -> dict[str, Tensor]:
        return {**super().read(), "positives_found": self.found.read()}

    @classmethod
    def listing(cls, settings: KclSettings) -> Listing:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Listing(
            build=f"{QUEUE}{PROBE}",
            trains=PROBE_TRAINS,
            step=f"""\
{QUERIES}
met = (query, key, keys, batch.y, keys_y)
loss = losses.kcl(*met, temperature=temperature, k=k, order=order, generator=generator)
loss += {probe_loss("batch.y")}
""",
            after=ENQUEUE,
        )
