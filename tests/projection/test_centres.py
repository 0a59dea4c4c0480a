"""Class centres are of training samples, of which theory speaks."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.projection.centres import class_centres, training_labels


def test_centres_are_of_training_samples_and_of_all_where_a_class_has_none() -> None:
    labels, split = np.array([0, 0, 1, 1, -1]), np.array([0, 1, 1, 2, 0])
    assert training_labels(labels, split).tolist() == [0, -1, 1, 1, -1]
    assert training_labels(labels, None) is labels
    z = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1], [1, 0]])
    found = class_centres(z, training_labels(labels, split), 2)
    assert found[0] == pytest.approx([1, 0]) and found[1] == pytest.approx([0, 1])
