"""Runs that earlier versions wrote still open. One folder a format, made by the script beside it."""

from __future__ import annotations

import numpy as np

from ltviz.recording import Recording


def test_format_1_opens(golden):
    seen = Recording(golden / "records" / "v1")
    assert seen.status().state == "finished"
    assert (seen.info.method, seen.info.class_names[2], seen.config["run"]) == ("tsc", "<b>cat</b>", {"steps": 20})
    assert seen.steps() == [0, 10, 20] and seen.bad_frames() == []
    assert seen.probe.split.tolist() == [0, 0, 1, 1]
    assert seen.probe.thumbnails is not None and seen.probe.thumbnails[3].tolist() == [[12, 13], [14, 15]]
    assert seen.metrics() == [{"step": 0, "loss": 1.0}, {"step": 10, "loss": 1 / 11}, {"step": 20, "loss": 1 / 21}]
    for frame in seen.since(-1):
        angle = frame.step / 10 + np.arange(4)
        np.testing.assert_allclose(
            frame.embeddings, np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1), atol=1e-7
        )
        np.testing.assert_array_equal(frame.landmarks["targets"], np.eye(3))
        assert frame.target_index is not None and frame.target_index.tolist() == [2, 0, 1]
        assert frame.labels.tolist() == [0, 1, 2, 0]
        assert frame.samples["prediction"].tolist() == [0, 1, 2, 1]
        assert frame.samples["confidence"].tolist() == [0.5, 0.25, 0.125, 1.0]
        assert (frame.epoch, frame.seconds) == (frame.step / 4, frame.step / 2)
        assert frame.metrics == {"loss": 1 / (1 + frame.step)}
    assert seen.frame(10).events == [{"kind": "setting", "name": "temperature", "value": 0.2}]
