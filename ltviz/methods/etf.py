"""ETF head: a fixed simplex instead of a learned classifier, and nothing but pull (Yang et al., 2022)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ltviz.geometry import Prediction
from ltviz.marks import TARGETS, Reading
from ltviz.methods.base import Batch, Card, Method, Settings, Setup, Step
from ltviz.methods.parts.anchors import class_sizes
from ltviz.methods.parts.cosine import SCALE, cosine_logits
from ltviz.methods.parts.inputs import Labels, Numbers, check_labels, check_numbers, check_rows, check_samples, reduce
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.matched_targets import follow, match, targets_file, targets_of
from ltviz.methods.parts.running_mean import allow_absent
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import fixed_targets, pulled_similarities
from ltviz.methods.parts.theory import simplex_ends

_SHORTEST = 1e-8


@loss()
def dot_regression(
    features: Tensor,
    y: Labels,
    classifier: Tensor,
    *,
    lengths: Numbers | None = None,
    counts: Numbers | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Dot regression: each feature is drawn to the fixed direction of its class, and pushed from nothing.

    With w_c = l_c m_c, where m_c is row c of the classifier, and the lengths |h|, |w| taken as constants,

    .. math:: L_i = \frac{(h_i \cdot w_{y_i} - |h_i| |w_{y_i}|)^2}{2 |h_i|}

    Args:
        features: (B, D) rows of any length; unit ones in the paper. No gradient flows through their lengths.
        y: (B,) labels from 0 to C - 1.
        classifier: (C, D), row c is class c's direction; in the paper a regular simplex, never trained.
        lengths: (C,) l_c, 1 where left out.
        counts: (C,) samples of each class, which give l_c = sqrt(mean n / n_c), the mean over the classes that have
            any, and 1 for a class without. Not together with `lengths`.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules, or lengths and counts are both given; the sentence names
            the sizes.

    Source: Yang et al. 2022, Eq. 8; code: ImbalancedLearning 2ebb309, `dot_loss` with `reg_dot_loss`, `produce_Ew`.
    Deviations of that code: it divides by |h| alone where the paper has |h| |w|, which is the same only at l = 1. Its
    default lengths, of the counts of the batch, make the loss exactly (cos - 1)^2 / 2 averaged within each class and
    then over the classes present: class averaging, not a longer target. Its `produce_global_Ew`, of the training
    counts, is never called and gives infinity at count 0.

    >>> features, classifier = torch.eye(3)[:2], torch.eye(3)
    >>> dot_regression(features, [0, 2], classifier, reduction="none")
    tensor([0.0000, 0.5000])
    """
    check_samples("dot_regression", "features", features)
    num_samples, dim = features.shape
    check_rows("dot_regression", "classifier", classifier, (None, dim), f"for features of {dim} dimensions")
    y = check_labels("dot_regression", "y", y, num_samples, f"for {num_samples} rows", features, len(classifier))
    if lengths is not None and counts is not None:
        raise ValueError("dot_regression: lengths and counts were both given; counts make lengths, give one of them")
    size, because = (len(classifier),), f"for {len(classifier)} classes"
    if counts is not None:
        lengths = balancing_lengths(check_numbers("dot_regression", "counts", counts, size, because, features))
    if lengths is not None:
        classifier = check_numbers("dot_regression", "lengths", lengths, size, because, features)[:, None] * classifier
    aims = classifier[y]
    sizes = features.detach().norm(dim=1).clamp_min(_SHORTEST)
    pulls = pulled_similarities(features, aims, lambda: classifier, fixed_targets(y, len(classifier)))
    return reduce("dot_regression", (pulls - sizes * aims.detach().norm(dim=1)).square() / (2 * sizes), reduction)


def balancing_lengths(counts: Tensor) -> Tensor:
    """Lengths (C,) that make dot regression a mean over classes, of counts (C,); 1 for a class without samples."""
    has = counts > 0
    mean = counts.sum() / has.sum().clamp_min(1)
    return torch.where(has, mean / torch.where(has, counts, 1.0), 1.0).sqrt()


class EtfSettings(Settings):
    assignment: Literal["random", "matched"] = Field(
        "random",
        description="Which class is sent to which corner: drawn once (the paper's label order is no better), or "
        "matched with the class centres at every step.",
    )
    average: Literal["class", "sample"] = Field(
        "class",
        description="Mean within each class and then over classes, which is what the official lengths come to, or over "
        "all samples.",
    )
    targets: str = targets_file()


class EtfStep(Step):
    """A step and its embeddings, which matching needs."""

    z: Tensor
    """(B, dim) without gradient."""


class Etf(Method):
    """Embeddings are drawn to the corners of a fixed simplex, which classify; term `regression`.

    Where no simplex fits, corners are the best arrangement there is; a file of targets takes their place. The official
    head needs D >= C, and draws its simplex through a QR of uniform numbers. Logits are cosines with the corners, for
    confidence times 16. With the assignment matched, corners follow running class centres by the Hungarian method, as
    TSC's targets do.
    """

    card = Card(
        name="etf",
        title="ETF head",
        year=2022,
        idea="The corners of a simplex are given from the start, and each class is drawn to its own; nothing pushes.",
        formula=r"L_i = \frac{(h_i \cdot w_{y_i} - |h_i| |w_{y_i}|)^2}{2 |h_i|}",
        terms={r"h_i \cdot w_{y_i}": "targets"},
        look_for="The push reads 0: only targets act. Rare classes have their corner from step 0, as far from all "
        "others as head ones; whether their test points get there is another matter.",
        differs="Where no simplex fits, the corners are the best arrangement that there is; the official head needs "
        "as many dimensions as classes.",
        sphere="The embeddings that are drawn to the corners: this sphere is what training shapes.",
        paper="Yang et al., Inducing Neural Collapse in Imbalanced Learning: Do We Really Need a Learnable Classifier "
        "at the End of Deep Neural Network?, NeurIPS 2022, arXiv:2203.09081",
        code="https://github.com/NeuralCollapseApplications/ImbalancedLearning",
    )
    Settings = EtfSettings
    settings: EtfSettings
    on_host = "matched corners are found by the Hungarian method, which runs on the CPU"
    readings = (
        Reading(
            key="swaps",
            title="Swaps of corner",
            short="How often the matching has sent this class to another corner since the first step; 0 where corners "
            "are drawn.",
        ),
    )
    marks = (TARGETS,)

    def __init__(self, settings: EtfSettings, setup: Setup):
        super().__init__(settings, setup)
        num_classes = setup.num_classes
        self.register_buffer("targets", targets_of(settings.targets, setup))
        drawn = settings.assignment == "random"
        self.register_buffer("matched", torch.randperm(num_classes) if drawn else torch.arange(num_classes))
        self.register_buffer("centres", torch.zeros(num_classes, setup.dim))
        self.register_buffer("swaps", torch.zeros(num_classes, dtype=torch.int64))
        self.targets: Tensor
        self.matched: Tensor
        self.centres: Tensor
        self.swaps: Tensor
        allow_absent(self, "swaps")

    def losses(self, batch: Batch) -> EtfStep:
        z = self.project(self.encoder(batch.view(0)))
        step = EtfStep({"regression": self.regress(z, batch.y, self.corners, self.settings)}, batch)
        step.z = z.detach()
        return step

    @staticmethod
    def regress(z: Tensor, y: Tensor, corners: Tensor, s: EtfSettings) -> Tensor:
        """The regression of embeddings z (B, dim) with labels (B,) to corners (C, dim), row c class c's."""
        if s.average == "sample":
            return dot_regression(z, y, corners)
        return dot_regression(z, y, corners, lengths=balancing_lengths(class_sizes(y, len(corners)).to(z)))

    @property
    def corners(self) -> Tensor:
        """(C, dim): row c is class c's."""
        return self.targets[self.matched]

    def theory(self, counts: np.ndarray) -> Prediction | None:
        """Its corners, where they are the regular simplex."""
        if self.settings.targets:
            return None
        return simplex_ends(len(counts), self.setup_.dim, "Yang et al. 2022, theorem 1: the corners")

    @classmethod
    def what_if(cls, scene: Scene, settings: EtfSettings) -> dict[str, Tensor]:
        return {"regression": cls.regress(scene.z[:, 0], scene.y, scene.targets, settings)}

    def after_step(self, step: EtfStep) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.settings.assignment == "random":
            return
        first = not bool(self.centres.any())
        self.centres.copy_(follow(self.centres, step.z, step.batch.y))
        matched = match(self.centres, self.targets).to(self.matched)
        if not first:
            self.swaps += matched != self.matched
        self.matched.copy_(matched)

    def classify(self, features: Tensor) -> Tensor:
        z = self.project(features)
        return cosine_logits(z, self.corners.to(z.dtype), SCALE)

    def read(self) -> dict[str, Tensor]:
        return {"swaps": self.swaps.float()}

    def landmarks(self) -> dict[str, Tensor]:
        return {"targets": self.targets}

    def target_index(self) -> Tensor:
        return self.matched

    @classmethod
    def listing(cls, settings: EtfSettings) -> Listing:
        drawn, by_class = settings.assignment == "random", settings.average == "class"
        mean = "errors.mean()"
        if by_class:
            mean = "(errors / torch.bincount(batch.y)[batch.y]).sum() / len(batch.y.unique())"
        return Listing(
            build=f"""\
corners = torch.from_numpy(geometry.optimal_targets(num_classes, dim, seed=0)).float()
matched = torch.{"randperm" if drawn else "arange"}(num_classes)
{"" if drawn else "centres = torch.zeros(num_classes, dim)"}
""",
            step=f"""\
z = F.normalize(head(encoder(batch.view(0))), dim=1)
cosine = (z * corners[matched[batch.y]]).sum(1)
errors = (cosine - 1).square() / 2
loss = {mean}
""",
            after=""
            if drawn
            else """\
sums = torch.zeros(num_classes, dim).index_add_(0, batch.y, z.detach())
seen = (sums != 0).any(1, keepdim=True)
centres = torch.where(seen, F.normalize(0.9 * centres + 0.1 * F.normalize(sums, dim=1), dim=1), centres)
matched = torch.from_numpy(geometry.match_targets(centres.numpy(), corners.numpy()))
""",
        )
