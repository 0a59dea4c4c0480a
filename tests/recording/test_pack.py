"""One run in one file and back, bit for bit; and a stranger's file, of which nothing is believed."""

from __future__ import annotations

import io
import json
import os
import tarfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import Home, Recording, record, save_weights
from ltviz.recording import pack as module
from ltviz.recording.notes import tag_run
from ltviz.recording.pack import pack, unpack


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def whole(run: Path) -> Path:
    """A run with all that a run has."""
    save_weights(run, 20, {"model": {"w": np.arange(3000.0)}}, {"rng": 1})
    tag_run(run, add=["paper"])
    view = run / "projections" / "pca_2.0" / "000000010.safetensors"
    view.parent.mkdir(parents=True)
    view.write_bytes(b"x" * 512)
    (run / "log.txt").touch()
    return run


@pytest.fixture
def packed(whole: Path, tmp_path: Path) -> Path:
    pack(Recording(whole), tmp_path / "a.tar")
    return tmp_path / "a.tar"


@pytest.fixture
def goal(tmp_path: Path) -> Path:
    return tmp_path / "goal"


def test_a_run_comes_back_bit_for_bit_without_the_lock(whole: Path, packed: Path, goal: Path):
    made = unpack(packed, Home(goal))
    expected = contents(whole)
    del expected["lock"]
    assert made == goal / "test-run" and contents(made) == expected
    assert Recording(made).steps() == [0, 10, 20] and not Recording(made).bad_frames()
    assert [path.name for path in goal.iterdir()] == ["test-run"], "nothing half-made is left"


def test_the_same_run_packs_to_the_same_bytes_and_any_tar_opens_it(packed: Path, goal: Path):
    made = unpack(packed, Home(goal), run_id="another-id")
    again = goal / "again.tar"
    told = pack(Recording(made, run_id="test-run"), again)
    assert again.read_bytes() == packed.read_bytes() and told.size == packed.stat().st_size
    with tarfile.open(packed) as tar:
        assert tar.getnames()[:3] == ["manifest.json", "run.json", "status.json"]
        assert told.files == len(tar.getnames()) - 1


def test_what_lies_beside_the_run_stays_out_and_is_named(whole: Path, goal: Path):
    (whole / "film.mp4").touch()
    (whole / "frames" / "a.png").touch()
    (whole / "control").mkdir(exist_ok=True)
    (whole / "control" / "one.json").touch()
    (whole / ".run.json.1.tmp").touch()
    os.mkfifo(whole / "projections" / "pipe")
    told = pack(Recording(whole), goal.with_suffix(".tar"))
    assert told.left_out == ("control", "film.mp4", "frames/a.png", "projections/pipe")


@pytest.mark.parametrize("name", ["notes.json", "weights", "frames/000000030.safetensors"])
def test_a_link_in_the_run_is_refused_and_nothing_is_written(whole: Path, tmp_path: Path, name: str):
    (tmp_path / "secret").mkdir()
    path = whole / name
    if path.exists():
        path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(RecordingError, match="is a link"):
        pack(Recording(whole), tmp_path / "b.tar")
    assert not list(tmp_path.glob("*b.tar*"))


def test_a_run_that_is_written_is_refused_from_its_beginning_to_its_end(tmp_path: Path, monkeypatch, whole: Path):
    with record(tmp_path / "live-run", labels=[0, 1]) as live:
        live.frame(0, embeddings=np.eye(2))
        with pytest.raises(RecordingError, match="is being written"):
            pack(Recording(live.path), tmp_path / "b.tar")
    chunks = module._chunks

    def growing(run: Path, name: str):
        yield from chunks(run, name)
        if name == "run.json":
            with (run / "metrics.jsonl").open("a") as file:
                file.write("{}\n")

    monkeypatch.setattr(module, "_chunks", growing)
    with pytest.raises(RecordingError, match="changed while"):
        pack(Recording(whole), tmp_path / "b.tar")
    assert not list(tmp_path.glob("*b.tar*"))


def test_a_run_of_that_id_is_never_touched(packed: Path, goal: Path):
    (goal / "test-run").mkdir(parents=True)
    with pytest.raises(RecordingError, match="--run-id"):
        unpack(packed, Home(goal))
    assert not list((goal / "test-run").iterdir())
    with pytest.raises(ConfigError):
        unpack(packed, Home(goal), run_id="../out")
    (goal / "test-run").rmdir()
    (goal / "test-run").symlink_to(goal / "nowhere")
    with pytest.raises(RecordingError, match="--run-id"):
        unpack(packed, Home(goal))


def test_every_byte_that_is_cut_off_or_changed_is_found_and_nothing_is_left(packed: Path, goal: Path):
    sound = packed.read_bytes()
    ends = [0, 1, 511, 512, 513, 4096, len(sound) // 2, len(sound) - 1]
    broken = [sound[:end] for end in ends] + [sound + b"\0"]
    with tarfile.open(packed) as tar:
        places = [member.offset_data for member in tar if member.size] + [member.offset for member in tar]
    broken += [sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :] for at in places]
    for data in broken:
        packed.write_bytes(data)
        with pytest.raises(RecordingError, match="nothing was made"):
            unpack(packed, Home(goal))
        assert not goal.exists() or not list(goal.iterdir())


def build(path: Path, files: dict[str, bytes], *, kinds: dict[str, bytes] | None = None, **more: object) -> Path:
    """A file as `pack` writes one, of any names, sizes and kinds; `more` is put in the manifest's first entry."""
    entries = [{"name": name, "size": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()]
    about = {"format": 1, "run_id": "a-run", "files": entries} | {k: v for k, v in more.items() if k == "run_id"}
    entries[0] |= {k: v for k, v in more.items() if k != "run_id"}
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in {"manifest.json": json.dumps(about).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size, member.type = len(data), (kinds or {}).get(name, tarfile.REGTYPE)
            member.linkname = "/etc/passwd"
            tar.addfile(member, io.BytesIO(data))
    data = path.read_bytes().rstrip(b"\0")
    path.write_bytes(data + bytes(-len(data) % 512 + 1024))
    return path


def test_the_builder_of_these_tests_builds_what_is_taken(tmp_path: Path, goal: Path):
    made = unpack(build(tmp_path / "b.tar", {"run.json": b"{}", "frames/000000001.safetensors": b"x"}), Home(goal))
    assert contents(made) == {"run.json": b"{}", "frames/000000001.safetensors": b"x"}


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "/tmp/evil.json",
        "frames/../../evil.safetensors",
        "frames\\..\\evil",
        "projections/../../x",
        "projections/./x",
        "projections//x",
        "projections/C:evil",
        "weights/../run.json",
        "weights/1/.ssh",
        "weights/1/2/3/4",
        "frames",
        "run.json/x",
        "frames/evil.sh",
        "evil.sh",
        ".ltviz/catalogue.json",
        "lock",
        "control/now.json",
        "RUN.JSON",
        "",
    ],
)
def test_a_name_that_is_no_file_of_a_run_is_refused(tmp_path: Path, goal: Path, name: str):
    path = build(tmp_path / "b.tar", {"run.json": b"{}", name: b"evil"})
    with pytest.raises(RecordingError, match="nothing was made"):
        unpack(path, Home(goal))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.XHDTYPE])
def test_links_pipes_devices_and_extensions_are_refused(tmp_path: Path, goal: Path, kind: bytes):
    path = build(tmp_path / "b.tar", {"run.json": b"{}", "notes.json": b""}, kinds={"notes.json": kind})
    with pytest.raises(RecordingError, match="link or another thing"):
        unpack(path, Home(goal))
    assert not list(goal.iterdir())


@pytest.mark.parametrize(
    "more, says",
    [
        ({"size": 2**40}, "at most"),
        ({"size": 40_000}, "manifest declares"),
        ({"size": -1}, "breaks a rule"),
        ({"size": 2**90}, "at most"),
        ({"sha256": "0" * 64}, "damaged"),
        ({"name": "notes.json"}, "neither run.json"),
        ({"run_id": "../../out"}, "breaks a rule"),
    ],
)
def test_what_a_manifest_declares_is_held_against_the_file(tmp_path: Path, goal: Path, more, says):
    path = build(tmp_path / "b.tar", {"run.json": b"{}", "log.txt": b"x"}, **more)
    with pytest.raises(RecordingError, match=says):
        unpack(path, Home(goal))
    assert not goal.exists() or not list(goal.iterdir())


def test_files_of_another_kind_are_refused(tmp_path: Path, goal: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zip").write_bytes(b"PK\3\4" + bytes(9000))
    for name in ("pipe", "zip", ".", "gone"):
        with pytest.raises(RecordingError):
            unpack(tmp_path / name, Home(goal))


def test_no_room_is_said_before_a_byte_is_written(packed: Path, goal: Path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(RecordingError, match="are free"):
        unpack(packed, Home(goal))
    assert not list(goal.iterdir())


def test_the_commands_say_what_they_made_and_refuse_with_one_line_and_2(whole: Path, tmp_path: Path, goal, capsys):
    out = str(tmp_path / "b.tar")
    (whole / "film.mp4").touch()
    home = ["--home", str(whole.parent)]
    assert main(["pack", "test-run", "--out", out, *home]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{out}: ") and "left out film.mp4" in told.err
    assert main(["pack", "test-run", "--out", out, *home]) == 2
    assert main(["pack", "test-run", "--out", out, "--overwrite", "--json", *home]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == ["film.mp4"]
    assert main(["unpack", out, "--home", str(goal), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": str(goal / "test-run"), "run_id": "test-run"}
    for argv in (["unpack", out, "--home", str(goal)], ["unpack", "nowhere"], ["pack", "no-run", *home]):
        assert main(argv) == 2
        assert capsys.readouterr().err.count("\n") == 1
