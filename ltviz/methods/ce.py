"""Cross-entropy: the plain classifier that everything else is compared with."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ltviz.geometry import Prediction
from ltviz.marks import CLASSIFIER
from ltviz.methods.base import Batch, Card, LinearClassifier, Method, Settings, Setup
from ltviz.methods.parts.cosine import SCALE, CosineClassifier, cosine_logits, linear_classifier
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.snippets import cosines, directions
from ltviz.methods.parts.theory import features_end

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
        terms={r"e^{x_{i y_i}}": "pull", r"\sum_c e^{x_{ic}}": "push"},
        look_for="Rare classes are recognised far less often than head ones.",
        differs="On the sphere stand a head and directions of their own, trained beside the classifier on detached "
        "features.",
        sphere=READ_OUT,
        paper="Bridle, Training stochastic model recognition algorithms as networks, NeurIPS 1989",
        code=None,
    )
    Settings = CrossEntropySettings
    on_host = None
    marks = (CLASSIFIER,)
    sphere_is_readout = True

    def __init__(self, settings: CrossEntropySettings, setup: Setup):
        super().__init__(settings, setup)
        kind = CosineClassifier if settings.classifier == "cosine" else nn.Linear
        self.classifier = kind(setup.feature_dim, setup.num_classes)
        self.display = CosineClassifier(setup.dim, setup.num_classes)

    def theory(self, counts: np.ndarray) -> Prediction | None:
        """SELI, of the linear classifier alone; subclasses change the loss, and nobody knows where those end."""
        plain = type(self) is CrossEntropy and isinstance(self.classifier, nn.Linear)
        return features_end(counts, self.setup_.feature_dim) if plain else None

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.view(0))
        return {
            "classification": self.compare(self.classifier(features), batch.y, self.counts, self.settings),
            "display": self.compare(self.display(self.head(features.detach())), batch.y, self.counts, self.settings),
        }

    @staticmethod
    def compare(logits: Tensor, y: Tensor, counts: Tensor, settings: Any) -> Tensor:
        """The loss of logits (B, C) for labels (B,), at counts (C,)."""
        return F.cross_entropy(logits, y)

    @classmethod
    def what_if(cls, scene: Scene, settings: Any) -> dict[str, Tensor]:
        """As if the sphere were trained by a cosine classifier with this loss."""
        logits = cosine_logits(scene.z[:, 0], scene.directions, SCALE)
        return {"display": cls.compare(logits, scene.y, scene.counts, settings)}

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)

    def landmarks(self) -> dict[str, Tensor]:
        return {"classifier": self.display.directions()}

    @staticmethod
    def criterion(settings: Any) -> str:
        """`compare` of `logits` and `batch.y`, as a listing has it."""
        return "F.cross_entropy(logits, batch.y)"

    @classmethod
    def listing(cls, settings: Any) -> Listing:
        linear = settings.classifier == "linear"
        built = "classifier = nn.Linear(width, num_classes)" if linear else directions("weight", "width")
        scores = "classifier(features)" if linear else f"{SCALE:g} * {cosines('features', 'weight')}"
        return Listing(
            build=f"{built}\n{directions('axes', 'dim')}  # on the sphere, a read-out",
            trains=f"{'*classifier.parameters()' if linear else 'weight'}, axes",
            step=f"""\
features = encoder(batch.view(0))
scores = {scores}
shown = {SCALE:g} * {cosines("head(features.detach())", "axes")}
loss = sum({cls.criterion(settings)} for logits in (scores, shown))
""",
        )
