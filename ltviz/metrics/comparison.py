"""Whether one method really differs from another: the same seeds side by side, and how sure one can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.final import described

FEWEST = 3
"""Seeds below which no interval is given."""
ENOUGH = 5
"""Seeds below which every finding says how few they are."""
_ROUNDING = 1e-12
"""A difference that is smaller than this share of the values is that of their last digits, and none."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """First minus second in one measure, over the seeds that both have.

    Attributes:
        measure: key of the registry, or any other name.
        difference: mean over seeds, in the unit of the measure; None without a common seed.
        low, high: confidence interval of `difference` by itself; None below `FEWEST` seeds.
        p: two-sided, of this difference by itself; None below `FEWEST` seeds.
        corrected: p after `correct`, for all `family` comparisons that are shown together; `p` before it.
        family: comparisons that `corrected` is corrected for.
        wins: seeds whose own difference has the sign of `difference`.
        n: seeds that both have.
        methods: over which the error was pooled; 2 is the paired t test.
        image_error: standard error of `difference` from test images that the seeds share, in the unit of the measure;
            0 where the measure counts none.
        level: of the interval, such as 0.95; a corrected p below 1 - level is a finding.
    """

    measure: str
    first: str
    second: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    corrected: float | None
    family: int
    wins: int
    n: int
    methods: int
    image_error: float
    level: float

    @property
    def differs(self) -> bool:
        """Whether chance is a poor explanation, after correction for all that is shown together."""
        return self.corrected is not None and self.corrected < 1 - self.level

    @property
    def better(self) -> str | None:
        """The better one; None where they cannot be told apart, or neither way of the measure is better."""
        entry = described(self.measure)
        if not self.differs or self.difference is None or entry is None or entry.better not in ("lower", "higher"):
            return None
        return self.first if (self.difference > 0) == (entry.better == "higher") else self.second

    def sentence(self) -> str:
        """The finding in words, without a full stop: what is lower or higher, by how much, how sure, in which seeds."""
        name, first, second = measure_name(self.measure), f"{self.first}'s", f"{self.second}'s"
        if self.difference is None:
            return f"{self.first} and {self.second} have no seed in common in which {name} was measured"
        word = "higher" if self.difference > 0 else "lower"
        apart = f"{word} by {self._amount()}" if self.difference else "the same"
        few = "only " if self.n < ENOUGH else ""
        if self.corrected is None:
            return f"Too few seeds to tell: {first} {name} is {apart} against {second} in {count(self.n, 'seed')}"
        over = f"{p_words(self.corrected)} over {few}{count(self.n, 'seed')}"
        if self.differs:
            return f"{first} {name} is {word} than {second} by {self._amount()}, {over}"
        return f"{first} {name} cannot be told from {second}: {apart}, {over}"

    def _amount(self) -> str:
        """Size of the difference and of its interval, both without sign where the interval leaves out 0."""
        assert self.difference is not None
        factor, suffix, digits = scale_of(self.measure, self.difference)
        sign = -factor if self.difference < 0 else factor
        size = f"{sign * self.difference:.{digits}f}{suffix}"
        if self.low is None or self.high is None:
            return size
        ends = sorted((sign * self.low, sign * self.high))
        return f"{size} [{', '.join(f'{end + 0.0:.{digits}f}' for end in ends)}]"


# ---------------------------------------------------------------------- statistics


def compare(
    first: Mapping[int, float],
    second: Mapping[int, float],
    *,
    measure: str,
    names: tuple[str, str],
    beside: Iterable[Mapping[int, float]] = (),
    image_error: float = 0.0,
    level: float = 0.95,
) -> Comparison:
    """Mean difference over the seeds that both have, with its interval (`block_interval`). `correct` comes after it.

    Runs of one seed share data, first weights and batches and are held side by side. Every method of `beside` that has
    all the seeds of the pair helps to estimate the error.

    Example:
        >>> found = compare({0: .31, 1: .30, 2: .28}, {0: .46, 1: .42, 2: .37}, measure="centre_sum", names=("A", "B"))
        >>> found.sentence()
        "A's centre sum (all samples) is lower than B's by 0.12 [0.05, 0.19], p = 0.02 over only 3 seeds"

    Args:
        first, second: seed -> value. Values that are not finite, and seeds that only one has, are left out.
        measure: key of the registry, for the unit and the words; any other name is taken as it is.
        names: of first and second, for the words.
        beside: seed -> value of further methods that were run on the same seeds.
        image_error: standard error, >= 0, of the mean difference from test images that the seeds share.
        level: of the interval, in (0, 1).

    Raises:
        DataError: a level outside (0, 1), or a negative image error.
    """
    if not 0 < level < 1:
        raise DataError(f"The level of an interval lies between 0 and 1, got {level}; try 0.95.")
    if not image_error >= 0:
        raise DataError(f"A standard error is 0 or larger, got {image_error}.")
    seeds = [key for key in sorted(first.keys() & second.keys()) if np.isfinite([first[key], second[key]]).all()]
    columns = [first, second, *(other for other in beside if all(np.isfinite(other.get(key, np.nan)) for key in seeds))]
    values = np.array([[column[key] for column in columns] for key in seeds], dtype=np.float64)
    found = Comparison(
        measure=measure, first=names[0], second=names[1], difference=None, low=None, high=None, p=None, corrected=None,
        family=1, wins=0, n=len(seeds), methods=len(columns), image_error=image_error, level=level,
    )  # fmt: skip
    if not seeds:
        return found
    if len(seeds) < FEWEST:
        mean, half, p = values[:, 0].mean() - values[:, 1].mean(), None, None
    else:
        mean, half, p = (float(number) for number in block_interval(values, image_error=image_error, level=level))
    pairs = np.sign(values[:, 0] - values[:, 1])
    found = replace(found, difference=float(mean), wins=int((pairs == np.sign(mean)).sum()), p=p, corrected=p)
    return found if half is None else replace(found, low=mean - half, high=mean + half)


def block_interval(
    values: np.ndarray, *, image_error: float = 0.0, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Student's interval of the first method minus the second, with seeds as blocks.

    x_ij = seed_i + method_j + error_ij, a randomised complete block design (Fisher 1935; Montgomery, "Design and
    Analysis of Experiments", chapter 4). All m methods estimate the error, on (m-1)(n-1) degrees of freedom; with two
    this is the paired t test. Pooling takes for granted that the seeds of all methods scatter alike, which three seeds
    cannot show, so the pair's own scatter stands wherever it is the larger one. Simulated at 3, 5 and 10 seeds of five
    methods, with errors normal or of Student's t with 3 degrees: the interval covers 96 to 97 %, and 89, 91 and 93 %
    where one of the pair scatters three times as much as the four others (83 to 84 % by pooling alone).

    Args:
        values: (..., n, m) of n >= 2 seeds and m >= 2 methods; comparisons stand in the axes before.
        image_error: standard error, >= 0, of the mean difference that no seed shows, since all share it. It is added in
            squares, on Welch and Satterthwaite's degrees of freedom.
        level: of the interval, in (0, 1).

    Returns:
        Mean difference, half the width of its interval, and the two-sided p, each (...).
    """
    from scipy.stats import t

    n, m = values.shape[-2:]
    rows, columns = values.mean(axis=-1, keepdims=True), values.mean(axis=-2, keepdims=True)
    residuals = values - rows - columns + rows.mean(axis=-2, keepdims=True)
    pooled = (residuals**2).sum(axis=(-2, -1)) / ((m - 1) * (n - 1))
    pairs = values[..., 0] - values[..., 1]
    of_seeds = 2 * np.maximum(pooled, pairs.var(axis=-1, ddof=1) / 2) / n
    # What is left of equal values by rounding is neither a difference nor scatter.
    least = _ROUNDING * np.abs(values).max(axis=(-2, -1))
    mean = np.where(np.abs(pairs.mean(axis=-1)) <= least, 0.0, pairs.mean(axis=-1))
    of_seeds = np.where(of_seeds <= least**2, 0.0, of_seeds)
    error = np.sqrt(of_seeds + image_error**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = (m - 1) * (n - 1) * np.where(of_seeds > 0, (error**2 / of_seeds) ** 2, np.inf)
        size = np.where(error > 0, np.abs(mean) / error, np.where(mean == 0, 0.0, np.inf))
    return mean, t.ppf((1 + level) / 2, degrees) * error, 2 * t.sf(size, degrees)


def correct(found: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons with p corrected for all of them together, those of other methods and of other measures alike.

    Holm's step-down, which keeps the chance of even one false finding below 1 - level however the comparisons depend on
    one another. Dunnett's test would give a little more to methods held against one baseline (a critical t of 3.0
    instead of 3.1 for eight of them on 16 degrees), and says nothing about several measures at once.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    known = [one.p for one in found if one.p is not None]
    corrected = iter(holm(known))
    return [
        one if one.p is None else replace(one, corrected=float(next(corrected)), family=len(known)) for one in found
    ]


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """(K,) p values after Holm's correction, each at least its own p, at most 1.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    raised = np.empty(len(given))
    raised[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)))
    return raised


def share_error(share: float, images: Sequence[int] | np.ndarray) -> float:
    """Binomial standard error of an accuracy from the number of its test images, in shares.

    Agresti and Coull's: two right and two wrong predictions are added, so that 12 of 12 right leave an error too. Of a
    mean of class accuracies it is an upper bound, exact where all classes are recognised equally well.

    Example:
        >>> round(share_error(0.5, [496]), 4)
        0.0224

    Args:
        share: 0 to 1.
        images: of each class whose accuracy the share is the mean of; one number where it is that of all together.

    Raises:
        DataError: a share outside [0, 1], or no images.

    Source: Agresti and Coull 1998, "Approximate is better than exact for interval estimation of binomial proportions".
    """
    counts = np.asarray(images, dtype=np.float64)
    if not 0 <= share <= 1:
        raise DataError(f"An accuracy lies between 0 and 1, got {share}.")
    if len(counts) == 0 or not (counts > 0).all():
        raise DataError(f"An accuracy rests on at least one image of each of its classes, got {list(images)}.")
    effective = len(counts) ** 2 / (1 / counts).sum()
    centre = (share * effective + 2) / (effective + 4)
    return float(np.sqrt(centre * (1 - centre) / (effective + 4)))


def told_apart(shares: Mapping[str, float], baseline: str, images: Sequence[int] | np.ndarray) -> dict[str, bool]:
    """Which accuracies differ from the baseline's by more than the error of their test images, on 95 of 100 samples.

    It speaks of these very models alone: another seed gives other ones. Their predictions are taken as independent,
    though both are given on the same images; where they agree more than that, smaller differences would do.

    Args:
        shares: name -> accuracy, 0 to 1; the baseline among them.
        baseline: name of the one that the others are held against.
        images: as of `share_error`.

    Returns:
        name -> whether, for all but the baseline; corrected for their number by Holm.
    """
    from scipy.stats import norm

    others = [name for name in shares if name != baseline]
    error = {name: share_error(share, images) for name, share in shares.items()}
    sizes = [abs(shares[name] - shares[baseline]) / np.hypot(error[name], error[baseline]) for name in others]
    return {name: bool(p < 0.05) for name, p in zip(others, holm(2 * norm.sf(sizes)), strict=True)}


# ---------------------------------------------------------------------- words


def measure_name(key: str) -> str:
    """The registry's title as it stands inside a sentence: NC1 keeps its capitals, what follows a comma is aside."""
    entry = described(key)
    title, _, aside = (entry.title if entry else key.replace("_", " ")).partition(", ")
    title = f"{title} ({aside})" if aside else title
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def scale_of(measure: str, size: float) -> tuple[float, str, int]:
    """Factor, unit and decimals with which a difference of this size is written: shares in points."""
    entry = described(measure)
    unit = entry.unit if entry else ""
    factor, suffix = {"share": (100.0, " points"), "degrees": (1.0, "°")}.get(unit, (1.0, ""))
    return factor, suffix, 1 if unit in ("share", "degrees") else max(2, _leading_zeros(abs(size)) + 2)


def p_words(p: float) -> str:
    """ "p = 0.03", or "p < 0.001" where less would say more than so few values can."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.995 else "p = 1"


def count(number: int, noun: str) -> str:
    """ "1 seed", "3 seeds"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _leading_zeros(size: float) -> int:
    """Zeros after the point before the first digit of a number below 1."""
    return 0 if size >= 1 or size == 0 else min(6, int(-np.floor(np.log10(size))) - 1)
