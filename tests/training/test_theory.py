"""A run knows what theory says of its own method, and how far it is from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ltviz.geometry import Prediction, predicted_ce, predicted_supcon
from ltviz.methods import registry
from ltviz.methods.base import Method, Setup
from ltviz.recording import Recording
from ltviz.recording.measured import measure_frame
from ltviz.training.race import Race
from ltviz.training.sampled import exponent_throughout
from ltviz.training.settings import RunSettings
from ltviz.training.theory import OwnTheory, marks_of

Start = Callable[..., Race]
COUNTS = [40.0, 12.0, 12.0, 3.0]


def build(name: str, dim: int = 5, counts: list[float] = COUNTS, **settings: Any) -> Method:
    kind = registry.method(name)
    setup = Setup(
        encoder=nn.Linear(6, 8),
        head=nn.Linear(8, dim),
        feature_dim=8,
        dim=dim,
        counts=torch.tensor(counts),
        total_steps=10,
        generator=torch.Generator().manual_seed(0),
    )
    return kind(kind.Settings(**settings), setup)


def told(method: Method, exponent: float = 1.0) -> Prediction:
    found = OwnTheory.of(method, exponent)
    assert found is not None
    return found.prediction


@pytest.mark.parametrize(
    ("name", "settings", "options"),
    [
        ("supcon", {"temperature": 0.2}, {"temperature": 0.2}),
        ("supcon", {"average": "class"}, {"temperature": 0.1, "average": "class"}),
        ("kcl", {"temperature": 0.3}, {"temperature": 0.3}),
        ("bcl", {"average": "class"}, {"temperature": 0.1, "average": "class", "denominator": "classes"}),
        ("bcl", {"average": "sample"}, {"temperature": 0.1, "denominator": "classes"}),
    ],
)
def test_contrastive_methods_end_where_their_settings_say(name: str, settings: Any, options: Any) -> None:
    found = told(build(name, **settings))
    np.testing.assert_allclose(found.mean_angles, predicted_supcon(COUNTS, **options).mean_angles, atol=1e-6)


def test_gml_ends_at_the_temperature_that_it_has_learned() -> None:
    method: Any = build("gml", teacher="none")
    with torch.no_grad():
        method.log_temperature.fill_(float(np.log(0.4)))
    near = predicted_supcon(COUNTS, temperature=0.4).mean_angles
    np.testing.assert_allclose(told(method).mean_angles, near, atol=0.5)


def test_cross_entropy_speaks_of_features_and_classifier_and_draws_nothing_on_the_sphere() -> None:
    theory = OwnTheory.of(build("ce", dim=3), 1.0)
    assert theory is not None
    assert theory.weights is not None
    np.testing.assert_allclose(theory.prediction.mean_angles, predicted_ce(COUNTS).mean_angles)
    assert theory.places(np.eye(4, 3)) == {}
    assert marks_of(build("ce", dim=3), 1.0) == []


def test_a_sampler_that_balances_classes_leads_to_the_simplex() -> None:
    half = np.sqrt(np.array(COUNTS))
    np.testing.assert_allclose(
        told(build("supcon"), 0.5).mean_angles, predicted_supcon(half, temperature=0.1).mean_angles, atol=1e-6
    )
    angles = told(build("supcon"), 0.0).mean_angles
    np.testing.assert_allclose(angles[np.triu_indices(4, 1)], np.degrees(np.arccos(-1 / 3)), atol=1e-3)
    assert OwnTheory.of(build("supcon"), None) is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("supcon", {"dim": 2}),
        ("supcon", {"form": "in"}),
        ("tsc", {"dim": 2}),
        ("kcl", {"k": 0}),
        ("simclr", {}),
        ("logit_adjust", {}),
        ("ce", {"classifier": "cosine"}),
    ],
)
def test_where_nobody_knows_nothing_is_said(name: str, options: dict[str, Any]) -> None:
    """Below C - 1 dimensions a prediction is one of several."""
    method = build(name, **options)
    assert OwnTheory.of(method, 1.0) is None
    assert marks_of(method, 1.0) == []


def test_classes_without_samples_have_no_place() -> None:
    theory = OwnTheory.of(build("supcon", counts=[40.0, 12.0, 3.0, 0.0]), 1.0)
    assert theory is not None
    assert np.isfinite(theory.means).all(axis=1).tolist() == [True, True, True, False]
    assert theory.places(np.eye(4, 5)) == {}


def test_a_theory_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    method = build("supcon")

    def fail(counts: np.ndarray) -> Prediction:
        raise ZeroDivisionError("no")

    monkeypatch.setattr(method, "theory", fail)
    assert OwnTheory.of(method, 1.0) is None
    assert "ZeroDivisionError" in caplog.text


def test_frames_hold_the_places_turned_onto_the_centres_and_the_distance(start: Start, tmp_path: Path) -> None:
    start("supcon", dim=9, steps=4, max_fps=1000.0, watch_share=0.9).run()
    recording = Recording(tmp_path / "runs" / "supcon")
    frame: Any = recording.last()
    places = frame.landmarks["theory"]
    counts = recording.info.counts
    expected = predicted_supcon(counts, temperature=0.1)
    np.testing.assert_allclose(places @ places.T, expected.means @ expected.means.T, atol=1e-5)
    (mark,) = (mark for mark in recording.info.marks if mark.key == "theory")
    assert "SupCon (derived" in mark.short
    assert "limit, not a forecast" in mark.short
    assert not mark.on
    again = measure_frame(recording, frame)
    for key in ("theory_error_mean", "theory_error_max", "theory_simplex_mean"):
        assert again[key] == pytest.approx(frame.metrics[key], abs=1e-3), key
    # nearer to the centres than before it was turned
    train = recording.probe.split == 0
    centres = np.stack([frame.embeddings[train & (frame.labels == c)].mean(0) for c in range(len(counts))])
    assert (places * centres).sum() > np.abs((expected.means * centres[:, : expected.means.shape[1]]).sum())


@pytest.mark.parametrize(
    ("settings", "exponent"),
    [
        ({}, 1.0),
        ({"sampling": "class-balanced"}, 0.0),
        ({"sampling": "progressive"}, None),
        ({"sampling": "power", "sampling_exponent": 0.3}, 0.3),
        ({"sampling": "power", "schedules": "sampling_exponent: linear 1 0"}, None),
    ],
)
def test_theory_rests_on_how_batches_are_drawn_throughout(settings: dict[str, Any], exponent: float | None) -> None:
    assert exponent_throughout(RunSettings(**settings)) == exponent
