from __future__ import annotations

import logging

import numpy as np
import pytest

from ltviz.errors import RecordingError
from ltviz.recording import load_weights, save_weights

GROUPS = {
    "model": {"layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(7)},
    "optimizer": {"0.exp_avg": np.zeros((2, 3), np.float64), "rng": np.arange(10, dtype=np.uint8)},
}


def test_weights_come_back_bit_for_bit(tmp_path):
    folder = save_weights(tmp_path, 1000, GROUPS, {"sampler": [3, 1, 2], "learning_rate": 0.1})
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "optimizer.safetensors", "state.json"}
    assert (tmp_path / "weights" / "LATEST").read_text() == "1000"
    loaded = load_weights(tmp_path)
    assert loaded.step == 1000 and loaded.state == {"sampler": [3, 1, 2], "learning_rate": 0.1}
    for group, arrays in GROUPS.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(loaded.tensors[group][name], array)
            assert loaded.tensors[group][name].dtype == array.dtype


def test_the_newest_are_taken_and_old_ones_go(tmp_path):
    for step in (10, 9, 100, 1000):
        save_weights(tmp_path, step, GROUPS, {"at": step})
    assert load_weights(tmp_path).state == {"at": 1000}
    assert load_weights(tmp_path, 100).state == {"at": 100}
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == ["10", "100", "1000", "LATEST"]


def test_saving_a_step_again_replaces_it(tmp_path):
    save_weights(tmp_path, 5, GROUPS, {"at": 1})
    save_weights(tmp_path, 5, GROUPS, {"at": 2})
    assert load_weights(tmp_path, 5).state == {"at": 2}


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
def test_damaged_weights_give_way_to_the_ones_before(tmp_path, name, caplog):
    save_weights(tmp_path, 10, GROUPS, {"at": 10})
    path = save_weights(tmp_path, 20, GROUPS, {"at": 20}) / name
    damaged = bytearray(path.read_bytes())
    damaged[-4] ^= 4
    path.write_bytes(damaged)
    with caplog.at_level(logging.WARNING, "ltviz"):
        assert load_weights(tmp_path).step == 10
    assert "weights of step 20 cannot be read" in caplog.text
    with pytest.raises(RecordingError, match="weights of step 20 cannot be read"):
        load_weights(tmp_path, 20)


def test_what_was_half_saved_is_not_there(tmp_path):
    save_weights(tmp_path, 10, GROUPS, {})
    (tmp_path / "weights" / ".20.77.tmp").mkdir()
    assert load_weights(tmp_path).step == 10
    with pytest.raises(RecordingError, match="plain JSON"):
        save_weights(tmp_path, 30, GROUPS, {"x": object()})
    assert load_weights(tmp_path).step == 10


def test_a_run_without_weights_says_so(tmp_path):
    with pytest.raises(RecordingError, match="no weights that can be read"):
        load_weights(tmp_path)


def test_group_names_cannot_leave_the_folder(tmp_path):
    with pytest.raises(RecordingError, match="Groups of weights"):
        save_weights(tmp_path, 1, {"../model": {}}, {})
