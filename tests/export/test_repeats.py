"""What cannot depend on d is listed once, and the difference of two such is held against chance once."""

from __future__ import annotations

import pytest

from ltviz.export.findings import against_baseline
from ltviz.export.repeats import listed_at, repeats_note, shown_once
from ltviz.export.report import write_report
from ltviz.export.results import group_results, read_results
from ltviz.export.summary import markdown

KEY = "accuracy_few"


@pytest.fixture
def groups(make_run):
    """groups({3: .5, 64: .5}) -> CE and re-weighting, whose spheres are read-outs, and BCL, of three seeds at each d,
    CE with this accuracy."""

    def made(ce: dict[int, float], seeds: int = 3):
        runs = [
            make_run(method, seed, dim=dim, few=few + 0.01 * seed + more)
            for dim, few in ce.items()
            for method, more in (("ce", 0.0), ("reweight", 0.1), ("bcl", 0.2))
            for seed in range(seeds if dim == 3 else 3)
        ]
        return group_results(read_results(runs)[0])

    return made


def test_a_read_out_is_listed_at_the_smallest_d_alone(groups, tmp_path) -> None:
    found = groups({3: 0.5, 16: 0.5, 64: 0.5})
    told = {
        (group.shown["dim"], arm.method): shown_once(group, arm, KEY, found) for group in found for arm in group.arms
    }
    assert told[3, "ce"].startswith("51.0") and told[16, "ce"] == told[64, "ce"] == "as at d 3"
    assert told[64, "reweight"] == "as at d 3" and told[64, "bcl"] == told[3, "bcl"] != "as at d 3"
    note = repeats_note(found, [KEY])
    assert "features of CE and REWEIGHT cannot depend on d" in note and "at d 16, 64 as at a smaller d" in note
    assert markdown(found).count("as at d 3") == 8, "many and few, of two methods at two d"
    runs = [result.recording for group in found for arm in group.arms for result in arm.results]
    write_report(tmp_path / "report.html", runs)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<td class=number>as at d 3</td>") == 8 and page.count("cannot depend on d") == 2


def test_their_difference_is_said_and_corrected_for_once(groups) -> None:
    found = groups({3: 0.5, 64: 0.5})
    pairs = [(one.group.shown["dim"], one.comparison.first) for one in against_baseline(found, [KEY])]
    assert pairs == [(3, "REWEIGHT"), (3, "BCL"), (64, "BCL")]
    assert {one.comparison.family for one in against_baseline(found, [KEY])} == {3}


def test_numbers_that_differ_are_listed_wherever_they_stand(groups) -> None:
    for found in (groups({3: 0.5, 64: 0.55}), groups({3: 0.5, 64: 0.5}, seeds=2)):
        assert all(listed_at(group, arm, KEY, found) is None for group in found for arm in group.arms)
        assert repeats_note(found, [KEY]) == ""
