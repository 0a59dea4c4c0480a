"""Samples without a label are kept and shown, and are of no class."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ltviz
from ltviz.errors import RecordingError
from ltviz.metrics import measure
from ltviz.recording import Recording, RunInfo, RunWriter

NAN = float("nan")


class Missing:
    """Like pandas' NA, which is neither equal to itself nor not."""

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = object.__hash__


@pytest.mark.parametrize(
    ("labels", "expected", "names", "counts"),
    [
        ([-1, 0, 0, 1], [-1, 0, 0, 1], ["0", "1"], [2, 1]),
        (np.array([-1, -1, -1, 0]), [-1, -1, -1, 0], ["0"], [1]),
        (np.array([2.0, NAN, 0.0, -1.0]), [2, -1, 0, -1], ["0", "1", "2"], [1, 0, 1]),
        ([NAN, 1.0, 0.0, 1.0], [-1, 1, 0, 1], ["0", "1"], [1, 2]),
        ([None, 1, 0, 1], [-1, 1, 0, 1], ["0", "1"], [1, 2]),
        (["cat", None, "", "dog"], [0, -1, -1, 1], ["cat", "dog"], [1, 1]),
        (["cat", NAN, -1, "dog"], [0, -1, -1, 1], ["cat", "dog"], [1, 1]),
        (np.array(["cat", "", "", "cat"]), [0, -1, -1, 0], ["cat"], [2]),
        (np.array([Missing(), "b", "a", "b"], object), [-1, 0, 1, 0], ["b", "a"], [2, 1]),
        (np.ma.array([0, 7, 1, 1], mask=[0, 1, 0, 0]), [0, -1, 1, 1], ["0", "1"], [1, 2]),
        (torch.tensor([1, -1, 0, 1]), [1, -1, 0, 1], ["0", "1"], [1, 2]),
        ([70, -1, 10, 70], [0, -1, 1, 0], ["70", "10"], [2, 1]),
    ],
)
def test_minus_one_nan_none_and_empty_text_are_no_class(tmp_path, labels, expected, names, counts):
    with ltviz.record(tmp_path / "run", labels=labels) as run:
        run.frame(0, embeddings=np.eye(4))
    seen = Recording(tmp_path / "run")
    assert seen.frame(0).labels.tolist() == expected and seen.probe.labels.tolist() == expected
    assert (seen.info.num_classes, seen.info.class_names, seen.info.counts) == (len(names), names, counts)
    assert seen.info.order.tolist() == np.argsort([-n for n in counts], kind="stable").tolist()


def test_a_name_for_the_unlabelled_is_no_class(tmp_path):
    with ltviz.record(tmp_path / "run", labels=[-1, 0, 1], class_names={-1: "?", 0: "a", 1: "b"}, counts=[3, 9]) as run:
        run.frame(0, embeddings=np.eye(3), targets=np.eye(3)[:2])
    seen = Recording(tmp_path / "run")
    assert seen.info.class_names == ["a", "b"] and seen.info.counts == [3, 9]
    assert seen.frame(0).target_index.tolist() == [0, 1]


def test_no_measure_sees_the_unlabelled(tmp_path, embeddings):
    z, y = embeddings(0, rows=60), np.repeat([0, 1, 2], 20)
    split, predicted = np.tile([0, 1, 2], 20), np.roll(y, 7)
    free = np.random.default_rng(1).random(60) < 0.4
    given = np.where(free, -1, y)
    with ltviz.record(tmp_path / "run", labels=given, split=split) as run:
        run.frame(0, embeddings=z, predictions=predicted, confidence=np.full(60, 0.5))
    seen = Recording(tmp_path / "run")
    kept = ~free
    assert seen.info.counts == np.bincount(y[kept & (split == 0)], minlength=3).tolist()
    expected = measure(
        z[kept],
        y[kept],
        num_classes=3,
        counts=np.array(seen.info.counts),
        split=split[kept],
        predictions=predicted[kept],
    )
    assert seen.frame(0).metrics == expected and "uniformity" in expected
    full = {"confidence": np.full(60, 0.5), "predictions": predicted, "split": split, "full": True}
    part = {name: value if name == "full" else value[kept] for name, value in full.items()}
    assert measure(z, given, **full) == measure(z[kept], y[kept], **part)


def test_a_run_without_any_label_has_no_classes_and_only_what_needs_none(tmp_path, embeddings):
    with ltviz.record(tmp_path / "run", labels=[None] * 6) as run:
        run.frame(0, embeddings=embeddings(0), targets=embeddings(1, rows=3), predictions=[-1] * 6)
        run.frame(1, embeddings=embeddings(1))
    seen = Recording(tmp_path / "run")
    assert (seen.info.num_classes, seen.info.class_names, seen.info.counts) == (0, [], [])
    frame = seen.frame(0)
    assert (frame.labels == -1).all() and frame.target_index is None and len(frame.landmarks["targets"]) == 3
    assert frame.samples["prediction"].tolist() == [-1] * 6
    assert frame.metrics.keys() == {"uniformity", "uniformity_wasserstein", "effective_rank"}
    assert seen.bad_frames() == []


def test_predictions_may_be_missing(tmp_path):
    with ltviz.record(tmp_path / "run", labels=["b", "", "a"], split=[1, 1, 1]) as run:
        run.frame(0, embeddings=np.eye(3), predictions=["b", "a", None])
    frame = Recording(tmp_path / "run").frame(0)
    assert frame.samples["prediction"].tolist() == [1, 0, -1] and frame.labels.tolist() == [1, -1, 0]
    assert frame.metrics["accuracy_all"] == 0.5, "an answer that is not given is not right"


def test_a_probe_knows_no_other_negative_label(create):
    with pytest.raises(RecordingError, match=r"or be -1 for none; got -2 to 2"):
        create(labels=[-2, 0, 0, 1, 1, 2])


def test_a_sample_without_a_label_has_no_set_of_labels(create):
    sets = np.eye(3, dtype=np.uint8)[[0, 0, 0, 1, 1, 2]]
    labels = [-1, 0, 0, 1, 1, 2]
    with pytest.raises(RecordingError, match=r"0 throughout for a sample without a label"):
        create(labels=labels, label_sets=sets)
    sets[0] = 0
    with create(labels=labels, label_sets=sets) as made:
        pass
    assert Recording(made.path).probe.label_sets[0].tolist() == [0, 0, 0]


def test_targets_of_no_classes_are_refused_with_a_sentence(tmp_path):
    info = RunInfo(run_id="no-class", created=0.0, dim=3, num_classes=0, class_names=[], counts=[])
    with RunWriter.create(tmp_path / "run", info, labels=[-1, -1]) as writer:
        writer.frame(0, embeddings=np.eye(3)[:2], target_index=np.zeros(0, int))
    assert Recording(tmp_path / "run").frame(0).step == 0
