"""CIFAR's files as they are given out, made small: python batches as Python 2 wrote them, binary batches, archives."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import numpy as np

PIXELS = 3072
TEN = [b"airplane", b"automobile", b"bird", b"cat", b"deer", b"dog", b"frog", b"horse", b"ship", b"truck"]


class PythonTwo:
    """Pickles as Python 2 wrote CIFAR's, protocol 2: text as SHORT_BINSTRING and BINSTRING, a memo for all."""

    def __init__(self) -> None:
        self.out, self.kept = bytearray(b"\x80\x02"), 0

    def put(self) -> None:
        self.kept += 1
        self.out += b"q" + bytes([self.kept]) if self.kept < 256 else b"r" + struct.pack("<I", self.kept)

    def text(self, value: bytes) -> None:
        self.out += b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<I", len(value))
        self.out += value
        self.put()

    def number(self, value: int) -> None:
        if 0 <= value < 256:
            self.out += b"K" + bytes([value])
        else:
            self.out += b"M" + struct.pack("<H", value) if 0 <= value < 65536 else b"J" + struct.pack("<i", value)

    def items(self, values: list) -> None:
        self.out += b"]"
        self.put()
        for first in range(0, len(values), 1000):
            self.out += b"("
            for value in values[first : first + 1000]:
                self.number(value) if isinstance(value, int) else self.text(value)
            self.out += b"e"

    def array(self, value: np.ndarray) -> None:
        self.out += b"cnumpy.core.multiarray\n_reconstruct\n"
        self.put()
        self.out += b"cnumpy\nndarray\n"
        self.put()
        self.out += b"K\0\x85"
        self.put()
        self.text(b"b")
        self.out += b"\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"(K\x01"
        for length in value.shape:
            self.number(length)
        self.out += {1: b"\x85", 2: b"\x86"}[value.ndim]
        self.put()
        self.out += b"cnumpy\ndtype\n"
        self.put()
        self.text(b"u1")
        self.out += b"K\0K\x01\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"(K\x03"
        self.text(b"|")
        self.out += b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\0t"
        self.put()
        self.out += b"b\x89"
        self.text(value.tobytes())
        self.out += b"t"
        self.put()
        self.out += b"b"

    def dictionary(self, held: dict[bytes, object]) -> bytes:
        self.out += b"}"
        self.put()
        self.out += b"("
        for key, value in held.items():
            self.text(key)
            if isinstance(value, np.ndarray):
                self.array(value)
            elif isinstance(value, list):
                self.items(value)
            elif isinstance(value, int):
                self.number(value)
            else:
                assert isinstance(value, bytes)
                self.text(value)
        self.out += b"u."
        return bytes(self.out)


def held(n: int, num_classes: int = 10, *, key: bytes = b"labels", seed: int = 0) -> dict[bytes, object]:
    """A batch of n images: the first pixel of each is its label, the second its number."""
    labels = [i % num_classes for i in range(n)]
    data = np.random.default_rng(seed).integers(0, 256, (n, PIXELS), dtype=np.uint8)
    data[:, 0], data[:, 1] = labels, np.arange(n) % 256
    names = [b"image_s_%06d.png" % i for i in range(n)]
    return {b"batch_label": b"training batch 1 of 5", key: labels, b"data": data, b"filenames": names}


def python_two(*args, **options) -> bytes:
    return PythonTwo().dictionary(held(*args, **options))


def binary(batch: dict[bytes, object], *, coarse: bool = False) -> bytes:
    """The same batch in the binary version; with a superclass before each class, as in CIFAR-100."""
    labels = np.array(batch[b"fine_labels" if coarse else b"labels"], np.uint8)[:, None]
    return np.concatenate([*([labels // 5] if coarse else []), labels, np.asarray(batch[b"data"])], axis=1).tobytes()


def files_of_ten(per_batch: int = 20, *, version: str = "python", num_test: int = 20) -> dict[str, bytes]:
    """The files of a small CIFAR-10 by their official names: "python" as of Python 2, or "binary"."""
    end = "" if version == "python" else ".bin"
    batches = {f"data_batch_{n}{end}": held(per_batch, seed=n) for n in range(1, 6)}
    batches[f"test_batch{end}"] = held(num_test, seed=9)
    if version == "binary":
        named = {"batches.meta.txt": b"\n".join(TEN) + b"\n\n"}
        return {name: binary(batch) for name, batch in batches.items()} | named
    meta = PythonTwo().dictionary({b"num_cases_per_batch": per_batch, b"label_names": TEN, b"num_vis": PIXELS})
    return {name: PythonTwo().dictionary(batch) for name, batch in batches.items()} | {"batches.meta": meta}


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def write_archive(path: Path, folder: str, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    """In the order of their names backwards: archives keep no order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        about = tarfile.TarInfo(folder)
        about.type = tarfile.DIRTYPE
        archive.addfile(about)
        for name in sorted(files, reverse=True):
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mtime = len(files[name]), 1.5  # a time that needs a header of its own
            archive.addfile(member, io.BytesIO(files[name]))
    return path
