"""Where cross-entropy of free features ends under weight decay: what the geometry lab moves, solved as a program."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.predicted.descent import descend
from ltviz.geometry.predicted.peeled import MOST_UNEQUAL, Peeled, needed, value_and_slope
from ltviz.geometry.predicted.prediction import Groups, Prediction, checked_counts, checked_dim, into, positive
from ltviz.geometry.threads import one_blas_thread

EXACT = 1e-12
"""Of the bound on the logits that the decay leaves, of itself."""
MOST_STEPS = 60
PAYS = {"class": "each class paying alike for its features", "sample": "each class paying by its samples"}


def predicted_decay(
    counts: object,
    *,
    decay: float,
    pays: str = "class",
    average: str = "sample",
    tau: float = 0.0,
    dim: int | None = None,
) -> Prediction:
    r"""Class means and classifier of cross-entropy on free features with weight decay, logit adjustment included.

    .. math:: \min \sum_c w_c CE_c(H W^\top + \tau \log p) + \frac{\lambda}{2}
              \Big(\|W\|_F^2 + \sum_c a_c \|h_c\|^2\Big)

    with p = n / N, w = p ("sample") or 1/C ("class"), and a_c = 1 where features pay by class, C n_c / N where they pay
    by sample. The penalty is, at its least, lambda times the nuclear norm of diag(sqrt a) H W' [proven]: convex, so one
    geometry for each lambda. It is the layer-peeled model (`layer_peeled`) of the energy that this lambda leaves. Where
    lambda vanishes, features that pay by sample end in SELI (`predicted_ce`), those that pay by class in the regular
    simplex. Solved with factors of the logits, the energy found by its multiplier, and bounded by its dual (`gap`).

    Args:
        counts: (C,) above 0, C >= 2; classes of equal count are one unknown, up to `MOST_UNEQUAL` different counts.
        decay: lambda above 0. Where it is so large that all logits are 0 at the minimum, no geometry is left.
        pays: "class" or "sample".
        average: "sample", or "class" (as re-weighting by 1/n has it).
        tau: strength of the prior that is added to the logits (logit adjustment), 0 or more.
        dim: D, C - 1 or more; without it C - 1.

    Returns:
        `means` and `weights` (C, C - 1), or (C, D), with their lengths; `value` is the sum above.

    Raises:
        ConfigError: counts, names or numbers that break these rules, or a decay that leaves nothing.

    Source: convexity: variational form of the nuclear norm, as in Fang et al. 2021; the program: ltviz.

    Example:
        >>> found = predicted_decay([10] * 5 + [1] * 5, decay=0.005)
        >>> [round(float(found.weight_angles[a, b]), 1) for a, b in ((8, 9), (0, 1), (0, 9))]
        [93.4, 98.0, 96.7]
    """
    what = "predicted_decay"
    n = checked_counts(what, counts)
    decay = positive(what, "decay", decay)
    for name, given in (("pays", pays), ("average", average)):
        if given not in PAYS:
            raise ConfigError(f"{what}: {name} must be 'sample' or 'class', got {given!r:.40}.")
    if not (isinstance(tau, int | float) and 0 <= tau < np.inf):
        raise ConfigError(f"{what}: tau must be a number of 0 or more, got {tau!r:.40}.")
    checked_dim("Cross-entropy with weight decay", len(n), dim)
    groups = Groups.of(n)
    if len(groups.size) > MOST_UNEQUAL:
        raise ConfigError(
            f"{what} solves for up to {MOST_UNEQUAL} different counts, got {len(groups.size)}; round them to fewer."
        )
    p = n / n.sum()
    weights = p if average == "sample" else np.full(len(n), 1 / len(n))
    charge = np.ones(len(n)) if pays == "class" else len(n) * p
    return _solved(groups, weights, charge, tau * np.log(p), float(decay), pays, dim)


@one_blas_thread()
def _solved(
    groups: Groups,
    weights: np.ndarray,
    charge: np.ndarray,
    prior: np.ndarray,
    decay: float,
    pays: str,
    dim: int | None,
) -> Prediction:
    first = np.unique(groups.member, return_index=True)[1]
    at_rest = value_and_slope(np.tile(prior, (len(prior), 1)), weights)
    largest = float(np.linalg.norm(at_rest[1] / np.sqrt(charge)[:, None], 2))
    if decay >= largest:
        raise ConfigError(
            f"predicted_decay: a decay of {decay:g} leaves no logits at all; give less than {largest:.3g} here."
        )

    def peeled_of(bound: float) -> Peeled:
        energy = bound / len(prior)
        return Peeled(weights[first], groups.size, energy, charge=charge[first], prior=prior[first])

    x, bound = _balanced(peeled_of, decay, at_rest[0])
    means, classifier = peeled_of(bound).rows(x, groups)
    logits = means @ classifier.T
    fit, slope = value_and_slope(logits + prior, weights)
    scaled = slope / np.sqrt(charge)[:, None]
    excess = max(0.0, float(np.linalg.norm(scaled, 2)) - decay)
    gap = float((slope * logits).sum()) + decay * bound + excess * at_rest[0] / decay
    keep = needed(np.vstack([means, classifier]), len(prior) - 1)
    return Prediction(
        title="Cross-entropy with weight decay",
        means=into(means @ keep, dim),
        weights=into(classifier @ keep, dim),
        value=fit + decay * bound,
        gap=max(gap, 0.0),
        basis="proven",
        penalty=f"weight decay {decay:g} on the classifier and on features, {PAYS[pays]}",
        source="convexity: variational form of the nuclear norm (Fang et al. 2021); program: ltviz",
    )


def _balanced(peeled_of: Callable[[float], Peeled], decay: float, most: float) -> tuple[np.ndarray, float]:
    """The point, and the bound on the nuclear norm at which the loss falls by `decay` for each unit of it: between 0,
    where it falls faster, and `most` / decay, beyond which no penalty of the minimum can be. By secants of its
    logarithm, each from the point before."""
    x = peeled_of(1.0).start()

    def excess(log_bound: float) -> float:
        nonlocal x
        peeled = peeled_of(float(np.exp(log_bound)))
        x = descend(peeled.nudged(x), peeled.at)
        return float(np.log(max(peeled.scaling_slope(x), 1e-300))) - log_bound - np.log(decay)

    high = np.log(most / decay)
    low, step = high, 1.0
    above = excess(high)
    while (below := excess(low - step)) < 0:
        low, above, step = low - step, below, 2 * step
    high, low = low, low - step
    at, side = low, 0
    for _ in range(MOST_STEPS):
        at = (low * above - high * below) / (above - below)  # the Illinois way: a side that stays counts half
        here = excess(at)
        if abs(here) < EXACT or high - low < EXACT:
            break
        if here > 0:
            low, below = at, here
            above, side = (above / 2 if side > 0 else above), 1
        else:
            high, above = at, here
            below, side = (below / 2 if side < 0 else below), -1
    return x, float(np.exp(at))
