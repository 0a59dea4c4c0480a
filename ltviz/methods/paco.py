"""PaCo: parametric class centres beside the samples (Cui et al., 2021)."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor

from ltviz.methods.base import Batch, Card, LinearClassifier, Reading, Setup, live
from ltviz.methods.moco import check_queries
from ltviz.methods.parts.cosine import CosineClassifier, linear_classifier
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_rows,
    check_temperature,
    full_precision,
    log_prior,
)
from ltviz.methods.parts.inputs import reduce as reduce_values
from ltviz.methods.parts.queue import Queued, QueuedSettings
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.tally import Tally
from ltviz.methods.parts.tug import Tug, own_column, shares, similarities
from ltviz.methods.parts.watch import watched


@full_precision
@watched("query", "key", "queue")
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
    samples = (query / tau) @ torch.cat([query, key, queue]).T
    positives = y[:, None] == torch.cat([y, y, queue_y])
    positives.fill_diagonal_(False)
    itself = torch.zeros_like(positives).fill_diagonal_(True)
    counted = (samples + (math.log(gamma) if gamma else -math.inf)).masked_fill(itself, -math.inf)
    log_z = torch.cat([centres, counted], dim=1).logsumexp(1)
    num_positives = positives.sum(1)
    evidence = beta * centres.gather(1, y[:, None])[:, 0] + alpha * samples.masked_fill(~positives, 0.0).sum(1)
    values = log_z - evidence / (beta + alpha * num_positives)
    return reduce_values("paco", values, reduction)


def paco_tug(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Tensor,
    queue_y: Tensor,
    logits: Tensor,
    counts: Tensor,
    *,
    temperature: float,
    alpha: float,
) -> Tug:
    """Who pulls and pushes each query under `paco` at beta = gamma = centre_temperature = 1.

    A sample feels (alpha 1[same class] / (1 + alpha |P(i)|) - p_ij) / (B temperature). The centres are on the features,
    not on the sphere: they hold a share of p, and so take their part of the push away.
    """
    samples = torch.cat([query, key, queue])
    classes = torch.cat([y, y, queue_y])
    itself = own_column(len(query), query)
    positives = y[:, None] == classes
    positives[:, : len(y)] &= ~itself
    compared = similarities(query, samples) / temperature
    compared[:, : len(y)].masked_fill_(itself, -torch.inf)
    num_classes = logits.shape[1]
    prior = log_prior("paco", counts, num_classes, logits)
    p, unaware = (
        shares(torch.cat([logits + known, compared], dim=1))[:, num_classes:]
        for known in (prior, -math.log(num_classes))
    )
    wanted = alpha * positives / (1 + alpha * positives.sum(1, keepdim=True).to(query.dtype))
    scale = len(y) * temperature
    weights, of_prior = (wanted - p) / scale, (unaware - p) / scale
    for each in (weights, of_prior):
        each[:, : len(y)] += each[:, : len(y)].T.clone()
    return Tug(partners=samples, classes=classes, weights=weights, positives=positives, prior=of_prior)


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
        look_for="How early classes form around their centres; samples of a class pull on one another only gently.",
        sphere="The embeddings that are contrasted; the centres are learned on the features beside it.",
        paper="Cui et al., Parametric Contrastive Learning, ICCV 2021, arXiv:2107.12028",
        code="https://github.com/dvlab-research/Parametric-Contrastive-Learning",
    )
    Settings = PacoSettings
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
        self.centre_share = Tally(setup.num_classes)
        self._logits: Tensor | None = None

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.view(0))
        query, key = self.project(features), self.key(batch.view(1))
        self.note(query, key, batch.y)
        logits = self.classifier(features)
        self._logits = logits.detach()
        loss = paco(
            query,
            key,
            self.queue.keys,
            logits,
            batch.y,
            self.queue.labels,
            self.counts,
            temperature=self.settings.temperature,
            alpha=self.settings.alpha,
        )
        return {"contrast": loss}

    def tugs(self, z: Tensor, batch: Batch) -> dict[str, Tug] | None:
        if self._logits is None:
            return None
        s = self.settings
        tug = paco_tug(*self.met(), self._logits.to(z), self.counts, temperature=s.temperature, alpha=s.alpha)
        return {"contrast": tug}

    @classmethod
    def what_if(cls, scene: Scene, settings: PacoSettings) -> dict[str, Tug]:
        logits = settings.scale * scene.z[:, 0] @ scene.centres.T
        tug = paco_tug(*scene.met(), logits, scene.counts, temperature=settings.temperature, alpha=settings.alpha)
        return {"contrast": tug}

    def remember(self, query: Tensor, key: Tensor, y: Tensor) -> None:
        # counted before this batch's keys come in: the queue is still the one that the loss saw
        stored = torch.bincount(self.queue.labels, minlength=len(self.counts))
        num_positives = 2 * torch.bincount(y, minlength=len(self.counts)) - 1 + stored
        self.centre_share.take(1 / (1 + self.settings.alpha * num_positives[y]), y)
        super().remember(query, key, y)

    def read(self) -> dict[str, Tensor]:
        return {**super().read(), "centre_share": self.centre_share.read()}

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)
