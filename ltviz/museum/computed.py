"""What the exhibits compute, a function each.

All of them are of free vectors, float64 and a fixed seed: what a loss wants where no network stands in its way.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import losses, metrics
from ltviz.geometry import predicted
from ltviz.methods.align_uniform import spread_of

ROUNDS = 400  # of L-BFGS, at most
LONG_TAIL = (60, 20, 6, 3)
BALANCED = (8, 8, 8, 8)


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


def bcl_by_class() -> float:
    return bcl("class")


def bcl_by_sample() -> float:
    return bcl("sample")


def feature_cloning_unseen() -> float:
    return metrics.uniformity(features_twice()) - metrics.uniformity(cloud())


def feature_cloning_seen() -> float:
    return metrics.uniformity_wasserstein(features_twice())
