"""Class centres are of training samples, of which theory speaks."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.metrics.alarms import observe
from ltviz.projection.centres import class_centres, training_labels
from ltviz.recording import Frame
from ltviz.recording.drawn import DRAWN, MANY, drawn_of, split_of
from ltviz.recording.measured import MOST_MEASURED, observed_of
from ltviz.recording.probe import make_probe


def test_centres_are_of_training_samples_and_of_all_where_a_class_has_none() -> None:
    labels, split = np.array([0, 0, 1, 1, -1]), np.array([0, 1, 1, 2, 0])
    assert training_labels(labels, split).tolist() == [0, -1, 1, 1, -1]
    assert training_labels(labels, None) is labels
    z = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1], [1, 0]])
    found = class_centres(z, training_labels(labels, split), 2)
    assert found[0] == pytest.approx([1, 0]) and found[1] == pytest.approx([0, 1])


def test_the_split_follows_the_samples_that_stand_for_very_many() -> None:
    n = MANY + 1000
    labels = np.arange(n) % 2
    split = (np.arange(n) % 3 > 0).astype(np.uint8)
    z = np.stack([np.where(split == 0, 1.0, -1.0), np.zeros(n)], axis=1).astype(np.float32)  # the place tells the split
    frame = Frame(step=1, embeddings=z, labels=labels.astype(np.int32))
    probe = make_probe(labels, num_classes=2, split=split)
    for seen in (frame, drawn_of(frame)):
        theirs = split_of(seen, probe)
        assert theirs is not None and ((seen.embeddings[:, 0] == 1) == (theirs == 0)).all()
    assert len(drawn_of(frame).labels) == DRAWN
    some, theirs = observed_of(frame, split)
    assert theirs is not None and len(theirs) == MOST_MEASURED
    assert ((some.embeddings[:, 0] == 1) == (theirs == 0)).all()
    assert observe(some, np.array([9, 9]), theirs).cap == pytest.approx(0, abs=1e-6)
