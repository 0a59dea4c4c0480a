from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest

import ltviz
from ltviz.errors import RecordingError
from ltviz.recording import Recording

Z = np.eye(3, dtype=np.float32)


@pytest.fixture
def folder(tmp_path):
    with ltviz.record(tmp_path / "run", labels=[0, 1, 2]) as run:
        for step in range(200):
            run._writer.frame(step, embeddings=Z)
    return tmp_path / "run"


def test_a_folder_deleted_while_it_is_read_is_no_error(folder):
    seen = Recording(folder)
    assert len(seen.steps()) == 200
    errors = []

    def read():
        try:
            while seen.exists:
                for frame in seen.since(100):
                    np.testing.assert_array_equal(frame.embeddings, Z)
                seen.bad_frames(), seen.frame_metrics(), seen.metrics(), seen.status()
        except Exception as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    shutil.rmtree(folder)
    reader.join()
    assert errors == []
    assert seen.steps() == [] and seen.last() is None and seen.bad_frames() == []
    assert seen.status().state == "lost" and "deleted" in (seen.status().reason or "")
    with pytest.raises(RecordingError, match="no frame of step 5"):
        seen.frame(5)


def test_a_writer_whose_folder_is_deleted_says_so(tmp_path):
    run = ltviz.record(tmp_path / "run", labels=[0, 1, 2])
    shutil.rmtree(run.path)
    with pytest.raises(RecordingError, match="cannot be written"):
        run._writer.frame(0, embeddings=Z)
    with pytest.raises(RecordingError, match=r"status.json cannot be written"):
        run.close()


def test_single_frames_that_go_are_forgotten(folder):
    seen = Recording(folder)
    seen.bad_frames()
    for step in range(0, 200, 2):
        (folder / "frames" / f"{step:09d}.safetensors").unlink()
    assert seen.steps() == list(range(1, 200, 2)) and len(seen.frame_metrics()) == 100
