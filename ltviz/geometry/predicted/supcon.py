"""Where supervised contrast ends: a convex program in the cosines between class means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.predicted.descent import Local, descend
from ltviz.geometry.predicted.prediction import Groups, Prediction, checked_counts, into, positive
from ltviz.geometry.threads import one_blas_thread

Average = Literal["sample", "class"]
Denominator = Literal["samples", "classes"]

SHARPEST = 0.01
MOST_UNEQUAL = 200
"""Different counts that the program is solved for; a minute of one core."""
STARTS = 24
"""Of the search where the program is not convex."""
PENALTY = "none: features are unit vectors"
SOURCE = "population SupCon; collapse of each class onto its mean: arXiv 2605.11291; program: ltviz"


def predicted_supcon(
    counts: object,
    *,
    temperature: float,
    average: str = "sample",
    denominator: str = "samples",
    dim: int | None = None,
    seed: int = 0,
) -> Prediction:
    r"""The class means that supervised contrast is least at, with many samples a batch.

    With G the cosines between unit class means, p_c = n_c / N and w = p ("sample") or 1/C ("class"), the loss less
    log N is

    .. math:: f(G) = \sum_c w_c \log \sum_b p_b e^{(G_{cb} - 1)/\tau}

    over positive semidefinite G with ones on its diagonal: convex, so the minimum found is the only one, and `gap`
    bounds how far `value` is above it. The rank is at most C - 1 [proven]. Below C - 1 dimensions the problem is not
    convex: the best of several descents is returned, one of several, marked so.

    Args:
        counts: (C,) above 0, any C >= 1; only their ratios matter. Classes of equal count are one unknown, so that any
            C goes where few counts differ; up to `MOST_UNEQUAL` different counts.
        temperature: tau, 0.01 or more.
        average: "sample": anchors count alike; "class": the mean within each class, then over classes.
        denominator: "samples": each class as often as it has samples (SupCon); "classes": each class once (BCL).
        dim: D; without it as many as are needed.
        seed: of the search below C - 1 dimensions.

    Returns:
        `means` (C, max(C - 1, 1)) unit rows, or (C, D) where `dim` is given; `value` is f.

    Raises:
        ConfigError: counts, temperature, names or dim that break these rules.

    Source: collapse of each class onto its mean is proven (arXiv 2605.11291), the program is derived here.

    Example:
        >>> found = predicted_supcon([100] * 5 + [1] * 5, temperature=0.1)
        >>> [round(float(found.mean_angles[a, b]), 1) for a, b in ((8, 9), (0, 1), (0, 9))]
        [80.7, 98.9, 99.1]
        >>> found.gap < 1e-7
        True
    """
    what = "predicted_supcon"
    n = checked_counts(what, counts, least=1)
    tau = positive(what, "temperature", temperature, SHARPEST)
    for name, given, known in (
        ("average", average, ("sample", "class")),
        ("denominator", denominator, ("samples", "classes")),
    ):
        if given not in known:
            raise ConfigError(f"{what}: {name} must be {known[0]!r} or {known[1]!r}, got {given!r:.40}.")
    if dim is not None and dim < 1:
        raise ConfigError(f"{what} needs dim >= 1, got {dim}.")
    title = "SupCon" if denominator == "samples" else "BCL"
    p = n / n.sum()
    weights = p if average == "sample" else np.full(len(n), 1 / len(n))
    masses = p if denominator == "samples" else np.full(len(n), 1 / len(n))
    if dim is not None and dim < len(n) - 1:
        return _searched(title, weights, masses, tau, dim, seed)
    return _solved(title, n, weights, masses, tau, dim)


@one_blas_thread()
def _solved(
    title: str, n: np.ndarray, weights: np.ndarray, masses: np.ndarray, tau: float, dim: int | None
) -> Prediction:
    groups = Groups.of(n)
    if len(groups.size) > MOST_UNEQUAL:
        raise ConfigError(
            f"predicted_supcon solves for up to {MOST_UNEQUAL} different counts, got {len(groups.size)}; "
            "round them to fewer."
        )
    first = np.unique(groups.member, return_index=True)[1]
    collapsed = Collapsed(weights[first], masses[first], groups.size, tau)
    x = collapsed.minimum()
    gram = _gram(x, groups)
    means = _rows_of(gram)
    value, gap = _certified(means @ means.T, weights, masses, tau)
    return Prediction(
        title=title,
        means=into(means, dim),
        weights=None,
        value=value,
        gap=gap,
        basis="derived",
        penalty=PENALTY,
        source=SOURCE,
    )


def _gram(x: np.ndarray, groups: Groups) -> np.ndarray:
    """(C, C) cosines, of the groups' rows."""
    rows = groups.spread(x[:, :-1], x[:, -1])
    return rows @ rows.T


def _rows_of(gram: np.ndarray) -> np.ndarray:
    """(C, C - 1) unit rows with these cosines, whose rank is C - 1 at most."""
    if len(gram) == 1:
        return np.ones((1, 1))
    values, vectors = np.linalg.eigh(gram)
    rows = vectors[:, :0:-1] * np.sqrt(np.maximum(values[:0:-1], 0.0))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def value_and_slope(gram: np.ndarray, weights: np.ndarray, masses: np.ndarray, tau: float) -> tuple[float, np.ndarray]:
    """f at cosines (C, C), and its symmetric derivative (C, C) with zeros on the diagonal."""
    exponents = np.log(masses) + (gram - 1) / tau
    top = exponents.max(axis=1, keepdims=True)
    terms = np.exp(exponents - top)
    total = terms.sum(axis=1, keepdims=True)
    slope = terms / total * (weights[:, None] / tau)
    np.fill_diagonal(slope, 0.0)
    return float(weights @ (top + np.log(total))[:, 0]), (slope + slope.T) / 2


def _certified(gram: np.ndarray, weights: np.ndarray, masses: np.ndarray, tau: float) -> tuple[float, float]:
    """f and a bound on how far it is above the minimum over all Gram matrices."""
    value, slope = value_and_slope(gram, weights, masses, tau)
    dual = slope - np.diag((slope * gram).sum(axis=1))
    return value, len(gram) * max(0.0, -float(np.linalg.eigvalsh(dual)[0]))


@dataclass(frozen=True, eq=False)
class Collapsed:
    """The program in groups of exchangeable classes: a row for each group, its centre and, last, how far its members
    are from it. f less what does not depend on the angles."""

    weight: np.ndarray
    """(K,) of one class as anchor."""
    mass: np.ndarray
    """(K,) of one class in a denominator."""
    size: np.ndarray
    """(K,) classes in each group."""
    tau: float
    together: np.ndarray | None = None
    """(K,) bool: groups that are held on one point; none where None."""

    @property
    def opens(self) -> np.ndarray:
        """(K,) bool: groups whose members may part."""
        several = self.size > 1
        return several if self.together is None else several & ~self.together

    @property
    def free(self) -> np.ndarray:
        """(K, K + 1) bool: which numbers of the rows may move."""
        return np.column_stack([np.ones((len(self.size), len(self.size)), bool), self.opens])

    @cached_property
    def shares(self) -> np.ndarray:
        """(K, K) log mass of all of a group before an anchor's own class: other groups, and the others of its own."""
        amount = np.tile(self.size, (len(self.size), 1))
        np.fill_diagonal(amount, self.size - 1)
        with np.errstate(divide="ignore"):
            return np.log(amount) + np.log(self.mass)[None, :] - np.log(self.mass)[:, None]

    def at(self, x: np.ndarray) -> Local:
        """The function at rows (K, r + 1), of unit length."""
        rows, apart = x[:, :-1], x[:, -1]
        others = np.maximum(self.size - 1, 1)
        bend = 2 * self.size / others / self.tau  # of the cosine within a group, by `apart`
        exponents = self.shares + (rows @ rows.T - 1) / self.tau
        own = np.diag_indices(len(x))
        exponents[own] = self.shares[own] - 0.5 * bend * apart**2
        top = np.maximum(exponents.max(axis=1, keepdims=True), 0.0)
        terms = np.exp(exponents - top)
        rest = terms.sum(axis=1, keepdims=True)
        partition = np.exp(-top) + rest
        share = terms / partition
        anchors = (self.size * self.weight)[:, None]
        slope = anchors * share / self.tau
        within = slope[own].copy()
        slope[own] = 0.0
        both = slope + slope.T

        gradient = np.empty_like(x)
        gradient[:, :-1] = both @ rows
        gradient[:, -1] = -within * self.tau * bend * apart * self.opens

        def hessian(d: np.ndarray) -> np.ndarray:
            along, parting = d[:, :-1], d[:, -1] * self.opens
            cross = along @ rows.T
            change = (cross + cross.T) / self.tau
            change[own] = -bend * apart * parting
            turned = change - (share * change).sum(axis=1, keepdims=True)
            inner = within * turned[own]
            moved = slope * turned
            out = np.empty_like(d)
            out[:, :-1] = both @ along + (moved + moved.T) @ rows
            out[:, -1] = -self.tau * bend * (inner * apart + within * parting) * self.opens
            return out

        value = float(
            (anchors[:, 0] * np.where(top[:, 0] > 0, top[:, 0] + np.log(partition[:, 0]), np.log1p(rest[:, 0]))).sum()
        )
        stiff = both.sum(axis=1) + within * self.tau * bend
        return Local(value, gradient, hessian, np.maximum(stiff / self.tau, 1e-300))

    def minimum(self) -> np.ndarray:
        """(K, K + 1) rows."""
        x = self.start()
        for temperature in _annealed(self.tau):
            warm = Collapsed(self.weight, self.mass, self.size, temperature, self.together)
            x = self.nudged(descend(x, warm.at, free=self.free, tolerance=1e-4))
        return descend(x, self.at, free=self.free)

    def parting_bend(self, x: np.ndarray) -> np.ndarray:
        """(K,) how much the function grows, to second order, where the members of a group that are on one point part;
        below 0 where it falls. Of rows (K, K + 1)."""
        local = self.at(x)
        others = np.maximum(self.size - 1, 1)
        bend = 2 * self.size / others / self.tau
        own = np.diag(self.shares) - 0.5 * bend * x[:, -1] ** 2
        pull = np.einsum("kr,kr->k", x, local.gradient)
        rows = x[:, :-1]
        exponents = self.shares + (rows @ rows.T - 1) / self.tau
        np.fill_diagonal(exponents, own)
        share = np.exp(own - np.logaddexp(0.0, np.logaddexp.reduce(exponents, axis=1)))
        return (-self.size * self.weight * share * bend - pull) / local.stiffness

    def start(self) -> np.ndarray:
        """A regular simplex of all classes, as groups see it, slightly off its symmetries."""
        num_classes, k = self.size.sum(), len(self.size)
        if num_classes == 1:
            return np.array([[1.0, 0.0]])
        gram = np.full((k, k), -1 / (num_classes - 1))
        np.fill_diagonal(gram, (1 - (self.size - 1) / (num_classes - 1)) / self.size)
        values, vectors = np.linalg.eigh(gram)
        rows = vectors * np.sqrt(np.maximum(values, 0.0))
        apart = np.sqrt(np.maximum(1 - np.einsum("kr,kr->k", rows, rows), 0.0)) * self.opens
        return self.nudged(np.column_stack([rows, apart]))

    def nudged(self, x: np.ndarray, by: float = 1e-3) -> np.ndarray:
        """Rows a little beside: where members of a group are on one point, or rows in few dimensions, every slope that
        would lead away is zero."""
        noise = np.random.default_rng(0).standard_normal(x.shape)
        noise[:, -1] = np.abs(noise[:, -1]) * self.opens
        x = x + by * noise
        return x / np.linalg.norm(x, axis=1, keepdims=True)


def _annealed(tau: float) -> list[float]:
    """Temperatures on the way down to tau, without it."""
    steps = int(np.ceil(np.log2(max(0.5 / tau, 1.0))))
    return [tau * 2.0**step for step in range(steps, 0, -1)]


def free_points(
    weights: np.ndarray, masses: np.ndarray, tau: float, start: np.ndarray, *, anneal: bool, tolerance: float = 1e-11
) -> np.ndarray:
    """(C, D) unit rows where a descent of free class means from `start` (C, D) ends.

    Args:
        weights, masses: (C,) of each class as anchor and in denominators.
        anneal: come down to tau from above.
    """
    x = np.column_stack([start, np.zeros(len(start))])
    free = np.ones(x.shape, bool)
    free[:, -1] = False
    for temperature in _annealed(tau) if anneal else []:
        x = descend(
            x, Collapsed(weights, masses, np.ones(len(x)), temperature).at, free=free, tolerance=max(tolerance, 1e-3)
        )
    return descend(x, Collapsed(weights, masses, np.ones(len(x)), tau).at, free=free, tolerance=tolerance)[:, :-1]


@one_blas_thread()
def _searched(title: str, weights: np.ndarray, masses: np.ndarray, tau: float, dim: int, seed: int) -> Prediction:
    """The best of several descents of free rows (C, dim)."""
    rng = np.random.default_rng(seed)

    def value(rows: np.ndarray) -> float:
        return value_and_slope(rows @ rows.T, weights, masses, tau)[0]

    starts = (rng.standard_normal((len(weights), dim)) for _ in range(STARTS))
    found = [
        free_points(weights, masses, tau, start, anneal=bool(i % 2), tolerance=1e-5) for i, start in enumerate(starts)
    ]
    means = free_points(weights, masses, tau, min(found, key=value), anneal=False)
    return Prediction(
        title=title,
        means=means,
        weights=None,
        value=value(means),
        basis="found",
        penalty=PENALTY,
        source=SOURCE,
        unique=False,
    )
