"""A copy of runs at an address: whole, in the writer's order, never in the trainer's way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import fsspec
import numpy as np
import pytest

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import Recording, RunWriter, mirror, save_weights, storage
from ltviz.recording.mirror import LEDGER, Mirror, Sender
from ltviz.recording.storage import Storage, redacted

PATIENCE = 30.0


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)


@pytest.fixture(params=["memory", "file"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    yield Storage(f"memory://{tmp_path.name}/runs" if request.param == "memory" else f"file://{tmp_path}/there")
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "PAUSE_SECONDS", 0.02)


def contents(there: Storage, run_id: str = "test-run") -> dict[str, bytes]:
    found = there.files(run_id, deep=True)
    return {name: there.read(f"{run_id}/{name}", limit=1 << 30) for name in found if name != LEDGER}


def own(run: Path) -> dict[str, bytes]:
    found = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name != "lock"}


def test_what_is_there_is_the_run_bit_for_bit_and_sending_again_sends_nothing(run: Path, there: Storage):
    save_weights(run, 20, {"model": {"w": np.arange(3.0)}}, {"rng": 1})
    first = Sender(run, "test-run", there).send(end=True)
    assert contents(there) == own(run) and first.files == len(own(run)) and first.before == 0
    again = Sender(run, "test-run", there).send(end=True)
    assert (again.files, again.size) == (0, 0) and again.before == len(
        own(run)
    ) - 2  # two files grow: they are compared


def test_a_changed_file_of_the_same_size_is_sent_and_a_thinned_frame_removed(run: Path, there: Storage):
    Sender(run, "test-run", there).send(end=True)
    frame = run / "frames" / "000000020.safetensors"
    frame.write_bytes(frame.read_bytes()[:-1] + b"x")
    (run / "frames" / "000000010.safetensors").unlink()
    assert Sender(run, "test-run", there).send(end=True).files == 1
    assert contents(there) == own(run)


def test_frames_that_are_all_gone_here_are_not_taken_from_the_copy(run: Path, there: Storage):
    Sender(run, "test-run", there).send(end=True)
    for frame in (run / "frames").iterdir():
        frame.unlink()
    Sender(run, "test-run", there).send(end=True)
    assert sum(name.startswith("frames/") for name in contents(there)) == 3


@pytest.mark.parametrize("ledger", [b"", b"[]", b'{"files": {"run.json": 3}}', b"[" * 100_000])
def test_a_damaged_ledger_costs_sending_again_and_nothing_else(run: Path, there: Storage, ledger: bytes):
    Sender(run, "test-run", there).send(end=True)
    there.write({f"test-run/{LEDGER}": ledger})
    assert Sender(run, "test-run", there).send(end=True).files == len(own(run)) - 1  # status.json is read and compared
    assert contents(there) == own(run)


def test_another_run_of_the_same_name_is_not_touched(run: Path, there: Storage):
    about = json.loads((run / "run.json").read_text())
    there.write({"test-run/run.json": json.dumps(about | {"created": 5.0}).encode()})
    with pytest.raises(RecordingError, match="another run test-run"):
        Sender(run, "test-run", there).send(end=True)
    there.write({"test-run/run.json": b"{}"})
    with pytest.raises(RecordingError, match="no run that can be read"):
        Sender(run, "test-run", there).send(end=True)
    assert contents(there) == {"run.json": b"{}"}


def test_a_reader_of_the_copy_finds_every_frame_that_is_spoken_of(
    create: Callable[..., RunWriter], embeddings: Callable, tmp_path: Path
):
    """After each single file that is sent the copy is a run that was shorter."""
    there, seen = Storage(f"file://{tmp_path}/there"), []
    write, copy = Storage.write, Recording(tmp_path / "there" / "test-run")

    def one_by_one(self: Storage, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            write(self, {name: data})
            if (copy.path / "status.json").exists():
                last = Recording(copy.path).status().step
                frames = Recording(copy.path).steps()
                seen.append(last)
                assert last is None or last in frames, f"{name} came before a frame that it speaks of"

    with create() as writer, pytest.MonkeyPatch.context() as patched:
        patched.setattr(Storage, "write", one_by_one)
        sender = Sender(writer.path, "test-run", there)
        sender.send()
        for step in range(4):
            writer.frame(step, embeddings=embeddings(step))
            writer.set_state("running")
            sender.send()
    assert {0, 1, 2, 3} <= {*seen} and not copy.bad_frames()


def test_a_run_is_followed_while_it_is_written_and_whole_at_the_end(
    create: Callable[..., RunWriter], embeddings: Callable, there: Storage, quick: None, tmp_path: Path
):
    follower = Mirror({tmp_path / "test-run": "test-run"}, there)
    follower.start()  # before there is a folder
    with create() as writer:
        for step in range(5):
            writer.frame(step, embeddings=embeddings(step))
        until(lambda: "frames/000000004.safetensors" in there.files("test-run", deep=True))
    assert follower.close(PATIENCE) == []
    assert contents(there) == own(writer.path)


def test_a_broken_network_costs_the_run_nothing_and_is_said_once(
    run: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    there, tries, write = Storage(f"file://{tmp_path}/there"), [], Storage.write

    def broken(self: Storage, files: Mapping[str, bytes]) -> None:
        tries.append(time.monotonic())
        raise RecordingError("The storage could not be written (no route to host).")

    monkeypatch.setattr(Storage, "write", broken)
    follower = Mirror({run: "test-run"}, there)
    follower.start()
    until(lambda: len(tries) >= 4)
    [left] = follower.close(0.5)
    assert left.run_id == "test-run" and left.files == len(own(run)) and "no route to host" in str(left.reason)
    assert len([line for line in caplog.messages if "behind" in line]) == 1
    assert Recording(run).steps() == [0, 10, 20]
    monkeypatch.setattr(Storage, "write", write)
    Sender(run, "test-run", there).send(end=True)
    assert contents(there) == own(run)


def test_a_mirror_that_comes_back_says_so_and_sends_what_was_missed(
    run: Path, there: Storage, quick: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("WARNING")
    left, write = [3], Storage.write

    def sometimes(self: Storage, files: Mapping[str, bytes]) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError("gone")
        write(self, files)

    monkeypatch.setattr(Storage, "write", sometimes)
    follower = Mirror({run: "test-run"}, there)
    follower.start()
    until(lambda: "again" in caplog.text)
    assert follower.close(PATIENCE) == [] and contents(there) == own(run)


def test_a_network_that_hangs_holds_nobody(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import threading

    hung = threading.Event()
    monkeypatch.setattr(Storage, "files", lambda *_, **__: hung.wait(PATIENCE) or {})
    follower = Mirror({run: "test-run"}, Storage(f"file://{tmp_path}/there"))
    follower.start()
    began = time.monotonic()
    [left] = follower.close(0.2)
    assert time.monotonic() - began < PATIENCE / 2 and left.files >= 1 and left.reason is None
    hung.set()


SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize(
    "url",
    [
        f"s3://AKIA:{SECRET}@bucket/runs",
        f"gs://bucket/runs?token={SECRET}",
        f"https://me:{SECRET}@host/runs",
        f"https://host/runs?X-Amz-Signature={SECRET}",
    ],
)
def test_an_address_that_holds_a_secret_is_refused_without_repeating_it(url: str):
    with pytest.raises(ConfigError) as refused:
        Storage(url)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["runs", "s3:/x", "ftp://host/x", "memory://", "file://", "memory://a/../b", "memory://a\n"]
)
def test_other_addresses_are_refused(url: str):
    with pytest.raises(ConfigError, match="address"):
        Storage(url)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch):
    def missing(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs")

    monkeypatch.setattr(fsspec, "filesystem", missing)
    with pytest.raises(ConfigError, match="pip install s3fs"):
        Storage("s3://bucket/runs")


def test_what_a_foreign_error_gives_away_is_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    said = redacted(f"PUT https://k:{SECRET}@h/x?X-Amz-Credential={SECRET}&Signature={SECRET}\n key {SECRET}\x1b[1m")
    assert SECRET not in said and "\x1b" not in said and "\n" not in said

    there = Storage("memory://bucket/runs")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(f"signed with {SECRET}")

    monkeypatch.setattr(there._files, "ls", denied)
    with pytest.raises(RecordingError) as error:
        there.folders()
    assert SECRET not in str(error.value) and "PermissionError" in str(error.value)


def test_a_link_at_the_address_is_neither_listed_nor_read(tmp_path: Path):
    there, secret = Storage(f"file://{tmp_path}/there"), tmp_path / "secret"
    secret.write_bytes(b"s")
    there.write({"test-run/run.json": b"{}"})
    (tmp_path / "there" / "test-run" / "notes.json").symlink_to(secret)
    (tmp_path / "there" / "elsewhere").symlink_to(tmp_path)
    assert there.folders() == ["test-run"] and [*there.files("test-run")] == ["run.json"]
    with pytest.raises(RecordingError, match="link"):
        there.read("test-run/notes.json", limit=10)


def test_files_go_together_up_to_a_number_and_a_size():
    sizes = {f"f{number}": 1 for number in range(storage.AT_ONCE + 1)} | {"large": storage.AT_ONCE_BYTES, "last": 1}
    assert [len(batch) for batch in storage.batches(sizes)] == [storage.AT_ONCE, 1, 1, 1]
    assert [name for batch in storage.batches(sizes) for name in batch] == list(sizes)
