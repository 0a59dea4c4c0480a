"""Whether one method really differs from another: the same seeds side by side, and how sure one can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.registry import MEASURES

FEWEST = 3
"""Pairs of runs below which no interval is given."""
_EXACT = 6
"""Up to so many pairs every resample is counted (6 ** 6 = 46,656); beyond, `RESAMPLES` are drawn."""
RESAMPLES = 20_000


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """First minus second in one measure, over the seeds that both have.

    Attributes:
        measure: key of the registry, or any other name.
        difference: mean over pairs, in the unit of the measure; None without pairs.
        low, high: bootstrap confidence interval of `difference`; None below `FEWEST` pairs.
        wins: pairs whose own difference has the sign of `difference`.
        n: pairs.
        level: of the interval, such as 0.95.
    """

    measure: str
    first: str
    second: str
    difference: float | None
    low: float | None
    high: float | None
    wins: int
    n: int
    level: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def better(self) -> str | None:
        """The one that is clearly better; None where it is not clear, or neither way of the measure is better."""
        entry = MEASURES.get(self.measure)
        if not self.is_clear or self.difference is None or entry is None or entry.better not in ("lower", "higher"):
            return None
        return self.first if (self.difference > 0) == (entry.better == "higher") else self.second

    @property
    def caution(self) -> str | None:
        """What weakens a clear difference, one sentence; None where nothing does or nothing is claimed."""
        if not self.is_clear or self.n > 5 or self.wins < self.n:
            return None
        return f"With {self.n} seeds, chance alone puts all of them on one side in 1 of {2 ** (self.n - 1)} cases."

    def sentence(self) -> str:
        """The finding in words, without a full stop: what is lower or higher, by how much, in how many seeds."""
        name, first = _measure_name(self.measure), _possessive(self.first)
        seeds = f"{self.n} seed{'s' if self.n != 1 else ''}"
        if self.difference is None:
            return f"{self.first} and {self.second} have no seed in common in which {name} was measured"
        word = "higher" if self.difference > 0 else "lower"
        apart = f"{word} by {self._amount()}" if self.difference else "the same"
        if self.low is None:
            return f"Too few seeds to tell: {first} {name} is {apart} against {_possessive(self.second)} in {seeds}"
        if self.is_clear:
            return (
                f"{first} {name} is {word} than {_possessive(self.second)} by {self._amount()}, {self.wins} of {seeds}"
            )
        found = f"{apart}, {word} in {self.wins} of {seeds}" if self.difference else apart
        return f"{first} {name} cannot be told from {_possessive(self.second)}: {found}"

    def _amount(self) -> str:
        """Size of the difference and of its interval, both without sign where the interval leaves out 0."""
        assert self.difference is not None
        entry = MEASURES.get(self.measure)
        unit = entry.unit if entry else ""
        factor, suffix = {"share": (100, " points"), "degrees": (1, "°")}.get(unit, (1, ""))
        sign = -1 if self.difference < 0 else 1
        size = abs(self.difference) * factor
        digits = 1 if unit in ("share", "degrees") else max(2, _leading_zeros(size) + 2)
        if self.low is None or self.high is None:
            return f"{size:.{digits}f}{suffix}"
        ends = sorted((sign * self.low * factor, sign * self.high * factor))
        shown = ", ".join(f"{end + 0.0:.{digits}f}" for end in ends)
        return f"{size:.{digits}f}{suffix} [{shown}]"


def compare(
    first: Mapping[int, float],
    second: Mapping[int, float],
    *,
    measure: str,
    names: tuple[str, str],
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Paired comparison over seeds: runs of one seed share data, first weights and batches, and are held together.

    The interval is the expanded percentile interval of the bootstrap over pairs (Hesterberg 2015, "What teachers should
    know about the bootstrap", section 5.3): the tails are those at which a normal interval of n values would cover as
    Student's does, since the plain percentile interval of few values is too narrow. With three or four pairs it is
    their whole range. Up to 6 pairs all resamples are counted, so that no chance is in it.

    Args:
        first, second: seed -> value. Values that are not finite, and seeds that only one has, are left out.
        measure: key of the registry, for the unit and the words; any other name is taken as it is.
        names: of first and second, for the words.
        level: of the interval, in (0, 1).
        seed: of the resamples beyond 6 pairs.

    Raises:
        DataError: a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise DataError(f"The level of an interval lies between 0 and 1, got {level}; try 0.95.")
    pairs = [(float(first[key]), float(second[key])) for key in sorted(first.keys() & second.keys())]
    found = np.array([a - b for a, b in pairs if np.isfinite(a) and np.isfinite(b)], dtype=np.float64)
    mean = float(found.mean()) if len(found) else None
    low, high = _interval(found, level, seed) if len(found) >= FEWEST else (None, None)
    return Comparison(
        measure=measure,
        first=names[0],
        second=names[1],
        difference=mean,
        low=low,
        high=high,
        wins=int((np.sign(found) == np.sign(mean)).sum()) if mean is not None else 0,
        n=len(found),
        level=level,
    )


def _interval(values: np.ndarray, level: float, seed: int) -> tuple[float, float]:
    from scipy.stats import norm, t

    n = len(values)
    tail = float(norm.cdf(np.sqrt(n / (n - 1)) * t.ppf((1 - level) / 2, n - 1)))
    means = _resampled_means(values, seed)
    # The step function's quantile from either side: swapping first and second swaps and negates the ends.
    low = np.quantile(means, tail, method="inverted_cdf")
    high = -np.quantile(-means, tail, method="inverted_cdf")
    return float(low), float(high)


def _resampled_means(values: np.ndarray, seed: int) -> np.ndarray:
    n = len(values)
    if n <= _EXACT:
        chosen = np.indices((n,) * n).reshape(n, -1)
        return values[chosen].mean(axis=0)
    chosen = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    return values[chosen].mean(axis=1)


def _measure_name(key: str) -> str:
    """The registry's title as it stands inside a sentence: NC1 keeps its capitals, what follows a comma is aside."""
    entry = MEASURES.get(key)
    title, _, aside = (entry.title if entry else key.replace("_", " ")).partition(", ")
    title = f"{title} ({aside})" if aside else title
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def _possessive(name: str) -> str:
    return f"{name}'s"


def _leading_zeros(size: float) -> int:
    """Zeros after the point before the first digit of a number below 1."""
    return 0 if size >= 1 or size == 0 else min(6, int(-np.floor(np.log10(size))) - 1)
