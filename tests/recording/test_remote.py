"""Runs at an address, read through a cache: as the folder itself is, on demand, nothing of a stranger's believed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from ltviz.cli import main
from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import Recording, RunWriter, copies, open, remote
from ltviz.recording.mirror import Sender
from ltviz.recording.remote import RemoteHome
from ltviz.recording.storage import Storage

PATIENCE = 30.0
Make = Callable[..., RemoteHome]


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)


@pytest.fixture(params=["memory", "file"])
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield Storage(f"memory://{tmp_path.name}/runs" if request.param == "memory" else f"file://{tmp_path}/there")
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()


@pytest.fixture
def home(there: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Another program's look at the address, in a cache of its own where one is named."""
    made: list[RemoteHome] = []

    def make(cache: str = "own-cache", **given: Any) -> RemoteHome:
        made.append(RemoteHome(there.url, cache=tmp_path / cache, **given))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def sent(run: Path, there: Storage) -> Path:
    Sender(run, "test-run", there).send(end=True)
    return run


def test_a_run_is_listed_by_its_small_files_and_opened_as_a_whole(sent: Path, home: Make):
    far = home()
    [listed] = far.summaries()
    assert (listed.run_id, listed.state, listed.method) == ("test-run", "finished", "supcon")
    assert not (far.root / "test-run" / "frames").exists(), "a list brings no frame"
    found, here = far.find("test-run"), Recording(sent)
    assert found is not None and found.steps() == [0, 10, 20] and not found.bad_frames()
    for step in here.steps():
        assert np.array_equal(found.frame(step).embeddings, here.frame(step).embeddings)
    assert found.metrics() == here.metrics() and found.info == here.info
    assert found.status().state == "finished"


def test_what_is_there_already_is_not_brought_again(sent: Path, home: Make, monkeypatch: pytest.MonkeyPatch):
    assert home().find("test-run") is not None
    asked, read_all = [], Storage.read_all
    monkeypatch.setattr(Storage, "read_all", lambda self, sizes: asked.extend(sizes) or read_all(self, sizes))
    found = home().find("test-run")
    assert found is not None and found.steps() == [0, 10, 20] and asked == []


def test_new_frames_come_thinned_ones_go_and_a_deleted_run_goes(sent: Path, home: Make, there: Storage):
    far = home()
    assert far.find("test-run") is not None
    there.write({"test-run/frames/000000030.safetensors": (sent / "frames" / "000000020.safetensors").read_bytes()})
    there.remove(["test-run/frames/000000010.safetensors"])
    found = far.find("test-run")
    assert found is not None and found.frame_files() == [0, 20, 30]
    there.remove([f"test-run/{name}" for name in there.files("test-run", deep=True)])
    there.write({"other-run/status.json": b'{"state": "finished"}'})
    far = home()
    far._until = 0.0
    assert [run.run_id for run in far.summaries()] == ["other-run"] and not (far.root / "test-run").exists()


def test_a_run_that_is_written_elsewhere_runs_and_one_whose_writer_is_silent_is_lost(
    create: Callable[..., RunWriter], embeddings: Callable, home: Make, there: Storage, monkeypatch: pytest.MonkeyPatch
):
    with create() as writer:
        writer.frame(0, embeddings=embeddings(0))
        writer.set_state("running")
        Sender(writer.path, "test-run", there).send()
        far = home()
        assert [run.state for run in far.summaries()] == ["running"]
        found = far.find("test-run")
        assert found is not None and found.status().state == "running"
        monkeypatch.setattr(copies, "BEAT_SECONDS", -1.0)
        far.bring("test-run")
        assert found.status().state == "lost"


def test_a_page_waits_for_nothing_and_gets_the_newest_frame_first(
    sent: Path, home: Make, monkeypatch: pytest.MonkeyPatch
):
    order, read_all = [], Storage.read_all
    monkeypatch.setattr(Storage, "read_all", lambda self, sizes: order.extend(sizes) or read_all(self, sizes))
    page = home(waits=False)
    page.want("test-run")
    until(lambda: Recording(page.folder("test-run")).steps() == [0, 10, 20])
    frames = [name[-16:-12] for name in order if "/frames/" in name]
    assert frames[0] == "0020" and sorted(frames) == ["0000", "0010", "0020"]
    assert [run.state for run in page.summaries()] == ["finished"]


def test_an_address_that_cannot_be_reached_is_an_error_or_shows_what_was_brought(
    sent: Path, home: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    far = home()
    assert far.find("test-run") is not None and far.summaries()

    def broken(*_: object, **__: object) -> None:
        raise RecordingError("The storage could not be listed (no route to host).")

    monkeypatch.setattr(Storage, "folders", broken)
    monkeypatch.setattr(Storage, "files", broken)
    later = home()
    assert [run.run_id for run in later.summaries()] == ["test-run"]
    assert "no route" in later.skipped[0].reason
    found = later.find("test-run")
    assert found is not None and found.steps() == [0, 10, 20] and "may be old" in caplog.text
    with pytest.raises(RecordingError, match="no route"):
        home("empty").summaries()
    with pytest.raises(RecordingError, match="no route"):
        home("empty").find("test-run")
    page = home("empty", waits=False)
    assert page.summaries() == [] and "no route" in page.skipped[0].reason


HOSTILE = [
    "../escaped.json",
    "frames/../../../escaped.json",
    "lock",
    "control/1.json",
    "frames/evil.safetensors",
    "frames/.hidden",
    "weights/20/model.safetensors",
    "x" * 300,
    "frames/con.json",
    "notes.json\n",
]


def test_a_strangers_names_lead_nowhere(sent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Object stores keep any name; memory:// is asked for those that the disk would not even hold."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    there = Storage(f"memory://{tmp_path.name}/hostile")
    Sender(sent, "test-run", there).send(end=True)
    files = there.files("test-run", deep=True)
    entry = next(iter(files.values()))
    with monkeypatch.context() as patched:
        patched.setattr(Storage, "files", lambda *_, **__: files | dict.fromkeys(HOSTILE, entry))
        asked, read_all = [], Storage.read_all
        patched.setattr(Storage, "read_all", lambda self, sizes: asked.extend(sizes) or read_all(self, sizes))
        far = RemoteHome(there.url, cache=tmp_path / "own")
        assert far.find("test-run") is not None
    assert {name.partition("/")[2] for name in asked} == {*files} - {"mirror.json"}
    for name in ("..", "con", "a/b", "UPPER", ".hidden", "nul"):
        monkeypatch.setattr(Storage, "folders", lambda _, name=name: [name, "test-run"])
        far = RemoteHome(there.url, cache=tmp_path / "own")
        assert [run.run_id for run in far.summaries()] == ["test-run"], name
        assert name.startswith(".") or any(one.folder == name for one in far.skipped)
    assert not list(tmp_path.rglob("escaped*"))


def test_a_file_that_is_too_long_is_never_asked_for(
    sent: Path, home: Make, there: Storage, monkeypatch: pytest.MonkeyPatch
):
    files, listed = Storage.files, {}

    def swollen(self: Storage, folder: str, *, deep: bool = False) -> dict:
        found = files(self, folder, deep=deep)
        listed.update(
            {name: one._replace(size=1 << 40) for name, one in found.items() if name in ("notes.json", FRAME)}
        )
        return found | {name: one for name, one in listed.items() if name in found}

    monkeypatch.setattr(copies.Copies, "_check_room", lambda *_: None)
    there.write({"test-run/notes.json": b"{}"})
    monkeypatch.setattr(Storage, "files", swollen)
    found = home().find("test-run")
    assert {*listed} == {"notes.json", FRAME}
    assert found is not None and found.frame_files() == [0, 20] and not (found.path / "notes.json").exists()


FRAME = "frames/000000010.safetensors"


def test_a_disk_without_room_is_said_before_anything_is_brought(
    sent: Path, home: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(RecordingError, match="make room"):
        home().find("test-run")


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"run.json": 3}', b"[" * 100_000])
def test_a_damaged_memory_of_what_was_brought_costs_bringing_it_again(sent: Path, home: Make, damage: bytes):
    far = home()
    assert far.find("test-run") is not None
    (far.root / ".ltviz" / "tags" / "test-run.json").write_bytes(damage)
    found = home().find("test-run")
    assert found is not None and found.steps() == [0, 10, 20]


def test_open_takes_a_folder_and_an_address(sent: Path, there: Storage):
    assert open(sent).steps() == open(f"{there.url}/test-run").steps() == [0, 10, 20]
    with pytest.raises(ConfigError, match="id"):
        open(f"{there.url}/Not A Run")


def test_commands_read_an_address_and_change_nothing_there(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = f"file://{tmp_path}/sent"
    assert main(["mirror", str(run), url]) == 0 and main(["mirror", str(run), url]) == 0
    assert "0 files sent" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in (tmp_path / "sent").rglob("*") if path.is_file()}
    assert main(["runs", "--home", url]) == 0 and "finished" in capsys.readouterr().out
    assert main(["metrics", f"{url}/test-run", "--json"]) == 0
    assert main(["metrics", "test-run", "--home", url, "--json"]) == 0
    capsys.readouterr()
    for line in (["runs", "test-run", "--delete", "--yes"], ["pack", "test-run"], ["judge", "test-run"]):
        assert main([*line, "--home", url]) == 2 and "needs runs on this machine" in capsys.readouterr().err
    monkeypatch.setenv("LTVIZ_HOME", url)
    assert main(["runs"]) == 0 and "test-run" in capsys.readouterr().out
    assert main(["train", "ce", "--steps", "1"]) == 2 and "a path on this machine" in capsys.readouterr().err
    assert main(["metrics", f"{url}/another"]) == 2 and "no run at this address" in capsys.readouterr().err
    assert main(["mirror", str(run), "s3://k:secret@b"]) == 2 and "secret" not in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in (tmp_path / "sent").rglob("*") if path.is_file()}


def test_a_folder_of_this_machine_loads_no_network(tmp_path: Path):
    import subprocess
    import sys

    code = "import sys, ltviz.cli as c; c.main(['runs', '--home', sys.argv[1]]); sys.exit('fsspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True).returncode == 0


def test_a_list_is_believed_for_a_while(sent: Path, home: Make, monkeypatch: pytest.MonkeyPatch):
    asked, folders = [], Storage.folders
    monkeypatch.setattr(Storage, "folders", lambda self: asked.append(1) or folders(self))
    far = home()
    far.summaries(), far.summaries()
    assert len(asked) == 1
    monkeypatch.setattr(remote, "LIST_SECONDS", 0.0)
    far._until = 0.0
    far.summaries()
    assert len(asked) == 2
