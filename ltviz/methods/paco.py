"""PaCo: parametric class centres beside the samples (Cui et al., 2021)."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor

from ltviz.marks import Reading
from ltviz.methods.base import Batch, Card, LinearClassifier, Setup, live
from ltviz.methods.moco import check_queries
from ltviz.methods.parts.anchors import class_sizes
from ltviz.methods.parts.cosine import CosineClassifier, linear_classifier
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_rows,
    check_temperature,
    log_prior,
)
from ltviz.methods.parts.inputs import reduce as reduce_values
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.queue import Queued, QueuedSettings, QueuedStep
from ltviz.methods.parts.running_mean import RunningMean
from ltviz.methods.parts.scene import Queries, Scene
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.snippets import ENQUEUE, QUERIES, QUEUE, cosines, directions


@loss("query", "key", "queue")
def paco(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    logits: Tensor,
    y: Labels,
    queue_y: Labels,
    counts: Numbers,
    *,
    temperature: float | Tensor,
    alpha: float = 0.05,
    beta: float = 1.0,
    gamma: float = 1.0,
    centre_temperature: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    r"""Parametric contrast: a query's positives are its class centre (weight beta) and same-class samples (alpha).

    .. math:: L_i = -\frac{1}{W_i} \Big( \beta \log p_{i, y_i} + \alpha \sum_{j \in P(i)} \log p_{ij} \Big), \quad
              W_i = \beta + \alpha |P(i)|

    p is a softmax over all C centres, scored by logits plus log prior, and over all samples (other queries, keys,
    queue), scored by similarity / temperature and counted gamma times.

    Args:
        query, key: (B, D) unit rows, taken as given; the keys carry their queries' labels.
        queue: (K, D) keys of earlier batches, K may be 0. It is copied and may take in new keys before backward().
        logits: (B, C) of a classifier whose weights are the centres.
        y: (B,) labels from 0 to C - 1.
        queue_y: (K,) labels; -1 marks an empty slot, never a positive, but in the denominator.
        counts: (C,) training samples per class.
        temperature: of the samples, positive number or 0-d tensor.
        alpha, beta, gamma: weights, not negative; beta positive.
        centre_temperature: of the centres' logits ("supt").
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Cui et al. 2021, Eq. 5; code: Parametric-Contrastive-Learning fe56535, `PaCoLoss`, without its additive
    1e-9 and 1e-12, so values differ from it by about 1e-6.

    >>> query, logits = torch.eye(3)[:2], torch.zeros(2, 3)
    >>> round(paco(query, query, torch.eye(3)[2:], logits, [0, 1], [2], [100, 10, 1], temperature=0.5).item(), 3)
    3.533
    """
    check_queries("paco", query, key, queue)
    check_rows("paco", "logits", logits, (len(query), None), f"for {len(query)} queries")
    num_classes = logits.shape[1]
    y = check_labels("paco", "y", y, len(query), f"for {len(query)} queries", query, num_classes)
    queue_y = check_labels("paco", "queue_y", queue_y, len(queue), f"for {len(queue)} queue slots", query)
    check_choice("paco", "reduction", reduction, ("mean", "none"))
    if not (alpha >= 0 and beta > 0 and gamma >= 0 and centre_temperature > 0):
        raise ValueError(
            f"paco: alpha and gamma must be 0 or more, beta and centre_temperature positive, "
            f"but they are {alpha:g}, {gamma:g}, {beta:g} and {centre_temperature:g}"
        )
    tau = check_temperature("paco", temperature, query)
    centres = (logits + log_prior("paco", counts, num_classes, logits)) / centre_temperature
    classes = torch.cat([y, y, queue_y])
    samples = similarities(query, torch.cat([query, key, queue]), Partners(classes, y), tau)
    positives = y[:, None] == classes
    positives.fill_diagonal_(False)
    itself = torch.zeros_like(positives).fill_diagonal_(True)
    counted = (samples + (math.log(gamma) if gamma else -math.inf)).masked_fill(itself, -math.inf)
    log_z = torch.cat([centres, counted], dim=1).logsumexp(1)
    num_positives = positives.sum(1).to(samples.dtype)
    evidence = beta * centres.gather(1, y[:, None])[:, 0] + alpha * samples.masked_fill(~positives, 0.0).sum(1)
    values = log_z - evidence / (beta + alpha * num_positives)
    return reduce_values("paco", values, reduction)


class PacoSettings(QueuedSettings):
    alpha: float = live(0.05, ge=0, le=1, description="Weight of each sample positive beside the centre's weight of 1.")
    scale: float = Field(16.0, ge=1, le=64, description="Inverse temperature of the cosine logits of the centres.")


class Paco(Queued):
    """Queries against keys, queue and learned class centres; the centres' logits are the method's own classifier.

    Term `contrast` alone. The official code has a linear classifier on features; here it is a cosine one, so that the
    centres are directions. Keys enter the queue after the step.
    """

    card = Card(
        name="paco",
        title="PaCo",
        year=2021,
        idea="A learned centre for each class joins the contrast, so tail classes always have a strong positive.",
        formula=r"L_i = -\frac{1}{W_i} \Big( \log p_{i, y_i} + \alpha \sum_{j \in P(i)} \log p_{ij} \Big)",
        terms={r"\log p_{i, y_i}": "targets", r"\alpha \sum_{j \in P(i)} \log p_{ij}": "pull"},
        symbols={r"\alpha": "alpha"},
        look_for="How early classes form around their centres; samples of a class pull on one another only gently.",
        differs="The centres are directions, of a cosine classifier, where the official code has a linear one. Its "
        "small constants inside the logarithm are left out.",
        sphere="The embeddings that are contrasted; the centres are learned on the features beside it.",
        paper="Cui et al., Parametric Contrastive Learning, ICCV 2021, arXiv:2107.12028",
        code="https://github.com/dvlab-research/Parametric-Contrastive-Learning",
    )
    Settings = PacoSettings
    on_host = None
    settings: PacoSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    readings = (
        *Queued.readings,
        Reading(
            key="centre_share",
            title="Share of the centre",
            short="Which part of the pull on samples of this class comes from the class's learned centre, 1 being all; "
            "the rest comes from other samples of the class.",
        ),
    )

    def __init__(self, settings: PacoSettings, setup: Setup):
        super().__init__(settings, setup)
        self.classifier = CosineClassifier(setup.feature_dim, setup.num_classes, settings.scale)
        self.centre_share = RunningMean(setup.num_classes)

    def losses(self, batch: Batch) -> QueuedStep:
        features = self.encoder(batch.view(0))
        queries = self.queries(self.project(features), self.key(batch.view(1)), batch.y)
        terms = self.contrast(queries, self.classifier(features), self.counts, self.settings)
        return QueuedStep(terms, batch, queries)

    @staticmethod
    def contrast(queries: Queries, logits: Tensor, counts: Tensor, s: PacoSettings) -> dict[str, Tensor]:
        """The contrastive term of queries whose centres give these logits (B, C)."""
        query, key, queue, y, queue_y = queries
        loss = paco(query, key, queue, logits, y, queue_y, counts, temperature=s.temperature, alpha=s.alpha)
        return {"contrast": loss}

    @classmethod
    def what_if(cls, scene: Scene, settings: PacoSettings) -> dict[str, Tensor]:
        """The centres' logits are given: they are on the features, not on the sphere, and only take their share."""
        logits = settings.scale * scene.queries.query.detach() @ scene.centres.T
        return cls.contrast(scene.queries, logits, scene.counts, settings)

    def remember(self, step: QueuedStep) -> None:
        # counted before this batch's keys come in: the queue is still the one that the loss saw
        y, stored = step.queries.y, class_sizes(self.queue.labels, len(self.counts))
        num_positives = 2 * class_sizes(y, len(self.counts)) - 1 + stored
        self.centre_share.take(1 / (1 + self.settings.alpha * num_positives[y]), y)
        super().remember(step)

    def read(self) -> dict[str, Tensor]:
        return {**super().read(), "centre_share": self.centre_share.read()}

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)

    @classmethod
    def listing(cls, settings: PacoSettings) -> Listing:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Listing(
            build=f"{QUEUE}{directions('weight', 'width')}  # the centres",
            trains="weight",
            step=f"""\
{QUERIES}
logits = scale * {cosines("features", "weight")} + log_prior
samples = query @ torch.cat([query, key, keys]).T / temperature
all_y = torch.cat([batch.y, batch.y, keys_y])
itself = torch.eye(len(query), len(all_y), dtype=torch.bool)
same = (batch.y[:, None] == all_y) & ~itself
sums = torch.cat([logits, samples.masked_fill(itself, -torch.inf)], dim=1).logsumexp(1)
pulls = logits.gather(1, batch.y[:, None])[:, 0] + alpha * samples.masked_fill(~same, 0.0).sum(1)
loss = (sums - pulls / (1 + alpha * same.sum(1))).mean()
""",
            after=ENQUEUE,
        )
