"""Re-weighted cross-entropy: rare classes count more (class-balanced weights; Cui et al., 2019)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz.methods.base import Card, live
from ltviz.methods.ce import READ_OUT, CrossEntropy, CrossEntropySettings
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.similarities import at_equal_counts

Weighting = Literal["inverse", "square-root", "effective"]


def class_weights(counts: Tensor, weighting: Weighting, beta: float = 0.999) -> Tensor:
    """Weight of each class in the loss, (C,), mean 1; a class without samples is weighed as if it had one.

    Args:
        counts: (C,) training samples per class.
        weighting: "inverse": 1 / n; "square-root": 1 / sqrt(n); "effective": (1 - beta) / (1 - beta^n).
        beta: of "effective"; 0 gives equal weights, towards 1 it gives 1 / n.
    """
    n = counts.clamp_min(1).double()
    if weighting == "inverse":
        weights = 1 / n
    elif weighting == "square-root":
        weights = n.rsqrt()
    else:
        weights = (1 - beta) / (1 - beta**n)
    return (weights / weights.mean()).to(counts.dtype if counts.is_floating_point() else torch.float32)


@at_equal_counts
def reweighted(logits: Tensor, y: Tensor, counts: Tensor, *, weighting: Weighting, beta: float = 0.999) -> Tensor:
    """Cross-entropy of logits (B, C) for labels (B,), each sample with its class's weight, over the total weight.

    Args:
        counts, weighting, beta: of `class_weights`.
    """
    weights = class_weights(counts, weighting, beta)
    return F.cross_entropy(logits.to(weights.dtype), y, weight=weights)


class ReweightSettings(CrossEntropySettings):
    weighting: Weighting = Field(
        "inverse", description="Class weights: 1 / n, 1 / sqrt(n), or by the effective number of samples."
    )
    beta: float = live(0.999, ge=0, le=0.99999, description="Of the effective number: 0 is equal weights, 1 is 1 / n.")


class Reweight(CrossEntropy):
    """Cross-entropy with class weights; the mean is over the batch's total weight, as in the code of LDAM-DRW."""

    card = Card(
        name="reweight",
        title="Re-weighting",
        year=2019,
        idea="Each class, not each image, has an equal say in the classifier's loss.",
        formula=r"L_i = -w_{y_i} \log \frac{e^{x_{i y_i}}}{\sum_c e^{x_{ic}}}, \qquad "
        r"w_c \propto \frac{1-\beta}{1-\beta^{n_c}}",
        terms={
            r"e^{x_{i y_i}}": "pull",
            r"\sum_c e^{x_{ic}}": "push",
            r"w_{y_i}": "prior",
            r"\frac{1-\beta}{1-\beta^{n_c}}": "prior",
        },
        symbols={r"\beta": "beta", r"n_c": "counts"},
        look_for="How much more often than by CE rare classes are recognised, and what head accuracy pays for it.",
        differs="The mean is over the total weight of the batch, as in the code of LDAM-DRW.",
        sphere=READ_OUT,
        paper="Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, arXiv:1901.05555",
        code="https://github.com/richardaecn/class-balanced-loss",
    )
    Settings = ReweightSettings
    on_host = None
    settings: ReweightSettings

    @staticmethod
    def compare(logits: Tensor, y: Tensor, counts: Tensor, settings: ReweightSettings) -> Tensor:
        return reweighted(logits, y, counts, weighting=settings.weighting, beta=settings.beta)

    @staticmethod
    def criterion(settings: ReweightSettings) -> str:
        return "F.cross_entropy(logits, batch.y, weight=weights)"

    @classmethod
    def listing(cls, settings: ReweightSettings) -> Listing:
        n = "counts.clamp_min(1).double()"
        weight = {
            "inverse": f"1 / {n}",
            "square-root": f"{n}.rsqrt()",
            "effective": f"(1 - beta) / (1 - beta ** {n})",
        }[settings.weighting]
        listing = super().listing(settings)
        return replace(
            listing, step=f"weights = {weight}\nweights = (weights / weights.mean()).float()\n{listing.step}"
        )
