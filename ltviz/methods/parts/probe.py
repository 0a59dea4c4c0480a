"""The online probe: a classifier for methods that have none of their own."""

from __future__ import annotations

from torch import Tensor, nn

from ltviz.methods.base import LinearClassifier, Method, Settings, Setup
from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.parts.cosine import linear_classifier


class Probed(Method):
    """A method whose own classifier is a linear one on the features, trained beside it with logit adjustment.

    The features are detached, so the probe reads the encoder and never steers it. Subclasses add the term `probe` to
    their losses.
    """

    def __init__(self, settings: Settings, setup: Setup):
        super().__init__(settings, setup)
        self.probe = nn.Linear(setup.feature_dim, setup.num_classes)

    def probe_loss(self, features: Tensor, y: Tensor) -> Tensor:
        """Logit-adjusted cross-entropy of the probe on detached features (R, feature_dim) with labels (R,)."""
        return logit_adjusted(self.probe(features.detach()), y, self.counts)

    def classify(self, features: Tensor) -> Tensor:
        return self.probe(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.probe)
