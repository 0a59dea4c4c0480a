"""Published and derived results that a CPU reproduces in seconds: each a number, a tolerance and a verdict.

All of them are of free vectors, float64 and a fixed seed: what a loss wants where no network stands in its way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import losses, metrics
from ltviz.geometry import predicted
from ltviz.methods.align_uniform import spread_of

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
ROUNDS = 400  # of L-BFGS, at most
LONG_TAIL = (60, 20, 6, 3)
BALANCED = (8, 8, 8, 8)


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One result."""

    name: str
    claim: str
    """What is said, one sentence."""
    source: str
    expected: float
    tolerance: float
    unit: str
    compute: Callable[[], float]
    note: str = ""
    """What the number teaches, where it is not what is expected too."""

    def judge(self) -> dict[str, Any]:
        """The number, held against what is expected; plain values."""
        begun = time.perf_counter()
        value = self.compute()
        inside = math.isfinite(value) and abs(value - self.expected) <= self.tolerance
        return {
            "name": self.name,
            "claim": self.claim,
            "source": self.source,
            "value": value,
            "expected": self.expected,
            "tolerance": self.tolerance,
            "unit": self.unit,
            "off_by": abs(value - self.expected),
            "verdict": REPRODUCED if inside else NOT_REPRODUCED,
            "note": self.note,
            "seconds": round(time.perf_counter() - begun, 2),
        }


# ---------------------------------------------------------------------- free vectors


def settle(start: Tensor, loss: Callable[[Tensor], Tensor], shape: Callable[[Tensor], Tensor]) -> Tensor:
    """Free numbers taken to a minimum of the loss of `shape` of them, by L-BFGS with a strong Wolfe search."""
    free = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [free], max_iter=ROUNDS, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(shape(free))
        value.backward()
        return value

    for _ in range(5):
        optimizer.step(closure)
    return shape(free).detach()


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(rows: Tensor) -> Tensor:
    return F.normalize(rows, dim=-1)


def labels_of(counts: tuple[int, ...]) -> Tensor:
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))


def centres_of(rows: Tensor, y: Tensor) -> np.ndarray:
    return torch.stack([rows[y == c].mean(0) for c in y.unique()]).numpy()


def settled_centres(
    counts: tuple[int, ...],
    loss: Callable[[Tensor, Tensor], Tensor],
    shape: Callable[[Tensor], Tensor] = unit,
) -> np.ndarray:
    """(C, 3) class means of one free vector a sample, at a minimum of a loss of rows (N, 3) and labels (N,)."""
    y = labels_of(counts)
    return centres_of(settle(drawn(len(y), 3), lambda z: loss(z, y), shape), y)


def smallest_angle(centres: np.ndarray) -> float:
    return float(metrics.simplex(centres).smallest_angle)


def largest_deviation(centres: np.ndarray) -> float:
    return float(metrics.simplex(centres).deviation_max)


# ---------------------------------------------------------------------- the results


def ce_simplex() -> float:
    y = labels_of(BALANCED)

    def loss(rows: Tensor) -> Tensor:
        weights, z = unit(rows[:4]), unit(rows[4:])
        return F.cross_entropy(10 * z @ weights.T, y)

    return smallest_angle(centres_of(unit(settle(drawn(4 + len(y), 3), loss, unit))[4:], y))


def supcon_simplex() -> float:
    return smallest_angle(settled_centres(BALANCED, lambda z, y: losses.supcon(z[:, None], y, temperature=0.5)))


def relu_frame() -> float:
    """SupCon of vectors without negative numbers (squares of free ones), three classes at D = 3."""
    centres = settled_centres(
        (40, 10, 4),
        lambda z, y: losses.supcon(z[:, None], y, temperature=0.2),
        shape=lambda free: unit(free.square()),
    )
    return smallest_angle(centres)


def bcl(average: str) -> float:
    """The largest deviation from the simplex by BCL with free prototypes, under imbalance."""
    y, num = labels_of(LONG_TAIL), len(LONG_TAIL)

    def loss(rows: Tensor) -> Tensor:
        return losses.bcl(rows[num:, None], y, rows[:num], temperature=0.2, average=average)

    rows = settle(drawn(num + len(y), 3), loss, unit)
    return largest_deviation(centres_of(rows[num:], y))


def peeled_cosine() -> float:
    """Mean cosine between tail rows of the classifier at R = 10, five heads and five tails."""
    weights = predicted.layer_peeled([10] * 5 + [1] * 5).weights
    assert weights is not None
    rows = weights[5:] / np.linalg.norm(weights[5:], axis=1, keepdims=True)
    return float((rows @ rows.T)[np.triu_indices(5, 1)].mean())


def peeled_threshold() -> float:
    """The imbalance from which the tails of the layer-peeled program are one point, by bisection of its solutions."""
    low, high = 8.0, 16.0
    for _ in range(12):
        middle = (low + high) / 2
        weights = predicted.layer_peeled([middle] * 5 + [1.0] * 5).weights
        assert weights is not None
        apart = predicted.angles_between(weights[5:])[0, 1]
        low, high = (middle, high) if apart > 0.5 else (low, middle)
    return (low + high) / 2


def tail_limit() -> float:
    """Angle between tail means of population SupCon at R = 10,000, five heads and five tails, tau = 0.5."""
    means = predicted.predicted_supcon([10_000] * 5 + [1] * 5, temperature=0.5).means
    return float(predicted.angles_between(means[5:])[0, 1])


def sigreg_bias() -> float:
    """SIGReg's statistic a sample at uniform points of the sphere in 3-D, whose marginal is uniform on [-1, 1]."""
    num = 20_000
    even = torch.linspace(-1, 1, 2 * num + 1, dtype=torch.float64)[1::2]  # midpoints: the marginal of uniform points
    rows = torch.stack([even, torch.zeros_like(even), torch.zeros_like(even)], dim=1)
    axis = torch.eye(3, dtype=torch.float64)[:, :1]
    return float(spread_of(rows[:, None], "sigreg", 2.0, 0.0, axis)) / num


def tsc_targets() -> float:
    """The official recipe for targets: all pairs with the self term, float32, Adam, the iterate of the least loss."""
    free = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer, best, kept = torch.optim.Adam([free], lr=1e-3), math.inf, free.detach()
    for _ in range(10_000):
        targets = F.normalize(free, dim=1)
        loss = (targets @ targets.T / 0.07).exp().sum(1).log().mean()
        if float(loss.detach()) < best:
            best, kept = float(loss.detach()), targets.detach().clone()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return largest_deviation(kept.double().numpy())


def cloud() -> np.ndarray:
    return unit(drawn(2000, 16)).numpy()


def instance_cloning() -> float:
    z = cloud()
    return metrics.uniformity_wasserstein(np.vstack((z, z))) - metrics.uniformity_wasserstein(z)


def features_twice() -> np.ndarray:
    return np.hstack((cloud(), cloud())) / math.sqrt(2)


SIMPLEX_OF_FOUR = math.degrees(math.acos(-1 / 3))

EXHIBITS = {
    one.name: one
    for one in (
        Exhibit(
            name="ce-simplex",
            claim="Cross-entropy on free unit vectors, balanced: class means become a regular simplex.",
            source="Papyan et al. 2020; Lu and Steinerberger 2022",
            expected=SIMPLEX_OF_FOUR,
            tolerance=0.1,
            unit="degrees",
            compute=ce_simplex,
        ),
        Exhibit(
            name="supcon-simplex",
            claim="SupCon on free vectors, balanced: class means become a regular simplex.",
            source="Graf et al. 2021, theorem 2",
            expected=SIMPLEX_OF_FOUR,
            tolerance=0.1,
            unit="degrees",
            compute=supcon_simplex,
        ),
        Exhibit(
            name="relu-frame",
            claim="Behind a ReLU head SupCon ends in an orthogonal frame, whatever the imbalance.",
            source="Kini et al. 2024",
            expected=90.0,
            tolerance=0.5,
            unit="degrees",
            compute=relu_frame,
        ),
        Exhibit(
            name="bcl-theorem",
            claim="BCL ends in a regular simplex under imbalance, where anchors are averaged by class.",
            source="Zhu et al. 2022, theorem 1",
            expected=0.0,
            tolerance=1e-3,
            unit="cosine",
            compute=lambda: bcl("class"),
        ),
        Exhibit(
            name="bcl-as-published",
            claim="BCL ends in a regular simplex under imbalance, as its code averages: over samples.",
            source="Zhu et al. 2022, theorem 1, on the code's average",
            expected=0.0,
            tolerance=1e-3,
            unit="cosine",
            compute=lambda: bcl("sample"),
            note="The theorem speaks of class averages; the code's mean over samples gives head classes more say.",
        ),
        Exhibit(
            name="layer-peeled-cosine",
            claim="Layer-peeled model, 5 + 5 classes, R = 10, E_H = 5: mean cosine of tail classifiers.",
            source="Fang et al. 2021; official semidefinite program",
            expected=0.51745,
            tolerance=1e-3,
            unit="cosine",
            compute=peeled_cosine,
        ),
        Exhibit(
            name="layer-peeled-threshold",
            claim="Layer-peeled model, 5 + 5 classes, E_H = 5: the imbalance from which tails are one point.",
            source="Fang et al. 2021 (minority collapse); the number is derived",
            expected=12.192,
            tolerance=0.05,
            unit="ratio",
            compute=peeled_threshold,
        ),
        Exhibit(
            name="supcon-tail-limit",
            claim="SupCon with five heads at tau 0.5 never collapses its tails: their angle has a limit.",
            source="derived",
            expected=math.degrees(math.acos(predicted.supcon_tail_limit(5, temperature=0.5))),
            tolerance=0.1,
            unit="degrees",
            compute=tail_limit,
        ),
        Exhibit(
            name="sigreg-bias",
            claim="In 3-D the uniform sphere is no minimum of SIGReg: its statistic a sample is not 0 there.",
            source="derived; Balestriero and LeCun 2025",
            expected=0.016,
            tolerance=1e-3,
            unit="a sample",
            compute=sigreg_bias,
        ),
        Exhibit(
            name="tsc-targets",
            claim="The targets of TSC's official recipe are a regular simplex where one fits (three in 2-D).",
            source="Li et al. 2022; code targeted-supcon c4f15eb",
            expected=0.0,
            tolerance=0.01,
            unit="cosine",
            compute=tsc_targets,
            note="The self term of its objective swamps all others, and its best iterate is picked by rounding.",
        ),
        Exhibit(
            name="instance-cloning",
            claim="The Wasserstein uniformity does not change where every sample is there twice.",
            source="Fang et al. 2024, property 2",
            expected=0.0,
            tolerance=1e-9,
            unit="",
            compute=instance_cloning,
        ),
        Exhibit(
            name="feature-cloning-wang-isola",
            claim="Wang and Isola's uniformity does not see that every feature is there twice.",
            source="Fang et al. 2024, table 1",
            expected=0.0,
            tolerance=1e-6,
            unit="",
            compute=lambda: metrics.uniformity(features_twice()) - metrics.uniformity(cloud()),
        ),
        Exhibit(
            name="feature-cloning-wasserstein",
            claim="The Wasserstein uniformity sees it: of even points it becomes the root of 2 less that of 2.",
            source="Fang et al. 2024, property 3; the number is derived",
            expected=math.sqrt(2 - math.sqrt(2)),
            tolerance=0.01,
            unit="",
            compute=lambda: metrics.uniformity_wasserstein(features_twice()),
        ),
    )
}
"""By name."""
