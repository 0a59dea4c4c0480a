"""Nodes that do not see the home: their runs leave by a mirror, arrive while they train, and go on elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ltviz import launch
from ltviz.cli import main
from ltviz.errors import ConfigError, RecordingError, TrainingError
from ltviz.launch import own_disk
from ltviz.launch.apart import Arrivals, sees, shared_storage, token_of
from ltviz.recording import Recording, RunInfo, RunWriter, run_path
from ltviz.recording.mirror import Sender
from ltviz.recording.notes import read_notes, tag_run
from ltviz.recording.storage import Storage

RUN = "one-ce"
JOB = launch.Job(job_id="race-one", runs=(launch.JobRun(run_id=RUN, method="ce"),), run={"steps": 3})


def begin(home: Path, *, created: float | None = None) -> RunWriter:
    about = {"dim": 3, "num_classes": 2, "class_names": ["a", "b"], "counts": [3, 1], "total_steps": 3, "seed": 0}
    info = RunInfo(run_id=RUN, method="ce", created=created or time.time(), **about)  # type: ignore[arg-type]
    return RunWriter.create(run_path(home, RUN), info, labels=np.array([0, 1]))


def frame(writer: RunWriter, step: int) -> None:
    writer.frame(step, embeddings=np.eye(2, 3))


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(f"file://{tmp_path / 'bucket'}")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a node trains."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "node"))
    return tmp_path / "node" / "ltviz" / "trials"


def test_a_home_is_known_by_its_token_and_not_by_its_path(home: Path, tmp_path: Path) -> None:
    token = token_of(home)
    assert token_of(home) == token and sees(home, token)
    assert not sees(tmp_path / "elsewhere", token) and not sees(home, "another")
    with pytest.raises(ConfigError, match="nodes reach, and memory:// is of one process"):
        shared_storage("memory://x")


def test_a_run_arrives_while_it_trains_and_is_finished_when_all_of_it_is_here(
    home: Path, tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrivals, sender = Arrivals(home, storage), Sender(tmp_path / "far" / RUN, RUN, storage)
    here = Recording(run_path(home, RUN))
    assert arrivals.look([RUN]) and not arrivals.apart and not here.exists
    writer = begin(tmp_path / "far")
    writer.set_state("running", None)
    frame(writer, 0)
    sender.send()
    assert arrivals.look([RUN]) and arrivals.apart
    assert here.steps() == [0] and here.status().state == "running", "whoever looks at the home sees it train"
    tag_run(here.path, ["keep"])
    frame(writer, 3)
    writer.close()
    (tmp_path / "far" / RUN / "weights" / "3").mkdir(parents=True)
    (tmp_path / "far" / RUN / "weights" / "3" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "far" / RUN / "weights" / "LATEST").write_text("3")
    sender.send(end=True)
    plain = Storage.read_all

    def break_off(self: Storage, sizes: dict[str, int]) -> dict[str, bytes]:
        if any("frames/" in name for name in sizes):
            raise RecordingError("no route")
        return plain(self, sizes)

    with monkeypatch.context() as broken:
        broken.setattr(Storage, "read_all", break_off)
        assert not arrivals.look([RUN]), "it is asked for again"
    assert here.status().state == "running" and here.steps() == [0]
    assert arrivals.look([RUN])
    assert here.steps() == [0, 3] and here.status().state == "finished" and here.last().step == 3  # type: ignore[union-attr]
    assert (here.path / "weights" / "3" / "model.safetensors").read_bytes() == b"weights"
    assert read_notes(here.path).tags == ("keep",), "what was noted here stays"
    arrivals.close()


def test_another_run_in_the_home_is_not_written_over(home: Path, tmp_path: Path, storage: Storage) -> None:
    for place, created in ((home, 1.0), (tmp_path / "far", 2.0)):
        with begin(place, created=created) as writer:
            frame(writer, 0)
    assert Arrivals(home, storage).look([RUN]), "nothing has come: it may be one that nodes train in the home"
    Sender(tmp_path / "far" / RUN, RUN, storage).send(end=True)
    with pytest.raises(TrainingError, match="one-ce is at the mirror, and here as another one"):
        Arrivals(home, storage).look([RUN])
    assert Recording(run_path(home, RUN)).info.created == 1.0


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_trial_goes_on_with_what_another_node_has_sent(
    node: Path, tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    with begin(tmp_path / "far", created=1.0) as writer:
        frame(writer, 0)
    Sender(tmp_path / "far" / RUN, RUN, storage).send(end=True)
    found: list[Sequence[int]] = []

    def train(home: Path, job: launch.Job) -> None:
        found.append(Recording(home / RUN).steps())
        if not goes_on:  # as `left_of` says, which clears the folder then
            own_disk.remove_own(home / RUN)
            with begin(home, created=2.0) as writer:
                frame(writer, 2)

    monkeypatch.setattr(own_disk, "train_alone", train)
    monkeypatch.setattr(own_disk, "left_of", lambda home, job: job.model_copy(update={"resume": goes_on}))
    assert own_disk.train_apart(JOB, storage.url) == []
    assert found == [[0]] and Recording(node / RUN).exists is False, "what is finished and sent leaves the node"
    frames = [name for name in storage.files(RUN, deep=True) if name.startswith("frames/")]
    assert frames == [f"frames/{0 if goes_on else 2:09d}.safetensors"]


def test_a_mirror_is_for_ray(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.toml").write_text('methods = ["ce"]\nsteps = 3\n')
    line = ["sweep", str(tmp_path / "small.toml"), "--home", str(home), "--mirror"]
    assert main([*line, f"file://{tmp_path}"]) == 2
    assert "mirror is for nodes of a Ray cluster, got on here" in capsys.readouterr().err
