"""ProCo: contrast with class densities instead of samples (Du et al., 2024)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import gammaln, hyp0f1, ive
from torch import Tensor, nn

from ltviz import geometry
from ltviz.marks import Caps, Mark, Reading, Shown
from ltviz.methods.base import Batch, Card, LinearClassifier, Method, Settings, Setup, live
from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.parts.anchors import class_sizes, stack_views
from ltviz.methods.parts.cosine import linear_classifier
from ltviz.methods.parts.host_count import add_to_count
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_rows,
    check_temperature,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.step import Step

LARGEST_KAPPA = 1e5
CAP_SHARE = 0.95
"""Of a class's density that lies in the cap around its mean."""
_SMALLEST_KAPPA = 1e-9
LARGEST_SERIES = 500.0
"""Up to here the hypergeometric series stays below the largest double, beyond it ive is far from underflow."""


def log_bessel(kappa: np.ndarray, dim: int) -> np.ndarray:
    r"""log I_v(kappa) - v log kappa with v = dim / 2 - 1: the von Mises-Fisher normaliser up to a constant.

    Finite for every kappa >= 0 and dim >= 2, relative error of I_v below 1e-9. The official Miller recurrence is off by
    0.9 at dim = 4, kappa = 10, and has no value at dim = 2, 3 or beyond 1000.

    Args:
        kappa: float64, any shape, 0 to 1e7.
        dim: D >= 2.
    """
    v = dim / 2 - 1
    small = np.minimum(kappa, LARGEST_SERIES)
    series = np.log(hyp0f1(v + 1, small**2 / 4)) - v * np.log(2.0) - gammaln(v + 1)
    large = np.maximum(kappa, LARGEST_SERIES)
    scaled = np.log(ive(v, large)) + large - v * np.log(large)
    return np.where(kappa <= LARGEST_SERIES, series, scaled)


@torch.library.custom_op("ltviz::bessel", mutates_args=())
def _read_bessel(kappa: Tensor, dim: int, ratio: bool) -> Tensor:
    """numpy's numbers as an operator, which stands in a graph of `torch.compile` as it is."""
    numbers = kappa.detach().double().cpu().numpy()
    return torch.from_numpy((geometry.resultant_length if ratio else log_bessel)(numbers, dim)).to(kappa)


@_read_bessel.register_fake
def _(kappa: Tensor, dim: int, ratio: bool) -> Tensor:
    return torch.empty_like(kappa)


def bessel(kappa: Tensor, dim: int, ratio: bool = False) -> Tensor:
    """`log_bessel` of a tensor of any shape, or with `ratio` its slope, the mean resultant length A = I_{v+1} / I_v.

    It has derivatives of every order, since slopes are made of the same two functions.
    """
    if torch.compiler.is_compiling():
        return _read_bessel(kappa, dim, ratio)
    return _Bessel.apply(kappa, dim, ratio)  # pyright: ignore[reportReturnType]


def _slope(kappa: Tensor, dim: int, ratio: bool) -> Tensor:
    """A, or with `ratio` that of A: 1 - A^2 - (D - 1) A / kappa."""
    if not ratio:
        return bessel(kappa, dim, ratio=True)
    kappa = kappa.clamp_min(_SMALLEST_KAPPA)  # A / kappa tends to 1 / D
    length = bessel(kappa, dim, ratio=True)
    return 1 - length.square() - (dim - 1) * length / kappa


class _Bessel(torch.autograd.Function):
    """The operator with rules for `torch.func` and forward mode, which operators cannot have."""

    @staticmethod
    def forward(kappa: Tensor, dim: int, ratio: bool) -> Tensor:
        return _read_bessel(kappa, dim, ratio)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int, bool], output: Tensor) -> None:
        kappa, *ctx.form = inputs
        ctx.save_for_backward(kappa)
        ctx.save_for_forward(kappa)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return grad_output * _slope(*ctx.saved_tensors, *ctx.form), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return tangent * _slope(*ctx.saved_tensors, *ctx.form)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None, None], kappa: Tensor, dim: int, ratio: bool) -> tuple[Tensor, int]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return bessel(kappa, dim, ratio), in_dims[0]


_read_bessel.register_autograd(_Bessel.backward, setup_context=_Bessel.setup_context)


@loss("z")
def proco(
    z: Tensor,
    y: Labels,
    means: Tensor,
    counts: Numbers,
    *,
    temperature: float | Tensor,
    reduction: str = "mean",
) -> Tensor:
    r"""Expected contrast of z with endless samples of each class's von Mises-Fisher density.

    With C(k) the normaliser of the density, kappa_c and mu_c fitted to the class mean,

    .. math:: L_i = -\log \frac{\pi_{y_i} C(\kappa_{y_i}) / C(\tilde\kappa_{i y_i})}{\sum_c \pi_c C(\kappa_c) /
              C(\tilde\kappa_{ic})}, \qquad \tilde\kappa_{ic} = \| \kappa_c \mu_c + z_i/\tau \|

    Args:
        z: (B, D) unit rows, D >= 2, taken as given.
        y: (B,) labels from 0 to C - 1.
        means: (C, D) mean of each class's unit embeddings, not normalised; no gradient flows into it. A length R gives
            kappa = D R / (1 - R^2), at most 1e5 (a class with one sample).
        counts: (C,) training samples per class.
        temperature: positive number or 0-d tensor.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Du et al. 2024, Prop. 1; code: ProCo af9e78e, `ProCoLoss`, with exact Bessel functions in place of its
    recurrence. Bessel functions are taken in float64 on the CPU.

    >>> z, means = torch.eye(3)[:2], 0.9 * torch.eye(3)
    >>> round(proco(z, [0, 1], means, [100, 10, 1], temperature=0.5).item(), 3)
    0.52
    """
    check_rows("proco", "z", z, (None, None), "(samples, dimensions)")
    num_samples, dim = z.shape
    if not num_samples or dim < 2:
        raise ValueError(f"proco: z must hold samples of at least 2 dimensions, but has shape {tuple(z.shape)}")
    check_rows("proco", "means", means, (None, dim), f"for z of {dim} dimensions")
    y = check_labels("proco", "y", y, num_samples, f"for {num_samples} samples in z", z, len(means))
    check_choice("proco", "reduction", reduction, ("mean", "none"))
    tau = check_temperature("proco", temperature, z)
    return logit_adjusted(density_logits(z, means.detach(), tau, y), y, counts, reduction=reduction)


def density_logits(z: Tensor, means: Tensor, tau: Tensor, y: Tensor | None = None) -> Tensor:
    r"""log C(kappa_c) - log C(kappa~_ic), (B, C): how well each class's density explains z.

    A density meets z through the cosine with its mean direction alone,
    :math:`\tilde\kappa_{ic}^2 = \kappa_c^2 + 2 \kappa_c \mu_c \cdot z_i / \tau + |z_i|^2 / \tau^2`, up to |z|,
    whose gradient is not tangent to the sphere. The labels y (B,) are for whoever looks.
    """
    dim = z.shape[1]
    # differences of numbers up to 1e5: float64 throughout, so that a logit keeps its digits
    kappa, directions = fit_densities(means.double())
    about, z_tau = Partners(torch.arange(len(means), device=z.device), y), tau.double()
    cosines = similarities(z.double(), directions, about)
    squares = kappa.square() + 2 * kappa * cosines / z_tau + (z.double() / z_tau).square().sum(1, keepdim=True)
    tilted = squares.clamp_min(_SMALLEST_KAPPA**2).sqrt()
    return (bessel(tilted, dim) - bessel(kappa, dim)).to(z.dtype)


def fit_densities(means: Tensor) -> tuple[Tensor, Tensor]:
    """kappa (C,) and unit direction (C, D) of each class from its mean (C, D)."""
    length = means.norm(dim=1)
    kappa = (means.shape[1] * length / (1 - length.square()).clamp_min(1e-12)).clamp_max(LARGEST_KAPPA)
    return kappa, F.normalize(means, dim=1)


@lru_cache(maxsize=8)
def density_caps(kappas: tuple[float, ...], dim: int) -> tuple[float, ...]:
    """Half the opening in degrees of the cap that holds `CAP_SHARE` of each density; kept, for a frame asks twice."""
    return tuple(geometry.cap(np.asarray(kappas), dim, CAP_SHARE).tolist())


class ClassMeans(nn.Module):
    """Running means of unit embeddings by class over an epoch; all state lies in buffers.

    Two are kept, as in the official code: one in use, one that starts anew with each epoch and then takes over, so that
    embeddings of an old encoder are forgotten. Both take in every batch.
    """

    def __init__(self, num_classes: int, dim: int):
        super().__init__()
        # random directions with R = 0.9 stand in until a class has been seen
        self.register_buffer("means", 0.9 * F.normalize(torch.randn(num_classes, dim), dim=1))
        self.register_buffer("amounts", torch.zeros(num_classes))
        self.register_buffer("next_means", self.means.clone())
        self.register_buffer("next_amounts", torch.zeros(num_classes))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.means: Tensor
        self.amounts: Tensor
        self.next_means: Tensor
        self.next_amounts: Tensor
        self.steps: Tensor

    @torch.no_grad()
    def absorb(self, z: Tensor, y: Tensor) -> None:
        """Take in embeddings (B, D) with labels (B,)."""
        z = z.to(self.means.dtype)
        added = class_sizes(y, len(self.means)).to(z.dtype)
        sums = torch.zeros_like(self.means).index_add_(0, y, z)
        for means, amounts in ((self.means, self.amounts), (self.next_means, self.next_amounts)):
            share = (added / (amounts + added).clamp_min(1))[:, None]
            means.lerp_(sums / added.clamp_min(1)[:, None], share)
            amounts += added

    @torch.no_grad()
    def tick(self, steps_per_epoch: int) -> None:
        """After a training step: at the end of an epoch the fresh means take over.

        A class the epoch never showed keeps its old mean, where the official code falls back on a random direction.
        """
        if add_to_count(self, "steps", 1) % steps_per_epoch:
            return
        seen = self.next_amounts > 0
        self.means.copy_(torch.where(seen[:, None], self.next_means, self.means))
        self.amounts.copy_(torch.where(seen, self.next_amounts, self.amounts))
        self.next_means.copy_(self.means)
        self.next_amounts.zero_()


DENSITY_READINGS = (
    Reading(
        key="means_cap",
        title="Cap of the density",
        unit="°",
        short=f"Half the opening of the cap around the class's mean in which {CAP_SHARE:.0%} of its density lies.",
    ),
    Reading(
        key="kappa",
        title="Concentration κ",
        short="How tightly the class's density is packed around its mean: 0 is the whole sphere, large is a point.",
    ),
)
"""Of a method that keeps a density for each class."""
DENSITY_MARKS = (
    Mark(
        key="means",
        title="Means",
        short="A place that the method keeps on the sphere for each class (“means”).",
        primitive="points",
        sign="plus",
    ),
    Mark(
        key="means_cap",
        title="Density",
        short="A dashed cap shows how wide the method itself believes a class to be.",
        primitive="caps",
        sign="cap",
        on=False,
    ),
)
"""Of a method whose landmarks `means` are those of densities."""


class ProCoSettings(Settings):
    temperature: float = live(0.1, ge=0.01, le=2, description="Temperature of the contrast; low is sharp.")
    classification_weight: float = live(1.0, ge=0, le=10, description="Weight of the classifier's loss.")
    contrast_weight: float = live(1.0, ge=0, le=10, description="Weight of the contrast with class densities.")


class ProCo(Method):
    """A logit-adjusted linear classifier on view 0 and contrast of views 1 and 2 with each class's density.

    Terms `classification` and `contrast` (mean of both views). Each view is taken into the class means before its own
    logits, as in the official code.
    """

    card = Card(
        name="proco",
        title="ProCo",
        year=2024,
        idea="Each class is a density on the sphere, so even a class of three images has endless samples to contrast.",
        formula=r"L_i = -\log \frac{\pi_{y_i} C(\kappa_{y_i}) / C(\tilde\kappa_{i y_i})}"
        r"{\sum_c \pi_c C(\kappa_c) / C(\tilde\kappa_{ic})}, \quad \tilde\kappa_{ic} = \|\kappa_c \mu_c + z_i/\tau\|",
        terms={
            r"C(\kappa_{y_i}) / C(\tilde\kappa_{i y_i})": "pull",
            r"C(\kappa_c) / C(\tilde\kappa_{ic})": "push",
            r"\pi_{y_i}": "prior",
            r"\pi_c": "prior",
        },
        symbols={r"\tau": "temperature", r"\kappa_c": "kappa", r"\pi_c": "counts"},
        look_for="Class centres that balance better than SupCon's. Dashed caps show how wide the method believes a "
        "class to be.",
        differs="A class that an epoch never showed keeps its mean, where the official code falls back on a random "
        "direction.",
        sphere="The embeddings that are contrasted; the classifier works on the features beside it.",
        paper="Du et al., Probabilistic Contrastive Learning for Long-Tailed Visual Recognition, TPAMI 2024, "
        "arXiv:2403.06726",
        code="https://github.com/LeapLabTHU/ProCo",
    )
    Settings = ProCoSettings
    on_host = "the Bessel functions of its densities are scipy's, on the CPU"
    settings: ProCoSettings
    readings = DENSITY_READINGS
    marks = DENSITY_MARKS

    def __init__(self, settings: ProCoSettings, setup: Setup):
        super().__init__(settings, setup)
        self.classifier = nn.Linear(setup.feature_dim, setup.num_classes)
        self.densities = ClassMeans(setup.num_classes, setup.dim)
        self.samples = float(setup.counts.sum())

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        num_samples, contrasts = len(batch.y), []
        features = self.encoder(batch.views(0, 1, 2))
        for z in self.project(features[num_samples:]).split(num_samples):
            self.densities.absorb(z.detach(), batch.y)
            means = self.densities.means.clone()
            contrasts.append(proco(z, batch.y, means, self.counts, temperature=self.settings.temperature))
        return {
            "classification": logit_adjusted(self.classifier(features[:num_samples]), batch.y, self.counts),
            "contrast": torch.stack(contrasts).mean(),
        }

    @classmethod
    def what_if(cls, scene: Scene, settings: ProCoSettings) -> dict[str, Tensor]:
        z, y = stack_views(scene.z), scene.y.repeat(scene.z.shape[1])
        return {"contrast": proco(z, y, scene.means, scene.counts, temperature=settings.temperature)}

    def after_step(self, step: Step) -> None:
        self.densities.tick(max(1, round(self.samples / len(step.batch.y))))

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)

    def landmarks(self) -> dict[str, Tensor]:
        return {"means": F.normalize(self.densities.means, dim=1)}

    def read(self) -> dict[str, Tensor]:
        kappa, caps = self.widths()
        return {"means_cap": caps, "kappa": kappa}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "means_cap" a cap around the mean of each class that a batch has held."""
        _, caps = self.widths()
        return {"means_cap": Caps(self.landmarks()["means"], caps, torch.arange(len(caps), device=caps.device))}

    def widths(self) -> tuple[Tensor, Tensor]:
        """Kappa of each density in use, and half the opening in degrees of the cap that holds `CAP_SHARE` of it, (C,)
        float32; NaN for classes no batch has held, whose means are drawn by lot."""
        kappa, _ = fit_densities(self.densities.means.double())
        caps = kappa.new_tensor(density_caps(tuple(kappa.tolist()), self.setup_.dim))
        unseen = self.densities.amounts == 0
        return kappa.float().masked_fill(unseen, torch.nan), caps.float().masked_fill(unseen, torch.nan)

    @classmethod
    def listing(cls, settings: ProCoSettings) -> Listing:
        return Listing(
            imports="from ltviz.methods.proco import ClassMeans  # running means over an epoch",
            build="classifier = nn.Linear(width, num_classes)\ndensities = ClassMeans(num_classes, dim)",
            trains="*classifier.parameters()",
            step="""\
num, contrasts = len(batch.y), []
features = encoder(batch.views(0, 1, 2))
for z in F.normalize(head(features[num:]), dim=1).split(num):
    densities.absorb(z.detach(), batch.y)
    contrasts.append(losses.proco(z, batch.y, densities.means.clone(), counts, temperature=temperature))
classification = F.cross_entropy(classifier(features[:num]) + log_prior, batch.y)
loss = classification_weight * classification + contrast_weight * torch.stack(contrasts).mean()
""",
            after="densities.tick(max(1, round(float(counts.sum()) / num)))",
        )
