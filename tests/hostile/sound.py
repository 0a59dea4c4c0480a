"""Whole and sound files of the kinds that are fuzzed: what is changed a little gets further than what is all noise."""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path

import numpy as np
import safetensors.numpy

import ltviz
from ltviz.recording import Recording, save_weights
from ltviz.recording.notes import tag_run
from ltviz.recording.pack import pack

ROOT = Path(__file__).parents[2]

SWEEP = b"""methods = ["ce", "supcon"]
imbalance_factor = [10, 50]
seed = [0, 1]
steps = 200
[supcon]
temperature = [0.07, 0.1]
[data_options]
concentration = [10, 50]
"""
REQUESTS = (
    b'{"step": 3}\n{"play": true, "from": 6}\n{"ack": 1, "speed": 2}',
    b'{"speed": 0.5}\n{"play": true}\n{"live": true}\n{"selected": [1, 2]}',
)
TABLES = (
    b"-x,y,label\n1,2.5,a\n0,1e-3,b\n",
    b"-1;2;3\n4;5,5;6\n",
    b"-# a b c\n1 2 3\n4 5 6\n",
    b"-2 3\ncat 1 2 3\ndog 4 5 6\n",
    b'-{"z": [1, 2], "label": "a"}\n{"z": [3, 4], "label": null}\n',
    b'-[{"x": 1, "y": 2}, {"x": 3, "y": 4}]',
    b'-embedding,name\n"[1, 2]","a"\n"[3, 4]","b"\n',
    b"4label\na\nb\n\na\n",
    b"4a\tb\n1\t2\n3\t4\n5\t6\n7\t8\n",
)
PROJECTOR = b"""embeddings {
  tensor_name: "default:00000"
  tensor_path: "00000/default/tensors.tsv"
  metadata_path: "00000/default/metadata.tsv"
  sprite { image_path: "sprite.png" single_image_dim: 8 }
}
"""


@functools.cache
def files() -> dict[str, list[bytes]]:
    """Reader -> files."""
    z = np.float32([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]])
    npy, npz = io.BytesIO(), io.BytesIO()
    np.save(npy, z)
    np.savez(npz, embeddings=z, labels=np.arange(4))
    made = {
        "npy": [npy.getvalue()],
        "npz": [npz.getvalue()],
        "safetensors": [safetensors.numpy.save({"embeddings": z, "labels": np.arange(4)}, {"about": "a"})],
        "table": list(TABLES),
        "projector": [PROJECTOR],
        "request": list(REQUESTS),
        "sweep": [SWEEP],
        "recipe": [path.read_bytes() for path in sorted(ROOT.glob("ltviz/recipes/*/*.toml"))[::6]],
        "lesson": [path.read_bytes() for path in sorted(ROOT.glob("app/lessons/[1-9]-*.md"))],
    }
    with tempfile.TemporaryDirectory(prefix="ltviz-sound-") as folder:
        return made | _of_a_run(Path(folder) / "a-run", z)


def _of_a_run(path: Path, z: np.ndarray) -> dict[str, list[bytes]]:
    about = {"age": [1.5, 2.5, None, 4.0], "place": ["here", "there", None, "here"]}
    images = np.zeros((4, 2, 2), np.uint8)
    with ltviz.record(path, labels=["a", "b", "a", "b"], images=images, attributes=about, config={"x": 1}) as run:
        run.frame(1, embeddings=z, metrics={"loss": 0.5}, landmarks={"prototypes": z[:2]}, events=[{"kind": "note"}])
    (path / "metrics.jsonl").write_text('{"step": 1, "loss": 0.5}\n{"step": 2, "loss": null, "pull": 1e9}\n')
    tag_run(path, ["paper-fig2"])
    save_weights(path, 1, {}, {"generator": [1, 2], "epoch": 0})
    pack(Recording(path), path.parent / "a-run.ltviz")
    names = {
        "run": "run.json",
        "status": "status.json",
        "notes": "notes.json",
        "probe": "probe.safetensors",
        "attributes": "attributes.safetensors",
        "frame": "frames/000000001.safetensors",
        "terms": "metrics.jsonl",
        "weights": "weights/1/state.json",
        "archive": "../a-run.ltviz",
    }
    return {reader: [(path / name).read_bytes()] for reader, name in names.items()}
