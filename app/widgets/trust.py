"""Where runs differ in a way that a measure takes for one in evenness: said, by the verdicts of the court."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from ltviz.errors import RecordingError
from ltviz.export.cells import listed
from ltviz.export.results import Group, Result
from ltviz.metrics import described
from ltviz.metrics.court import Difference, blind_to, without_part
from ltviz.recording.probe import Probe

from .. import words

PORTRAIT = "uniformity"
"""The page's charts show it whatever the table holds."""
ALIKE = 0.02
"""Share of the points that may lie in other classes before two probes count as differently balanced."""


def sentences(groups: Sequence[Group], keys: Collection[str]) -> list[str]:
    """What must be known before these runs are held against each other by these measures; empty where nothing is."""
    results = [result for group in groups for arm in group.arms for result in arm.results]
    probes = [probe for result in results if (probe := _probe(result)) is not None]
    differ = differences(results, probes)
    said: dict[frozenset[Difference], list[str]] = {}
    for key in dict.fromkeys(without_part(key) for key in (*keys, PORTRAIT)):
        measure = described(key)
        if measure is not None and (blind := blind_to(key) & differ.keys()):
            said.setdefault(frozenset(blind), []).append(measure.title)
    told = [
        words.evidence.cannot_judge(listed(titles), {name: differ[name] for name in differ if name in blind})
        for blind, titles in said.items()
    ]
    splits = {probe.known_split is None for probe in probes}
    return [*told, words.evidence.SPLIT_DIFFERS] if len(splits) > 1 else told


def differences(results: Sequence[Result], probes: Sequence[Probe]) -> Mapping[Difference, str]:
    """In what the points of the runs differ, and the values from least to most."""
    found: dict[Difference, str] = {}
    dims = sorted({result.info.dim for result in results if result.info.dim is not None})
    if len(dims) > 1:
        found["dimensions"] = _ends(dims)
    sizes = sorted({len(probe.labels) for probe in probes})
    if len(sizes) > 1:
        found["points"] = _ends(sizes)
    shares = list(_shares(probes))
    largest = [float(one[0]) for one in shares]
    if any(_apart(shares[0], one) > ALIKE for one in shares[1:]):
        found["balance"] = words.evidence.LARGEST.format(low=min(largest), high=max(largest))
    return found


def _probe(result: Result) -> Probe | None:
    try:
        return result.recording.probe
    except RecordingError:
        return None


def _shares(probes: Sequence[Probe]) -> Iterator[np.ndarray]:
    """Of the labelled points in each class, most first; classes have no common names across data sets."""
    for probe in probes:
        counts = np.bincount(probe.labels[probe.labels >= 0])
        if counts.sum():
            yield np.sort(counts / counts.sum())[::-1]


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    size = max(len(a), len(b))
    return float(np.abs(np.pad(a, (0, size - len(a))) - np.pad(b, (0, size - len(b)))).sum()) / 2


def _ends(values: Sequence[int]) -> str:
    return words.evidence.RANGE.format(low=f"{values[0]:,}", high=f"{values[-1]:,}")
