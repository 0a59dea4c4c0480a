"""What is measured of a recorded frame is what its trainer would say of it."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.recording import Recording
from ltviz.recording.measured import measure_frame

LABELS = np.array([0, 0, 0, 1, 1, 2])


@pytest.mark.parametrize("several", [False, True])
def test_one_predicted_class_is_not_judged_where_samples_have_several_labels(create, embeddings, several: bool) -> None:
    shown = {"label_sets": np.eye(3, dtype=np.uint8)[LABELS]} if several else {}
    with create(labels=LABELS, split=[0, 1, 1, 0, 1, 1], **shown) as writer:
        samples = {"prediction": LABELS.astype(np.int32), "confidence": np.ones(6, np.float32)}
        writer.frame(0, embeddings=embeddings(0), samples=samples)
    recording = Recording(writer.path)
    frame = recording.last()
    assert frame is not None
    found = measure_frame(recording, frame)
    own = {"accuracy_all", "accuracy_few", "calibration_error"}
    assert own & set(found) == (set() if several else own)
    assert "uniformity" in found
