"""A folder for TensorBoard's embedding projector: the vectors of one step and what is known of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ltviz.export.formats import Wanted, Written, one_frame, place, whole_folder
from ltviz.export.formats._samples import columns, shown_rows
from ltviz.recording import Recording

ABOUT = "a folder for TensorBoard's projector: tensors.tsv and metadata.tsv of a step"
OUT = "ltviz-projector/"
CONFIG = 'embeddings {{\n  tensor_name: "{name}"\n  tensor_path: "tensors.tsv"\n  metadata_path: "metadata.tsv"\n}}\n'


def write(wanted: Wanted) -> Written:
    """The last frame, or that of the step; a folder for each of several runs. `metadata.tsv` has a head."""
    with whole_folder(wanted.out, "--to projector", wanted.runs) as folder:
        points = sum(
            _write_run(place(folder, len(wanted.runs) > 1, run.run_id), run, wanted.step) for run in wanted.runs
        )
    return Written(used=len(wanted.runs), told={"points": points})


def _write_run(folder: Path, recording: Recording, step: int | None) -> int:
    frame = one_frame(recording, step)
    rows, known = shown_rows(frame), columns(recording, frame)
    folder.mkdir(exist_ok=True)
    tensors = io.StringIO()
    np.savetxt(tensors, frame.embeddings[rows], fmt="%.9g", delimiter="\t")
    metadata = ["\t".join(known), *("\t".join(map(_cell, row)) for row in zip(*known.values(), strict=True))]
    (folder / "tensors.tsv").write_text(tensors.getvalue(), encoding="utf-8")
    (folder / "metadata.tsv").write_text("\n".join(metadata) + "\n", encoding="utf-8")
    name = f"{recording.run_id} step {frame.step}".replace("\\", " ").replace('"', " ")
    (folder / "projector_config.pbtxt").write_text(CONFIG.format(name=name), encoding="utf-8")
    return len(rows)


def _cell(value: object) -> str:
    """A value on one line and in one column."""
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()) or "-"
