"""Runs sorted for comparison: cells that share data and recipe, arms that share the method, seeds within an arm."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.export.cells import plain
from ltviz.metrics import described, shot_groups
from ltviz.metrics.registry import of_sphere
from ltviz.recording import Recording, RunInfo
from ltviz.recording.evaluation import Evaluation, read_evaluation
from ltviz.recording.older import sphere_is_readout
from ltviz.training.settings import DEFAULTS, INCIDENTAL

log = logging.getLogger(__name__)

BASELINE = "ce"
"""The method that the others are held against, where it is there."""
_GROUP_OF = {"many": "head", "medium": "medium", "few": "tail"}
_MOST_IMAGES = 1 << 32  # of one class


@dataclass(frozen=True, eq=False)
class Result:
    """A run at its last recorded step."""

    recording: Recording
    info: RunInfo
    frames: Mapping[int, Mapping[str, float]]
    """step -> metrics."""

    @property
    def step(self) -> int | None:
        return max(self.frames, default=None)

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """On the whole test set; None where there is none of the last recorded step and these classes, or it cannot be
        read."""
        try:
            found = read_evaluation(self.recording.path)
        except RecordingError as error:
            log.warning("%s: %s", self.recording.run_id, error)
            return None
        if found is None or found.step != self.step or len(found.test_images) != self.info.num_classes:
            return None
        return found

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """Of the last frame, and those of the evaluation."""
        if self.step is None:
            return {}
        found = self.comparable[self.step]
        if self.evaluation is None:
            return found
        said = {"sphere_is_readout": self.sphere_is_readout}
        return {**found, **self.evaluation.model_copy(update=said).measures()}

    @cached_property
    def comparable(self) -> Mapping[int, Mapping[str, float]]:
        """`frames` with what may be held against other runs. The sphere of a read-out says nothing of the method that
        it stands beside: what is measured of its points is left out."""
        if not self.sphere_is_readout:
            return self.frames
        return {s: {key: x for key, x in found.items() if not of_sphere(key)} for s, found in self.frames.items()}

    @property
    def sphere_is_readout(self) -> bool:
        """Whether the sphere was trained beside the encoder, which it did not steer."""
        return sphere_is_readout(self.info)

    def images(self, measure: str) -> list[np.ndarray] | None:
        """Sample ids of the probe's images behind an accuracy: one array for each class that it is a mean of, or one
        for all; None where the measure is no accuracy, or nothing is known of its images."""
        if measure.startswith("final_accuracy_"):
            return self._test_images(measure.split("_")[2])
        kind, _, group = measure.removesuffix("_features").rpartition("_")
        wanted = 2 if kind == "validation" else 1
        if (kind != "validation" and not kind.startswith("accuracy")) or group not in ("all", *_GROUP_OF):
            return None
        try:
            probe = self.recording.probe
        except RecordingError:  # the stage and the pictures of its frames say so
            return None
        judged = (probe.split == wanted) & (probe.labels >= 0)
        if not judged.any():
            return None
        if group == "all":
            return [probe.sample_ids[judged]]
        classes = getattr(shot_groups(np.array(self.info.counts)), _GROUP_OF[group])
        found = [probe.sample_ids[judged & (probe.labels == c)] for c in classes]
        return [ids for ids in found if len(ids)] or None

    def _test_images(self, group: str) -> list[np.ndarray] | None:
        """As `images`, of the whole test set, which is the same for every seed: class by class they are numbered.
        Where samples are pixels, these are the images that they are of: pixels of one are not independent."""
        if self.evaluation is None:
            return None
        order = sorted(self.info.class_names)
        numbered = [
            order.index(name) * _MOST_IMAGES + np.arange(n)
            for name, n in zip(self.info.class_names, self.evaluation.test_images, strict=True)
        ]
        if group == "all":
            apart = self.evaluation.judged
            return [np.concatenate(numbered) if apart is None else np.arange(apart.images)]
        classes = getattr(shot_groups(np.array(self.info.counts)), _GROUP_OF[group])
        return [numbered[c] for c in classes if len(numbered[c])] or None

    @property
    def name(self) -> str:
        """What the method is called."""
        return self.info.title or self.info.method or self.info.run_id

    @cached_property
    def cell(self) -> dict[str, Any]:
        """Everything that runs must share to be compared: data and recipe, without the seed. How imbalanced the data
        are is what the run says of them, and not what was set: that says nothing of classes that keep their sizes.
        A setting at its default is left out where older runs do not name it: they did the same."""
        given = self.info.config.get("run")
        recipe = given if isinstance(given, dict) else {}
        here = {key: value for key, value in recipe.items() if key not in INCIDENTAL and key != "seed"}
        here = {key: value for key, value in here.items() if key not in DEFAULTS or value != DEFAULTS[key]}
        own = {"data": self.info.data, "imbalance_factor": self.info.imbalance_factor, "dim": self.info.dim}
        more = {name: value for name, value in here.items() if own.get(name) is None}
        return {**own, "classes": self.info.num_classes, **more}

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The method's own settings."""
        given = self.info.config.get("method")
        return dict(given) if isinstance(given, dict) else {}


@dataclass(frozen=True, eq=False)
class Arm:
    """One method, with one choice of its settings, in one cell: runs that differ by seed alone."""

    cell: Mapping[str, Any]
    label: str
    method: str | None
    results: tuple[Result, ...]

    @property
    def seeds(self) -> list[int]:
        return sorted({result.info.seed for result in self.results if result.info.seed is not None})

    def by_seed(self, measure: str) -> dict[int, float]:
        """seed -> value at the last step; of two runs with one seed the newer one counts."""
        return {seed: result.metrics[measure] for seed, result in self.runs_by_seed(measure).items()}

    def runs_by_seed(self, measure: str) -> dict[int, Result]:
        """seed -> the run whose value `by_seed` gives."""
        known = [r for r in self.results if r.info.seed is not None and measure in r.metrics]
        return {int(r.info.seed or 0): r for r in sorted(known, key=lambda r: r.info.created)}

    def mean(self, measure: str) -> float | None:
        """Over all runs that have it."""
        values = self._values(measure)
        return float(np.mean(values)) if values else None

    def deviation(self, measure: str) -> float | None:
        """Sample standard deviation over runs; None for a single one."""
        values = self._values(measure)
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def _values(self, measure: str) -> list[float]:
        return [result.metrics[measure] for result in self.results if measure in result.metrics]


@dataclass(frozen=True, eq=False)
class Group:
    """The arms of one cell. `shown` are the settings that tell it from the other cells, data, factor and dim first."""

    shown: dict[str, Any]
    arms: tuple[Arm, ...]

    @property
    def baseline(self) -> Arm:
        """The arm that the others are held against: the first of plain cross-entropy, else the first."""
        return next((arm for arm in self.arms if arm.method == BASELINE), self.arms[0])

    def baseline_in(self, measure: str) -> Arm:
        """The arm that the others are held against in a measure: the baseline, or the first that knows the measure
        where that does not, as no read-out knows one of the sphere."""
        known = [arm for arm in (self.baseline, *self.arms) if arm.mean(measure) is not None]
        return known[0] if known else self.baseline


def read_results(recordings: Iterable[Recording]) -> tuple[list[Result], list[str]]:
    """The runs with at least one frame, and a sentence on each that has none or cannot be read."""
    found, left_out = [], []
    for recording in recordings:
        try:
            info, frames = recording.info, recording.frame_metrics()
        except RecordingError as error:
            left_out.append(f"{recording.run_id}: {error}")
            continue
        if frames:
            found.append(Result(recording, info, frames))
        else:
            left_out.append(f"{recording.run_id}: it has no frame that can be read")
    return found, left_out


def group_results(results: Sequence[Result]) -> list[Group]:
    """Cells in the order of their settings, arms in the order in which the runs came."""
    cells: dict[str, list[Result]] = {}
    for result in results:
        cells.setdefault(_key(result.cell), []).append(result)
    labels = _labels(results)
    shown = _shown([members[0].cell for members in cells.values()])
    groups = []
    for members in cells.values():
        arms: dict[str, list[Result]] = {}
        for result in members:
            arms.setdefault(labels[result.recording.run_id, id(result)], []).append(result)
        cell = members[0].cell
        groups.append(
            Group(
                {name: cell.get(name) for name in shown},
                tuple(Arm(cell, label, runs[0].info.method, tuple(runs)) for label, runs in arms.items()),
            )
        )
    return sorted(groups, key=lambda group: [_sortable(value) for value in group.shown.values()])


def best_of(arms: Sequence[Arm], measure: str) -> Arm | None:
    """The arm with the best mean; None where neither way is better, or there is nothing to choose from."""
    entry = described(measure)
    known = [(arm, mean) for arm in arms if (mean := arm.mean(measure)) is not None]
    if entry is None or entry.better is None or len({mean for _, mean in known}) < 2:
        return None
    goodness = {"higher": lambda x: x, "lower": lambda x: -x, "near": lambda x: -abs(x)}[entry.better]
    return max(known, key=lambda item: goodness(item[1]))[0]


def head(measure: str) -> str:
    """Short head of a column, with the unit and, where there is one, the better direction."""
    entry = described(measure)
    title = measure.replace("_", " ") if entry is None else entry.brief or entry.title[0].lower() + entry.title[1:]
    unit = {"share": " %", "degrees": " °"}.get(entry.unit if entry else "", "")
    return f"{title}{unit} {entry.arrow if entry else ''}".rstrip()


def number(measure: str, value: float) -> str:
    """A value as tables show it: shares in percent, everything to about three digits."""
    entry = described(measure)
    unit = entry.unit if entry else ""
    if unit == "share":
        return f"{100 * value:.1f}"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if unit == "degrees" else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}"


def shown(arm: Arm, measure: str) -> str:
    """ "71.2 ± 3.1", or the mean alone for a single run and for runs that are all equal, or a dash."""
    mean, deviation = arm.mean(measure), arm.deviation(measure)
    if mean is None:
        return "–"
    return number(measure, mean) + ("" if not deviation else f" ± {number(measure, deviation)}")


def cell_name(group: Group) -> str:
    """What tells a group's runs from those of others, in a few words: "digits-lt, imbalance factor 50, dim 3"."""
    parts = []
    for name, value in group.shown.items():
        if value is not None:
            said = plain(value)
            parts.append(said if name == "data" else f"{name.replace('_', ' ')} {said}")
    return ", ".join(parts) or "Runs"


def _labels(results: Sequence[Result]) -> dict[tuple[str, int], str]:
    """Method names; where runs of one method differ in its settings, these are added."""
    by_method: dict[str, list[Result]] = {}
    for result in results:
        by_method.setdefault(result.name, []).append(result)
    labels = {}
    for name, members in by_method.items():
        keys = sorted({key for result in members for key in result.settings})
        varying = [key for key in keys if len({_key(result.settings.get(key)) for result in members}) > 1]
        for result in members:
            told = ", ".join(f"{key.replace('_', ' ')} {plain(result.settings.get(key))}" for key in varying)
            labels[result.recording.run_id, id(result)] = f"{name} ({told})" if told else name
    return labels


def _shown(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    always = ["data", "imbalance_factor", "dim"]
    keys = dict.fromkeys(key for cell in cells for key in cell)
    varying = [key for key in keys if key not in always and len({_key(cell.get(key)) for cell in cells}) > 1]
    return always + varying


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _sortable(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value))
