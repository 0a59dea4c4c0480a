"""What a frame sees of a method, and that looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.errors import ConfigError
from ltviz.marks import QUEUE, TARGETS, VIEWS, Points, Reading, Segments, Shown
from ltviz.methods import registry
from ltviz.methods.base import Batch, Settings, Setup, Step
from ltviz.methods.ce import CrossEntropy
from ltviz.metrics import neural_collapse
from ltviz.recording import Recording
from ltviz.training.observer import per_sample_loss
from ltviz.training.race import Race

Start = Callable[..., Race]


class Open(CrossEntropy):
    """Cross-entropy that lets everything be seen, and gives its classes other targets now and then."""

    readings = (
        Reading(key="length", title="Length", short="A number."),
        Reading(key="heat", title="Heat", short="One."),
    )
    marks = (*CrossEntropy.marks, VIEWS, QUEUE, TARGETS)

    def __init__(self, settings: Settings, setup: Setup):
        super().__init__(settings, setup)  # pyright: ignore[reportArgumentType]
        self.steps = 0

    def read(self) -> dict[str, Tensor]:
        return {"length": self.counts * torch.nan, "heat": torch.tensor(0.5)}

    def show(self, batch: Batch) -> dict[str, Shown]:
        return {
            "views": Segments(self.embed(batch.view(0)), self.embed(batch.view(1)), batch.y),
            "queue": Points(F.normalize(torch.ones(4, 3), dim=1), torch.arange(4), torch.arange(4)),
        }

    def landmarks(self) -> dict[str, Tensor]:
        return {**super().landmarks(), "targets": self.display.directions()}

    def target_index(self) -> Tensor:
        return torch.arange(len(self.counts)).roll(self.steps // 4)

    def after_step(self, step: Step) -> None:
        self.steps += 1


@pytest.fixture
def opened(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    monkeypatch.setattr(registry, "method", lambda name: Open)
    start("ce", steps=8, max_fps=1000.0, watch_share=0.9).run()
    return Recording(tmp_path / "runs" / "ce")


def test_frames_hold_what_the_method_lets_be_seen(opened: Recording) -> None:
    seen: Any = opened.last()
    assert np.isnan(seen.readings["length"]).all() and seen.readings["heat"].tolist() == [0.5]
    assert [reading.key for reading in opened.info.readings] == ["length", "heat"]
    assert [mark.key for mark in opened.info.marks] == ["classifier", "views", "queue", "targets"]
    a, b, y = seen.marks["views"]
    assert len(a) == len(b) == len(y) <= 60 and set(y) == set(range(opened.info.num_classes))
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1, rtol=1e-5)
    assert not np.allclose(a, b), "two views are two pictures"
    assert seen.marks["queue"].age.tolist() == [0, 1, 2, 3]


def test_classes_that_change_their_target_are_marked(opened: Recording) -> None:
    swaps = [event for frame in opened.since(-1) for event in frame.events if event["kind"] == "swap"]
    assert [event["step"] for event in swaps] == [4, 8]
    assert swaps[0]["classes"] == list(range(opened.info.num_classes))


def test_looking_changes_nothing(start: Start, tmp_path: Path) -> None:
    (lane,) = start("moco", steps=3, probe_points=40).lanes
    method = lane.method.train()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    rng_state = torch.get_rng_state()
    first, second = (lane._observer.observe(method, 0) for _ in range(2))
    assert method.training and torch.equal(rng_state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())
    np.testing.assert_array_equal(first.embeddings, second.embeddings)
    assert first.metrics == second.metrics
    lane.end("finished", None)


def test_the_loss_of_a_sample_is_that_of_the_classifier(opened: Recording) -> None:
    frame: Any = opened.last()
    right = frame.samples["prediction"] == frame.labels
    loss = frame.samples["loss"].astype(np.float32)
    assert frame.samples["loss"].dtype == np.float16
    np.testing.assert_allclose(loss[right], -np.log(frame.samples["confidence"][right]), atol=2e-3)
    assert (loss[~right] >= -np.log(0.5) - 2e-3).all(), "what is wrong costs at least log 2"


def test_with_several_labels_the_loss_is_binary_and_clipped() -> None:
    logits = torch.tensor([[0.0, 0.0], [1e6, 0.0]])
    cost = per_sample_loss(logits, np.array([0, 1]), np.array([[1, 0], [0, 1]], np.uint8))
    assert cost.tolist() == [pytest.approx(np.log(2), abs=1e-3), np.finfo(np.float16).max]


def test_neural_collapse_is_that_of_features_and_classifier(start: Start) -> None:
    """Of the 3-D embeddings, which are unit and no classifier reads, NC1 is another and NC2 to NC4 are not there."""
    (lane,) = start("ce", steps=3, probe_points=60).lanes
    method, observer = lane.method, lane._observer
    found = observer.observe(method, 0).metrics
    method.eval()
    with torch.no_grad():
        features = torch.cat([method.encoder(rows) for rows in observer._inputs.blocks()]).numpy()
        weight, bias = method.classifier.weight.numpy(), method.classifier.bias.numpy()  # pyright: ignore
        views = [method.embed(lane._observer.shown.view(i)) for i in (0, 1)]
    expected = neural_collapse(features, observer.probe.labels, weight, bias)
    assert {key: found[key] for key in ("nc1", "nc2", "nc3", "nc4")} == pytest.approx(dict(expected), rel=1e-5)
    assert found["equinorm"] > 0 and {"nc1_train", "nc1_test"} <= set(found)
    assert found["alignment"] == pytest.approx(float((views[0] - views[1]).square().sum(1).mean()), rel=1e-5)
    assert found["alignment_n"] == len(views[0]) <= 60
    lane.end("finished", None)


def test_a_cosine_classifier_is_held_against_unit_features(start: Start) -> None:
    (lane,) = start("bcl", steps=3, probe_points=60).lanes
    found = lane._observer.observe(lane.method, 0).metrics
    with torch.no_grad():
        (rows,) = lane._observer._inputs.blocks()
        unit = F.normalize(lane.method.eval().encoder(rows), dim=1).numpy()
    weight = lane.method.linear_classifier().weight.detach().numpy()
    expected = neural_collapse(unit, lane._observer.probe.labels, weight, np.zeros(len(weight)))
    assert {key: found[key] for key in ("nc1", "nc2", "nc3", "nc4")} == pytest.approx(dict(expected), rel=1e-4)
    lane.end("finished", None)


def test_of_several_labels_no_single_answer_is_judged(start: Start) -> None:
    (lane,) = start("bce", data="digits-ml", steps=2).lanes
    found = lane._observer.observe(lane.method, 0).metrics
    assert {"map_all", "nc1", "alignment"} <= set(found)
    assert not {"accuracy_all", "nc2", "nc3", "nc4"} & set(found)
    lane.end("finished", None)


def test_the_labels_of_mosaics_are_recorded(start: Start, tmp_path: Path) -> None:
    start("bce", data="digits-ml", steps=2).run()
    probe = Recording(tmp_path / "runs" / "bce").probe
    assert probe.label_sets is not None and probe.label_sets.shape == (len(probe.labels), 10)
    assert (probe.label_sets.sum(1) >= 1).all() and (probe.label_sets.sum(1) > 1).any()


def test_what_a_method_has_not_declared_ends_its_race_with_what_to_add(start: Start) -> None:
    (lane,) = start("ce", steps=2, probe_points=40).lanes
    look = lane._observer.observe
    for kind, message in (
        (type("Unmarked", (Open,), {"marks": CrossEntropy.marks}), r"marks have no segments named 'views'; add Mark\("),
        (type("Unread", (Open,), {"readings": ()}), r"readings have no 'length'; add Reading\("),
    ):
        method = kind(lane.method.settings, lane.method.setup_)
        with pytest.raises(ConfigError, match=message):
            look(method, 0)
    lane.end("finished", None)
