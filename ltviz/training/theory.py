"""A run's own theory in its frames: where its method is predicted to end, and how far it is from there."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ltviz.data.sampling import class_probabilities
from ltviz.geometry import Prediction, turned_onto
from ltviz.marks import THEORY, Mark
from ltviz.methods.base import Method

log = logging.getLogger(__name__)

SURE = {
    "proven": "proven",
    "derived": "derived, and checked in numbers",
    "found": "found in numbers alone",
}


@dataclass(frozen=True)
class OwnTheory:
    """What theory says of a method as it is now; class c stands in row c, NaN where it has no samples."""

    prediction: Prediction
    means: np.ndarray
    """(C, R)."""
    weights: np.ndarray | None
    """(C, R) of the classifier on the features, of which the means are then; None where they are on the sphere."""

    @classmethod
    def of(cls, method: Method, exponent: float | None) -> OwnTheory | None:
        """None where nobody knows; what a method's own `theory` raises is logged, and training goes on.

        Args:
            exponent: q where batches draw each class by n_c to the power q throughout; None where that changes.
        """
        counts = method.setup_.counts.double().cpu().numpy()
        here = counts > 0
        if exponent is None or method.several_labels or not here.any():
            return None
        drawn = counts if exponent == 1 else class_probabilities("power", counts, exponent=exponent)
        try:
            found = method.theory(drawn[here])
        except Exception as error:
            log.warning("%s: no theory: %s: %s", method.card.name, type(error).__name__, str(error))
            return None
        if found is None or not found.unique:
            return None
        return cls(found, _among(here, found.means), None if found.weights is None else _among(here, found.weights))

    def places(self, centres: np.ndarray) -> dict[str, np.ndarray]:
        """The landmark "theory", (C, D) float32 unit rows turned onto class centres (C, D); none where the theory is
        not of the sphere, or a class has no samples."""
        if self.weights is not None or not np.isfinite(self.means).all() or self.means.shape[1] > centres.shape[1]:
            return {}
        return {THEORY.key: turned_onto(self.means, centres).astype(np.float32)}

    @property
    def measured(self) -> dict[str, Any]:
        """The arguments of `measure` that say it."""
        return {"theory": self.means, "theory_weights": self.weights}

    def mark(self) -> Mark:
        """The declaration of its places, with what is known about them."""
        told = self.prediction
        return replace(
            THEORY,
            short=f"Where theory puts the centres with these class counts, turned onto them: {told.title} "
            f"({SURE[told.basis]}; penalty: {told.penalty}). A limit, not a forecast. Source: {told.source}.",
        )


def marks_of(method: Method, exponent: float | None) -> list[Mark]:
    """The declaration of a method's own theory, where frames hold its places."""
    theory = OwnTheory.of(method, exponent)
    if theory is None or theory.weights is not None or any(mark.key == THEORY.key for mark in method.marks):
        return []
    return [theory.mark()]


def _among(here: np.ndarray, rows: np.ndarray) -> np.ndarray:
    spread = np.full((len(here), rows.shape[1]), np.nan)
    spread[here] = rows
    return spread
