"""The online probe: a classifier for methods that have none of their own."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.methods.base import LinearClassifier, Method, Settings, Setup
from ltviz.methods.parts.cosine import linear_classifier
from ltviz.methods.parts.inputs import log_prior


class Probed(Method):
    """A method whose own classifier is a linear one on the features, trained beside it with logit adjustment.

    The features are detached, so the probe reads the encoder and never steers it. Subclasses add the term `probe` to
    their losses.
    """

    def __init__(self, settings: Settings, setup: Setup):
        super().__init__(settings, setup)
        self.probe = nn.Linear(setup.feature_dim, setup.num_classes)
        prior = log_prior("probe", setup.counts, setup.num_classes, setup.counts)
        self.register_buffer("log_prior", prior, persistent=False)
        self.log_prior: Tensor

    def probe_loss(self, features: Tensor, y: Tensor) -> Tensor:
        """Logit-adjusted cross-entropy of the probe on detached features (R, feature_dim) with labels (R,)."""
        # `logit_adjusted` with a prior that is known: no force comes from here, so nobody asks what is due to counts
        return F.cross_entropy(self.probe(features.detach()) + self.log_prior, y)

    def classify(self, features: Tensor) -> Tensor:
        return self.probe(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.probe)
