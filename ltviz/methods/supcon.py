"""SupCon: all samples of a class attract (Khosla et al., 2020)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ltviz.geometry import Prediction
from ltviz.marks import Reading
from ltviz.methods.base import Batch, Card, Settings, Setup, live
from ltviz.methods.parts.anchors import anchor_weights, class_sizes, stack_views
from ltviz.methods.parts.contrast import Contrast
from ltviz.methods.parts.inputs import (
    Labels,
    check_choice,
    check_labels,
    check_temperature,
    check_views,
    nothing,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.partition import attracted_sum, is_had_at_once, weighted_pair_sum, weighted_sum
from ltviz.methods.parts.probe import Probed
from ltviz.methods.parts.running_mean import RunningMean
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners, pulled_similarities
from ltviz.methods.parts.snippets import PROBE, PROBE_TRAINS, TWO_VIEWS, probe_loss
from ltviz.methods.parts.step import Step
from ltviz.methods.parts.theory import contrast_ends


@loss("z")
def supcon(
    z: Tensor,
    y: Labels,
    *,
    temperature: float | Tensor,
    form: str = "out",
    anchors: str = "all",
    average: str = "sample",
    reduction: str = "mean",
) -> Tensor:
    r"""Supervised contrastive loss: every sample is drawn to all others of its class and pushed from everything else.

    .. math:: L^{out}_i = -\frac{1}{|P(i)|} \sum_{p \in P(i)} \log \frac{e^{z_i \cdot z_p/\tau}}{\sum_{a \neq i}
              e^{z_i \cdot z_a/\tau}}, \qquad L^{in}_i = -\log \frac{\frac{1}{|P(i)|}\sum_{p \in P(i)}
              e^{z_i \cdot z_p/\tau}}{\sum_{a \neq i} e^{z_i \cdot z_a/\tau}}

    P(i) are all rows but i of i's class; they stand in the denominator too. An anchor without positives counts as 0
    and stays in the mean. Rows that all fall on one point give log(BV - 1). L_in <= L_out.

    Args:
        z: (B, V, D) unit rows, any V; taken as given, so gradients are those of free rows.
        y: (B,) integer labels, any integers.
        temperature: positive number or 0-d tensor (with gradient where it has one).
        form: "out" (the paper's better one and the official code's) or "in".
        anchors: "all" views are anchors, or only the "first" view of each sample; all rows stay in the denominators.
        average: "sample": mean over anchors (the official code); "class": mean within each class, then over the
            classes present. Only the latter removes the head classes' larger say.
        reduction: "mean" gives a scalar; "none" the values of the anchors, (B, V), or (B,) with anchors "first".

    Returns:
        Scalar or values, in z's dtype (float32 for 16-bit z).

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Khosla et al. 2020, Eq. 2 and 3; code: SupContrast 66a8fe5, `SupConLoss`. The code multiplies by
    temperature / base_temperature, which only rescales the learning rate; here that factor is left out.

    Time O((BV)^2 D). With reduction "mean" memory is O(BV D) and the gradient is computed on the way; with "none" it
    is O((BV)^2).

    >>> z = torch.eye(3)[[0, 0, 1, 1]].view(4, 1, 3)  # two classes, each on one point
    >>> round(supcon(z, [0, 0, 1, 1], temperature=0.5).item(), 3)
    0.24
    """
    check_views("supcon", z)
    y = check_labels("supcon", "y", y, len(z), f"for {len(z)} samples in z", z)
    check_choice("supcon", "form", form, ("out", "in"))
    check_choice("supcon", "anchors", anchors, ("all", "first"))
    check_choice("supcon", "average", average, ("sample", "class"))
    return contrast_of_labels("supcon", z, y, temperature, form, anchors, average, reduction, classes=y)


@loss("z")
def mixed_supcon(z: Tensor, y: Labels, *, temperature: float | Tensor, alpha: float, reduction: str = "mean") -> Tensor:
    r"""SupCon mixed with SimCLR's contrast: alpha times the pull of the class, the rest that of the own image alone.

    .. math:: L_i = \alpha L^{out}_i(y) + (1 - \alpha) L^{out}_i(\text{images})

    At alpha = 1 it is `supcon`, whose classes collapse to points; at 0 `info_nce`, where each image has its own place.

    Args:
        z: (B, V, D) unit rows, any V; taken as given.
        y: (B,) integer labels, any integers.
        temperature: positive number or 0-d tensor, of both terms.
        alpha: weight of the supervised term, 0 to 1. The paper may put it on the other one.
        reduction: "mean" gives a scalar, "none" the (B, V) values of the anchors.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Lee et al. 2025 (AISTATS); derived from SupContrast 66a8fe5, `SupConLoss` with and without labels.

    >>> z = torch.eye(3)[[0, 0, 0, 1, 1, 1]].view(2, 3, 3)
    >>> round(mixed_supcon(z, [0, 1], temperature=0.5, alpha=0.5).item(), 3)
    0.879
    """
    check_views("mixed_supcon", z)
    y = check_labels("mixed_supcon", "y", y, len(z), f"for {len(z)} samples in z", z)
    if not 0 <= alpha <= 1:
        raise ValueError(f"mixed_supcon: alpha must lie from 0 to 1, but is {alpha:g}; 1 is supcon, 0 info_nce")
    images = torch.arange(len(z), device=z.device)
    of_class = contrast_of_labels("mixed_supcon", z, y, temperature, reduction=reduction, classes=y)
    of_image = contrast_of_labels("mixed_supcon", z, images, temperature, reduction=reduction, classes=y)
    return alpha * of_class + (1 - alpha) * of_image


def contrast_of_labels(
    loss: str,
    z: Tensor,
    y: Tensor,
    temperature: float | Tensor,
    form: str = "out",
    anchors: str = "all",
    average: str = "sample",
    reduction: str = "mean",
    classes: Tensor | None = None,
) -> Tensor:
    """`supcon` under another loss's name; z (B, V, D) and y (B,) int64 have been checked.

    Whoever looks at the forces sees the samples as of these classes (B,), those of the batch where left out.
    """
    num_samples, num_views, _ = z.shape
    tau = check_temperature(loss, temperature, z)
    check_choice(loss, "reduction", reduction, ("mean", "none"))
    usual = (form, anchors, average, reduction) == ("out", "all", "sample", "mean")
    if usual and len(z) * num_views > 1 and is_had_at_once((len(z) * num_views) ** 2):
        return _of_few(stack_views(z), torch.cat([y] * num_views), tau)
    # any integers become the places of their classes among the sorted labels, from 0 to B - 1
    rows, y = stack_views(z), torch.searchsorted(y.sort().values, y)
    labels = y.repeat(num_views)
    num_anchors = len(rows) if anchors == "all" else num_samples
    num_positives = class_sizes(labels, num_samples)[labels[:num_anchors]] - 1
    has_positives = num_positives > 0
    weights = anchor_weights(labels[:num_anchors], average, z, num_samples)
    seen_as = None if classes is None else classes.repeat(num_views)
    about = Partners(
        classes=seen_as,
        row_classes=None if seen_as is None else seen_as[:num_anchors],
        positives=lambda: (labels[:num_anchors, None] == labels).fill_diagonal_(False),
    )
    contrast = Contrast(skip_self=True, about=about)
    if form == "out":
        sums = rows.new_zeros(len(labels), rows.shape[1]).index_add(0, labels, rows)
        anchored = rows if anchors == "all" else rows[:num_anchors]
        pulls = pulled_similarities(anchored, sums[labels[:num_anchors]] - anchored, lambda: rows, about)
        evidence = pulls / num_positives.clamp_min(1) / tau
    else:
        evidence = -num_positives.clamp_min(1).to(z.dtype).log()
        contrast = Contrast(skip_self=True, labels=(labels[:num_anchors], labels), against_own=True, about=about)

    if reduction == "mean":
        weights = weights * has_positives
        if len(rows) == 1:
            return nothing(rows, tau)
        if anchors == "all":
            denominators = weighted_pair_sum(contrast, weights, rows, None, tau)
        else:
            denominators = weighted_sum(contrast, weights, rows[:num_anchors], rows, tau)
        return denominators - (weights * evidence).sum()
    if len(rows) == 1:
        return nothing(rows, tau).expand((1, 1) if anchors == "all" else (1,))
    values = contrast.log_partition(rows[:num_anchors], rows, tau) - evidence
    values = values.masked_fill(~has_positives, 0.0)
    return values.view(num_views, num_samples).T if anchors == "all" else values


def _of_few(rows: Tensor, labels: Tensor, tau: Tensor) -> Tensor:
    """The loss in its usual form, of rows that are few enough for `attracted_sum`."""
    positives = (labels[:, None] == labels).to(rows.dtype).fill_diagonal_(0.0)
    amounts = positives.sum(1)
    weights = amounts.clamp(max=1.0) / len(rows)  # an anchor without positives counts as 0
    pulls = positives.mul_((weights / amounts.clamp_min(1.0))[:, None])
    return attracted_sum(Contrast(skip_self=True), weights, rows, None, tau, pulls)


class SupConSettings(Settings):
    temperature: float = live(0.1, ge=0.01, le=2, description="Temperature of the similarities; low is sharp.")
    form: Literal["out", "in"] = Field(
        "out", description="Mean over positives outside the logarithm (the paper's choice) or inside it."
    )
    average: Literal["sample", "class"] = Field(
        "sample", description="Mean over all anchors (official), or within each class and then over classes."
    )
    mix: float = live(
        1.0,
        ge=0,
        le=1,
        description="Weight of the pull of the class; the rest pulls views of one image alone, and classes open up.",
    )


class SupCon(Probed):
    """Supervised contrast of two views; terms `contrast` (trains encoder and head) and `probe` (reads the features)."""

    card = Card(
        name="supcon",
        title="SupCon",
        year=2020,
        idea="Samples of one class attract, all others repel; head classes do most of both.",
        formula=r"L_i = -\frac{1}{|P(i)|} \sum_{p \in P(i)} \log \frac{e^{z_i \cdot z_p/\tau}}"
        r"{\sum_{a \neq i} e^{z_i \cdot z_a/\tau}}",
        terms={r"e^{z_i \cdot z_p/\tau}": "pull", r"\sum_{a \neq i} e^{z_i \cdot z_a/\tau}": "push"},
        symbols={r"\tau": "temperature"},
        look_for="On test images head classes are tight and rare ones wide. Rare classes have less than an even share "
        "of the sphere.",
        differs="The factor temperature over base temperature of the official code is left out, since it only "
        "rescales the learning rate. A linear probe is trained beside it, in place of a second stage.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, arXiv:2004.11362",
        code="https://github.com/HobbitLong/SupContrast",
    )
    Settings = SupConSettings
    on_host = None
    settings: SupConSettings
    readings = (
        Reading(
            key="positives",
            title="Positives per anchor",
            short="How many other views of its class attract each view of this class, on average over the last twenty "
            "or so batches that held the class.",
        ),
    )

    def __init__(self, settings: SupConSettings, setup: Setup):
        super().__init__(settings, setup)
        self.positives = RunningMean(setup.num_classes)

    def theory(self, counts: np.ndarray) -> Prediction | None:
        """Of L_out alone: that samples of a class end on one point is not proven for L_in, and not so where `mix` draws
        views of one image together."""
        s = self.settings
        known = s.form == "out" and s.mix == 1
        return contrast_ends(counts, self.setup_.dim, s.temperature, average=s.average) if known else None

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.views(0, 1))
        z = self.project(features).view(2, len(batch.y), -1).transpose(0, 1)
        return {
            "contrast": self.contrast(z, batch.y, self.settings),
            "probe": self.probe_loss(features, torch.cat([batch.y, batch.y])),
        }

    @staticmethod
    def contrast(z: Tensor, y: Tensor, s: SupConSettings) -> Tensor:
        """The contrast of two views z (B, 2, dim) of samples with labels (B,)."""
        of_class = supcon(z, y, temperature=s.temperature, form=s.form, average=s.average)
        if s.mix == 1:
            return of_class
        images = torch.arange(len(z), device=z.device)
        of_image = contrast_of_labels("supcon", z, images, s.temperature, average=s.average, classes=y)
        return s.mix * of_class + (1 - s.mix) * of_image

    @classmethod
    def what_if(cls, scene: Scene, settings: SupConSettings) -> dict[str, Tensor]:
        return {"contrast": cls.contrast(scene.z, scene.y, settings)}

    def after_step(self, step: Step) -> None:
        amounts = 2 * class_sizes(step.batch.y, len(self.counts))
        self.positives.take_means(amounts - 1, amounts)

    def read(self) -> dict[str, Tensor]:
        return {"positives": self.positives.read()}

    @staticmethod
    def contrasted(settings: SupConSettings) -> str:
        """`contrast` of the two views in `z` with the labels `y`, as a listing has it."""
        pairs = "pairs = z.view(2, len(batch.y), -1).transpose(0, 1)"
        of_class = "losses.supcon(pairs, batch.y, temperature=temperature, form=form, average=average)"
        of_image = "losses.supcon(pairs, torch.arange(len(pairs)), temperature=temperature, average=average)"
        if settings.mix != 1:
            return f"{pairs}\nloss = mix * {of_class}\nloss += (1 - mix) * {of_image}"
        if (settings.form, settings.average) != ("out", "sample"):
            return f"{pairs}\nloss = {of_class}"
        return """\
similar = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
log_p = F.log_softmax(similar, dim=1)
positives = (y[:, None] == y).fill_diagonal_(False)
of_class = log_p.masked_fill(~positives, 0.0).sum(1) / positives.sum(1).clamp_min(1)
loss = -of_class.mean()"""

    @classmethod
    def listing(cls, settings: SupConSettings) -> Listing:
        return Listing(
            build=PROBE,
            trains=PROBE_TRAINS,
            step=f"{TWO_VIEWS}\n{cls.contrasted(settings)}\nloss += {probe_loss('y')}",
        )
