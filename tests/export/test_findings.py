"""What is said of differences: one function for pages, reports and sweeps, corrected for all that is shown together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltviz.export import findings
from ltviz.export.findings import against_baseline, between, images_note, sentences, shared_image_error
from ltviz.export.results import group_results, read_results
from ltviz.metrics.comparison import share_error
from ltviz.recording import Recording, RunInfo, RunWriter

COUNTS = [120, 60, 30, 8, 4]
LABELS = np.tile(np.arange(5), 20)


def groups(*runs: Recording):
    return group_results(read_results(runs)[0])


def make(home: Path, method: str, seed: int, few: float, ids: np.ndarray) -> Recording:
    """A run whose test images are the second half of `ids`; two of its five classes are rare."""
    info = RunInfo(
        run_id=f"{method}-s{seed}", method=method, title=method.upper(), created=1e9, dim=3, num_classes=5,
        class_names=list("abcde"), counts=COUNTS, total_steps=1, seed=seed, data="digits-lt", imbalance_factor=30.0,
        config={"run": {"steps": 1}, "method": {}},
    )  # fmt: skip
    split = np.arange(len(LABELS)) >= 50
    with RunWriter.create(home / info.run_id, info, labels=LABELS, split=split, sample_ids=ids) as writer:
        z = np.eye(5, 3)[LABELS] + 0.1
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        writer.frame(0, embeddings=z, metrics={"accuracy_few": few, "accuracy_all": few, "centre_sum": 0.5})
    return Recording(writer.path)


@pytest.fixture
def race(home: Path):
    """race(stride) -> the group of CE and BCL on three seeds, whose images move on by `stride` from seed to seed."""

    def made(stride: int, gains: tuple[float, ...] = (0.2, 0.21, 0.19)):
        runs = []
        for seed, gain in enumerate(gains):
            ids = np.arange(len(LABELS)) + stride * seed
            runs += [make(home, "ce", seed, 0.5 + seed / 100, ids), make(home, "bcl", seed, 0.5 + gain, ids)]
        return groups(*runs)[0]

    return made


def test_images_that_all_seeds_share_count_whole_and_others_not_at_all(race, home: Path) -> None:
    group = race(0)
    ce, bcl = group.arms
    assert [len(ids) for ids in ce.results[0].images("accuracy_few") or []] == [10, 10]
    assert [len(ids) for ids in ce.results[0].images("accuracy_all") or []] == [50]
    assert ce.results[0].images("centre_sum") is None and ce.results[0].images("validation_few") is None
    values = zip(ce.by_seed("accuracy_few").values(), bcl.by_seed("accuracy_few").values(), strict=True)
    variance = np.mean([share_error(a, [10, 10]) ** 2 + share_error(b, [10, 10]) ** 2 for a, b in values])
    assert shared_image_error(bcl, ce, "accuracy_few") == pytest.approx(np.sqrt(variance))
    assert shared_image_error(bcl, ce, "centre_sum") == 0


def test_images_of_one_seed_alone_are_seen_in_the_scatter(race) -> None:
    ce, bcl = race(1000).arms
    assert shared_image_error(bcl, ce, "accuracy_few") == 0


def test_images_that_some_seeds_share_count_in_part(race) -> None:
    ce, bcl = race(25).arms
    whole = np.mean([share_error(arm.by_seed("accuracy_all")[s], [50]) ** 2 for s in range(3) for arm in (ce, bcl)]) * 2
    # half of the images are shared by neighbouring seeds, none by the first and the last
    assert shared_image_error(bcl, ce, "accuracy_all") == pytest.approx(np.sqrt(whole / 3))


def test_few_images_leave_open_what_seeds_alone_would_settle(race) -> None:
    (few, *_) = against_baseline([race(0)])
    assert few.comparison.measure == "accuracy_few" and not few.comparison.differs, "20 points of 20 images"


def test_other_images_settle_it(race) -> None:
    (few, *_) = against_baseline([race(1000)])
    assert few.comparison.differs and few.comparison.better == "BCL"


def test_the_family_is_all_that_is_shown_together(six: list[Recording], make_run) -> None:
    third = [make_run("ce", s, centre_sum=v, few=0.4) for s, v in enumerate((0.5, 0.47, 0.41))]
    other = [make_run(m, s, imbalance_factor=10.0, centre_sum=v + s / 50) for m, v in (("ce", 0.5), ("bcl", 0.3))
             for s in range(3)]  # fmt: skip
    found = against_baseline(groups(*six, *third, *other))
    assert {one.comparison.family for one in found} == {len(found)} == {4}, "two measures: two methods here, one there"
    assert {one.comparison.methods for one in found} == {2, 3}, "the error is pooled within a group"
    (group, _) = groups(*six, *third, *other)[::-1]
    rows = between(group, group.arms[0], group.arms[1])
    assert {one.family for one in rows} == {len(rows)} and len(rows) == 3


def test_too_few_seeds_are_said_once(make_run) -> None:
    one = [make_run(method, 0, centre_sum=0.1 * i) for i, method in enumerate(("ce", "bcl", "supcon", "tsc", "gml"))]
    found = against_baseline(groups(*one))
    assert len(found) == 7, "of the sphere CE knows nothing: it is a read-out, and BCL stands in"
    (said,) = sentences(found)
    assert said.startswith("Too few seeds to tell the methods apart: 1 seed, and an interval needs 3.")
    assert findings.notes([one.comparison for one in found]) == []
    assert {row[3] for row in findings.cells(found)} == {"–"}


def test_what_cannot_be_told_apart_is_one_sentence_a_measure(make_run) -> None:
    rng = np.random.default_rng(0)
    runs = [make_run(m, s, centre_sum=v) for m in ("ce", "bcl", "tsc") for s, v in enumerate(rng.normal(0.5, 0.1, 5))]
    said = sentences(against_baseline(groups(*runs)), lambda group: "here")
    assert said[1:] == ["here: TSC's centre sum (all samples) cannot be told from BCL's over 5 seeds."]
    assert "few" not in " ".join(findings.notes([one.comparison for one in against_baseline(groups(*runs))]))


def test_test_images_are_counted(six: list[Recording]) -> None:
    said = images_note(groups(*six))
    assert said.startswith("Test images behind an accuracy of one run") and "few 6 (± " in said
    assert images_note(groups(*six), ["centre_sum"]) == ""


def test_for_a_terminal(six: list[Recording], make_run) -> None:
    told = findings.markdown(groups(*six))
    assert (
        told.splitlines()[0].startswith("| methods      | measure")
        and "BCL's centre sum (all samples) is lower than SUPCON's" in told
    )
    assert findings.markdown(groups(six[0])) == ""
    found = findings.as_json(against_baseline(groups(*six)))
    assert found[1]["measure"] == "centre_sum" and found[1]["corrected"] == pytest.approx(2 * found[1]["p"])
    assert found[1]["better"] == "BCL" and found[1]["data"] == "digits-lt"
