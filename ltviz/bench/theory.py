"""`ltviz bench theory`: do free features, and networks, come to where theory says that their loss ends?

Free features first (a minute): class-collapsed losses from random starts, by the descents that people use. Then, with
`--networks`, the sweep of theory.toml: 20 races of 20,000 steps on digits, an hour and a half on two cores.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field

import ltviz
from ltviz.bench.results import STOPPED, cells_of
from ltviz.cli.arguments import parse_one
from ltviz.errors import ConfigError, TrainingError
from ltviz.geometry import predicted_ce, predicted_supcon
from ltviz.geometry.predicted.supcon import value_and_slope
from ltviz.geometry.threads import one_blas_thread
from ltviz.launch.slots import Slots
from ltviz.launch.tally import SweepStatus
from ltviz.metrics.theory import angle_error, simplex_error
from ltviz.recording import Recording, checkpoints_home, run_path
from ltviz.recording.names import typed_path
from ltviz.training.stop import Stop

SWEEP = Path(__file__).with_suffix(".toml")
CLASSES, DIM, TEMPERATURE = 10, 16, 0.1
RIDGES = tuple(10.0**-power for power in range(2, 13))
"""Taken one after another, each from where the last one ended."""
PLAIN_STEPS, PLAIN_RATE = 20_000, 1.0
CONTRAST_STEPS, CONTRAST_RATE = 3_000, 0.05
KEYS = ("error_mean", "error_max", "simplex_mean", "simplex_max")

Numbers = dict[str, float]
"""Keys of a run's frames, such as theory_weight_error_mean -> degrees."""


class TheoryOptions(BaseModel):
    networks: bool = Field(False, description="Train the networks of the sweep too; they go on where they stopped.")
    imbalances: str = Field("1,10,50,100", description="Of the free features, separated by commas.")
    seeds: int = Field(5, ge=1, le=100, description="Of the free features.")
    home: str | None = Field(None, description="Folder of the networks' runs; `theory` in the home where empty.")
    slots: int = Field(1, ge=1, le=256, description="Races at a time.")
    out: str | None = Field(None, description="Markdown file to write; the terminal where empty.")


def run(argv: Sequence[str] = ()) -> int:
    """Prints the table, whatever it says.

    Returns:
        0, or 130 after a stop; the same line goes on then.

    Raises:
        LtvizError: bad options; nothing was computed.
        TrainingError: runs failed.
    """
    options = parse_one("ltviz bench theory", argv, TheoryOptions, about="Does training end where theory says?")
    imbalances = _imbalances(options.imbalances)
    rows = list(free_rows(imbalances, range(options.seeds)))
    if options.networks:
        found = _network_rows(options)
        if found is None:
            return STOPPED
        rows += found
    report = table(rows)
    if options.out:
        typed_path(options.out).write_text(report, encoding="utf-8")
    else:
        print(report)
    return 0


def _imbalances(text: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(1 <= one < np.inf for one in found):
        raise ConfigError(f"imbalances must be numbers of 1 or more with commas, got {text!r:.80}")
    return found


# ---------------------------------------------------------------------- free features


def free_rows(imbalances: Sequence[float], seeds: Sequence[int]) -> Iterator[tuple[str, float, list[Numbers]]]:
    """What was run, its imbalance, and the numbers of each seed."""
    for name, one in FREE.items():
        for imbalance in imbalances:
            counts = imbalance ** (-np.arange(CLASSES) / (CLASSES - 1))
            yield name, imbalance, [one(counts, np.random.default_rng(seed)) for seed in seeds]


@one_blas_thread()
def with_ridge(counts: np.ndarray, rng: np.random.Generator) -> Numbers:
    """Cross-entropy of free features with a ridge that vanishes step by step, on classifier and samples alike."""
    from scipy.optimize import minimize

    flat, share = 0.1 * rng.standard_normal(2 * CLASSES * DIM), counts / counts.sum()
    for ridge in RIDGES:

        def penalised(x: np.ndarray, ridge: float = ridge) -> tuple[float, np.ndarray]:
            value, by_features, by_weights, features, weights = _cross_entropy(x, share)
            value += 0.5 * ridge * float((share[:, None] * features**2).sum() + (weights**2).sum() / counts.sum())
            by_features += ridge * share[:, None] * features
            by_weights += ridge * weights / counts.sum()
            return value / ridge, np.concatenate([by_features.ravel(), by_weights.ravel()]) / ridge

        options = {"maxiter": 5000, "maxfun": 6000, "ftol": 1e-15, "gtol": 1e-10}
        flat = minimize(penalised, flat, jac=True, method="L-BFGS-B", options=options).x
    return _off_seli(flat, counts)


@one_blas_thread()
def without_ridge(counts: np.ndarray, rng: np.random.Generator) -> Numbers:
    """The same by plain gradient descent, a feature of a class once for each sample, without any ridge."""
    flat, share = 0.1 * rng.standard_normal(2 * CLASSES * DIM), counts / counts.sum()
    for _ in range(PLAIN_STEPS):
        _, by_features, by_weights, _, _ = _cross_entropy(flat, share)
        # of the mean over samples each sample's feature has the slope of its class over the class's share
        step = np.concatenate([(by_features / share[:, None] / CLASSES).ravel(), by_weights.ravel()])
        flat = flat - PLAIN_RATE * step
    return _off_seli(flat, counts)


@one_blas_thread()
def contrast(counts: np.ndarray, rng: np.random.Generator) -> Numbers:
    """Population SupCon of free class means by Adam, so many steps as a short training has."""
    share = counts / counts.sum()
    points = rng.standard_normal((CLASSES, DIM))
    first, second = np.zeros_like(points), np.zeros_like(points)
    for step in range(1, CONTRAST_STEPS + 1):
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        units = points / lengths
        pull = 2 * value_and_slope(units @ units.T, share, share, TEMPERATURE)[1] @ units
        slope = (pull - units * (units * pull).sum(axis=1, keepdims=True)) / lengths
        first += 0.1 * (slope - first)
        second += 0.001 * (slope**2 - second)
        size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        points = points - CONTRAST_RATE * first / (1 - 0.9**step) / size
    told = predicted_supcon(counts, temperature=TEMPERATURE).means
    return _errors("theory", points, told)


FREE: Mapping[str, Callable[[np.ndarray, np.random.Generator], Numbers]] = {
    "CE, free features, vanishing ridge": with_ridge,
    f"CE, free features, no ridge, {PLAIN_STEPS:,} steps": without_ridge,
    f"SupCon, free class means, {CONTRAST_STEPS:,} steps": contrast,
}


def _cross_entropy(flat: np.ndarray, share: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean loss of features and weights (C, D), and its slopes by both, and both."""
    features, weights = flat.reshape(2, CLASSES, DIM)
    logits = features @ weights.T
    logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    slope = share[:, None] * (np.exp(logs) - np.eye(CLASSES))
    return -float(share @ np.diag(logs)), slope @ weights, slope.T @ features, features, weights


def _off_seli(flat: np.ndarray, counts: np.ndarray) -> Numbers:
    features, weights = flat.reshape(2, CLASSES, DIM)
    told = predicted_ce(counts)
    assert told.weights is not None
    return _errors("theory_weight", weights - weights.mean(0), told.weights) | _errors("theory", features, told.means)


def _errors(name: str, rows: np.ndarray, told: np.ndarray) -> Numbers:
    own, balanced = angle_error(rows, told), simplex_error(rows)
    assert own is not None
    assert balanced is not None
    return dict(zip((f"{name}_{key}" for key in KEYS), (*own, *balanced), strict=True))


# ---------------------------------------------------------------------- networks


def _network_rows(options: TheoryOptions) -> list[tuple[str, float, list[Numbers]]] | None:
    """The last frames of the sweep's runs; None where it was stopped before the end."""
    home, stop = typed_path(options.home) if options.home else checkpoints_home() / "theory", Stop()
    with stop.on_signals():
        status = Slots(home, cells_of(SWEEP), slots=options.slots, tag="theory", stop=stop, progress=_tell).run()
    print(file=sys.stderr)
    if failed := [name for name, state in status.states.items() if state == "failed"]:
        raise TrainingError(f"{len(failed)} of {len(status.states)} runs failed, such as {failed[0]}")
    if status.count("finished") < len(status.states):
        return None
    found: dict[tuple[str, float], list[Numbers]] = {}
    for recording in (Recording(run_path(home, name)) for name in status.states):
        info, frame = recording.info, recording.last()
        if frame is not None:
            name = f"{info.title}, MLP on digits, {info.total_steps:,} steps"
            found.setdefault((name, info.imbalance_factor or 1.0), []).append(frame.metrics)
    return [(name, imbalance, numbers) for (name, imbalance), numbers in sorted(found.items())]


def _tell(status: SweepStatus) -> None:
    left = "" if status.seconds_left is None else f", {status.seconds_left:.0f} s left"
    print(f"\r{status.count('finished')}/{len(status.states)} runs{left}   ", end="", file=sys.stderr, flush=True)


# ---------------------------------------------------------------------- the table


def table(rows: Sequence[tuple[str, float, Sequence[Mapping[str, float]]]]) -> str:
    """Markdown: mean angle errors in degrees, mean and sample standard deviation over seeds; weights before means."""
    heads = ["weights to theory", "weights to simplex", "means to theory", "means to simplex"]
    keys = ["theory_weight_error_mean", "theory_weight_simplex_mean", "theory_error_mean", "theory_simplex_mean"]
    lines = [
        "Mean error over pairs of classes, in degrees; mean and sample standard deviation over seeds.",
        "",
        f"| what | imbalance | seeds | {' | '.join(heads)} |",
        "|---|---:|---:|" + "---:|" * len(heads),
    ]
    for name, imbalance, numbers in rows:
        cells = [_cell([one[key] for one in numbers if key in one]) for key in keys]
        lines.append(f"| {name} | {imbalance:g} | {len(numbers)} | {' | '.join(cells)} |")
    made = f"ltviz {ltviz.__version__}, Python {platform.python_version()}, {platform.machine()}"
    return "\n".join([*lines, "", f"{made}, {time.strftime('%Y-%m-%d')}.", ""])


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "–"
    spread = f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{spread}"
