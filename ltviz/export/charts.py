"""Charts of compared runs: methods over training, classes against their counts, and single frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from ltviz import figures
from ltviz.errors import RecordingError
from ltviz.export.results import Arm, Group, Result
from ltviz.figures.palette import method_colour
from ltviz.metrics import Classes, ceiling_of, shot_groups, territory
from ltviz.metrics.clouds import spread_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ltviz.recording import Frame

Curve = tuple[list[int], list[float]]


def colour_of(arm: Arm) -> str:
    """ "#rrggbb", the method's own colour."""
    return method_colour(arm.method or arm.label)


def curve_of(result: Result, measure: str) -> Curve:
    """Steps and values of a measure; frames that do not have it are left out, and so is the sphere of a read-out."""
    points = [(step, found[measure]) for step, found in sorted(result.comparable.items()) if measure in found]
    return [step for step, _ in points], [value for _, value in points]


def frame_of(result: Result, *, labelled: bool = True) -> Frame | None:
    """The frame of a result's step; None where it cannot be read, or no sample has a label that can.

    Without `labelled` a frame of a run without classes is given too.
    """
    if result.step is None:
        return None
    try:
        frame = result.recording.frame(result.step)
    except RecordingError:  # removed or damaged since its numbers were read
        return None
    free = not labelled and not result.info.num_classes
    return frame if free or (frame.labels >= 0).any() else None


def labels_of(result: Result, frame: Frame, part: Literal["train", "test"]) -> np.ndarray:
    """(N,) labels of a frame's samples, -1 for those of other parts; all labels where a run does not tell them apart.

    A cloud of training points may be half as wide as that of test points, and a probe holds more test points of some
    classes than of others: what mixes both says nothing of either.
    """
    here = result.recording.probe.split == (0 if part == "train" else 1)
    return np.where(here, frame.labels, -1) if here.any() and (frame.labels[here] >= 0).any() else frame.labels


# ---------------------------------------------------------------------- over training


def curves(
    group: Group, measure: str, theme: str, *, curve: Callable[[Result, str], Curve] = curve_of
) -> go.Figure | None:
    """One line a method: the mean over seeds, with the lowest and highest as a band. None where nothing is measured.

    Args:
        group: of runs that can be compared.
        measure: key of the registry, or any name.
        theme: "light" or "dark".
        curve: gives steps and values of one run.
    """
    series, bands, colours = {}, {}, {}
    ceiling = ceiling_of(measure)
    ceilings = [curve(result, ceiling) for arm in group.arms for result in arm.results] if ceiling else []
    for arm in group.arms:
        runs = [curve(result, measure) for result in arm.results]
        runs = [(steps, values) for steps, values in runs if steps]
        if not runs:
            continue
        steps, mean, low, high = figures.seed_band(runs)
        if not len(steps):
            continue
        series[arm.label], colours[arm.label] = (steps, mean), colour_of(arm)
        if len(runs) > 1:
            bands[arm.label] = (low, high)
    return figures.curves(series, measure, colours, theme, bands=bands, ceilings=ceilings) if series else None


# ---------------------------------------------------------------------- classes against their counts


def spreads(group: Group, theme: str) -> go.Figure | None:
    """Mean angle of test samples to their class centre against the training count, mean over the seeds of a method."""
    figure = _against_counts(group, "spread", theme, spread_by_class)
    if figure is not None:
        figure.update_yaxes(ticksuffix="°", rangemode="tozero")
    return figure


def territories(group: Group, theme: str) -> go.Figure | None:
    """Share of the sphere that lies nearest to the centre of each class's test samples against the training count, mean
    over the seeds of a method."""
    figure = _against_counts(group, "territory", theme, territory_by_class)
    if figure is not None:
        figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return figure


def spread_by_class(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(C,) degrees, NaN for a class without samples."""
    return spread_of(Classes.of_labelled(embeddings, labels, num_classes).normalised()).mean_angle


def territory_by_class(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(C,) shares, sum 1."""
    return territory(Classes.of_labelled(embeddings, labels, num_classes).normalised().centres)


def counts(group: Group, theme: str) -> go.Figure | None:
    """Bars of the training counts, head to tail; None where there are no classes."""
    info = group.arms[0].results[0].info
    if not info.num_classes:
        return None
    names = [f"class {c}" for c in range(info.num_classes)]
    figure = figures.class_counts(info.counts, names, shot_groups(np.array(info.counts)), theme)
    figure.update_layout(title_text="Training samples, head to tail", margin={"t": 36})
    return figure


def _against_counts(
    group: Group, measure: str, theme: str, values_of: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
) -> go.Figure | None:
    info = group.arms[0].results[0].info
    values: Mapping[str, np.ndarray] = {}
    colours = {}
    for arm in group.arms:
        if all(result.sphere_is_readout for result in arm.results):
            continue
        # Class numbers are ranks, so seeds share the counts though not the classes behind them.
        found = [
            values_of(frame.embeddings, labels_of(result, frame, "test"), info.num_classes)
            for result in arm.results
            if result.info.counts == info.counts and (frame := frame_of(result)) is not None
        ]
        if found:
            values[arm.label], colours[arm.label] = np.mean(found, axis=0), colour_of(arm)
    if not values:
        return None
    ranks = [f"class {c}" for c in range(info.num_classes)]
    return figures.against_counts(values, info.counts, ranks, measure, colours, theme)


# ---------------------------------------------------------------------- one frame


def cosines(result: Result, frame: Frame, theme: str) -> go.Figure:
    """Cosines between the class centres of training samples, head to tail, with the ideal beside them."""
    info, labels = result.info, labels_of(result, frame, "train")
    centres = Classes.of_labelled(frame.embeddings, labels, info.num_classes).normalised().centres
    return figures.centre_cosines(centres, info.counts, info.class_names, theme)


def angles(result: Result, frame: Frame, theme: str) -> go.Figure:
    """Angles of test samples to their class centre, one ridge a class, head on top."""
    rank, names = _ranks(result)
    labels = labels_of(result, frame, "test")
    seen = labels >= 0
    return figures.sample_angles(frame.embeddings[seen], rank[labels[seen]], names, theme)


def confusion(result: Result, frame: Frame, theme: str) -> go.Figure | None:
    """Where labelled test points go (all where none is marked as test); None where nothing was predicted."""
    predicted = frame.samples.get("prediction")
    if predicted is None:
        return None
    rank, names = _ranks(result)
    test = result.recording.probe.split == 1
    test = (test if test.any() else np.ones_like(test)) & (frame.labels >= 0) & (predicted >= 0)
    return figures.confusion(rank[frame.labels[test]], rank[predicted[test]], names, theme)


def _ranks(result: Result) -> tuple[np.ndarray, list[str]]:
    """(C,) place of each class from most to fewest samples, and the names in that order."""
    order = result.info.order
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank, [result.info.class_names[c] for c in order]
