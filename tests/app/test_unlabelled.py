"""Samples without a label, and pictures in colour, from the folder to the browser's bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.recording import Recording


def record(home: Path, labels, dim: int = 3, **given) -> Recording:
    z = np.random.default_rng(0).normal(size=(len(labels), dim))
    with ltviz.record(home / "free-run", labels=labels, **given) as run:
        run.frame(0, embeddings=z / np.linalg.norm(z, axis=1, keepdims=True))
    return Recording(home / "free-run")


@pytest.mark.parametrize("dim", [2, 3, 6])
@pytest.mark.parametrize("labels", [[-1] * 12, [None, "a", "b", "b"] * 3], ids=["none", "some"])
def test_the_stream_sends_them_as_points_of_no_class(home: Path, talk, labels, dim: int) -> None:
    recording = record(home, labels, dim, images=np.full((12, 5, 5, 3), 9, np.uint8))
    seen = talk("free-run")
    seen.wait(lambda: seen.frames())
    card, payload = next((h, data) for h, data in seen.messages if h.get("type") == "run")
    offset, count, _ = card["arrays"]["labels"]
    sent = np.frombuffer(payload, "<u2", count, offset)
    assert ((sent == 65535) == (recording.probe.labels == -1)).all()
    assert card["num_classes"] == len(set(labels) - {None, -1}) and card["thumb"] == [5, 5, 3]
    [header] = seen.frames()[:1]
    assert header["n"] == 12 and len(header["centres"]) == card["num_classes"]
