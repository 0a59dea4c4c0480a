"""NTCE and NONL: class weights as anchors, negatives alone in the denominator (ICML 2026)."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from ltviz.marks import CLASSIFIER
from ltviz.methods.base import Batch, Card, Method, Settings, Setup, live
from ltviz.methods.parts.cosine import CosineClassifier, cosine_logits
from ltviz.methods.parts.inputs import (
    Labels,
    check_choice,
    check_labels,
    check_rows,
    check_samples,
    check_temperature,
    reduce,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.snippets import directions


@loss("features", "weights")
def ntce(
    features: Tensor, y: Labels, weights: Tensor, *, temperature: float | Tensor, reduction: str = "mean"
) -> Tensor:
    r"""Normalised-temperature cross-entropy: each class's weight must pick its features among the whole batch.

    With s_ci = w_c . h_i / tau,

    .. math:: L_i = -s_{y_i i} + \log \sum_j e^{s_{y_i j}}

    where j runs over all rows of the batch, those of i's own class and i itself included. So the floor is not 0 but the
    log of how many samples of the class the batch holds: values of different batches, or methods, cannot be compared.

    Args:
        features: (B, D) unit rows h, taken as given (the official docstring says that it normalises; it does not).
        y: (B,) labels from 0 to C - 1.
        weights: (C, D) unit rows, row c is class c's; gradients flow into them. The official code takes (D, C), and
            where D = C takes one for the other silently.
        temperature: positive number or 0-d tensor; 0.1 in the README, 0.2 in the code.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: nc_by_design 4ee8435, `NTCE` (its `--symmetric` does nothing here; under DDP its batch is one GPU's).

    >>> features = torch.eye(3)[[0, 0, 1]]  # all at their class weights, and yet log 2 remains of the first two
    >>> ntce(features, [0, 0, 1], torch.eye(3), temperature=0.1, reduction="none").round(decimals=3)
    tensor([6.9300e-01, 6.9300e-01, 1.0000e-03])
    """
    y, values = _scores("ntce", features, y, weights, temperature)
    own = values[y, torch.arange(len(y), device=y.device)]
    return reduce("ntce", values.logsumexp(1)[y] - own, reduction)


@loss("features", "weights")
def nonl(
    features: Tensor,
    y: Labels,
    weights: Tensor,
    *,
    temperature: float | Tensor,
    negatives: str = "class",
    reduction: str = "mean",
) -> Tensor:
    r"""Negatives-only loss: like `ntce`, with the positives left out of the denominator.

    .. math:: L_i = -s_{y_i i} + \log N_i, \qquad N_i = \sum_{j: y_j \ne y_i} e^{s_{y_i j}} \;\text{(class)},
              \quad \sum_{c \ne y_i} e^{s_{ci}} \;\text{(instance)}, \quad \text{or both sums together}

    It has no floor at 0: values are often negative. An anchor without negatives counts as 0 and stays in the mean.

    Args:
        features, y, weights, temperature, reduction: as in `ntce`.
        negatives: "class": features of other classes against the class weight (the README's setting, `symmetric`);
            "instance": other classes' weights against the feature; "both".

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: nc_by_design 4ee8435, `NONL`, which takes exp without a shift (NaN below tau 0.0014 in float64, 0.011 in
    float32) and gives minus infinity for a batch of one class. Its `main_ce.py` imports a file that the repository
    lacks, so it does not run as published.

    >>> round(nonl(torch.eye(3)[[0, 1]], [0, 1], torch.eye(3), temperature=0.5).item(), 3)
    -2.0
    """
    check_choice("nonl", "negatives", negatives, ("class", "instance", "both"))
    y, values = _scores("nonl", features, y, weights, temperature)
    own = values[y, torch.arange(len(y), device=y.device)]
    negative = torch.arange(len(weights), device=y.device)[:, None] != y
    of_class, has_class = (found[y] for found in _log_sum(values, negative, 1))
    of_instance, has_instance = _log_sum(values, negative, 0)
    if negatives == "class":
        total, has = of_class, has_class
    elif negatives == "instance":
        total, has = of_instance, has_instance
    else:
        has = has_class | has_instance
        total = torch.where(has_instance, of_instance, of_class)
        total = torch.where(has_class & has_instance, torch.logaddexp(of_class, of_instance), total)
    return reduce("nonl", (total - own).masked_fill(~has, 0.0), reduction)


def _scores(
    loss: str, features: Tensor, y: Labels, weights: Tensor, temperature: float | Tensor
) -> tuple[Tensor, Tensor]:
    """The labels, and s (C, B): similarities of every class weight with every feature over the temperature."""
    check_samples(loss, "features", features)
    num_samples, dim = features.shape
    check_rows(loss, "weights", weights, (None, dim), f"for features of {dim} dimensions, a row for each class")
    y = check_labels(loss, "y", y, num_samples, f"for {num_samples} rows of features", features, len(weights))
    tau = check_temperature(loss, temperature, features)
    about = Partners(y, torch.arange(len(weights), device=y.device))
    return y, similarities(weights, features, about, tau)


def _log_sum(values: Tensor, kept: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Log-sum-exp over an axis of the values that are kept, and whether there are any; finite where there are none."""
    has = kept.any(axis)
    return values.masked_fill(~kept & has.unsqueeze(axis), -torch.inf).logsumexp(axis), has


class NtceSettings(Settings):
    temperature: float = live(0.1, ge=0.01, le=2, description="Temperature of the cosines; low is sharp.")


class Ntce(Method):
    """Class weights on the sphere are the anchors, all embeddings of the batch their partners; term `contrast`.

    The weights classify: logits are cosines with them over the temperature.
    """

    card = Card(
        name="ntce",
        title="NTCE",
        year=2026,
        idea="Each class's weight must pick its images out of the whole batch, instead of each image its class.",
        formula=r"L_i = -\log \frac{e^{w_{y_i} \cdot h_i/\tau}}{\sum_j e^{w_{y_i} \cdot h_j/\tau}}",
        terms={r"e^{w_{y_i} \cdot h_i/\tau}": "pull", r"\sum_j e^{w_{y_i} \cdot h_j/\tau}": "push"},
        symbols={r"\tau": "temperature"},
        look_for="The paper claims that it matches where cross-entropy converges in under 7.5 % of its iterations: "
        "race it against CE, and hold NC1 against it. Its loss ends at the log of the class's images in a batch.",
        differs="The official script imports a file that its repository lacks, so its losses alone were taken.",
        sphere="The embeddings that class weights are held against: this sphere is what training shapes.",
        paper="Neural Collapse by Design (NTCE, NONL), ICML 2026",
        code="https://github.com/pakoromilas/nc_by_design",
    )
    Settings = NtceSettings
    settings: NtceSettings
    on_host = None
    marks = (CLASSIFIER,)

    def __init__(self, settings: NtceSettings, setup: Setup):
        super().__init__(settings, setup)
        self.display = CosineClassifier(setup.dim, setup.num_classes)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        z = self.project(self.encoder(batch.view(0)))
        return {"contrast": self.contrast(z, batch.y, self.display.directions(), self.settings)}

    @staticmethod
    def contrast(z: Tensor, y: Tensor, directions: Tensor, s: NtceSettings) -> Tensor:
        """The loss of embeddings z (B, dim) with labels (B,) at class directions (C, dim)."""
        return ntce(z, y, directions, temperature=s.temperature)

    @classmethod
    def what_if(cls, scene: Scene, settings: NtceSettings) -> dict[str, Tensor]:
        return {"contrast": cls.contrast(scene.z[:, 0], scene.y, scene.directions, settings)}

    def classify(self, features: Tensor) -> Tensor:
        return cosine_logits(self.project(features), self.display.directions(), 1 / self.settings.temperature)

    def landmarks(self) -> dict[str, Tensor]:
        return {"classifier": self.display.directions()}

    @staticmethod
    def criterion(settings: Any) -> str:
        """The loss of `similar` (C, B), as a listing has it."""
        return """\
of_class = similar[batch.y]  # of each image's class with all images
loss = (of_class.logsumexp(1) - of_class.diagonal()).mean()"""

    @classmethod
    def listing(cls, settings: Any) -> Listing:
        return Listing(
            build=directions("axes", "dim"),
            trains="axes",
            step=f"""\
z = F.normalize(head(encoder(batch.view(0))), dim=1)
similar = F.normalize(axes, dim=1) @ z.T / temperature
{cls.criterion(settings)}
""",
        )


class NonlSettings(NtceSettings):
    negatives: Literal["class", "instance", "both"] = Field(
        "class",
        description="What stands in the denominator: images of other classes against the class weight, other weights "
        "against the image, or both.",
    )


class Nonl(Ntce):
    """NTCE without the positives in its denominator; term `contrast`, which is often negative."""

    card = Card(
        name="nonl",
        title="NONL",
        year=2026,
        idea="Negatives alone are pushed away from a class's weight; its own images are only drawn to it.",
        formula=r"L_i = -\frac{w_{y_i} \cdot h_i}{\tau} + \log \sum_{j: y_j \ne y_i} e^{w_{y_i} \cdot h_j/\tau}",
        terms={r"\frac{w_{y_i} \cdot h_i}{\tau}": "pull", r"\sum_{j: y_j \ne y_i} e^{w_{y_i} \cdot h_j/\tau}": "push"},
        symbols={r"\tau": "temperature"},
        look_for="Whether classes close up faster than by NTCE, since none pushes its own images. The loss has no "
        "floor at 0.",
        differs="An anchor without negatives counts as 0, where the official code gives minus infinity.",
        sphere=Ntce.card.sphere,
        paper=Ntce.card.paper,
        code=Ntce.card.code,
    )
    Settings = NonlSettings
    settings: NonlSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    on_host = None

    @staticmethod
    def contrast(z: Tensor, y: Tensor, directions: Tensor, s: NonlSettings) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return nonl(z, y, directions, temperature=s.temperature, negatives=s.negatives)

    @staticmethod
    def criterion(settings: NonlSettings) -> str:
        if settings.negatives != "class":
            return (
                "loss = losses.nonl(z, batch.y, F.normalize(axes, dim=1), temperature=temperature, negatives=negatives)"
            )
        return """\
of_class = similar[batch.y]  # of each image's class with all images
others = of_class.masked_fill(batch.y[:, None] == batch.y, -torch.inf)
loss = (others.logsumexp(1) - of_class.diagonal()).mean()"""
