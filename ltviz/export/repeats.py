"""What cannot depend on the dimension of the sphere is listed, and compared, once.

A read-out is trained beside the encoder, on features that its gradient does not reach: the same seed gives the same
encoder at every d. So accuracies, and measures of features, of such runs at a larger d are those at the smallest one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ltviz.export.cells import listed
from ltviz.export.results import Arm, Group, shown

ALWAYS = frozenset({"images_seen"})
"""Measures that are listed wherever a run stands: they say what it did, not what came of it."""
_ROUNDING = 1e-9


def listed_at(group: Group, arm: Arm, measure: str, groups: Sequence[Group]) -> int | None:
    """The smaller d at which the same setting lists this very number: of a read-out, whose runs there have every
    seed of the runs here and the same values. None where this is the place to list it.

    Args:
        group: of the arm.
        groups: all that are listed together.
    """
    values = arm.by_seed(measure)
    if measure in ALWAYS or not values or not is_readout(arm):
        return None
    for dim, other in _smaller(group, groups):
        known = next((same.by_seed(measure) for same in other.arms if same.label == arm.label and is_readout(same)), {})
        if all(s in known and abs(known[s] - x) <= _ROUNDING for s, x in values.items()):
            return dim
    return None


def shown_once(group: Group, arm: Arm, measure: str, groups: Sequence[Group]) -> str:
    """As `shown`, or "as at d 3" where the number is listed there."""
    dim = listed_at(group, arm, measure, groups)
    return shown(arm, measure) if dim is None else f"as at d {dim}"


def repeats_note(groups: Sequence[Group], measures: Sequence[str], every: Sequence[Group] | None = None) -> str:
    """Which methods' numbers in these groups are listed once, and why, a sentence; "" where none are. `every` are all
    groups that are listed together, where these are only some."""
    found: dict[str, set[int]] = {}
    for group in groups:
        for arm in group.arms:
            if any(listed_at(group, arm, measure, every or groups) is not None for measure in measures):
                found.setdefault(arm.label, set()).add(arm.cell["dim"])
    if not found:
        return ""
    dims = sorted(set().union(*found.values()))
    return (
        f"Accuracies and features of {listed(list(found))} cannot depend on d, as their spheres are trained beside the "
        f"encoder: what is the same at d {', '.join(map(str, dims))} as at a smaller d is listed, and compared, once."
    )


def is_readout(arm: Arm) -> bool:
    """Whether the sphere of all of its runs is a read-out."""
    return all(result.sphere_is_readout for result in arm.results)


def _smaller(group: Group, groups: Sequence[Group]) -> list[tuple[int, Group]]:
    """The groups that differ from this one by a smaller dimension alone, and these, the smallest first."""
    found = []
    for other in groups:
        mine, theirs = dict(group.arms[0].cell), dict(other.arms[0].cell)
        here, there = mine.pop("dim", None), theirs.pop("dim", None)
        if isinstance(here, int) and isinstance(there, int) and there < here and mine == theirs:
            found.append((there, other))
    return sorted(found, key=lambda item: item[0])
