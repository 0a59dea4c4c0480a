"""Logit adjustment: cross-entropy that knows the class prior (Menon et al., 2021)."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz.methods.base import Card, live
from ltviz.methods.ce import READ_OUT, CrossEntropy, CrossEntropySettings
from ltviz.methods.inputs import check_choice, check_labels, check_shape, full_precision, log_prior


@full_precision
def logit_adjusted(logits: Tensor, y: Tensor, counts: Tensor, *, tau: float = 1.0, reduction: str = "mean") -> Tensor:
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
    """
    check_shape("logit_adjusted", "logits", logits, (None, None), "(samples, classes)")
    num_samples, num_classes = logits.shape
    if not logits.numel():
        raise ValueError(f"logit_adjusted: logits must hold samples and classes, but has shape {tuple(logits.shape)}")
    y = check_labels("logit_adjusted", "y", y, num_samples, f"for {num_samples} rows of logits", num_classes)
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
    """Cross-entropy with the log prior added to the logits while training, or subtracted from them afterwards."""

    card = Card(
        name="logit_adjust",
        title="Logit adjustment",
        year=2021,
        idea="A rare class must win by a margin while training, so it keeps its room when the prior is gone.",
        formula=r"L_i = -\log \frac{e^{x_{i y_i} + \tau \log \pi_{y_i}}}{\sum_c e^{x_{ic} + \tau \log \pi_c}}",
        look_for="Few-shot accuracy far above CE's with much the same features: the boundaries move, not the clouds.",
        sphere=READ_OUT,
        paper="Menon et al., Long-tail learning via logit adjustment, ICLR 2021, arXiv:2007.07314",
        code="https://github.com/google-research/google-research/tree/master/logit_adjustment",
    )
    Settings = LogitAdjustSettings
    settings: LogitAdjustSettings

    def compare(self, logits: Tensor, y: Tensor) -> Tensor:
        if self.settings.adjust == "post-hoc":
            return super().compare(logits, y)
        return logit_adjusted(logits, y, self.counts, tau=self.settings.tau)

    def classify(self, features: Tensor) -> Tensor:
        logits = super().classify(features)
        return logits - self.prior_shift(logits) if self.settings.adjust == "post-hoc" else logits

    def prior_shift(self, like: Tensor) -> Tensor:
        """(C,) what the prior adds to each class's logit: how far its decision boundary is moved."""
        return self.settings.tau * log_prior("logit_adjust", self.counts, len(self.counts), like)
