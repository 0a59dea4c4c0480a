"""vMF classifier: each class is a density with a width of its own (Wang et al., 2022)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ltviz.marks import Caps, Shown
from ltviz.methods.base import Batch, Card, Method, Settings, Setup, live
from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.parts.anchors import class_sizes
from ltviz.methods.parts.cosine import SCALE, CosineClassifier
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_numbers,
    check_rows,
    check_samples,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners, pulled_similarities, similarities
from ltviz.methods.parts.snippets import directions
from ltviz.methods.parts.tracing import checks_values
from ltviz.methods.proco import DENSITY_MARKS, DENSITY_READINGS, LARGEST_KAPPA, bessel, density_caps

_SHORTEST = 1e-12  # square of the length of a sum of unit rows that has no direction


@loss("z", "means")
def vmf(z: Tensor, y: Labels, means: Tensor, kappa: Numbers, counts: Numbers, *, reduction: str = "mean") -> Tensor:
    r"""Cross-entropy of von Mises-Fisher densities with the class prior: a wide class and a tight one are told apart.

    .. math:: L_i = -\log \frac{n_{y_i} C_D(\kappa_{y_i}) e^{\kappa_{y_i} \mu_{y_i} \cdot z_i}}{\sum_c n_c C_D(\kappa_c)
              e^{\kappa_c \mu_c \cdot z_i}}

    Args:
        z: (B, D) unit rows, D >= 2, taken as given.
        y: (B,) labels from 0 to C - 1.
        means: (C, D) unit rows mu, row c is class c's.
        kappa: (C,) concentrations, above 0; a tensor may carry a gradient.
        counts: (C,) training samples per class; a class with count 0 gets the prior 1e-12.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Wang et al. 2022; code: vMF-OP 964d491, `get_bias`. Its order of the Bessel function is D // 2 - 1, so that
    odd D (3 among them) is computed as D - 1; here it is exact in every dimension. It subtracts log C_D(16), which
    changes nothing. Bessel functions are taken in float64 on the CPU.

    >>> z = torch.eye(3)[:2]
    >>> round(vmf(z, [0, 1], torch.eye(3), [16, 16, 4], [100, 10, 1]).item(), 3)
    0.0
    """
    z, means, kappa = _densities("vmf", means, kappa, z)
    y = check_labels("vmf", "y", y, len(z), f"for {len(z)} samples in z", z, len(means))
    check_choice("vmf", "reduction", reduction, ("mean", "none"))
    cosines = similarities(z, means, Partners(torch.arange(len(means), device=z.device), y))
    return logit_adjusted(density_scores(cosines, kappa, z.shape[1]), y, counts, reduction=reduction)


@loss("means")
def vmf_overlap(means: Tensor, kappa: Numbers) -> Tensor:
    r"""How much the densities of different classes overlap: mean over a != b of 1 / (1 + KL(a || b)), 0 to 1.

    .. math:: KL(a \| b) = A(\kappa_a) (\kappa_a - \kappa_b \mu_a \cdot \mu_b) + \log C_D(\kappa_a)
              - \log C_D(\kappa_b), \quad A = I_{D/2} / I_{D/2-1}

    Args:
        means, kappa: as in `vmf`. A single class overlaps with nothing: 0.

    Returns:
        Scalar.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Wang et al. 2022, L_icd; code: vMF-OP 964d491, `get_overlap`, which divides by C^2 with a diagonal of zeros
    and so gives (C - 1) / C of this, and whose mask is written for 1,000 classes.

    >>> round(vmf_overlap(torch.eye(3), [16.0, 16.0, 16.0]).item(), 3)
    0.062
    """
    _, means, kappa = _densities("vmf_overlap", means, kappa, means)
    num_classes, dim = means.shape
    classes = torch.arange(num_classes, device=means.device)
    cosines = similarities(means, means, Partners(classes, classes))
    normaliser, length = -bessel(kappa, dim), bessel(kappa, dim, ratio=True)
    divergence = length[:, None] * (kappa[:, None] - kappa * cosines) + normaliser[:, None] - normaliser
    # 0 but for rounding where two densities are one
    overlap = (1 / (1 + divergence.clamp_min(0))).masked_fill(classes[:, None] == classes, 0.0)
    return overlap.sum() / max(num_classes * (num_classes - 1), 1)


@loss("z", "means")
def vmf_consistency(z: Tensor, y: Labels, means: Tensor, kappa: Numbers) -> Tensor:
    r"""How far each class's features are from the density that the classifier has for it, 0 (at its mean) to 1.

    .. math:: \operatorname{mean}_{c \text{ present}} 1 - \frac{1}{1 + A(\kappa_c) \kappa_c (1 - \mu_c \cdot \hat m_c)}

    with m_c the normalised mean of the class's normalised features in the batch.

    Args:
        z, y, means, kappa: as in `vmf`.

    Returns:
        Scalar.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Wang et al. 2022, L_cfc; code: vMF-OP 964d491, `get_mu_feat`; asked for without the overlap it raises
    NameError there (`valid_op`).

    >>> vmf_consistency(torch.eye(3), [0, 1, 2], torch.eye(3), [16.0, 16.0, 16.0]).item()
    0.0
    """
    z, means, kappa = _densities("vmf_consistency", means, kappa, z)
    num_classes, dim = means.shape
    y = check_labels("vmf_consistency", "y", y, len(z), f"for {len(z)} samples in z", z, num_classes)
    rows = F.normalize(z, dim=1)
    sums = torch.zeros_like(means).index_add(0, y, rows)
    classes = torch.arange(num_classes, device=y.device)
    one_another = Partners(y, y, lambda: y[:, None] == y)
    of_means = Partners(classes, y, lambda: y[:, None] == classes)

    def by_class(values: Tensor) -> Tensor:
        return values.new_zeros(num_classes).index_add(0, y, values)

    squares = by_class(pulled_similarities(rows, sums[y], lambda: rows, one_another))
    projected = by_class(pulled_similarities(rows, means[y], lambda: means, of_means))
    present = class_sizes(y, num_classes) > 0
    cosines = projected / torch.where(present, squares, 1.0).clamp_min(_SHORTEST).sqrt()
    # at most 1 but for rounding
    far = bessel(kappa, dim, ratio=True) * kappa * (1 - cosines).clamp_min(0)
    return ((1 - 1 / (1 + far)) * present).sum() / present.sum()


def density_scores(cosines: Tensor, kappa: Tensor, dim: int) -> Tensor:
    """log of each class's density (B, C) up to a constant, of cosines (B, C) with the means and kappa (C,)."""
    return kappa * cosines - bessel(kappa, dim)


def _densities(loss: str, means: Tensor, kappa: Numbers, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    name = "means" if z is means else "z"
    check_samples(loss, name, z)
    dim = z.shape[1]
    if dim < 2:
        raise ValueError(f"{loss}: {name} must have at least 2 dimensions, but has shape {tuple(z.shape)}")
    check_rows(loss, "means", means, (None, dim), f"for z of {dim} dimensions")
    kappa = check_numbers(loss, "kappa", kappa, (len(means),), f"for {len(means)} means", z)
    if checks_values() and not (float(kappa.detach().min()) > 0 and float(kappa.detach().max()) < float("inf")):
        raise ValueError(f"{loss}: kappa must be positive and finite, but is {kappa.tolist()}")
    return z, means, kappa


class VmfSettings(Settings):
    initial_kappa: float = Field(16.0, ge=1, le=1000, description="Concentration that every class begins with.")
    overlap_weight: float = live(
        0.2, ge=0, le=10, description="Weight of the overlap between densities, which fades to nothing by the end."
    )
    consistency_weight: float = live(
        0.0,
        ge=0,
        le=10,
        description="Weight of the distance between a class's features and its density; 0 in the code.",
    )
    decay: float = Field(0.9, ge=0, le=10, description="Power of the remaining share of steps that fades the overlap.")


class Vmf(Method):
    """Each class is a von Mises-Fisher density with mean and width of its own, which classifies.

    Terms `classification`, `overlap` (times the remaining share of steps to the power 0.9) and `consistency`. The code
    adds the log prior while training; predictions leave it out, as logit adjustment does. Concentrations are at least
    1; the one that is trained is their logarithm, which begins at 16.
    """

    card = Card(
        name="vmf",
        title="vMF classifier",
        year=2022,
        idea="A class is a density on the sphere: where it points and how wide it is are both learned.",
        formula=r"L_i = -\log \frac{n_{y_i} C_D(\kappa_{y_i}) e^{\kappa_{y_i} \mu_{y_i} \cdot z_i}}"
        r"{\sum_c n_c C_D(\kappa_c) e^{\kappa_c \mu_c \cdot z_i}}",
        terms={
            r"e^{\kappa_{y_i} \mu_{y_i} \cdot z_i}": "pull",
            r"e^{\kappa_c \mu_c \cdot z_i}": "push",
            r"n_{y_i}": "prior",
            r"n_c": "prior",
        },
        symbols={r"\kappa_c": "kappa", r"n_c": "counts"},
        look_for="The dashed caps are the classifier itself. Whether rare classes are given wide ones or narrow ones, "
        "and how the overlap term draws them apart at first.",
        differs="The overlap is a mean over all pairs of classes; the official code divides by the square of their "
        "number and is written for 1,000 classes.",
        sphere="The embeddings that the densities are held against: this sphere is what training shapes.",
        paper="Wang et al., Towards Calibrated Hyper-Sphere Representation via Distribution Overlap Coefficient for "
        "Long-tailed Learning, ECCV 2022",
        code="https://github.com/SiLangWHL/vMF-OP",
    )
    Settings = VmfSettings
    settings: VmfSettings
    on_host = "the Bessel functions of its densities are scipy's, on the CPU"
    readings = DENSITY_READINGS
    marks = DENSITY_MARKS

    def __init__(self, settings: VmfSettings, setup: Setup):
        super().__init__(settings, setup)
        self.means = CosineClassifier(setup.dim, setup.num_classes, SCALE)
        self.log_kappa = nn.Parameter(torch.full((setup.num_classes,), math.log(settings.initial_kappa)))

    @property
    def kappa(self) -> Tensor:
        """(C,) concentration of each class."""
        return self.log_kappa.exp().clamp(1.0, LARGEST_KAPPA)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        z = self.project(self.encoder(batch.view(0)))
        means, kappa = self.means.directions(), self.kappa
        left = max(1 - batch.step / self.setup_.total_steps, 0.0)
        return {
            "classification": vmf(z, batch.y, means, kappa, self.counts),
            "overlap": left**self.settings.decay * vmf_overlap(means, kappa),
            "consistency": vmf_consistency(z, batch.y, means, kappa),
        }

    @classmethod
    def what_if(cls, scene: Scene, settings: VmfSettings) -> dict[str, Tensor]:
        kappa = scene.counts.new_full((len(scene.counts),), settings.initial_kappa)
        return {"classification": vmf(scene.z[:, 0], scene.y, scene.directions, kappa, scene.counts)}

    def classify(self, features: Tensor) -> Tensor:
        z = self.project(features)
        return density_scores(z @ self.means.directions().T, self.kappa, z.shape[1])

    def landmarks(self) -> dict[str, Tensor]:
        return {"means": self.means.directions()}

    def read(self) -> dict[str, Tensor]:
        return {"means_cap": self.caps(), "kappa": self.kappa}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "means_cap" the cap of each density around its mean."""
        caps = self.caps()
        return {"means_cap": Caps(self.means.directions(), caps, torch.arange(len(caps), device=caps.device))}

    def caps(self) -> Tensor:
        """(C,) degrees: half the opening of the cap that holds 95 % of each density."""
        kappa = self.kappa
        return kappa.new_tensor(density_caps(tuple(kappa.tolist()), self.setup_.dim))

    @classmethod
    def listing(cls, settings: VmfSettings) -> Listing:
        return Listing(
            build=f"""\
{directions("weight", "dim")}
log_kappa = nn.Parameter(torch.full((num_classes,), math.log(initial_kappa)))
""",
            trains="weight, log_kappa",
            step=f"""\
z = F.normalize(head(encoder(batch.view(0))), dim=1)
means, kappa = F.normalize(weight, dim=1), log_kappa.exp().clamp(1.0, {LARGEST_KAPPA:g})
loss = losses.vmf(z, batch.y, means, kappa, counts)
loss += overlap_weight * (1 - step / steps) ** decay * losses.vmf_overlap(means, kappa)
loss += consistency_weight * losses.vmf_consistency(z, batch.y, means, kappa)
""",
        )
