"""A list of many runs opens none that it knows, and believes its own file in nothing that the folders deny."""

from __future__ import annotations

import json
import os
import shutil
import time
import zlib
from pathlib import Path

import pytest

from ltviz.cli import main
from ltviz.recording import Home, Recording, index
from ltviz.recording.notes import tag_run

OLD = time.time() - 3600


def age(root: Path) -> None:
    """Makes all below look as if nothing had changed for an hour."""
    for path in [*root.rglob("*"), root]:
        os.utime(path, (OLD, OLD))


@pytest.fixture
def home(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of eight runs, of which the index is kept."""
    for number in range(8):
        folder = tmp_path / "home" / ("group" if number % 2 else "") / f"run-{number}"
        shutil.copytree(run, folder)
        info = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps(info | {"created": 1e9 + number, "marks": []}))
    age(tmp_path / "home")
    monkeypatch.setattr(index, "WORTH_KEEPING", 5)
    return tmp_path / "home"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Folders of the runs that are opened."""
    names: list[str] = []
    read = index.summarise
    monkeypatch.setattr(index, "summarise", lambda run, folder: names.append(folder) or read(run, folder))
    return names


def test_another_process_lists_known_runs_without_opening_one(home: Path, opened: list[str]):
    first = Home(home).summaries()
    assert len(opened) == 8 and [run.created - 1e9 for run in first] == [7, 6, 5, 4, 3, 2, 1, 0]
    opened.clear()
    assert Home(home).summaries() == first and opened == []


@pytest.mark.parametrize("name", ["run.json", "status.json", "notes.json"])
def test_a_file_that_changed_in_place_with_its_old_time_and_size_is_read_again(home: Path, opened, name: str):
    tag_run(home / "run-0", ["aaa"])
    age(home)
    Home(home).summaries()
    opened.clear()
    path = home / "run-0" / name
    text = path.read_text()
    with path.open("r+") as file:
        file.write(text.replace("supcon", "balscl").replace("finished", "failed  "[:6] + "xx").replace("aaa", "bbb"))
    os.utime(path, (OLD, OLD))
    Home(home).summaries()
    assert opened == ["run-0"]


def test_what_came_went_and_was_tagged_shows_at_once(home: Path, opened: list[str]):
    Home(home).summaries()
    opened.clear()
    shutil.rmtree(home / "run-2")
    shutil.copytree(home / "run-0", home / "run-9")
    tag_run(home / "group" / "run-1", ["paper"])
    found = {run.folder: run.tags for run in Home(home).summaries()}
    assert "run-2" not in found and "run-9" in found and found["group/run-1"] == ("paper",)
    assert sorted(opened) == ["group/run-1", "run-9"]


def test_a_run_that_is_not_at_rest_is_asked_every_time(home: Path):
    for folder, state in (("run-0", "running"), ("run-2", "queued")):
        path = home / folder / "status.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"state": state}))
    age(home)
    for _ in range(2):
        states = {run.folder: run.state for run in Home(home).summaries()}
        assert states["run-0"] == "lost" and states["run-2"] == "queued"
    with (home / "run-0" / "lock").open() as lock:
        fcntl = pytest.importorskip("fcntl")
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert {run.folder: run.state for run in Home(home).summaries()}["run-0"] == "running"


def sealed(body: bytes) -> bytes:
    return f"ltviz index {index.RULES} {zlib.crc32(body):08x}".encode() + b"\n" + body


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"finished", b"invented"),
        lambda data: data.replace(b"index 1", b"index 0"),
        lambda data: sealed(b"[1, 2]"),
        lambda data: sealed(b'{"run-0": 3, "run-2": ["", [], 1, 2]}'),
        lambda data: sealed(b'{"run-0": ["", [], null, ["x"]]}'),
        lambda data: sealed(b"[" * 100_000),
        lambda data: sealed(b'{"run-0": ["1 2 3 4", "../x", null, [0,0,0,0,0,0,0,0,0,[],0,0,0,0,0,0]]}'),
    ],
)
def test_a_file_that_is_damaged_or_a_strangers_is_made_again(home: Path, opened: list[str], damage):
    first = Home(home).summaries()
    path = home / ".ltviz" / "index.json"
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    opened.clear()
    assert Home(home).summaries() == first and len(opened) == 8
    assert path.read_bytes() == sound


def test_an_index_that_came_with_copied_runs_says_nothing_of_them(home: Path, tmp_path: Path, opened: list[str]):
    Home(home).summaries()
    shutil.copytree(home, tmp_path / "copy", copy_function=shutil.copy2)
    opened.clear()
    assert len(Home(tmp_path / "copy").summaries()) == 8 and len(opened) == 8


def test_few_runs_leave_no_file_and_a_home_that_cannot_be_written_is_listed(home: Path, monkeypatch):
    monkeypatch.setattr(index, "WORTH_KEEPING", 9)
    assert len(Home(home).summaries()) == 8 and not (home / ".ltviz").exists()
    monkeypatch.setattr(index, "WORTH_KEEPING", 5)
    (home / ".ltviz").touch()
    assert len(Home(home).summaries()) == 8 and (home / ".ltviz").read_bytes() == b""


def test_what_changed_just_now_is_not_handed_on_to_another_process(home: Path, opened: list[str]):
    for path in (home / "run-0", home / "run-2" / "run.json"):
        os.utime(path)
    kept = Home(home)
    kept.summaries()
    opened.clear()
    kept.summaries()
    assert opened == []
    Home(home).summaries()
    assert sorted(opened) == ["run-0", "run-2"]


def test_runs_json_names_every_run_however_each_stands(home: Path, capsys: pytest.CaptureFixture[str]):
    (home / "run-0" / "run.json").write_text("{")
    (home / "run-2" / "status.json").unlink()
    (home / "run-4" / "notes.json").write_text("{")
    (home / "died-early").mkdir()
    (home / "died-early" / "status.json").write_text((home / "run-6" / "status.json").read_text())
    for _ in range(2):
        assert main(["runs", "--json", "--home", str(home)]) == 0
        rows = {row["folder"]: row for row in json.loads(capsys.readouterr().out)["runs"]}
        assert len(rows) == 9 and all(Recording(home / folder).exists for folder in rows)
        assert "run.json cannot be read" in rows["run-0"]["reason"] and rows["run-2"]["state"] == "lost"
        assert "notes.json" in rows["run-4"]["reason"] and rows["run-4"]["method"] == "supcon"
