"""Training on image files: the same as on the same images in memory, and a damaged one is replaced and told of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ltviz.data import device_inputs, registry
from ltviz.data import inputs as inputs_module
from ltviz.data.device_inputs import DeviceInputs, channels_first
from ltviz.data.inputs import HeldInputs, ImageFiles, Inputs
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where
from ltviz.data.tensors import Batches
from ltviz.errors import DataError
from ltviz.recording import Recording
from ltviz.training.race import Race
from ltviz.training.start import resume

Start = Callable[..., Race]
C, PER_CLASS, SIDE = 3, 12, 8


class Killed(BaseException):
    """Stands in for a power cut."""


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of PNGs behind two data sets, "streamed" and "held"; nothing of "streamed" is kept in memory."""
    root = tmp_path / "photos"
    root.mkdir()
    labels, num = np.arange(C * PER_CLASS) % C, C * PER_CLASS
    pixels = np.random.default_rng(0).integers(0, 100, (num, SIDE, SIDE)) + 70 * labels[:, None, None]
    paths = [f"{i}.png" for i in range(num)]
    for path, image in zip(paths, pixels.astype(np.uint8), strict=True):
        Image.fromarray(image).save(root / path)

    class Photos(Source):
        name, title, about = "streamed", "Photos", "Photos."
        reads_images = True

        def outline(self, where: Where) -> Outline:
            train, test = ((int(n),) * C for n in (PER_CLASS - 2, 2))
            return Outline(
                class_names=("a", "b", "c"),
                shape=(SIDE, SIDE),
                train_counts=train,
                test_counts=test,
                mean=(0.4,),
                std=(0.2,),
            )

        def inputs(self, index: np.ndarray, where: Where) -> Inputs:
            stand_ins = labels[index] if where.skip_bad else None
            return ImageFiles([paths[i] for i in index], (SIDE, SIDE), root=root, stand_ins=stand_ins)

        def read(self, where: Where) -> Pool:
            test, train = np.split(np.arange(num), [2 * C])
            return Pool(
                train_inputs=self.inputs(train, where), train_labels=labels[train], train_ids=train,
                test_inputs=self.inputs(test, where), test_labels=labels[test], test_ids=test,
                class_names=("a", "b", "c"),
            )  # fmt: skip

    class Held(Photos):
        name = "held"

        def inputs(self, index: np.ndarray, where: Where) -> Inputs:
            return HeldInputs(super().inputs(index, where).whole())

    monkeypatch.setattr(registry.SOURCES, "_found", {**registry.sources(), "streamed": Photos(), "held": Held()})
    monkeypatch.setattr(Inputs.hold, "__defaults__", (0,))
    return root


RUN = {"imbalance_factor": 2, "max_per_class": 10, "batch_size": 8, "steps": 12, "encoder": "convnet"}


def frames(path: Path) -> list[np.ndarray]:
    recording = Recording(path)
    return [recording.frame(step).embeddings for step in recording.steps()]


def test_a_run_on_files_is_that_on_the_same_images_in_memory(start: Start, photos: Path, tmp_path: Path) -> None:
    (lane,) = start("ce", folder="files", data="streamed", **RUN).lanes
    assert not isinstance(lane._shared.probe.inputs, HeldInputs)
    lane.undo()
    for folder, data in (("files", "streamed"), ("memory", "held")):
        start("ce", folder=folder, data=data, **RUN).run()
    one, two = tmp_path / "files" / "ce", tmp_path / "memory" / "ce"
    for a, b in zip(frames(one), frames(two), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (one / "metrics.jsonl").read_bytes() == (two / "metrics.jsonl").read_bytes()
    told = [json.loads((path / "evaluation.json").read_text()) for path in (one, two)]
    assert told[0] == told[1]
    np.testing.assert_array_equal(Recording(one).probe.thumbnails, Recording(two).probe.thumbnails)
    config = Recording(one).config
    assert config["policies"] == ["affine"] and config["augmentation"] == "afresh at each step"
    assert config["data"] == {"profile": "exp", "imbalance_factor": "set", "notes": []}


def test_a_run_on_files_goes_on_bit_for_bit(
    start: Start, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltviz.training.phase.SAVE_STEPS", 4)

    def cut(step: int) -> None:
        if step == 7:
            raise Killed

    start("toy", folder="whole", data="streamed", **RUN).run()
    with pytest.raises(Killed):
        start("toy", folder="cut", data="streamed", progress=cut, **RUN).run()
    resume([tmp_path / "cut" / "toy"]).run()
    a, b = (Recording(tmp_path / folder / "toy").last() for folder in ("whole", "cut"))
    assert a is not None and b is not None
    np.testing.assert_array_equal(a.embeddings, b.embeddings)


def test_a_damaged_file_ends_the_run_or_is_replaced_and_told_of(start: Start, photos: Path, tmp_path: Path) -> None:
    bad = photos / "20.png"
    bad.write_bytes(bad.read_bytes()[:60])
    race = {"data": "streamed", **RUN, "steps": 30, "imbalance_factor": 1}
    with pytest.raises(DataError, match=r"an image must be readable to its end.*20\.png$"):
        start("ce", folder="strict", **race)
    (outcome,) = start("ce", folder="lenient", skip_bad=True, **race).run()
    assert outcome.state == "finished"
    recording = Recording(tmp_path / "lenient" / "ce")
    events = [event for frame in recording.since(-1) for event in frame.events if event["kind"] == "replaced"]
    assert len(events) == 1 and events[0]["total"] == 1
    other = re.search(r"so (\d+)\.png of its class stands in: .*/20\.png$", events[0]["files"][0])
    assert other is not None and int(other[1]) % C == 20 % C


def test_what_is_seen_is_normalised_after_the_augmentation(photos: Path) -> None:
    data = registry.load("held", imbalance_factor=1)
    batches = Batches(data, batch_size=4, seed=0, device=torch.device("cpu"), policies="none")
    batch = batches.at(1)
    raw = data.train_inputs.read(batch.index.numpy()).astype(np.float32)[:, None] / np.float32(255)
    expected = (torch.from_numpy(raw) - torch.tensor(0.4)) / torch.tensor(0.2)
    assert torch.equal(batch.view(0), expected)
    whole = torch.cat([*batches.inputs.blocks()])
    assert torch.equal(whole[batch.index], expected), "what is judged is normalised alike"


def test_each_view_has_its_policy_and_the_last_one_is_for_all_further_views(photos: Path) -> None:
    data = registry.load("held", imbalance_factor=1)

    def views(policies: str) -> list[torch.Tensor]:
        batches = Batches(data, batch_size=4, seed=0, device=torch.device("cpu"), policies=policies)
        return [batches.at(1).view(i) for i in range(4)]

    mixed, plain, moved = views("none, affine"), views("none"), views("affine")
    assert torch.equal(mixed[0], plain[0]) and not torch.equal(mixed[0], moved[0])
    assert all(torch.equal(mixed[i], moved[i]) for i in (1, 2, 3))
    prints = {
        Batches(data, batch_size=4, seed=0, device=torch.device("cpu"), policies=policies).fingerprint(5)
        for policies in ("", "affine", "affine,affine", "none", "none,affine")
    }
    assert len(prints) == 3, "affine alone is what all runs had before there were others"


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3), (5,)])
def test_inputs_on_the_device_are_floats_with_channels_first(shape: tuple[int, ...]) -> None:
    dtype = np.uint8 if len(shape) > 1 else np.float32
    array = np.random.default_rng(0).integers(0, 17, (9, *shape)).astype(dtype)
    white = 16.0 if len(shape) > 1 else 1.0
    found = DeviceInputs(HeldInputs(array, white), torch.device("cpu"))
    index = np.array([4, 4, 0])
    got = found.at(index)
    expected = array[index].astype(np.float32) / np.float32(white)
    expected = np.moveaxis(expected, -1, 1) if len(shape) == 3 else expected.reshape(3, *channels_first(shape))
    assert got.dtype == torch.float32 and got.is_contiguous()
    np.testing.assert_array_equal(got.numpy(), expected)
    assert torch.equal(found.at(index, torch.from_numpy(index)), got)


def test_files_are_read_ahead_and_what_is_never_asked_for_is_dropped(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = registry.load("streamed", imbalance_factor=1)
    batches = Batches(data, batch_size=4, seed=0, device=torch.device("cpu"), total_steps=50)
    batches.at(1).view(0)
    coming = batches.inputs._coming
    assert [*coming] == [batches._draw(2).tobytes()], "the next one"
    ahead = next(iter(coming.values())).result()
    with monkeypatch.context() as patch:
        patch.setattr(inputs_module, "decode", lambda *args: pytest.fail("read again"))
        batch = batches._make(2, batches._draw(2))
        batch.views(0, 1)
    np.testing.assert_array_equal(ahead, data.train_inputs.read(batch.index.numpy()))
    for step in range(3, 20):
        batches.at(step)
    assert len(coming) <= device_inputs._MOST_EXPECTED
    batches.at(50)
    assert batches._draw(51).tobytes() not in coming


def test_blocks_are_small_where_images_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_inputs, "BLOCK_NUMBERS", 6 * 4 * 3 * 2)
    array = np.random.default_rng(0).integers(0, 256, (5, 6, 4, 3)).astype(np.uint8)
    sizes = [len(block) for block in DeviceInputs(HeldInputs(array), torch.device("cpu")).blocks()]
    assert sizes == [2, 2, 1]
