from __future__ import annotations

import doctest
import inspect

import numpy as np
import pytest
import torch

from ltviz.errors import RecordingWarning
from ltviz.integrations import tensorboard, watch
from ltviz.integrations.tensorboard import Writer
from ltviz.recording import Recording

Z = torch.eye(4, 3) + 0.1


def test_the_signature_is_tensorboards_own(installed):
    installed("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    own, theirs = (inspect.signature(one.add_embedding).parameters for one in (Writer, SummaryWriter))
    assert [(name, one.default) for name, one in own.items()] == [(name, one.default) for name, one in theirs.items()]


def test_steps_become_frames_of_one_run(tmp_path):
    writer = Writer(tmp_path / "run")
    images = torch.rand(4, 3, 8, 8)
    for step in (0, 10, 20):
        writer.add_embedding(Z * (step + 1), metadata=["a", "b", "a", "a"], label_img=images, global_step=step)
    writer.close()
    seen = Recording(tmp_path / "run")
    assert seen.steps() == [0, 10, 20] and seen.status().state == "finished"
    assert (seen.info.class_names, seen.info.counts) == (["a", "b"], [3, 1])
    assert seen.probe.thumbnails is not None and seen.probe.thumbnails.shape == (4, 8, 8, 3)


def test_without_steps_they_are_counted_and_without_metadata_nothing_is_labelled(tmp_path):
    with Writer(tmp_path / "run") as writer:
        for _ in range(3):
            writer.add_embedding(np.asarray(Z))
    seen = Recording(tmp_path / "run")
    assert seen.steps() == [0, 1, 2] and seen.info.num_classes == 0


def test_every_tag_is_a_run(tmp_path):
    with Writer(tmp_path / "run") as writer:
        writer.add_embedding(Z, metadata=[0, 1, 0, 1], tag="layer 1", global_step=0)
        writer.add_embedding(Z, metadata=[0, 1, 0, 1], tag="layer 2", global_step=0)
        writer.add_embedding(Z, metadata=[0, 1, 0, 1], tag="layer 1", global_step=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run-layer-2"]
    assert Recording(tmp_path / "run").steps() == [0, 1] and Recording(tmp_path / "run").info.title == "layer 1"


def test_of_several_columns_one_is_the_label_and_the_others_are_named(tmp_path):
    rows = [
        ["x.png", torch.tensor(3)],
        ["y.png", torch.tensor(3)],
        ["z.png", torch.tensor(8)],
        ["w.png", torch.tensor(8)],
    ]
    with Writer(tmp_path / "run") as writer, pytest.warns(RecordingWarning, match="'Label' .* file left out"):
        writer.add_embedding(Z, metadata=rows, metadata_header=["file", "Label"], global_step=0)
    assert Recording(tmp_path / "run").info.class_names == ["3", "8"]


@pytest.mark.parametrize("module", [tensorboard, watch], ids=lambda module: module.__name__)
def test_examples_do_what_they_say(module):
    assert doctest.testmod(module).failed == 0
