"""What the exhibits compute, a function each.

All of them are of free vectors, float64 and a fixed seed: what a loss wants where no network stands in its way. Those
that take a `watch` show it what they do on the way to their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import losses, metrics
from ltviz.geometry import predicted
from ltviz.methods.align_uniform import spread_of
from ltviz.museum.film import Watch, unwatched

ROUNDS = 400  # of L-BFGS, at most
LONG_TAIL = (60, 20, 6, 3)
BALANCED = (8, 8, 8, 8)
RACE_STEPS = 2000
STEP_TAILS = (10,) * 5 + (1,) * 5
COLLAPSED = (1.0, 0.75, 0.5, 0.25, 0.1, 0.02)
"""Shares of all directions that points still fill."""
TSC_STEPS = 10_000
EVEN_POINTS, EVEN_AXES, EVEN_ROUNDS = 300, 64, 20
WALK = 10  # steps, from a cloud of its own to the clone
ONE_IN = 10  # points of a cloud that a film shows


# ---------------------------------------------------------------------- free vectors


def settle(
    start: Tensor,
    loss: Callable[[Tensor], Tensor],
    shape: Callable[[Tensor], Tensor],
    watch: Callable[..., None] = unwatched,
    rounds: int = ROUNDS,
) -> Tensor:
    """Free numbers taken to a minimum of the loss of `shape` of them, by L-BFGS with a strong Wolfe search.

    Watched are the trials, by their number, that are better than all before, and where it ends.
    """
    free = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [free], max_iter=rounds, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )
    trials, least = 0, math.inf

    def closure() -> Tensor:
        nonlocal trials, least
        optimizer.zero_grad()
        rows = shape(free)
        value = loss(rows)
        value.backward()
        if (found := float(value.detach())) < least:
            least = found
            watch(trials, rows.detach(), numbers={"loss": least})
        trials += 1
        return value

    for _ in range(5):
        optimizer.step(closure)
    ended = shape(free).detach()
    watch(trials, ended, numbers={"loss": float(loss(ended))}, last=True)
    return ended


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
    watch: Watch = unwatched,
) -> np.ndarray:
    """(C, 3) class means of one free vector a sample, at a minimum of a loss of rows (N, 3) and labels (N,)."""
    y = labels_of(counts)
    return centres_of(settle(drawn(len(y), 3), lambda z: loss(z, y), shape, partial(watch, classes=y)), y)


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


def relu_frame(watch: Watch = unwatched) -> float:
    """SupCon of vectors without negative numbers (squares of free ones), three classes at D = 3."""
    centres = settled_centres(
        (40, 10, 4),
        lambda z, y: losses.supcon(z[:, None], y, temperature=0.2),
        shape=lambda free: unit(free.square()),
        watch=watch,
    )
    return smallest_angle(centres)


def bcl(average: str) -> float:
    """The largest deviation from the simplex by BCL with free prototypes, under imbalance."""
    y, num = labels_of(LONG_TAIL), len(LONG_TAIL)

    def loss(rows: Tensor) -> Tensor:
        return losses.bcl(rows[num:, None], y, rows[:num], temperature=0.2, average=average)

    rows = settle(drawn(num + len(y), 3), loss, unit)
    return largest_deviation(centres_of(rows[num:], y))


def race(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Iterator[float]:
    """How far centred class means are from the simplex before each step of ten classes' free features and classifier,
    by the recipe of NTCE's paper: rate 0.2, momentum 0.9, decay 1e-4."""
    y = labels_of((10,) * 10)
    rows = (drawn(10 + len(y), 16) / 4).requires_grad_()
    optimizer = torch.optim.SGD([rows], lr=0.2, momentum=0.9, weight_decay=1e-4)
    for _ in range(RACE_STEPS):
        weights, features = rows[:10], rows[10:]
        value = loss(features, y, weights)
        means = centres_of(features.detach(), y)
        yield float(metrics.simplex(means - means.mean(0)).deviation_mean)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()


@cache
def ce_collapse() -> float:
    """Where plain cross-entropy is at its last step."""
    return list(race(lambda features, y, weights: F.cross_entropy(features @ weights.T, y)))[-1]


def share_of_steps(loss: Callable[..., Tensor], temperature: float) -> float:
    """Of cross-entropy's steps, until a loss of unit rows is where that ends; 1 where it never is."""
    found = race(lambda features, y, weights: loss(unit(features), y, unit(weights), temperature=temperature))
    return next((step for step, off in enumerate(found) if off <= ce_collapse()), RACE_STEPS) / RACE_STEPS


ntce_share = partial(share_of_steps, losses.ntce, 0.1)
nonl_share = partial(share_of_steps, losses.nonl, 0.1)


def seli_angle() -> float:
    """Angle between tail rows of the classifier under a ridge that falls tenfold to 1e-9, from where the last ended."""
    n = torch.tensor(STEP_TAILS, dtype=torch.float64)
    y, rows = torch.arange(len(n)), 0.3 * drawn(2 * len(n), len(n) - 1)

    def penalised(rows: Tensor, ridge: float) -> Tensor:
        weights, features = rows.chunk(2)
        fit = n @ F.cross_entropy(features @ weights.T, y, reduction="none")
        return fit / ridge + 0.5 * (weights.square().sum() + n @ features.square().sum(1))

    for power in range(2, 10):
        rows = settle(rows, partial(penalised, ridge=10.0**-power), lambda free: free)
    return float(predicted.angles_between(rows[: len(n)].numpy())[8, 9])


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


def sigreg_bias(watch: Watch = unwatched) -> float:
    """SIGReg's statistic a sample at uniform points of the sphere in 3-D, whose marginal is uniform on [-1, 1]."""
    num = 20_000
    even = torch.linspace(-1, 1, 2 * num + 1, dtype=torch.float64)[1::2]  # midpoints: the marginal of uniform points
    rows = torch.stack([even, torch.zeros_like(even), torch.zeros_like(even)], dim=1)
    axis = torch.eye(3, dtype=torch.float64)[:, :1]
    if watch is not unwatched:
        descend_sigreg(watch)
    return float(spread_of(rows[:, None], "sigreg", 2.0, 0.0, axis)) / num


def descend_sigreg(watch: Watch) -> None:
    """Points of the sphere, as even as a few hundred can be, that go down SIGReg over as even directions."""
    axes = spiral(EVEN_AXES).T

    def a_sample(rows: Tensor) -> Tensor:
        return spread_of(rows[:, None], "sigreg", 2.0, 0.0, axes) / EVEN_POINTS

    watch = partial(watch, classes=["points"] * EVEN_POINTS)
    settle(spiral(EVEN_POINTS), a_sample, unit, watch, EVEN_ROUNDS)


def spiral(num: int) -> Tensor:
    """(N, 3) points that wind around the sphere by the golden angle, each on as much of it."""
    turns = torch.arange(num, dtype=torch.float64) + 0.5
    height, angle = 1 - 2 * turns / num, math.pi * (1 + math.sqrt(5)) * turns
    return torch.stack([angle.cos(), angle.sin(), height], dim=1) * torch.stack(
        [*[(1 - height.square()).sqrt()] * 2, torch.ones_like(height)], dim=1
    )


def tsc_targets(watch: Watch = unwatched) -> float:
    """The official recipe for targets: all pairs with the self term, float32, Adam, the iterate of the least loss."""
    free = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer, best, kept = torch.optim.Adam([free], lr=1e-3), math.inf, free.detach()
    for step in range(TSC_STEPS):
        targets = F.normalize(free, dim=1)
        loss = (targets @ targets.T / 0.07).exp().sum(1).log().mean()
        if float(loss.detach()) < best:
            best, kept = float(loss.detach()), targets.detach().clone()
        watch(step, targets.detach(), classes=range(3), numbers={"loss": float(loss.detach())})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    watch(TSC_STEPS, kept, classes=range(3), numbers={"loss": best}, last=True)
    return largest_deviation(kept.double().numpy())


def cloud(seed: int = 0) -> np.ndarray:
    return unit(drawn(2000, 16, seed=seed)).numpy()


def walk() -> Iterator[tuple[int, np.ndarray]]:
    """A cloud that is another one first, and at the last step the same."""
    for step in range(WALK + 1):
        rows = (1 - step / WALK) * cloud(seed=1) + step / WALK * cloud()
        yield step, rows / np.linalg.norm(rows, axis=1, keepdims=True)


def instance_cloning(watch: Watch = unwatched) -> float:
    z = cloud()
    twice = np.vstack((z, z))
    if watch is not unwatched:
        for step, clones in walk():
            watch(step, np.vstack((z, clones)), classes=np.repeat(("cloud", "clones"), len(z)))
    return metrics.uniformity_wasserstein(twice) - metrics.uniformity_wasserstein(z)


def features_twice(watch: Watch) -> np.ndarray:
    """(N, 32): every feature of the cloud is there twice."""
    if watch is not unwatched:
        for step, clones in walk():
            watch(step, np.hstack((cloud(), clones)) / math.sqrt(2), classes=["points"] * len(clones))
    return np.hstack((cloud(), cloud())) / math.sqrt(2)


def bcl_by_class() -> float:
    return bcl("class")


def bcl_by_sample() -> float:
    return bcl("sample")


def feature_cloning_unseen(watch: Watch = unwatched) -> float:
    return metrics.uniformity(features_twice(watch)) - metrics.uniformity(cloud())


def feature_cloning_seen(watch: Watch = unwatched) -> float:
    return metrics.uniformity_wasserstein(features_twice(watch))


def collapse_table(watch: Watch = unwatched) -> float:
    """The largest distance from what is derived of 20,000 even points in some of 200 directions, the others 0.

    Where a share k of D directions is filled the root is of 2 - 2 sqrt(k); that N points are finite takes off their
    roots of eigenvalues an eighth of k D / N (Marchenko and Pastur), which is all there is where none collapsed.
    """
    num, dim = 20_000, 200
    free, off = drawn(num, dim), []
    for share in COLLAPSED:
        filled = round(share * dim)
        z = np.zeros((num, dim))
        z[:, :filled] = unit(free[:, :filled]).numpy()
        derived = math.sqrt(2 - 2 * math.sqrt(share) * (1 - filled / num / 8))
        value = metrics.uniformity_wasserstein(z)
        off.append(abs(value - derived))
        few = z[::ONE_IN]
        numbers = {"wasserstein_of_all": value, "derived": derived}
        watch(round(100 - 100 * share), few, classes=["points"] * len(few), numbers=numbers)
    return max(off)
