"""BCL: class-averaging and class-complement make the contrast balanced (Zhu et al., 2022)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from ltviz.encoders.normed import linear_before_norm
from ltviz.geometry import Prediction
from ltviz.marks import PROTOTYPES
from ltviz.methods.base import Batch, Card, LinearClassifier, Method, Settings, Setup, live
from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.parts.anchors import anchor_weights, class_sizes, stack_views
from ltviz.methods.parts.contrast import Contrast
from ltviz.methods.parts.cosine import SCALE, CosineClassifier, linear_classifier
from ltviz.methods.parts.inputs import (
    Labels,
    check_choice,
    check_labels,
    check_rows,
    check_temperature,
    check_views,
    unit,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.partition import attracted_sum, is_had_at_once, weighted_pair_sum
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners, pulled_similarities
from ltviz.methods.parts.snippets import cosines, directions
from ltviz.methods.parts.theory import contrast_ends


@loss("z", "prototypes")
def bcl(
    z: Tensor,
    y: Labels,
    prototypes: Tensor,
    *,
    temperature: float | Tensor,
    average: str = "sample",
    reduction: str = "mean",
) -> Tensor:
    r"""Balanced supervised contrastive loss (BalSCL): each class counts with its mean, each class is present.

    With B_c the rows of class c, its prototype among them,

    .. math:: L_i = -\frac{1}{|B_{y_i}|-1} \sum_{p \in B_{y_i} \setminus i} \log
              \frac{e^{z_i \cdot z_p/\tau}}{\sum_c \frac{1}{|B_c \setminus i|} \sum_{a \in B_c \setminus i}
              e^{z_i \cdot z_a/\tau}}

    Sample rows are anchors, prototypes are not. A class absent from the batch stands in the denominator with its
    prototype alone. Everything on one point gives log C.

    Args:
        z: (B, V, D) unit rows, any V; taken as given.
        y: (B,) labels from 0 to C - 1.
        prototypes: (C, D) unit rows, row c is class c's; gradients flow into them.
        temperature: positive number or 0-d tensor.
        average: "sample": mean over anchors (the official code); "class": mean within each class, then over the
            classes present, which is what the paper's theorem on the regular simplex speaks of.
        reduction: "mean" gives a scalar, "none" the (B, V) values of the anchors.

    Returns:
        Scalar or values, in the features' dtype (float32 for 16-bit features).

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Zhu et al. 2022, Eq. 5 to 7; code: Balanced-Contrastive-Learning f72d070, `BalSCL`. The paper divides every
    class by |B_c|; the code, and this, leave the anchor out of its own class's count. The code takes V = 2 only.

    >>> z = torch.eye(3)[[0, 0, 1, 1]].view(2, 2, 3)
    >>> round(bcl(z, [0, 1], torch.eye(3), temperature=0.5).item(), 3)
    0.24
    """
    check_views("bcl", z)
    num_samples, num_views, dim = z.shape
    check_rows("bcl", "prototypes", prototypes, (None, dim), f"for z of {dim} dimensions")
    num_classes = len(prototypes)
    y = check_labels("bcl", "y", y, num_samples, f"for {num_samples} samples in z", z, num_classes)
    tau = check_temperature("bcl", temperature, z)
    check_choice("bcl", "average", average, ("sample", "class"))
    check_choice("bcl", "reduction", reduction, ("mean", "none"))

    rows, labels = stack_views(z), y.repeat(num_views)
    column_labels = torch.cat([labels, torch.arange(num_classes, device=y.device)])
    sizes = class_sizes(column_labels, num_classes).to(z.dtype)
    num_positives = sizes[labels] - 1
    about = Partners(
        column_labels,
        labels,
        positives=lambda: (labels[:, None] == column_labels).fill_diagonal_(False),
    )
    contrast = Contrast(
        skip_self=True,
        bias=-sizes.log()[column_labels],
        labels=(labels, column_labels),
        own_bias=(sizes[labels] / num_positives).log(),
        about=about,
    )
    if reduction == "mean" and is_had_at_once(len(rows) * len(column_labels)):
        weights = anchor_weights(labels, average, z, num_classes)
        positives = (labels[:, None] == column_labels).to(z.dtype).fill_diagonal_(0.0)
        pulls = positives.mul_((weights / num_positives)[:, None])
        return attracted_sum(contrast, weights, rows, prototypes, tau, pulls)
    sums = prototypes.index_add(0, labels, rows)
    pulls = pulled_similarities(rows, sums[labels] - rows, lambda: torch.cat([rows, prototypes]), about)
    evidence = pulls / (num_positives * tau)
    if reduction == "mean":
        weights = anchor_weights(labels, average, z, num_classes)
        return weighted_pair_sum(contrast, weights, rows, prototypes, tau) - (weights * evidence).sum()
    values = contrast.log_partition(rows, torch.cat([rows, prototypes]), tau) - evidence
    return values.view(num_views, num_samples).T


class BclSettings(Settings):
    scale: float = Field(
        SCALE, ge=1, le=64, description="Inverse temperature of the classifier's cosine logits; 30 in the paper."
    )
    temperature: float = live(0.1, ge=0.01, le=2, description="Temperature of the contrast; 0.07 in the paper.")
    classification_weight: float = live(1.0, ge=0, le=10, description="Weight of the classifier's loss.")
    contrast_weight: float = live(0.35, ge=0, le=10, description="Weight of the balanced contrast.")
    average: Literal["sample", "class"] = Field(
        "sample",
        description="Mean over all anchors (official), or within each class and then over classes (the theorem's).",
    )
    prototypes: Literal["classifier", "free"] = Field(
        "classifier",
        description="Prototypes made from the classifier's weights by a small network (official), or free points.",
    )


class Bcl(Method):
    """Two branches: a logit-adjusted cosine classifier on view 0, balanced contrast of views 1 and 2.

    Terms `classification` and `contrast`. The official code makes the prototypes from the classifier's un-normalised
    weights through Linear-BN-ReLU-Linear, and gradients flow into both; so does this.
    """

    card = Card(
        name="bcl",
        title="BCL",
        year=2022,
        idea="Each class repels with its mean instead of its mass, and none is ever absent: prototypes stand in.",
        formula=r"L_i = -\frac{1}{|B_{y_i}|-1} \sum_{p} \log \frac{e^{z_i \cdot z_p/\tau}}{\sum_c \frac{1}{|B_c|} "
        r"\sum_{a \in B_c} e^{z_i \cdot z_a/\tau}}",
        terms={
            r"e^{z_i \cdot z_p/\tau}": "pull",
            r"\sum_c \frac{1}{|B_c|} \sum_{a \in B_c} e^{z_i \cdot z_a/\tau}": "push",
        },
        symbols={r"\tau": "temperature"},
        look_for="How far the prototypes are apart, and whether the clouds of rare classes follow theirs.",
        differs="Prototypes are made from the classifier's weights by a small network, as in the official code and "
        "not in the paper's text.",
        sphere="The embeddings that are contrasted; the classifier works on the features beside it.",
        paper="Zhu et al., Balanced Contrastive Learning for Long-Tailed Visual Recognition, CVPR 2022, "
        "arXiv:2207.09052",
        code="https://github.com/FlamieZhu/Balanced-Contrastive-Learning",
    )
    Settings = BclSettings
    on_host = None
    marks = (PROTOTYPES,)
    settings: BclSettings

    def __init__(self, settings: BclSettings, setup: Setup):
        super().__init__(settings, setup)
        width = setup.feature_dim
        self.classifier = CosineClassifier(width, setup.num_classes, settings.scale)
        if settings.prototypes == "free":
            self.free = nn.Parameter(torch.randn(setup.num_classes, setup.dim))
        else:
            # the classes are the batch: their own statistics always, in evaluation too
            norm = nn.BatchNorm1d(width, track_running_stats=False)
            self.branch = nn.Sequential(linear_before_norm(width, width), norm, nn.ReLU(), nn.Linear(width, setup.dim))

    def theory(self, counts: np.ndarray) -> Prediction | None:
        s = self.settings
        return contrast_ends(counts, self.setup_.dim, s.temperature, average=s.average, denominator="classes")

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        num_samples = len(batch.y)
        features = self.encoder(batch.views(0, 1, 2))
        z = self.project(features[num_samples:]).view(2, num_samples, -1).transpose(0, 1)
        return {
            "classification": logit_adjusted(self.classifier(features[:num_samples]), batch.y, self.counts),
            "contrast": self.contrast(z, batch.y, self.prototypes(), self.settings),
        }

    @staticmethod
    def contrast(z: Tensor, y: Tensor, prototypes: Tensor, s: BclSettings) -> Tensor:
        """The contrast of two views z (B, 2, dim) of samples with labels (B,)."""
        return bcl(z, y, prototypes, temperature=s.temperature, average=s.average)

    @classmethod
    def what_if(cls, scene: Scene, settings: BclSettings) -> dict[str, Tensor]:
        return {"contrast": cls.contrast(scene.z, scene.y, scene.centres, settings)}

    def prototypes(self) -> Tensor:
        """Unit prototypes, (C, dim)."""
        made = self.free if self.settings.prototypes == "free" else self.branch(self.classifier.weight)
        return unit(made)

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)

    def landmarks(self) -> dict[str, Tensor]:
        return {"prototypes": self.prototypes()}

    @classmethod
    def listing(cls, settings: BclSettings) -> Listing:
        free = settings.prototypes == "free"
        branch = """\
branch = nn.Sequential(
    nn.Linear(width, width),
    nn.BatchNorm1d(width, track_running_stats=False),
    nn.ReLU(),
    nn.Linear(width, dim),
)
branch[0].bias.requires_grad_(False)  # batch norm takes it out again"""
        by_class = "losses.bcl(pairs, batch.y, stand_ins, temperature=temperature, average=average)"
        contrast = f"pairs = z.view(2, num, -1).transpose(0, 1)\ncontrast = {by_class}"
        if settings.average == "sample":
            contrast = """\
y, all_y = batch.y.repeat(2), torch.cat([batch.y.repeat(2), torch.arange(num_classes)])
similar = z @ torch.cat([z, stand_ins]).T / temperature
itself = torch.eye(len(z), len(all_y), dtype=torch.bool)
same = (y[:, None] == all_y) & ~itself
sizes = torch.bincount(all_y)[all_y] - (y[:, None] == all_y).long()  # of each class, without the anchor
sums = (similar - sizes.clamp_min(1).log()).masked_fill(itself, -torch.inf).logsumexp(1)
contrast = (sums - similar.masked_fill(~same, 0.0).sum(1) / same.sum(1)).mean()"""
        return Listing(
            build=f"{directions('weight', 'width')}\n"
            + ("points = nn.Parameter(torch.randn(num_classes, dim))" if free else branch),
            trains=f"weight, {'points' if free else '*branch.parameters()'}",
            step=f"""\
num, features = len(batch.y), encoder(batch.views(0, 1, 2))
logits = scale * {cosines("features[:num]", "weight")}
z = F.normalize(head(features[num:]), dim=1)
stand_ins = F.normalize({"points" if free else "branch(weight)"}, dim=1)  # the prototypes
{contrast}
loss = classification_weight * F.cross_entropy(logits + log_prior, batch.y) + contrast_weight * contrast
""",
        )
