"""Uploads made to run code, to leave their folder, or to take all memory or time."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltviz.data.upload import child, formats, read_embeddings, typed_program
from ltviz.data.upload.contents import Contents
from ltviz.errors import DataError

Z = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def read_here(kind: str, file: IO[bytes], most_bytes: int) -> Contents:
    """As the child does; one process for each example would take minutes."""
    return typed_program.read(kind, file, os.fstat(file.fileno()).st_size, most_bytes)


def refused(path: Path, match: str, *, seconds: float = 0.5, megabytes: float = 5.0) -> None:
    """The file is refused with that sentence, soon, and without memory being taken for what it claims.

    What the app has a child do is done here, where its time and memory are seen.
    """
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(DataError, match=match) as refusal:
            patch.setattr(formats, "read_typed", read_here)
            read_embeddings(path)
        took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 400
    assert took < seconds
    assert most < megabytes * 1e6


def npy(array: np.ndarray = Z) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_header(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_zip_bomb_is_refused_unopened(tmp_path):
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("z.npy", "w") as member,
    ):
        member.write(npy_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({68 << 10}, 1024), }}"))
        for _ in range(17):
            member.write(bytes(1 << 24))
    assert path.stat().st_size < 2 << 20
    refused(path, "claims to unpack from")


def test_a_small_bomb_below_the_cap_is_refused_too(tmp_path):
    refused(
        zipped(tmp_path / "b.npz", {"embeddings.npy": npy(np.zeros((1 << 20, 8), np.float32))}, zipfile.ZIP_DEFLATED),
        "claims",
    )


def test_a_directory_that_lies_is_refused(tmp_path):
    path = zipped(
        tmp_path / "lie.npz", {"embeddings.npy": npy(np.zeros((1 << 16, 8), np.float32))}, zipfile.ZIP_DEFLATED
    )
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02")
    small = npy(np.zeros((4, 8), np.float32))
    struct.pack_into("<I", data, entry + 24, len(small))
    path.write_bytes(data)
    refused(path, "damaged or not what it claims|bytes of data")
    struct.pack_into("<I", data, entry + 24, 1 << 22)
    path.write_bytes(data)
    refused(path, "bytes of data")


def test_a_wrong_checksum_is_refused(tmp_path):
    path = zipped(tmp_path / "crc.npz", {"embeddings.npy": npy()})
    data = bytearray(path.read_bytes())
    data[data.find(Z.tobytes())] ^= 1
    path.write_bytes(data)
    refused(path, "damaged or not what it claims")


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["npz", "npy", "pkl"])
def test_pickles_are_refused_and_do_not_run(tmp_path, form):
    canary = tmp_path / "canary"
    path = tmp_path / f"evil.{form}"
    bait = np.array([Canary(canary)], dtype=object)
    if form == "npz":
        np.savez(path, embeddings=bait)
    elif form == "npy":
        np.save(path, bait)
    else:
        path.write_bytes(b"\x80\x04" + b"cos\nmkdir\n.")
    refused(path, "can run code")
    assert not canary.exists()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1048576, 1048576), }", "claims 4,194,304 MB"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3), }", "impossible shape"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 2, 2, 2, 2, 2, 2, 2), }", "impossible shape"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (5, 4), }", "claims 80 bytes of data, 60 are there"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (5, 2), }", "claims 40 bytes of data, 60 are there"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (5, 3), }", "objects can run code"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (15,), }", "are not read"),
        ("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (5, 3), }", "are not read"),
        ("{'descr': '<U268435456', 'fortran_order': False, 'shape': (5, 3), }", "claims"),
        ("{'descr': '<f4', 'shape': (5, 3), }", "header of the file cannot be read"),
        ("__import__('os').mkdir('canary')", "header of the file cannot be read"),
        ("{'descr': 'x" + "9" * 50 + "'}", "header of the file cannot be read"),
        ("(" * 100, "header of the file cannot be read"),
    ],
)
def test_headers_that_lie_are_refused_before_memory_is_taken(tmp_path, header, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").write_bytes(npy_header(header, Z.tobytes()))
    refused(tmp_path / "a.npy", message)
    refused(
        zipped(tmp_path / "a.npz", {"embeddings.npy": npy_header(header, Z.tobytes())}),
        message.replace("the file", "the array 'embeddings'"),
    )
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../../x.npy",
        "/etc/passwd",
        "C:\\x.npy",
        "a/b.npy",
        ".npy",
        "x.pkl",
        "data.pkl",
        "é.npy",
    ],
)
def test_members_with_other_names_are_refused_and_nothing_is_unpacked(tmp_path, name):
    folder = tmp_path / "in" / "side"
    folder.mkdir(parents=True)
    path = folder / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        archive.writestr(entry, npy())
    refused(path, "holds only arrays, named with letters|damaged")
    assert [entry.name for entry in tmp_path.rglob("*") if entry.is_file()] == ["a.npz"]


def test_a_member_that_is_a_link_is_only_bytes(tmp_path):
    entry = zipfile.ZipInfo("embeddings.npy")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(tmp_path / "a.npz", "header of the array 'embeddings' cannot be read")


@pytest.mark.parametrize("count", [65, 10_000])
def test_archives_of_many_members_are_refused_unlisted(tmp_path, count):
    path = zipped(tmp_path / "many.npz", {f"a{index}.npy": b"" for index in range(count)})
    refused(path, "this one lists more")


def test_a_count_that_lies_does_not_help(tmp_path):
    path = zipped(tmp_path / "many.npz", {f"a{index}.npy": b"" for index in range(500)})
    data = bytearray(path.read_bytes())
    struct.pack_into("<HH", data, data.rfind(b"PK\x05\x06") + 8, 1, 1)
    path.write_bytes(data)
    refused(path, "lists")


def test_two_members_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("embeddings.npy", npy())
        archive.writestr("embeddings.npy", npy(Z * 2))
    refused(tmp_path / "a.npz", "two arrays of one name")


def test_encrypted_and_oddly_packed_members_are_refused(tmp_path):
    refused(zipped(tmp_path / "a.npz", {"embeddings.npy": npy()}, zipfile.ZIP_LZMA), "encrypted or packed")
    path = zipped(tmp_path / "b.npz", {"embeddings.npy": npy()})
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refused(path, "encrypted or packed")


def safetensor(header: str, data: bytes = b"", length: int | None = None) -> bytes:
    text = header.encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (safetensor("{}" + " " * (1 << 21)), "header claims"),
        (safetensor("{}", length=1 << 60), "header claims"),
        (
            safetensor(
                '{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}',
                bytes(16),
            ),
            "damaged",
        ),
        (safetensor('{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}', bytes(16)), "damaged"),
        (safetensor('{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}', bytes(16)), "damaged"),
        (safetensor('{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}', bytes(8)), "damaged"),
        (safetensor('{"a":{"dtype":"X9","shape":[1,2],"data_offsets":[0,8]}}', bytes(8)), "damaged"),
        (safetensor('{"a":{"dtype":"F8_E4M3","shape":[2,4],"data_offsets":[0,8]}}', bytes(8)), "are not read"),
        (safetensor("{ "), "damaged"),
    ],
)
def test_safetensors_that_lie_are_refused(tmp_path, content, message):
    (tmp_path / "a.safetensors").write_bytes(content)
    refused(tmp_path / "a.safetensors", message)


def test_files_beyond_the_cap_are_not_read(tmp_path):
    for name, head, message in (
        ("a.npy", npy(), "Files of up to 1,024 MB"),
        ("a.csv", b"x,y\n1,2\n", "Files of up to"),
    ):
        with (tmp_path / name).open("wb") as file:
            file.write(head)
            file.truncate(1500 << 20)
        refused(tmp_path / name, message)
    with (tmp_path / "b.csv").open("wb") as file:
        file.write(b"x,y\n" + b"1,2\n" * 2000)
        file.truncate(70 << 20)
    refused(tmp_path / "b.csv", "Tables of up to 64 MB")


def test_a_gzip_bomb_is_refused(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(zlib.compress(b"1,2\n" * (64 << 18), wbits=31) * 2)
    refused(tmp_path / "a.csv.gz", "unpacks to more", seconds=5)


def test_a_file_of_torch_save_says_how_to_save_it_without_pickles(tmp_path):
    zipped(tmp_path / "z.pt", {"archive/data.pkl": b"cos\nmkdir\n.", "archive/data/0": b"", "archive/version": b"3"})
    refused(tmp_path / "z.pt", "from safetensors.torch import save_file; save_file")


def test_one_endless_line_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"1," * (8 << 20))
    refused(tmp_path / "a.csv", "Lines of up to", seconds=5)


def test_a_table_cannot_take_memory_or_time_from_the_app(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    slow = tmp_path / "program.py"
    monkeypatch.setattr(formats, "TABLE_PROGRAM", slow)
    monkeypatch.setattr(formats, "TABLE_SECONDS", 0.3)
    slow.write_text("while True: pass")
    refused(tmp_path / "a.csv", "not read within 0 s", seconds=2)
    slow.write_text("raise MemoryError")
    monkeypatch.setattr(formats, "TABLE_SECONDS", 20.0)
    refused(tmp_path / "a.csv", "within the memory and time allowed", seconds=5)


@pytest.mark.parametrize(
    ("program", "memory", "seconds"), [("table_program", 2 << 30, "20"), ("typed_program.py", 6 << 30, "60")]
)
def test_the_children_that_read_limit_themselves(program, memory, seconds):
    pytest.importorskip("resource")
    root = Path(formats.__file__).parents[3]
    code = (
        f"import sys; sys.path[:] = {[str(root), *sys.path]!r}\n"
        f"import runpy, resource; runpy.run_path({str(formats.TABLE_PROGRAM.with_name(program))!r})['limit']()\n"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CPU)[0], flush=True)\n"
        f"bytearray({memory} + (1 << 30))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(memory), seconds]
    assert "MemoryError" in done.stderr


@pytest.mark.parametrize("form", ["npy", "npz", "safetensors", "parquet", "arrow", "csv"])
def test_every_format_is_read_in_a_child(tmp_path, monkeypatch, form):
    """The app's own process decodes nothing: where there is no child, nothing is read."""
    buffer = io.BytesIO()
    np.savez(buffer, embeddings=Z)
    data = {
        "npy": npy(),
        "npz": buffer.getvalue(),
        "safetensors": safetensors.numpy.save({"embeddings": Z}),
        "parquet": b"PAR1 and more",
        "arrow": b"ARROW1 and more",
        "csv": b"x,y\n1,2\n3,4\n",
    }[form]
    (tmp_path / f"a.{form}").write_bytes(data)
    began = []
    monkeypatch.setattr(child.Reader, "read", lambda self, file, asked: began.append(self.program) or Contents({}))
    with pytest.raises(DataError):
        read_embeddings(tmp_path / f"a.{form}")
    assert began == [formats.TABLE_PROGRAM if form == "csv" else formats.TYPED_PROGRAM]


def test_one_long_name_does_not_widen_every_row(tmp_path):
    rows = "".join(f"{index}.5,{index},a\n" for index in range(1, 30_000))
    (tmp_path / "a.csv").write_text("x,y,label\n" + rows + f"1.5,2,{'b' * 90_000}\n")
    refused(tmp_path / "a.csv", "Class names of up to 20,000", seconds=5, megabytes=20)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_refused(tmp_path, make):
    make(tmp_path / "a.npy")
    refused(tmp_path / "a.npy", "must be a file")


def test_missing_empty_and_foreign_files_have_their_sentences(tmp_path):
    refused(tmp_path / "gone.npy", "cannot be opened")
    for name, data, message in (
        ("empty.npy", b"", "empty"),
        ("text.npy", b"hello", "does not begin like one"),
        ("x.gz", zlib.compress(b"x", wbits=31), "gzip"),
        ("y.gz", zlib.compress(npy(), wbits=31), "gzip: it is no table"),
        ("text.npy.gz", zlib.compress(b"hello", wbits=31), "gzip"),
        ("z.gz", zlib.compress(b"f0,f1\n1,2\n3,4\n", wbits=31)[:-9], "gzip file is cut short"),
        ("w.gz", b"\x1f\x8b and no more", "gzip file is damaged"),
        ("x.png", b"\x89PNG\r\n\x1a\n\0\0\0", "of no format"),
        ("x.npz", b"PK\x03\x04 and nothing more", "cut short"),
        ("x.parquet", b"PAR1 and nothing more", "Parquet"),
    ):
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, message, seconds=3, megabytes=60)


STARTS = st.sampled_from(
    [b"", b"\x93NUMPY\x01\0", npy()[:100], b"PK\x03\x04", b"PAR1", safetensor("{")[:9], b"\x80\x04"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=STARTS, rest=st.binary(max_size=300))
def test_any_bytes_give_arrays_or_a_sentence(tmp_path, monkeypatch, start, rest):
    def read_no_table(file: IO[bytes], size: int, **kinds: object) -> Contents:
        raise DataError("It is a table.")

    monkeypatch.setattr(formats, "read_table", read_no_table)
    monkeypatch.setattr(formats, "read_typed", read_here)
    path = tmp_path / "any"
    path.write_bytes(start + rest)
    try:
        upload = read_embeddings(path)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(upload.embeddings).all()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10_000), value=st.integers(0, 255), form=st.sampled_from(["npy", "npz", "safetensors"]))
def test_any_changed_byte_gives_arrays_or_a_sentence(tmp_path, monkeypatch, position, value, form):
    monkeypatch.setattr(formats, "read_typed", read_here)
    buffer = io.BytesIO()
    np.savez(buffer, embeddings=Z, labels=np.arange(5))
    whole = {"npy": npy(), "npz": buffer.getvalue(), "safetensors": safetensors.numpy.save({"embeddings": Z})}[form]
    damaged = bytearray(whole)
    damaged[position % len(whole)] = value
    path = tmp_path / f"any.{form}"
    path.write_bytes(damaged)
    try:
        upload = read_embeddings(path)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert upload.embeddings.ndim == 2
