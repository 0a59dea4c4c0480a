"""LTML: two branches, uniform and re-balanced, that must agree (Guo and Wang, 2021)."""

from __future__ import annotations

import copy
import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ltviz.marks import CLASSIFIER, Mark, Segments, Shown
from ltviz.methods.base import Batch, Card, Method, Settings, Setup, live
from ltviz.methods.bce import DISPLAY_SCALE, MIXTURE, mixture_cross_entropy
from ltviz.methods.parts.cosine import CosineClassifier
from ltviz.methods.parts.inputs import (
    Mask,
    Numbers,
    check_choice,
    check_numbers,
    check_rows,
    reduce,
    unit,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.snippets import cosines, directions


@loss()
def ltml_classification(
    logits: Tensor,
    labels: Mask,
    counts: Numbers,
    num_samples: float,
    *,
    sigma_pos: Numbers,
    mu_pos: Numbers,
    sigma_neg: Numbers,
    mu_neg: Numbers,
    reduction: str = "mean",
) -> Tensor:
    r"""LTML's compensated and weighted binary cross-entropy for several labels per sample.

    .. math:: L = -\omega_{ik} \{ y_{ik} \log \varsigma(u_{ik} \sigma^p_k + \mu^p_k)
              + (1 - y_{ik}) \log(1 - \varsigma(u_{ik} \sigma^n_k + \mu^n_k)) \}, \quad
              \omega_{ik} = y_{ik} e^{1-\rho_k} + (1 - y_{ik}) e^{\rho_k}, \quad \rho_k = N_k / N

    Args:
        logits: (B, C).
        labels: (B, C), 0 or 1, any dtype.
        counts: (C,) training samples that carry each label; may be float.
        num_samples: N, training samples in all.
        sigma_pos, mu_pos, sigma_neg, mu_neg: (C,) compensation of positive and negative logits; 1 and 0 is none.
        reduction: "mean" over all B x C entries, or "none": the (B,) means over classes.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Guo and Wang 2021 (CVPR), the formula of L_cls. No official code exists; whether the paper learns sigma and
    mu or takes them from batch statistics is not settled, so they are arguments here; `batch_compensation` gives the
    latter.

    >>> none = {"sigma_pos": [1, 1], "mu_pos": [0, 0], "sigma_neg": [1, 1], "mu_neg": [0, 0]}
    >>> round(ltml_classification(torch.zeros(1, 2), [[1, 0]], [90, 10], 100, **none).item(), 3)
    0.766
    """
    check_rows("ltml_classification", "logits", logits, (None, None), "(samples, classes)")
    num_classes = logits.shape[1]
    labels = check_numbers("ltml_classification", "labels", labels, tuple(logits.shape), "like logits", logits)
    named = {"counts": counts, "sigma_pos": sigma_pos, "mu_pos": mu_pos, "sigma_neg": sigma_neg, "mu_neg": mu_neg}
    counts, sigma_pos, mu_pos, sigma_neg, mu_neg = (
        check_numbers("ltml_classification", name, value, (num_classes,), f"for {num_classes} classes", logits)
        for name, value in named.items()
    )
    check_choice("ltml_classification", "reduction", reduction, ("mean", "none"))
    if not 0 < num_samples < math.inf:
        raise ValueError(f"ltml_classification: num_samples must be positive and finite, but is {num_samples}")
    frequency = counts / num_samples
    weight = labels * torch.exp(1 - frequency) + (1 - labels) * torch.exp(frequency)
    positive = F.logsigmoid(logits * sigma_pos + mu_pos)
    negative = F.logsigmoid(-(logits * sigma_neg + mu_neg))
    values = -weight * (labels * positive + (1 - labels) * negative)
    return reduce("ltml_classification", values.mean(1), reduction)


class Compensation(NamedTuple):
    """Scale and shift of the positive and of the negative logits of each class, (C,) each; 1 and 0 is none."""

    sigma_pos: Tensor
    mu_pos: Tensor
    sigma_neg: Tensor
    mu_neg: Tensor


@torch.no_grad()
def batch_compensation(logits: Tensor, labels: Tensor) -> Compensation:
    r"""sigma and mu of `ltml_classification` from a batch: how each class's positive and negative logits are spread.

    The formula with :math:`\sigma^p_k` the standard deviation (over the number, not over one less) and :math:`\mu^p_k`
    the mean of the logits of class k over the samples of the batch that show it, and :math:`\sigma^n_k, \mu^n_k` those
    over the others. They are numbers of that batch: no gradient flows through them and nothing is remembered. A class
    with fewer than two such samples has no spread and is left as it is there, sigma 1 and mu 0.

    Args:
        logits: (B, C), of the branch that the loss judges, on the batch that it judges.
        labels: (B, C), 0 or 1, any dtype.

    Returns:
        In the logits' dtype, float32 at least.

    Source: the reading of Guo and Wang 2021 by which logits of a class are normal variables, one for positives and one
    for negatives, and the compensation is made of their means and variances. The paper's abstract says "learnable".
    """
    logits = logits.detach().to(torch.promote_types(logits.dtype, torch.float32))
    found: list[Tensor] = []
    for chosen in (labels > 0, labels <= 0):
        amounts = chosen.sum(0).clamp_min(1)
        mean = (logits * chosen).sum(0) / amounts
        deviation = ((logits - mean).square() * chosen).sum(0).div(amounts).sqrt()
        spread = chosen.sum(0) > 1
        found += torch.where(spread, deviation, torch.ones_like(deviation)), mean.masked_fill(~spread, 0.0)
    return Compensation(*found)


@loss()
def ltml_consistency(a: Tensor, b: Tensor, *, reduction: str = "mean") -> Tensor:
    """Mean squared difference of two branches' logits for the same samples; gradients flow into both.

    Args:
        a, b: (B, C) logits.
        reduction: "mean" over all B x C entries, or "none": the (B,) means over classes.

    Raises:
        ValueError: where shapes differ; the sentence names the sizes.

    Source: Guo and Wang 2021 (CVPR), L_con; its reduction and gradient stops are not known, this is the plain reading.

    >>> a, b = torch.zeros(2, 3), torch.ones(2, 3)
    >>> round(ltml_consistency(a, b).item(), 3)
    1.0
    """
    check_rows("ltml_consistency", "a", a, (None, None), "(samples, classes)")
    check_rows("ltml_consistency", "b", b, tuple(a.shape), "like a")
    return reduce("ltml_consistency", (a - b).square().mean(1), reduction)


class LtmlSettings(Settings):
    consistency_weight: float = live(0.1, ge=0, le=100, description="Weight of the agreement of both branches.")
    compensation: Literal["learned", "batch", "none"] = Field(
        "learned",
        description="Scale and shift of positive and negative logits by class: learned, the batch's own spread and "
        "mean, or 1 and 0.",
    )


class _Branch(nn.Module):
    """A hidden layer and a linear classifier of its own."""

    def __init__(self, dim: int, num_classes: int):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
        self.classifier = nn.Linear(dim, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return self.classifier(self.hidden(features))


class Ltml(Method):
    """Two branches on one trunk, that of the uniform and that of the re-balanced batch, which must agree.

    Both branches see both batches; each is taught on its own, and the consistency term compares them on each. They
    start as copies of each other, as the paper's last stages do; here a stage is one hidden layer. Both batches go
    through the trunk in one pass, so its batch norm sees their mixture. `predict` gives the mean of both logits,
    without the compensation. The sphere shows the uniform branch.

    The compensation is shared by both branches. Where it is learned, nothing but the step size keeps it from lowering
    the loss by shifting positive logits up and negative ones down whatever the image; "batch" takes it from each
    branch's own batch (`batch_compensation`), "none" leaves it out.

    Terms: `uniform` and `rebalanced` are `ltml_classification` of each branch on its own batch, `consistency` is
    `ltml_consistency` on one batch plus that on the other, `display` trains the head and the directions on the sphere.
    """

    card = Card(
        name="ltml",
        title="LTML",
        year=2021,
        idea="One branch learns the data as they are, one all classes alike, and both must agree on every image.",
        formula=(
            r"L = L_{cls}(u, y^u) + L_{cls}(r, y^r) + \lambda (\|u - \hat u\|^2 + \|r - \hat r\|^2), \;"
            r" L_{cls} = -\omega_{ik} \{ y \log \varsigma(u \sigma^p_k + \mu^p_k)"
            r" + (1 - y) \log(1 - \varsigma(u \sigma^n_k + \mu^n_k)) \}"
        ),
        terms={
            r"\omega_{ik}": "prior",
            r"y \log \varsigma(u \sigma^p_k + \mu^p_k)": "pull",
            r"(1 - y) \log(1 - \varsigma(u \sigma^n_k + \mu^n_k))": "push",
        },
        symbols={r"\lambda": "consistency_weight"},
        look_for="Compare images of rare labels with those of BCE: half of what the trunk sees is re-balanced.",
        differs="There is no official code, so this is a reading of the paper: a branch is one hidden layer, where "
        "the paper has a stage of a ResNet.",
        sphere=f"The uniform branch. {MIXTURE}",
        paper="Guo and Wang, Long-tailed multi-label visual recognition by collaborative training, CVPR 2021",
        code=None,
    )
    Settings = LtmlSettings
    on_host = None
    several_labels = True
    sphere_is_readout = True
    settings: LtmlSettings
    marks = (
        CLASSIFIER,
        Mark(
            key="branches",
            title="Two branches",
            short="Each arc joins one sample in the two branches of the method, which are to agree; short arcs mean "
            "that they do.",
            primitive="segments",
            sign="arc",
        ),
    )

    def __init__(self, settings: LtmlSettings, setup: Setup):
        super().__init__(settings, setup)
        self.uniform = _Branch(setup.feature_dim, setup.num_classes)
        self.rebalanced = copy.deepcopy(self.uniform)
        self.display = CosineClassifier(setup.dim, setup.num_classes, scale=DISPLAY_SCALE)
        learned = settings.compensation == "learned"
        ones, zeros = torch.ones(setup.num_classes), torch.zeros(setup.num_classes)
        self.sigma_pos, self.sigma_neg = (nn.Parameter(ones.clone(), requires_grad=learned) for _ in range(2))
        self.mu_pos, self.mu_neg = (nn.Parameter(zeros.clone(), requires_grad=learned) for _ in range(2))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        second = batch.rebalanced
        trunk = self.encoder(torch.cat([batch.view(0), second.view(0)]))
        ours, theirs = self.uniform(trunk), self.rebalanced(trunk)
        num = len(batch.y)
        shown = self.display(self.head(self.uniform.hidden(trunk[:num]).detach()))
        return {
            "uniform": self.compare(ours[:num], batch.labels),
            "rebalanced": self.compare(theirs[num:], second.labels),
            "consistency": ltml_consistency(ours[:num], theirs[:num]) + ltml_consistency(theirs[num:], ours[num:]),
            "display": mixture_cross_entropy(shown, batch.labels),
        }

    def compare(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The compensated loss of logits (B, C) for labels (B, C), 0 or 1."""
        if self.settings.compensation == "batch":
            compensation = batch_compensation(logits, labels)
        else:
            compensation = Compensation(self.sigma_pos, self.mu_pos, self.sigma_neg, self.mu_neg)
        return ltml_classification(logits, labels, self.counts, self.setup_.training_size, **compensation._asdict())

    def project(self, features: Tensor) -> Tensor:
        return super().project(self.uniform.hidden(features))

    def classify(self, features: Tensor) -> Tensor:
        return (self.uniform(features) + self.rebalanced(features)) / 2

    def landmarks(self) -> dict[str, Tensor]:
        return {"classifier": self.display.directions()}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "branches" each image as the uniform and as the re-balanced branch sees it, through the same head."""
        trunk = self.encoder(batch.view(0))
        theirs = unit(self.head(self.rebalanced.hidden(trunk)))
        return {"branches": Segments(self.project(trunk), theirs, batch.y)}

    @classmethod
    def listing(cls, settings: LtmlSettings) -> Listing:
        ones, zeros = "torch.ones(num_classes)", "torch.zeros(num_classes)"
        learned = settings.compensation == "learned"
        made = "nn.Parameter({})" if learned else "{}"
        batch = settings.compensation == "batch"
        given = {
            name: f"**batch_compensation({name})._asdict()" if batch else "**compensation"
            for name in ("ours[:num], batch.labels", "theirs[num:], second.labels")
        }
        ours, theirs = (f"losses.ltml_classification({what}, counts, size, {how})" for what, how in given.items())
        compensation = f"""\
compensation = {{name: {made.format(ones)} for name in ("sigma_pos", "sigma_neg")}}
compensation |= {{name: {made.format(zeros)} for name in ("mu_pos", "mu_neg")}}
"""
        return Listing(
            imports="from ltviz.methods.ltml import batch_compensation\n" if batch else "",
            build=f"""\
uniform = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, num_classes))
rebalanced = copy.deepcopy(uniform)
branches = [*uniform.parameters(), *rebalanced.parameters()]
{directions("axes", "dim")}  # on the sphere, a read-out
size = len(data.train_labels)
{"" if batch else compensation}""",
            trains="*branches, axes" + (", *compensation.values()" if learned else ""),
            step=f"""\
second = batch.rebalanced  # in it every label is drawn alike
trunk, num = encoder(torch.cat([batch.view(0), second.view(0)])), len(batch.y)
ours, theirs = uniform(trunk), rebalanced(trunk)
loss = {ours}
loss += {theirs}
loss += consistency_weight * (F.mse_loss(ours[:num], theirs[:num]) + F.mse_loss(theirs[num:], ours[num:]))
shares = batch.labels / batch.labels.sum(1, keepdim=True).clamp_min(1)
shown = {DISPLAY_SCALE:g} * {cosines("head(uniform[:2](trunk[:num]).detach())", "axes")}
loss += F.cross_entropy(shown, shares)
""",
        )
