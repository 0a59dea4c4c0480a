"""Binary cross-entropy: a yes or no for every class, the plain way to learn several labels a sample."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.marks import CLASSIFIER
from ltviz.methods.base import Batch, Card, LinearClassifier, Method, Settings, Setup
from ltviz.methods.parts.cosine import CosineClassifier, linear_classifier
from ltviz.methods.parts.inputs import full_precision
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.snippets import cosines, directions

MIXTURE = (
    "A read-out: the head is trained on detached features to place an image between the directions of its labels, "
    "which are the landmarks, so the sphere follows the encoder and does not steer it. Its colour is its rarest label."
)
DISPLAY_SCALE = 2.0
"""Of the softmax on the sphere. Labels share an image's probability, which a sharp softmax can say within a narrow cap:
at the usual 16 the spread of a class of digits-ml is 4 degrees after 300 steps, here 20."""


@full_precision
def mixture_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax cross-entropy of logits (B, C) to labels (B, C), 0 or 1, each row shared equally among its labels.

    Mean over the rows; a row without a label counts as 0.
    """
    return F.cross_entropy(logits, labels / labels.sum(1, keepdim=True).clamp(min=1))


class BinaryCrossEntropySettings(Settings):
    pass


class BinaryCrossEntropy(Method):
    """Sigmoid cross-entropy on the features, class by class; the sphere is a read-out beside it.

    Terms: `classification` trains encoder and classifier, `display` the head and the directions on the sphere.
    """

    card = Card(
        name="bce",
        title="BCE",
        year=1987,
        idea="Every label is a question of its own, and nothing is done about the imbalance.",
        formula=r"L_i = -\frac1C \sum_k y_{ik} \log \varsigma(u_{ik}) + (1 - y_{ik}) \log(1 - \varsigma(u_{ik}))",
        terms={r"y_{ik} \log \varsigma(u_{ik})": "pull", r"(1 - y_{ik}) \log(1 - \varsigma(u_{ik}))": "push"},
        look_for="How far images with a rare label come away from the head labels that they share the picture with.",
        differs="There is no official code; the mean is over all samples and labels.",
        sphere=MIXTURE,
        paper="Baum and Wilczek, Supervised learning of probability distributions by neural networks, NeurIPS 1987",
        code=None,
    )
    Settings = BinaryCrossEntropySettings
    on_host = None
    marks = (CLASSIFIER,)
    several_labels = True
    sphere_is_readout = True

    def __init__(self, settings: Settings, setup: Setup):
        super().__init__(settings, setup)
        self.classifier = nn.Linear(setup.feature_dim, setup.num_classes)
        self.display = CosineClassifier(setup.dim, setup.num_classes, scale=DISPLAY_SCALE)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.view(0))
        return {
            "classification": self.compare(self.classifier(features), batch.labels),
            "display": mixture_cross_entropy(self.display(self.head(features.detach())), batch.labels),
        }

    def compare(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of logits (B, C) for labels (B, C), 0 or 1."""
        return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)

    def landmarks(self) -> dict[str, Tensor]:
        return {"classifier": self.display.directions()}

    @staticmethod
    def criterion() -> str:
        """`compare` of `logits` and `batch.labels`, as a listing has it."""
        return "loss = F.binary_cross_entropy_with_logits(logits, batch.labels)"

    @classmethod
    def listing(cls, settings: Any) -> Listing:
        return Listing(
            build=f"""\
classifier = nn.Linear(width, num_classes)
{directions("axes", "dim")}  # on the sphere, a read-out
""",
            trains="*classifier.parameters(), axes",
            step=f"""\
features = encoder(batch.view(0))
logits = classifier(features)
{cls.criterion()}
shares = batch.labels / batch.labels.sum(1, keepdim=True).clamp_min(1)
shown = {DISPLAY_SCALE:g} * {cosines("head(features.detach())", "axes")}
loss = loss + F.cross_entropy(shown, shares)
""",
        )
