"""Where cross-entropy ends in norm balls: the layer-peeled model, a convex program in the logits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.predicted.descent import Local, descend
from ltviz.geometry.predicted.prediction import Groups, Prediction, checked_counts, checked_dim, into, positive
from ltviz.geometry.threads import one_blas_thread

MOST_UNEQUAL = 60
"""Different counts that the program is solved for."""


def layer_peeled(
    counts: object, *, weight_energy: float = 1.0, feature_energy: float = 5.0, dim: int | None = None
) -> Prediction:
    r"""Class means and classifier of cross-entropy where both have a limited energy (Fang et al. 2021).

    .. math:: \min \sum_c \frac{n_c}{\max n} CE_c(H W^\top), \quad \|W\|_F^2 \le C E_W, \quad
              \sum_c \frac{1}{n_c} \sum_i \|h_{ci}\|^2 \le C E_H

    Every class pays alike for its features, unlike in SELI (`predicted_ce`), and rare classes may collapse onto one
    point at a finite imbalance (`minority_threshold`). With D >= C the two constraints say exactly that the nuclear
    norm of the logits is C sqrt(E_W E_H) at most [proven]: convex, and only the product of the energies matters for
    the angles. Solved with factors of the logits, and bounded by its dual (`gap`).

    Args:
        counts: (C,) above 0, C >= 2; classes of equal count are one unknown, up to `MOST_UNEQUAL` different counts.
        weight_energy, feature_energy: E_W and E_H, above 0.
        dim: D, C - 1 or more; without it as many as are needed.

    Returns:
        `means` and `weights` (C, R), R >= C - 1, with their lengths; `value` is the sum above.

    Raises:
        ConfigError: counts, energies or dim that break these rules.

    Example:
        >>> found = layer_peeled([10] * 5 + [1] * 5)
        >>> [round(float(found.weight_angles[a, b]), 1) for a, b in ((8, 9), (0, 1), (0, 9))]
        [58.8, 99.6, 101.6]
    """
    what = "layer_peeled"
    n = checked_counts(what, counts)
    energy = energy_of(what, weight_energy, feature_energy)
    checked_dim("The layer-peeled model", len(n), dim)
    n = n / n.max()
    groups = Groups.of(n)
    if len(groups.size) > MOST_UNEQUAL:
        raise ConfigError(
            f"layer_peeled solves for up to {MOST_UNEQUAL} different counts, got {len(groups.size)}; "
            "round them to fewer."
        )
    return _solved(n, groups, energy, weight_energy, feature_energy, dim)


def energy_of(what: str, weight_energy: float, feature_energy: float) -> float:
    """sqrt(E_W E_H)."""
    product = positive(what, "weight_energy", weight_energy) * positive(what, "feature_energy", feature_energy)
    return float(np.sqrt(product))


@one_blas_thread()
def _solved(
    n: np.ndarray, groups: Groups, energy: float, weight_energy: float, feature_energy: float, dim: int | None
) -> Prediction:
    peeled = Peeled(groups.count, groups.size, energy)
    means, weights = peeled.rows(peeled.minimum(), groups)
    logits = means @ weights.T
    value, slope = value_and_slope(logits, n)
    bound = len(n) * energy
    gap = float((slope * logits).sum()) + bound * float(np.linalg.norm(slope, 2))
    keep = needed(np.vstack([means, weights]), len(n) - 1)
    ratio = (feature_energy / weight_energy) ** 0.25
    return Prediction(
        title="Layer-peeled model",
        means=into(means @ keep * ratio, dim),
        weights=into(weights @ keep / ratio, dim),
        value=value,
        gap=max(gap, 0.0),
        basis="proven",
        penalty=(
            f"classifier of energy {weight_energy:g} and features of energy {feature_energy:g} a class, "
            "each class paying alike whatever its samples"
        ),
        source="Fang et al. 2021, layer-peeled model; convexity: variational form of the nuclear norm",
    )


def needed(rows: np.ndarray, rank: int) -> np.ndarray:
    """(R, rank) coordinates in which all rows lie."""
    return np.linalg.svd(rows, full_matrices=False)[2][:rank].T


def value_and_slope(logits: np.ndarray, n: np.ndarray) -> tuple[float, np.ndarray]:
    """sum_c n_c CE_c of logits (C, C), row c of class c, and its derivative (C, C)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    terms = np.exp(shifted)
    total = terms.sum(axis=1, keepdims=True)
    slope = n[:, None] * (terms / total - np.eye(len(n)))
    return float(n @ (np.log(total[:, 0]) - np.diag(shifted))), slope


@dataclass(frozen=True, eq=False)
class Peeled:
    """The program in groups of exchangeable classes, as one point on a sphere: the groups' mean features and mean
    classifier rows, and how far the members of each group are apart, all together of one energy."""

    count: np.ndarray
    """(K,) samples of a class: what its cross-entropy weighs in the sum."""
    size: np.ndarray
    """(K,) classes in each group."""
    energy: float
    """sqrt(E_W E_H)."""
    together: np.ndarray | None = None
    """(K,) bool: groups that are held on one point; none where None."""
    charge: np.ndarray | None = None
    """(K,) above 0: what the square of a class's feature costs of the energy; 1 where None."""
    prior: np.ndarray | None = None
    """(K,) added to the logits of each class in the loss, and not to those that cost energy; none where None."""

    @property
    def opens(self) -> np.ndarray:
        several = self.size > 1
        return several if self.together is None else several & ~self.together

    @property
    def bound(self) -> float:
        return float(self.size.sum()) * self.energy

    def factors(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Group means (K, K) of features and of classifier rows, and (K,) how far the logit of a member's own class is
        above those of the others of its group."""
        features, classifier, apart = self._parts(x[0])
        scale = np.sqrt(2 * self.bound / self.size)[:, None]
        return features * scale / np.sqrt(self.price)[:, None], classifier * scale, self.part * apart**2

    def rows(self, x: np.ndarray, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
        """Means and classifier rows of the classes, (C, R) each."""
        features, classifier, parted = self.factors(x)
        within = np.sqrt(parted * self.others)  # of the simplex of a group's members about their mean
        tilt = self.price**0.25
        return groups.spread(features, within / tilt), groups.spread(classifier, within * tilt)

    def _parts(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        k = len(self.size)
        return flat[: k * k].reshape(k, k), flat[k * k : 2 * k * k].reshape(k, k), flat[2 * k * k :]

    @cached_property
    def price(self) -> np.ndarray:
        return np.ones(len(self.size)) if self.charge is None else self.charge

    @cached_property
    def scale(self) -> np.ndarray:
        """(K, K) from inner products of the point's rows to logits between groups."""
        return 2 * self.bound / np.sqrt(np.outer(self.size * self.price, self.size))

    @cached_property
    def part(self) -> np.ndarray:
        """(K,) from apart^2 to how far a member's own logit is above the others' of its group."""
        return self.bound / np.maximum(self.size - 1, 1) / np.sqrt(self.price)

    @cached_property
    def amount(self) -> np.ndarray:
        """(K, K) classes that stand against one of a group, each as often as its prior says."""
        prior = np.zeros(len(self.size)) if self.prior is None else self.prior
        amount = np.tile(self.size, (len(self.size), 1)) * np.exp(prior[None, :] - prior[:, None])
        np.fill_diagonal(amount, self.size - 1)
        return amount

    @cached_property
    def others(self) -> np.ndarray:
        """(K,) share of a group that one member is not."""
        return (self.size - 1) / self.size

    def _margins(self, logits: np.ndarray, parted: np.ndarray) -> np.ndarray:
        """(K, K) logits of other groups' classes, and of the own group's others, less the own one; linear in both."""
        margins = logits - (np.diag(logits) + parted * self.others)[:, None]
        np.fill_diagonal(margins, -parted)
        return margins

    def _pulled(self, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slopes by margins (K, K) -> by inner products of rows (K, K), and by `parted` (K,): `_margins` transposed."""
        own = np.diag(slopes)
        outside = slopes.sum(axis=1) - own
        by_logit = slopes.copy()
        np.fill_diagonal(by_logit, -outside)
        return by_logit * self.scale, -own - outside * self.others

    def at(self, x: np.ndarray) -> Local:
        """The loss at x (1, 2 K^2 + K) of unit length."""
        features, classifier, apart = self._parts(x[0])
        exponents = self._margins(features @ classifier.T * self.scale, self.part * apart**2)
        top = np.maximum(exponents.max(axis=1, keepdims=True), 0.0)
        terms = self.amount * np.exp(exponents - top)
        rest = terms.sum(axis=1, keepdims=True)
        partition = np.exp(-top) + rest
        share = terms / partition
        says = self.size * self.count
        slope = says[:, None] * share
        by_row, by_parted = self._pulled(slope)
        chain = 2 * self.part * self.opens  # of apart^2

        def joined(of_features: np.ndarray, of_classifier: np.ndarray, of_apart: np.ndarray) -> np.ndarray:
            return np.concatenate([of_features.ravel(), of_classifier.ravel(), of_apart])[None]

        def hessian(d: np.ndarray) -> np.ndarray:
            along, across, parting = self._parts(d[0])
            rows = (along @ classifier.T + features @ across.T) * self.scale
            change = self._margins(rows, chain * apart * parting)
            turned = slope * (change - (share * change).sum(axis=1, keepdims=True))
            row, parted = self._pulled(turned)
            return joined(
                row @ classifier + by_row @ across,
                row.T @ features + by_row.T @ along,
                chain * (parted * apart + by_parted * parting),
            )

        logs = np.where(top > 0, top + np.log(partition), np.log1p(rest))[:, 0]
        gradient = joined(by_row @ classifier, by_row.T @ features, chain * by_parted * apart)
        return Local(float(says @ logs), gradient, hessian, np.array([max(float(np.abs(gradient).max()), 1e-300)]))

    def minimum(self) -> np.ndarray:
        """(1, 2 K^2 + K)."""
        x = self.start()
        for _ in range(2):
            x = descend(self.nudged(x), self.at)
        return x

    def scaling_slope(self, x: np.ndarray) -> float:
        """How fast the loss falls where all logits grow by one share."""
        local = self.at(x)
        return -0.5 * float((x * local.gradient).sum())

    def start(self) -> np.ndarray:
        """A regular simplex of all classes, as groups see it."""
        k, root = len(self.size), np.sqrt(self.size)
        gram = np.eye(k) - np.outer(root, root) / self.size.sum()
        values, vectors = np.linalg.eigh(gram)
        rows = vectors * np.sqrt(np.maximum(values, 0.0))
        return np.concatenate([rows.ravel(), rows.ravel(), np.sqrt(2 * (self.size - 1)) * self.opens])[None]

    def nudged(self, x: np.ndarray, by: float = 1e-3) -> np.ndarray:
        """A little beside: where the members of a group are on one point, every slope that would part them is zero."""
        noise = np.random.default_rng(0).standard_normal(x.shape)
        k = len(self.size)
        noise[0, 2 * k * k :] = np.abs(noise[0, 2 * k * k :]) * self.opens
        return x / np.linalg.norm(x) + by * noise / np.sqrt(x.size)
