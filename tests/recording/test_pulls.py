"""Who moved a class, out of a run's frames: read once, summed as they come, the same as all at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltviz.errors import RecordingError
from ltviz.marks import of_class
from ltviz.metrics.work import work
from ltviz.recording import Frame, Recording, RunInfo, RunWriter
from ltviz.recording.pulls import Pulls

LABELS = np.array([0, 0, 1, 1, -1], np.int32)
PLACES = np.array([[1, 0, 0], [1, 0.2, 0], [0, 1, 0], [0, 1, 0.2], [0, 0, 1]])


def frame(step: int, parts: tuple[str, ...] = ("positives", "head", "total")) -> Frame:
    rng = np.random.default_rng(step)
    z = PLACES + 0.02 * step * rng.normal(size=(5, 3))
    z = (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)
    forces = {"supcon": {part: rng.normal(size=(2, 3)).astype(np.float32) for part in parts}} if parts else {}
    return Frame(step=step, embeddings=z, labels=LABELS, forces=forces)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    names = ["zero", "one"]
    of = {"num_classes": 2, "class_names": names, "counts": [9, 2]}
    info = RunInfo(run_id="supcon-1", method="supcon", created=1.0e9, dim=3, **of)
    with RunWriter.create(tmp_path / "supcon-1", info, labels=LABELS) as made:
        yield made


def test_frames_that_come_one_by_one_give_what_all_at_once_give(writer: RunWriter) -> None:
    pulls = Pulls(Recording(writer.path))
    frames = [frame(step) for step in range(0, 14, 2)]
    assert pulls.of_classes() is None
    for one in frames:
        writer.write(one)
        pulls.of_classes()
    centres = np.stack([[one.embeddings[c == LABELS].mean(0) for c in (0, 1)] for one in frames]).astype(float)
    centres /= np.linalg.norm(centres, axis=2, keepdims=True)
    parts = {name: np.stack([one.forces["supcon"][name] for one in frames]) for name in ("positives", "head")}
    for start in (0, 3, 5):
        found, wanted = (
            pulls.of_classes(since=2 * start),
            work(np.arange(2 * start, 14, 2), centres[start:], {name: force[start:] for name, force in parts.items()}),
        )
        assert found is not None and found.steps.tolist() == wanted.steps.tolist()
        assert found.done.keys() == {"positives", "head"}, "the total is no part"
        for name in parts:
            np.testing.assert_allclose(found.done[name], wanted.done[name], atol=1e-6)
            np.testing.assert_allclose(found.doubt[name], wanted.doubt[name], atol=1e-6)
        np.testing.assert_allclose(found.moved, wanted.moved, atol=1e-4)


def test_by_class_they_sum_to_what_the_kinds_sum_to(writer: RunWriter) -> None:
    for step in range(5):
        one, rng = frame(step), np.random.default_rng(9 + step)
        first = rng.normal(size=(2, 3)).astype(np.float32)
        similar = sum(one.forces["supcon"][part] for part in ("positives", "head"))
        writer.write(replace(one, pulls=np.stack([first, similar - first], axis=1)))
    pulls = Pulls(Recording(writer.path))
    for found, same in (
        (pulls.of_classes(by_class=True), pulls.of_classes()),
        (pulls.of_sample(3, 1, by_class=True), pulls.of_sample(3, 1)),
    ):
        assert found is not None and same is not None and list(found.done) == [of_class(0), of_class(1)]
        np.testing.assert_allclose(sum(found.done.values()), sum(same.done.values()), atol=1e-6)
    writer.write(frame(5))
    assert pulls.of_classes(by_class=True) is None and pulls.of_classes(since=4) is not None, "one does not tell"


def test_frames_without_forces_or_with_a_total_alone_and_damaged_ones(writer: RunWriter) -> None:
    for step, parts in ((0, ("total",)), (1, ()), (2, ("total",)), (3, ("total",))):
        writer.write(frame(step, parts))
    damaged = writer.path / "frames" / "000000002.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-3])
    found = Pulls(Recording(writer.path)).of_classes()
    assert found is not None and found.steps.tolist() == [0, 3] and found.done.keys() == {"total"}


def test_a_sample_moves_under_the_force_on_its_class(writer: RunWriter) -> None:
    frames = [frame(step) for step in range(4)]
    for one in frames:
        writer.write(one)
    pulls = Pulls(Recording(writer.path))
    found = pulls.of_sample(3)
    places = np.stack([one.embeddings[3] for one in frames])[:, None]
    wanted = work(
        np.arange(4), places, {"head": np.stack([one.forces["supcon"]["head"][1] for one in frames])[:, None]}
    )
    assert found is not None
    np.testing.assert_allclose(found.done["head"], wanted.done["head"], atol=1e-6)
    assert pulls.of_sample(4) is None, "a sample without a class"
    with pytest.raises(RecordingError, match="from 0 to 4"):
        pulls.of_sample(5)
