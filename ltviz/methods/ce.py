"""Cross-entropy: the plain classifier that everything else is compared with."""

from __future__ import annotations

from typing import Any, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ltviz.marks import CLASSIFIER
from ltviz.methods.base import Batch, Card, LinearClassifier, Method, Settings, Setup
from ltviz.methods.parts.cosine import SCALE, CosineClassifier, linear_classifier, softmax_tug
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.tug import Tug

READ_OUT = (
    "A read-out: the head is trained on detached features by a cosine softmax to the class weights shown as landmarks, "
    "so the sphere follows the encoder and does not steer it."
)


class CrossEntropySettings(Settings):
    classifier: Literal["linear", "cosine"] = Field(
        "linear", description="Classifier on the features: linear with bias, or cosine with scale 16."
    )


class CrossEntropy(Method):
    """Softmax cross-entropy on the features; the sphere is a read-out beside it.

    Terms: `classification` trains encoder and classifier, `display` the head and the directions on the sphere.
    """

    card = Card(
        name="ce",
        title="CE",
        year=1989,
        idea="Nothing is done about the imbalance: every image counts alike.",
        formula=r"L_i = -\log \frac{e^{x_{i y_i}}}{\sum_c e^{x_{ic}}}",
        look_for="Rare classes are recognised far less often than head ones.",
        sphere=READ_OUT,
        paper="Bridle, Training stochastic model recognition algorithms as networks, NeurIPS 1989",
        code=None,
    )
    Settings = CrossEntropySettings
    marks = (CLASSIFIER,)
    sphere_is_readout = True

    def __init__(self, settings: CrossEntropySettings, setup: Setup):
        super().__init__(settings, setup)
        kind = CosineClassifier if settings.classifier == "cosine" else nn.Linear
        self.classifier = kind(setup.feature_dim, setup.num_classes)
        self.display = CosineClassifier(setup.dim, setup.num_classes)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.view(0))
        return {
            "classification": self.compare(self.classifier(features), batch.y),
            "display": self.compare(self.display(self.head(features.detach())), batch.y),
        }

    def compare(self, logits: Tensor, y: Tensor) -> Tensor:
        """The loss of logits (B, C) for labels (B,)."""
        return F.cross_entropy(logits, y)

    def tugs(self, z: Tensor, batch: Batch) -> dict[str, Tug]:
        """What the read-out's class directions do; the encoder does not feel it."""
        return {"display": self.display_tug(z, batch.y, self.display.directions(), self.counts, self.settings)}

    @classmethod
    def what_if(cls, scene: Scene, settings: Any) -> dict[str, Tug]:
        """As if the sphere were trained by a cosine classifier with this loss."""
        return {"display": cls.display_tug(scene.z[:, :1], scene.y, scene.directions, scene.counts, settings)}

    @classmethod
    def display_tug(cls, z: Tensor, y: Tensor, directions: Tensor, counts: Tensor, settings: Any) -> Tug:
        """The tug of unit class directions (C, dim) on z (B, 1, dim) with labels (B,): `compare` on the sphere."""
        return softmax_tug(z, directions, F.one_hot(y, len(directions)).to(z.dtype), scale=SCALE)

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)

    def landmarks(self) -> dict[str, Tensor]:
        return {"classifier": self.display.directions()}
