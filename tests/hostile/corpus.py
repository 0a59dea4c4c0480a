"""Files that a stranger may send: each made in a moment from a few lines, by the kind of reader that would meet it."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ltviz.recording.frame import Frame, encode_frame
from ltviz.recording.tensors import encode

CODE = "__import__('os').mkdir('canary')"
PICKLE = b"\x80\x04cos\nmkdir\n(S'canary'\ntR."
BRACKETS = "[" * 200_000
DOTS = "a" + ".a" * 200_000
Z = np.eye(4, 3, dtype=np.float32)
Corpus = dict[str, dict[str, bytes]]


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tensors(header: str, data: bytes = b"", length: int | None = None) -> bytes:
    text = header.encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tar(name: str, kind: bytes = tarfile.REGTYPE, size: int = 4, link: str = "") -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size, entry.linkname = kind, size if kind == tarfile.REGTYPE else 0, link
    return entry.tobuf() + b"evil".ljust(512, b"\0") + bytes(1024)


def png(width: int, height: int, data: bytes = b"", *, text: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A compressed comment of a PNG that unpacks to 64 MB."""
    body = b"k\0\0" + zlib.compress(bytes(64 << 20))
    return struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))


def parquet(table: pa.Table, **options: str) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def nested(depth: int) -> pa.Table:
    kind = pa.float64()
    for _ in range(depth):
        kind = pa.list_(kind)
    return pa.table({"x": pa.array([None], kind)})


SHAPE = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }"
TABLE = pa.table({"x": Z[:, 0], "y": Z[:, 1], "label": ["a", "b", "a", "b"]})
COLUMNS = parquet(TABLE, compression="NONE")
UPLOADS: dict[str, bytes] = {
    "terabytes.npy": npy(SHAPE % "(1048576, 1048576)"),
    "negative.npy": npy(SHAPE % "(-4, 3)", Z.tobytes()),
    "objects.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", PICKLE),
    "code.npy": npy(CODE),
    "version.npy": b"\x93NUMPY\x09\x00" + bytes(200),
    "short.npy": b"\x93NUMPY\x01\x00\xff\xff{",
    "long-header.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 30) + b"{" * 500,
    "letters.npy": npy("{'descr': '|U', 'fortran_order': False, 'shape': (1,), }"),
    "brackets.npy": npy("{'descr': " + "(" * 90 + "}"),
    "bomb.npz": zipped({"embeddings.npy": npy(SHAPE % "(1048576, 16)", bytes(64 << 20))}),
    "pickle.npz": zipped({"embeddings.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", PICKLE)}),
    "climbing.npz": zipped({"../../canary.npy": npy(SHAPE % "(4, 3)", Z.tobytes())}),
    "absolute.npz": zipped({"/tmp/canary.npy": npy(SHAPE % "(4, 3)", Z.tobytes())}),
    "crowd.npz": zipped({f"a{i}.npy": b"" for i in range(3000)}, zipfile.ZIP_STORED),
    "cut.npz": zipped({"embeddings.npy": npy(SHAPE % "(4, 3)", Z.tobytes())})[:-30],
    "torch.pt": zipped({"archive/data.pkl": PICKLE, "archive/version": b"3"}),
    "header.safetensors": tensors("{", length=1 << 62),
    "overlap.safetensors": tensors(
        '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}}',
        bytes(24),
    ),
    "hole.safetensors": tensors('{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}', bytes(16)),
    "huge.safetensors": tensors('{"a":{"dtype":"F32","shape":[4294967295,4294967295],"data_offsets":[0,8]}}', bytes(8)),
    "brackets.safetensors": tensors(BRACKETS),
    "footer.parquet": b"PAR1" + bytes(64) + struct.pack("<I", 0x7FFFFFFF) + b"PAR1",
    "empty-footer.parquet": b"PAR1" + struct.pack("<I", 0) + b"PAR1",
    "thrift.parquet": b"PAR1" + b"\x15\xff" * 200 + struct.pack("<I", 400) + b"PAR1",
    "cut.parquet": COLUMNS[: len(COLUMNS) // 2] + COLUMNS[-8:],
    "pages.parquet": COLUMNS[:4] + b"\x15\x04\x15" + b"\xff" * 40 + COLUMNS[47:],
    "nested.parquet": parquet(nested(200)),
    "twice.parquet": parquet(pa.Table.from_arrays([pa.array(Z[:, 0])] * 2, ["x", "x"])),
    "structs.parquet": parquet(pa.table({"x": [{"a": CODE}] * 4, "y": [{"b": {"c": 1}}] * 4})),
    "arrow.arrow": b"ARROW1\0\0" + struct.pack("<iI", -1, 0x7FFFFFFF) + bytes(64) + b"ARROW1",
    "nested.gz": gzip.compress(gzip.compress(gzip.compress(b"1,2\n" * 1000))),
    "bomb.csv.gz": gzip.compress(b"1,2\n" * (24 << 20), 1),
    "line.csv": b"1," * (3 << 20),
    "columns.csv": (",".join(["x"] * 200_000) + "\n1,2\n").encode(),
    "formula.csv": b"x,y,label\n1,2,\"=cmd|' /C calc'!A0\"\n@SUM(1),2,b\n",
    "nul.csv": b"x,y\n\0,\0\n" * 50,
    "nan.csv": b"x,y\nnan,inf\n1e999,2\n",
    "long-name.csv": b"_" * 900_000 + b",x,label\n1,2,a\n3,4,b\n",
    "quotes.csv": b'x,y\n"' + b"1,2\n" * 10_000,
    "pickle.pkl": PICKLE,
}
RUN_JSON: dict[str, bytes] = {
    "brackets": BRACKETS.encode(),
    "objects": b'{"a":' * 60_000,
    "digits": b"9" * 200_000,
    "path": b'{"run_id": "../../etc", "created": 0, "num_classes": 1, "class_names": ["a"], "counts": [1]}',
    "code": json.dumps({"run_id": CODE, "method": {"__reduce__": ["os.mkdir", "canary"]}}).encode(),
    "classes": b'{"run_id": "a-run", "created": 0, "num_classes": 1e9, "class_names": [], "counts": []}',
    "newer": b'{"format": 999999999, "run_id": "a-run"}',
    "not-a-number": b'{"run_id": "a-run", "created": NaN, "num_classes": Infinity}',
    "keys": json.dumps({f"k{i}": i for i in range(50_000)}).encode(),
    "utf16": '{"run_id": "a-run"}'.encode("utf-16"),
    "surrogates": b'{"run_id": "\\ud800\\udfff\\ud800"}',
}
SOUND = encode_frame(Frame(step=1, labels=np.arange(4) % 2, embeddings=Z))
META = {"kind": "frame", "step": "1", "epoch": "0", "seconds": "0", "metrics": "{}", "events": "[]"}
FRAMES: dict[str, bytes] = {
    "empty": b"",
    "cut": SOUND[: len(SOUND) // 2],
    "length": (1 << 62).to_bytes(8, "little") + SOUND[8:],
    "tail": SOUND + bytes(1 << 20),
    "deep-metrics": encode({"embeddings": Z}, META | {"metrics": BRACKETS}),
    "deep-events": encode({"embeddings": Z}, META | {"events": BRACKETS}),
    "step": encode({"embeddings": Z}, META | {"step": "9" * 5000}),
    "no-embeddings": encode({"landmarks.targets": Z}, META),
    "infinite": encode({"embeddings": np.full((4, 3), np.inf, np.float32)}, META),
    "one-axis": encode({"embeddings": np.ones(12, np.float32)}, META),
    "landmark-path": encode({"embeddings": Z, "landmarks.../../canary": Z}, META),
    "target": encode({"embeddings": Z, "target_index": np.array([1 << 40, -1])}, META),
}
LESSONS: dict[str, bytes] = {
    "empty": b"",
    "code": f"# A\n\n```python\n{CODE}\n```\n\n{{{{ {CODE} }}}}\n".encode(),
    "front-matter": f'---\ntitle: !!python/object/apply:os.mkdir ["canary"]\nx: {CODE}\n---\n# A\n'.encode(),
    "brackets": BRACKETS.encode(),
    "fences": b"```\n" * 60_000,
    "headings": b"#" * 500_000,
    "nul": b"# A\n\0\0\0\xff\xfe",
    "large": b"# A\n" + b"word " * (1 << 20),
    "answers": b"# A\n\n```question\nanswer = " + CODE.encode() + b"\n```\n",
    "spaces": b"# A\n```" + b" " * 150_000 + b"a b\n",
    "ticks": b"# A\n" + b"`" * 150_000 + b" a b\n",
    "references": b"# A\n" + b"[\n" * 90_000,
    "backtracking": b"# " + b"*a" * 40_000 + b"\n",
}
SETTINGS: dict[str, bytes] = {
    "dots": (DOTS + " = 1").encode(),
    "brackets": ("x = " + BRACKETS).encode(),
    "inline": ("x = {" + "a." * 100_000 + "b = 1}").encode(),
    "code": f'methods = ["{CODE}"]\nmethod = "os:mkdir"\n'.encode(),
    "module": b'method = "antigravity"\nmethods = ["antigravity"]\n[run]\ndata = "antigravity:main"\n',
    "numbers": b'methods = ["ce"]\nsteps = [99999999999999999999, true, nan]\n',
    "grid": b'methods = ["ce"]\nseed = "0..999999999"\n',
    "utf16": 'methods = ["ce"]'.encode("utf-16"),
    "nul": b"methods = \0\0",
    "large": b"# x\n" * (1 << 19),
}
WEIGHTS: dict[str, bytes] = {
    "pickle.pt": PICKLE,
    "zip.pt": zipped({"archive/data.pkl": PICKLE}),
    "header.safetensors": tensors("{", length=1 << 60),
    "hole.safetensors": UPLOADS["hole.safetensors"],
    "shape.safetensors": UPLOADS["huge.safetensors"],
    "names.safetensors": tensors(
        json.dumps({"../../canary": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), bytes(4)
    ),
    "text.safetensors": CODE.encode(),
}
PROJECTORS: dict[str, bytes] = {
    "climbing": b'embeddings { tensor_path: "../../../../etc/passwd" metadata_path: "/etc/shadow" }',
    "word": b"embeddings {" + b"a" * (2 << 20),
    "lines": b'embeddings { tensor_path: "a\nb" }',
    "url": b'embeddings { tensor_path: "http://127.0.0.1:1/canary" }',
    "braces": b"embeddings {" * 50_000,
    "quotes": b'embeddings { tensor_path: "' + b"a" * 500_000,
    "nul": b"\0\xff\xfe" * 100,
    "no-name": b'embeddings { tensor_path: "a\0b" }',
    "long-name": b'embeddings { tensor_path: "' + b"a" * 5000 + b'" }',
    "itself": b'embeddings { tensor_path: "projector_config.pbtxt" }',
}
IMAGES: dict[str, bytes] = {
    "bomb.png": png(60_000, 60_000, zlib.compress(bytes(1 << 20))),
    "empty.png": png(0, 0),
    "cut.png": png(64, 64, zlib.compress(bytes(100))),
    "text-bomb.png": png(8, 8, zlib.compress(bytes(72)), text=text_bomb()),
    "none.png": PICKLE,
    "gif.gif": b"GIF89a\xff\xff\xff\xff\xf7\0\0" + bytes(800) + b",\0\0\0\0\xff\xff\xff\xff\0\x08",
    "bmp.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 1 << 20, 1 << 20, 1, 24, 0, 0, 0, 0, 0, 0),
    "script.svg": b"<svg onload='alert(1)'><script>1</script></svg>",
    "eps.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(canary) (w) file\n",
    "mpo.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200),
}
ARCHIVES: dict[str, bytes] = {
    "climbing.ltviz": tar("../../canary"),
    "absolute.ltviz": tar("/tmp/canary"),
    "link.ltviz": tar("run/run.json", tarfile.SYMTYPE, link="/etc/passwd"),
    "hard.ltviz": tar("run/run.json", tarfile.LNKTYPE, link="/etc/passwd"),
    "device.ltviz": tar("run/run.json", tarfile.CHRTYPE),
    "pipe.ltviz": tar("run/run.json", tarfile.FIFOTYPE),
    "size.ltviz": tar("run/run.json", size=1 << 32),
    "zip.ltviz": zipped({"run.json": b"{}"}),
    "gzip.ltviz": gzip.compress(tar("run/run.json")),
    "nothing.ltviz": b"",
    "zeros.ltviz": bytes(1 << 20),
}
BATCHES: dict[str, bytes] = {
    "reduce": PICKLE,
    "build": b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93\x8c\x06canary\x85R.",
    "memo": b"\x80\x02}" + b"q\x01" * 100_000 + b".",
    "long": b"\x80\x02\x8b\xff\xff\xff\x7f",
    "stack": b"\x80\x02" + b"(" * 300_000 + b".",
    "self": b"\x80\x02]q\x01h\x01a.",
    "persistent": b"\x80\x02U\x01xQ.",
    "frame": b"\x80\x04\x95" + b"\xff" * 8 + b".",
}


def write_all(files: dict[str, bytes], folder: Path, name: Callable[[str], str] = str) -> dict[str, Path]:
    """Each of the files in a folder of its own."""
    paths = {}
    for kind, data in files.items():
        paths[kind] = folder / kind.replace(".", "-") / name(kind)
        paths[kind].parent.mkdir(parents=True)
        paths[kind].write_bytes(data)
    return paths
