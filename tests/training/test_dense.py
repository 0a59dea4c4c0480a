"""Training on labelled pixels: methods as they are, frames of pixels, mIoU at the end, and resuming."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import jaccard_score

from ltviz.data.pixels import MARK, Pixels
from ltviz.encoders import PixelEncoder
from ltviz.errors import ConfigError
from ltviz.export.basis import judge_note
from ltviz.export.results import group_results, read_results
from ltviz.methods import registry
from ltviz.recording import Recording, load_weights
from ltviz.recording.evaluation import read_evaluation
from ltviz.training import phase as phase_module
from ltviz.training.judges import MOST_PIXELS
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import prepare
from ltviz.training.start import resume

Start = Callable[..., Race]
DENSE = {
    "data": "digits-seg",
    "encoder": "convnet",
    "steps": 6,
    "batch_size": 4,
    "max_per_class": 20,
    "probe_points": 80,
    "data_options": {"pixels": 5},
}
SINGLE = [name for name, kind in registry.methods().items() if not kind.several_labels]


class Killed(BaseException):
    """Ends a training where it stands, as a crash would."""


def test_every_method_for_one_label_takes_a_step_and_shows_its_marks(start: Start, tmp_path: Path) -> None:
    outcomes = start(*SINGLE, **{**DENSE, "steps": 2, "evaluate": False}).run()
    assert {one.method: one.state for one in outcomes} == dict.fromkeys(SINGLE, "finished")


def test_a_race_of_three_is_recorded_measured_and_judged(start: Start, tmp_path: Path) -> None:
    start("ce", "bcl", "gml", **DENSE, views=3).run()
    shared = prepare(RunSettings(**{"imbalance_factor": 10, **DENSE}))
    for name in ("ce", "bcl", "gml"):
        recording = Recording(tmp_path / "runs" / name)
        frame = recording.last()
        assert frame is not None and frame.forces and "accuracy_all" in frame.metrics
        assert frame.metrics["images_seen"] == 6 * 4 * 3, "images, not their pixels"
        assert frame.epoch == pytest.approx(6 * 4 / shared.data.num_images)
        thumbnails = recording.probe.thumbnails
        assert thumbnails is not None and thumbnails.shape == (80, 32, 32, 3)
        framed = (thumbnails == MARK).all(-1).sum((1, 2))
        assert framed.min() >= 5 and framed.max() == 16, "every point shows its pixel, some at the border"
        found = read_evaluation(recording.path)
        assert found is not None and set(found.miou) == {"all", "many", "medium", "few"}
        assert sum(found.pixels) == shared.data.test_inputs.num_images * 32 * 32
        assert set(found.accuracy) == {"own", "ncm", "linear"} and found.refused == {}
        assert "final_miou_few_own" in found.measures()
        assert found.judged is not None and found.judged.images == 150 == max(found.test_images)
        assert sum(found.judged.pixels) == len(range(150)) * (MOST_PIXELS // 150), "as many of each image"
        (result,), _ = read_results([recording])
        assert [len(ids) for ids in result.images("final_accuracy_all_own") or []] == [150], "not pixels: images"
        few = result.images("final_accuracy_few_ncm")
        assert few is not None and [len(ids) for ids in few] == found.test_images[-len(few) :]
        probe = shared.probe.inputs
        assert isinstance(probe, Pixels)
        test = recording.probe.split == 1
        p, n = frame.metrics["accuracy_all"], len(np.unique(probe.of[test]))
        assert n < test.sum() == frame.metrics["accuracy_all_n"]
        p = (p * n + 1) / (n + 2)
        assert frame.metrics["accuracy_all_error"] == pytest.approx((p * (1 - p) / n) ** 0.5)
    groups = group_results(read_results([Recording(tmp_path / "runs" / name) for name in ("ce", "bcl")])[0])
    assert "19,950 of them, as many of each of 150 test images, and mIoU of all" in judge_note(groups)


def test_a_frame_takes_each_image_once_through_the_encoder(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    race = start("ce", **DENSE)
    lane = race.lanes[0]
    observer, shared = lane._observer, lane._shared
    seen, whole = [], PixelEncoder.forward
    monkeypatch.setattr(PixelEncoder, "forward", lambda self, x: seen.append(len(x)) or whole(self, x))
    frame = observer.observe(lane.method, 0)
    probe = shared.probe.inputs
    assert isinstance(probe, Pixels) and probe.num_images < len(probe)
    assert sum(seen[:-2]) == probe.num_images, "and two views of the fixed samples"
    assert len(seen) <= 2 + len(np.unique(np.bincount(probe.of))), "images with equally many points go together"
    with torch.no_grad():
        one_by_one = torch.cat([lane.method.eval().embed(rows) for rows in shared.probe_inputs.blocks()])
    np.testing.assert_allclose(frame.embeddings, one_by_one.numpy(), atol=1e-5)


def test_overlap_is_that_of_all_pixels_of_all_test_images(start: Start, tmp_path: Path) -> None:
    race = start("ce", **DENSE)
    lane = race.lanes[0]
    method, data = lane.method, lane._shared.data
    race.run()
    found = read_evaluation(tmp_path / "runs" / "ce")
    assert found is not None
    pixels = data.test_inputs
    assert isinstance(pixels, Pixels)
    images = torch.from_numpy(pixels.images.whole()).float()[:, None] / 16
    places = torch.arange(1024.0).expand(len(images), -1)
    method.eval()
    with torch.no_grad():
        predicted = method.predict(torch.cat([images.flatten(1), places], 1)).argmax(1).numpy()
    each = jaccard_score(data.test_labels, predicted, average=None, labels=np.arange(11))
    there = np.isin(np.arange(11), np.concatenate([data.test_labels, predicted]))
    assert found.miou["all"] == pytest.approx(each[there].mean(), abs=1e-6)


def test_pixels_held_for_validation_are_not_judged(start: Start, tmp_path: Path) -> None:
    start("ce", **DENSE, validation_share=0.5).run()
    found = read_evaluation(tmp_path / "runs" / "ce")
    assert found is not None and found.validation_images > 0
    assert sum(found.pixels) + found.validation_images == 150 * 32 * 32


def test_a_run_goes_on_bit_for_bit(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def progress(step: int) -> None:
        if step == 4:
            raise Killed

    start("supcon", folder="whole", **DENSE).run()
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 3)
    with pytest.raises(Killed):
        start("supcon", progress=progress, **DENSE).run()
    (outcome,) = resume([tmp_path / "runs" / "supcon"]).run()
    assert (outcome.state, outcome.step) == ("finished", 6)
    whole, cut = tmp_path / "whole" / "supcon", tmp_path / "runs" / "supcon"
    assert Recording(whole).metrics() == Recording(cut).metrics()
    for group, arrays in load_weights(whole, 6).tensors.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, load_weights(cut, 6).tensors[group][name], err_msg=name)


@pytest.mark.parametrize(
    "settings, told",
    [({"encoder": "mlp"}, "feature map is needed, but mlp"), ({"policies": "affine"}, "in its place, got affine")],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    start: Start, tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        start("ce", **{**DENSE, **settings})
    assert not (tmp_path / "runs").exists()
