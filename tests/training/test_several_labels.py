"""Samples with several labels: which methods take them, and what their frames say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ltviz.data import registry as data_registry
from ltviz.data.device_inputs import DeviceInputs
from ltviz.errors import ConfigError
from ltviz.methods import registry as method_registry
from ltviz.metrics.precision import mean_average_precision
from ltviz.recording import Recording
from ltviz.training.catalogue import catalogue
from ltviz.training.observer import predict
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin

Start = Callable[..., Race]


def test_with_one_label_the_likeliest_class_is_predicted() -> None:
    predictions, confidence = predict(torch.tensor([[0.0, 2.0, 1.0]]), several=False)
    assert predictions.dtype == np.int32 and predictions.tolist() == [1]
    np.testing.assert_allclose(confidence, [np.exp(2) / (1 + np.e + np.exp(2))], rtol=1e-6)


def test_with_several_labels_the_rarest_likely_class_is_predicted() -> None:
    logits = torch.tensor([[3.0, 1.0, -1.0], [3.0, 0.0, 0.5], [-3.0, -1.0, -2.0]])
    predictions, confidence = predict(logits, several=True)
    assert predictions.tolist() == [1, 2, 1]
    np.testing.assert_allclose(confidence, 1 / (1 + np.exp([-1.0, -0.5, 1.0])), rtol=1e-6)


def test_frames_tell_the_average_precision_of_the_test_mosaics(start: Start, tmp_path: Path) -> None:
    race = start("bce", data="digits-ml", steps=5, probe_points=2000)
    (lane,) = race.lanes
    method = lane.method
    race.run()
    run = Recording(tmp_path / "runs" / "bce")
    frame, data = run.last(), data_registry.load("digits-ml", imbalance_factor=10, max_per_class=30)
    assert frame is not None and data.test_multi is not None and run.info.counts == data.counts.tolist()
    with torch.no_grad():
        scores = (
            method.eval()
            .predict(DeviceInputs(data.test_inputs, torch.device("cpu")).at(np.arange(len(data.test_inputs))))
            .numpy()
        )
    expected = mean_average_precision(scores, data.test_multi, data.counts)
    for group in ("all", "many", "medium", "few"):
        assert frame.metrics[f"map_{group}"] == pytest.approx(getattr(expected, group), rel=1e-5)
    assert frame.epoch == pytest.approx(5 * 16 / len(data.train_ids)), "an epoch is a pass over the mosaics"


@pytest.mark.parametrize("names, data", [(["ce"], "digits-ml"), (["ltml"], "digits-lt"), (["ce", "bce"], "digits-lt")])
def test_a_method_that_does_not_fit_the_data_is_refused(names: list[str], data: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"learns from samples with (one|several) labels?, but those of digits-"):
        begin([Entrant(tmp_path / name, name) for name in names], RunSettings(data=data))
    assert not any(tmp_path.iterdir())


def test_the_catalogue_says_which_methods_fit_which_data() -> None:
    told = catalogue()
    several = {entry["name"]: entry["several_labels"] for entry in told["methods"]}
    assert {name for name, wants in several.items() if wants} >= {"bce", "focal", "ltml"}
    assert several == {name: kind.several_labels for name, kind in method_registry.methods().items()}
    assert [entry["name"] for entry in told["data"] if entry["several_labels"]] == ["digits-ml", "coco-mlt", "voc-mlt"]
