"""LDAM-DRW: margins that grow for rare classes, weights that come late (Cao et al., 2019)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz.marks import Caps, Mark, Reading, Shown
from ltviz.methods.base import Batch, Card, Setup, Step, live
from ltviz.methods.ce import READ_OUT, CrossEntropy, CrossEntropySettings
from ltviz.methods.parts.cosine import SCALE, CosineClassifier, cosine_logits
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_numbers,
    check_samples,
    checked_counts,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.snippets import cosines, directions
from ltviz.methods.reweight import class_weights


@loss()
def ldam(
    logits: Tensor,
    y: Labels,
    counts: Numbers,
    *,
    max_margin: float = 0.5,
    scale: float = 30.0,
    class_weights: Numbers | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Cross-entropy in which each sample must win by the margin of its class, the larger the rarer the class is.

    .. math:: L_i = -\log \frac{e^{s (x_{i y_i} - m_{y_i})}}{e^{s (x_{i y_i} - m_{y_i})} + \sum_{c \ne y_i}
              e^{s x_{ic}}}, \qquad m_c = M \Big( \frac{\min_k n_k}{n_c} \Big)^{1/4}

    Args:
        logits: (B, C) cosines x, not scaled.
        y: (B,) labels from 0 to C - 1.
        counts: (C,) training samples per class, not negative. The minimum is taken over the classes that have any; a
            class without gets the largest margin (infinity, and then NaN, in the official code).
        max_margin: M, the margin of the rarest class, 0 or more.
        scale: s, inverse temperature, above 0.
        class_weights: (C,) w_c, not negative; the mean is then over the batch's total weight, as in `cross_entropy`.
        reduction: "mean" gives a scalar, "none" the (B,) values, with weights w_y l / mean(w_y), whose mean it is.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Cao et al. 2019, Eq. 13; code: LDAM-DRW 2536330, `LDAMLoss`, whose uint8 masks torch no longer takes.

    >>> logits = torch.tensor([[0.5, 0.5], [0.5, 0.5]])  # the rarer class must win by twice the margin
    >>> ldam(logits, [0, 1], [16, 1], scale=10.0, reduction="none").round(decimals=3)
    tensor([2.5790, 5.0070])
    """
    check_samples("ldam", "logits", logits)
    num_samples, num_classes = logits.shape
    y = check_labels("ldam", "y", y, num_samples, f"for {num_samples} rows of logits", logits, num_classes)
    check_choice("ldam", "reduction", reduction, ("mean", "none"))
    for name, value, least in (("max_margin", max_margin, 0.0), ("scale", scale, 1e-9)):
        if not least <= value < float("inf"):
            raise ValueError(
                f"ldam: {name} must be finite and {'positive' if least else '0 or more'}, but is {value:g}"
            )
    counts = checked_counts("ldam", counts, num_classes, logits)
    # not by one_hot, which reads the labels
    taken = (torch.arange(num_classes, device=y.device) == y[:, None]) * margins(counts, max_margin)
    values = F.cross_entropy(scale * (logits - taken), y, reduction="none")
    if class_weights is not None:
        because = f"for {num_classes} classes"
        weights = check_numbers("ldam", "class_weights", class_weights, (num_classes,), because, logits)[y]
        values = values * weights / weights.mean().clamp_min(torch.finfo(weights.dtype).tiny)
    return values.mean() if reduction == "mean" else values


def margins(counts: Tensor, max_margin: float) -> Tensor:
    """Margin (C,) of each class of counts (C,): the largest for the rarest class that has samples, and for those
    without."""
    rarest = torch.where(counts > 0, counts, torch.inf).min()
    return max_margin * (rarest / torch.where(counts > 0, counts, rarest)) ** 0.25


class LdamSettings(CrossEntropySettings):
    classifier: Literal["cosine"] = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        "cosine", description="Margins are of cosines, so the classifier is one."
    )
    scale: float = Field(SCALE, ge=1, le=64, description="Inverse temperature of the cosine logits; 30 in the paper.")
    max_margin: float = live(0.5, ge=0, le=1, description="Margin of the rarest class, in cosine.")
    reweight_from: float = Field(
        0.8, ge=0, le=1, description="Share of the steps after which class weights come in (DRW); at 1 they never do."
    )
    beta: float = live(0.9999, ge=0, le=0.99999, description="Of these weights: 0 is equal, towards 1 it gives 1 / n.")


class Ldam(CrossEntropy):
    """Cosine cross-entropy with a margin for each class, and late class weights (DRW); terms as those of CE."""

    card = Card(
        name="ldam",
        title="LDAM-DRW",
        year=2019,
        idea="A rare class must win by a larger margin, and late in training its images count more.",
        formula=r"L_i = -\log \frac{e^{s (x_{i y_i} - m_{y_i})}}{e^{s (x_{i y_i} - m_{y_i})} + \sum_{c \ne y_i} "
        r"e^{s x_{ic}}}, \quad m_c \propto n_c^{-1/4}",
        terms={r"m_{y_i}": "prior", r"m_c \propto n_c^{-1/4}": "prior", r"\sum_{c \ne y_i} e^{s x_{ic}}": "push"},
        symbols={r"s": "scale", r"m_c": "max_margin", r"n_c": "counts"},
        look_for="Caps around the class directions are the margins: the rarer the class, the wider. At four fifths of "
        "the steps the weights come in: see what few-shot accuracy does.",
        differs="The scale is 16 where the paper has 30, and the late weights come in at a share of the steps instead "
        "of at an epoch.",
        sphere=READ_OUT,
        paper="Cao et al., Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss, NeurIPS 2019, "
        "arXiv:1906.07413",
        code="https://github.com/kaidic/LDAM-DRW",
    )
    Settings = LdamSettings
    settings: LdamSettings
    on_host = "its class weights come in at a step that is known on the CPU"
    readings = (
        Reading(
            key="margin_cap",
            title="Margin",
            unit="°",
            short="How far from the class's direction the cosine has fallen by the margin that the class must win by.",
        ),
        Reading(
            key="class_weight", title="Class weight", short="How much an image of the class counts now; 1 at first."
        ),
    )
    marks = (
        *CrossEntropy.marks,
        Mark(
            key="margin_cap",
            title="Margin",
            short="A cap around the class's direction, at whose edge the cosine has fallen by the class's margin.",
            primitive="caps",
            sign="cap",
        ),
    )

    def __init__(self, settings: LdamSettings, setup: Setup):
        super().__init__(settings, setup)
        self.classifier = CosineClassifier(setup.feature_dim, setup.num_classes, settings.scale)
        self.display = CosineClassifier(setup.dim, setup.num_classes, settings.scale)
        self.register_buffer("weighs", torch.zeros(()))
        self.weighs: Tensor

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features, weights = self.encoder(batch.view(0)), None
        if batch.step > self.settings.reweight_from * self.setup_.total_steps:
            weights = self.weights()
        logits = {
            "classification": self.classifier(features),
            "display": self.display(self.head(features.detach())),
        }
        s = self.settings
        return {
            name: ldam(
                value / s.scale,
                batch.y,
                self.counts,
                max_margin=s.max_margin,
                scale=s.scale,
                class_weights=weights,
            )
            for name, value in logits.items()
        }

    def happens(self, step: int) -> str:
        before, now = (at > self.settings.reweight_from * self.setup_.total_steps for at in (step - 1, step))
        return "class weights come in (DRW)" if now and (not before or step == 1) else ""

    def after_step(self, step: Step) -> None:
        self.weighs.fill_(step.batch.step > self.settings.reweight_from * self.setup_.total_steps)

    def weights(self) -> Tensor:
        """(C,) the late weight of each class, mean 1."""
        return class_weights(self.counts, "effective", self.settings.beta)

    @classmethod
    def what_if(cls, scene: Scene, settings: LdamSettings) -> dict[str, Tensor]:
        """As if the sphere were trained by the margins, before the weights come in."""
        cosines = cosine_logits(scene.z[:, 0], scene.directions, 1.0)
        s = settings
        return {"display": ldam(cosines, scene.y, scene.counts, max_margin=s.max_margin, scale=s.scale)}

    def caps(self) -> Tensor:
        """(C,) degrees: where the cosine has fallen by the margin."""
        return torch.acos((1 - margins(self.counts, self.settings.max_margin)).clamp(-1, 1)).rad2deg()

    def read(self) -> dict[str, Tensor]:
        weights = torch.where(self.weighs > 0, self.weights(), torch.ones_like(self.counts))
        return {
            "margin_cap": self.caps(),
            "class_weight": torch.where(self.weighs > 0, weights, torch.ones_like(weights)),
        }

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "margin_cap" the margin of each class around its direction."""
        angles = self.caps()
        directions = self.display.directions()
        return {"margin_cap": Caps(directions, angles, torch.arange(len(angles), device=angles.device))}

    @classmethod
    def listing(cls, settings: LdamSettings) -> Listing:
        return Listing(
            build=f"""\
for _ in range(2):  # ltviz draws them twice, first as cross-entropy has them
    {directions("weight", "width")}
    {directions("axes", "dim")}  # on the sphere, a read-out
rarest = counts[counts > 0].min()
late = (1 - beta) / (1 - beta ** counts.clamp_min(1).double())
""",
            trains="weight, axes",
            step=f"""\
features = encoder(batch.view(0))
scores = {cosines("features", "weight")}
shown = {cosines("head(features.detach())", "axes")}
margin = max_margin * (rarest / counts.clamp_min(rarest)) ** 0.25 * F.one_hot(batch.y, num_classes)
weights = (late / late.mean()).float() if step > reweight_from * steps else torch.ones(num_classes)
weights = weights[batch.y] / weights[batch.y].mean()
loss = sum(
    (weights * F.cross_entropy(scale * (logits - margin), batch.y, reduction="none")).mean()
    for logits in (scores, shown)
)
""",
        )
