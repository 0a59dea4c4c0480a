"""Mutual information of embeddings, in bounds from below: GML's view of contrast (Suh and Seo 2023, Eq. 1 to 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.declaration import Measure, Shown, Value, declare
from ltviz.metrics.space import Space

TEMPERATURES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Of the critic e^(cosine / t): every one gives a bound, and the largest is taken."""
FEWEST = 8
"""Samples below which log K caps what could be said."""
BLOCK = 4096


class Bound(NamedTuple):
    """At least so much information, in nats, of at most so much that the bound could show."""

    value: float
    ceiling: float


def information_with_views(first: np.ndarray, second: np.ndarray) -> Bound:
    """InfoNCE between embeddings and the inputs they are of: how surely a view is told among K by its other view.

    I(z; x) >= log K - mean_i [ log sum_j e^(z_i . z'_j / t) - z_i . z'_i / t ], never above log K (van den Oord et al.
    2018), at the best of five temperatures; 0 where the bound says less than nothing.

    Args:
        first, second: (K, D) unit rows, two views of the same samples, K >= 2.

    Raises:
        DataError: fewer than two samples, or shapes that differ.

    Example:
        >>> bound = information_with_views(np.eye(8), np.eye(8))
        >>> round(bound.value, 3), round(bound.ceiling, 3)
        (2.079, 2.079)
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.ndim != 2 or a.shape != b.shape or len(a) < 2:
        raise DataError(
            f"Two views of the same 2 samples or more are needed, (K, D) each, got {a.shape} and {b.shape}."
        )
    cosines = a @ b.T
    ceiling = float(np.log(len(a)))
    own = np.diag(cosines)
    losses = [
        float((np.logaddexp.reduce(np.stack([cosines, cosines.T]) / t, axis=2) - own / t).mean()) for t in TEMPERATURES
    ]
    return Bound(max(0.0, ceiling - min(losses)), ceiling)


def information_with_labels(z: np.ndarray, y: np.ndarray, centres: np.ndarray) -> Bound:
    """The bound between embeddings and labels: how surely a class is told by the centres of the classes.

    I(z; y) >= H(y) - mean_i [ log sum_c p_c e^(z_i . m_c / t) - log p_y e^(z_i . m_y / t) ], with p_c the share of the
    class among these samples: the contrast of GML, whose ceiling is H(y). At the best of five temperatures; 0 where the
    bound says less than nothing. It holds where the centres are of other samples than z, such as the training ones.

    Args:
        z: (N, D) unit rows.
        y: (N,) classes 0 ... C-1, each of which has a centre.
        centres: (C, D) unit rows; NaN for classes that no sample is of.

    Raises:
        DataError: no samples, or a sample whose class has no centre.

    Example:
        >>> y = np.arange(12) % 4
        >>> bound = information_with_labels(np.eye(4)[y], y, np.eye(4))
        >>> round(bound.value, 3), round(bound.ceiling, 3)
        (1.386, 1.386)
    """
    share = np.bincount(y, minlength=len(centres)) / max(len(y), 1)
    here = share > 0
    if not len(y) or not np.isfinite(centres[here]).all():
        raise DataError("Information with labels needs samples, and a centre of every class that has one.")
    rank = np.cumsum(here) - 1
    prior = np.log(share[here])
    goals = centres[here].T
    ceiling = -float(share[here] @ prior)
    losses = np.zeros(len(TEMPERATURES))
    for start in range(0, len(y), BLOCK):
        cosines = z[start : start + BLOCK] @ goals
        own = rank[y[start : start + BLOCK]]
        for index, t in enumerate(TEMPERATURES):
            logits = cosines / t + prior
            losses[index] += (np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(own)), own]).sum()
    return Bound(max(0.0, ceiling - float(losses.min()) / len(y)), ceiling)


# ---------------------------------------------------------------------- measures

BELOW = "A bound from below: a low one may be the critic's fault, which knows cosines alone."


@declare(
    Measure(
        key="information_labels",
        title="Information with labels",
        unit="nats",
        low=0,
        better="higher",
        short="How much embeddings say of their labels, at least: test samples told by the centres of training samples "
        "where a run tells them apart.",
        formula=r"I(z; y) \ge H(y) - \operatorname{mean}_i \log "
        r"\frac{\sum_c p_c e^{z_i \cdot m_c / t}}{p_{y_i} e^{z_i \cdot m_{y_i} / t}}",
        source="Suh and Seo 2023 (GML), Eq. 1 to 3; Barber and Agakov 2003",
        caution=f"{BELOW} It cannot exceed the entropy of the labels; without test samples the centres have seen the "
        "points, and it is too high.",
        ceiling="information_labels_ceiling",
        shown={"curves": Shown(at=50)},
        order=62,
    ),
    Measure(
        key="information_labels_ceiling",
        title="Ceiling of the information with labels",
        unit="nats",
        low=0,
        short="The entropy of the labels of these samples.",
        formula="H(y)",
        source="ltviz",
        behind=True,
        order=140,
    ),
    full=True,
)
def of_labels(space: Space) -> Mapping[str, Value]:
    test, train = space.part("test"), space.part("train")
    judged, known = (test, train) if test is not None and train is not None else (space, space)
    told = np.isfinite(known.centres[:, 0])[judged.y]
    if np.unique(judged.y[told]).size < 2:
        return {}
    found = information_with_labels(judged.z[told], judged.y[told], known.centres)
    return {"information_labels": found.value, "information_labels_ceiling": found.ceiling}


@declare(
    Measure(
        key="information_inputs",
        title="Information with inputs",
        unit="nats",
        low=0,
        better=None,
        short="How much embeddings say of the inputs they are of, at least: how surely a view of a sample is told "
        "among those of the others by its other view.",
        formula=r"I(z; x) \ge \log K - \operatorname{mean}_i \log "
        r"\frac{\sum_j e^{z_i \cdot z'_j / t}}{e^{z_i \cdot z'_i / t}}",
        source="Suh and Seo 2023 (GML), Eq. 1 to 3; van den Oord et al. 2018",
        caution=f"{BELOW} It cannot exceed log K for K samples, of which a frame has few, whatever there is to know; "
        "and a method that collapses classes is to forget inputs, so that more is not better.",
        ceiling="information_inputs_ceiling",
        shown={"curves": Shown(at=51)},
        order=63,
    ),
    Measure(
        key="information_inputs_ceiling",
        title="Ceiling of the information with inputs",
        unit="nats",
        low=0,
        short="The logarithm of K, K being the samples seen in two views: the bound cannot show more.",
        formula=r"\log K",
        source="ltviz",
        behind=True,
        order=141,
    ),
    full=True,
)
def of_inputs(space: Space) -> Mapping[str, Value]:
    if space.views is None or len(space.views[0]) < FEWEST:
        return {}
    found = information_with_views(*space.views)
    return {"information_inputs": found.value, "information_inputs_ceiling": found.ceiling}


LIVE = ("information_labels", "information_inputs")
"""What a trainer's frame takes too, though it is no part of a live measurement elsewhere."""
