"""Logit adjustment: cross-entropy that knows the class prior (Menon et al., 2021)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz.marks import Mark, Reading, Segments, Shown
from ltviz.methods.base import Batch, Card, LinearClassifier, live
from ltviz.methods.ce import READ_OUT, CrossEntropy, CrossEntropySettings
from ltviz.methods.parts.boundary import along, borders, boundary_shift, half_angles
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_rows,
    log_prior,
)
from ltviz.methods.parts.loss import loss

MOST_BOUNDARIES = 60
"""Boundaries that a frame shows, at most."""


@loss()
def logit_adjusted(logits: Tensor, y: Labels, counts: Numbers, *, tau: float = 1.0, reduction: str = "mean") -> Tensor:
    r"""Cross-entropy of logits plus tau times the log prior: rare classes must win by a margin while training.

    .. math:: L_i = -\log \frac{e^{x_{i y_i} + \tau \log \pi_{y_i}}}{\sum_c e^{x_{ic} + \tau \log \pi_c}}

    Args:
        logits: (B, C).
        y: (B,) labels from 0 to C - 1.
        counts: (C,) training samples per class, not negative; may be float. A class with count 0 gets the prior 1e-12
            (minus infinity in the official code).
        tau: strength; 1 is Fisher-consistent for the balanced error, 0 is plain cross-entropy.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Menon et al. 2021, Eq. 10; code: Balanced-Contrastive-Learning f72d070, `LogitAdjust`.

    >>> logits = torch.zeros(2, 3)  # a sample of the rarest class must win by a margin
    >>> logit_adjusted(logits, [0, 2], [90, 9, 1], reduction="none").round(decimals=3)
    tensor([0.1050, 4.6050])
    """
    check_rows("logit_adjusted", "logits", logits, (None, None), "(samples, classes)")
    num_samples, num_classes = logits.shape
    if not logits.numel():
        raise ValueError(f"logit_adjusted: logits must hold samples and classes, but has shape {tuple(logits.shape)}")
    y = check_labels("logit_adjusted", "y", y, num_samples, f"for {num_samples} rows of logits", logits, num_classes)
    check_choice("logit_adjusted", "reduction", reduction, ("mean", "none"))
    prior = log_prior("logit_adjusted", counts, num_classes, logits)
    return F.cross_entropy(logits + tau * prior, y, reduction=reduction)


class LogitAdjustSettings(CrossEntropySettings):
    adjust: Literal["training", "post-hoc"] = Field(
        "training",
        description="Where the prior enters: into the loss while training, or out of a plain classifier's logits.",
    )
    tau: float = live(1.0, ge=0, le=3, description="Strength of the prior; 1 aims at the balanced error, 0 is CE.")


class LogitAdjust(CrossEntropy):
    """Cross-entropy with the log prior added to the logits while training, or subtracted from them afterwards.

    `show` and `read` speak of the classifier on the sphere, on the great circles between neighbouring classes. Its
    boundary without the prior is half way. With `adjust` "training" the loss draws it nearer to the rarer class, which
    must win from there: that class's room is smaller while training than when it is used. With "post-hoc" the loss
    draws it half way, and it is moved away from the rarer class when it is used.
    """

    card = Card(
        name="logit_adjust",
        title="Logit adjustment",
        year=2021,
        idea="A rare class must win by a margin while training, so it keeps its room when the prior is gone.",
        formula=r"L_i = -\log \frac{e^{x_{i y_i} + \tau \log \pi_{y_i}}}{\sum_c e^{x_{ic} + \tau \log \pi_c}}",
        terms={r"x_{i y_i}": "pull", r"x_{ic}": "push", r"\tau \log \pi_{y_i}": "prior", r"\tau \log \pi_c": "prior"},
        symbols={r"\tau": "tau", r"\pi_c": "counts"},
        look_for="Few-shot accuracy far above CE's by its own classifier. By nearest class mean it is much the same.",
        differs="A class without samples is given the prior 1e-12, where the official code has minus infinity.",
        sphere=READ_OUT,
        paper="Menon et al., Long-tail learning via logit adjustment, ICLR 2021, arXiv:2007.07314",
        code="https://github.com/google-research/google-research/tree/master/logit_adjustment",
    )
    Settings = LogitAdjustSettings
    on_host = None
    settings: LogitAdjustSettings
    readings = (
        Reading(
            key="boundary_shift",
            title="Shift of the boundaries",
            unit="°",
            short="How far the prior moves the boundaries of this class outwards, on average over its nearest classes: "
            "below zero the class must make do with less room while it learns, above zero it is given more.",
        ),
    )
    marks = (
        *CrossEntropy.marks,
        Mark(
            key="boundary",
            title="Boundary, shifted",
            short="Each arrow leads from where a boundary between two classes would lie without the class counts to "
            "where they put it while the method learns.",
            primitive="segments",
            sign="shift",
            directed=True,
        ),
    )

    @staticmethod
    def compare(logits: Tensor, y: Tensor, counts: Tensor, settings: LogitAdjustSettings) -> Tensor:
        if settings.adjust == "post-hoc":
            return CrossEntropy.compare(logits, y, counts, settings)
        return logit_adjusted(logits, y, counts, tau=settings.tau)

    def classify(self, features: Tensor) -> Tensor:
        logits = super().classify(features)
        return logits - self.prior_shift(logits) if self.settings.adjust == "post-hoc" else logits

    def linear_classifier(self) -> LinearClassifier:
        found = super().linear_classifier()
        shift = self.prior_shift(found.bias) if self.settings.adjust == "post-hoc" else 0
        return found._replace(bias=found.bias - shift)

    def prior_shift(self, like: Tensor) -> Tensor:
        """(C,) what the prior adds to each class's logit: how far its decision boundary is moved."""
        return self.settings.tau * log_prior("logit_adjust", self.counts, len(self.counts), like)

    def boundaries(self) -> tuple[Tensor, Tensor, Tensor]:
        """Borders (K, 2) of the classes on the sphere, half the angle between the two classes of each, (K,), and how
        far the prior moves the boundary from the middle towards the first one, (K,); radians."""
        directions = self.display.directions()
        pairs = borders(directions)
        first, second = pairs.T
        offset = self.prior_shift(directions) / self.display.scale
        if self.settings.adjust == "post-hoc":
            offset = -offset
        half = half_angles(directions[first], directions[second])
        return pairs, half, boundary_shift(half, offset[second] - offset[first])

    def read(self) -> dict[str, Tensor]:
        pairs, _, shift = self.boundaries()
        sums = shift.new_zeros(len(self.counts)).index_add_(0, pairs.T.flatten(), torch.cat([-shift, shift]).rad2deg())
        return {"boundary_shift": sums / torch.bincount(pairs.flatten(), minlength=len(sums))}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "boundary" the way of each boundary from where it is without the prior to where the prior puts it; of
        too many those of the rarest classes, each in the colour of its rarer class."""
        pairs, half, shift = self.boundaries()
        rarest = pairs[:, 1].argsort(descending=True, stable=True)[:MOST_BOUNDARIES]
        half, shift = half[rarest], shift[rarest]
        first, second = pairs[rarest].T
        directions = self.display.directions()
        ends = directions[first], directions[second]
        return {"boundary": Segments(along(*ends, half), along(*ends, half - shift), second)}

    @staticmethod
    def criterion(settings: LogitAdjustSettings) -> str:
        if settings.adjust == "post-hoc":
            return CrossEntropy.criterion(settings)
        return "F.cross_entropy(logits + tau * log_prior, batch.y)"
