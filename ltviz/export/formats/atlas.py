"""Points as Parquet for embedding-atlas, pandas, DuckDB: a row a point."""

from __future__ import annotations

from typing import Any

import numpy as np

from ltviz.errors import ConfigError, RecordingError
from ltviz.export.formats import Wanted, Written, missing, one_frame
from ltviz.export.formats._samples import columns, shown_rows
from ltviz.recording import Recording
from ltviz.recording.files import whole_file

ABOUT = "points for embedding-atlas, as Parquet with a row a point"
OUT = "ltviz-atlas.parquet"


def write(wanted: Wanted) -> Written:
    """The last frame of each run, or that of the step. Columns: run_id, step, label (class name), class, split,
    sample_id, what the method says of a sample, its attributes, vector (D,), and x, y: the two main directions of that
    frame.

    `embedding-atlas FILE --vector vector` makes a map of its own; with `--x x --y y` it shows this one.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise missing("atlas", "pyarrow") from error
    tables, left_out = [], []
    for recording in wanted.runs:
        try:
            tables.append(pa.table(_points(recording, wanted.step)))
        except RecordingError as error:
            left_out.append(f"{recording.run_id}: {error}")
    if not tables:
        raise ConfigError(f"points need at least one run with frames, but {left_out[0]}")
    table = pa.concat_tables(tables, promote_options="permissive")
    with whole_file(wanted.out) as path:
        pq.write_table(table, path)
    return Written(used=len(tables), told={"points": table.num_rows}, left_out=left_out)


def _points(recording: Recording, step: int | None) -> dict[str, Any]:
    import pyarrow as pa

    frame = one_frame(recording, step)
    rows = shown_rows(frame)
    z = frame.embeddings[rows]
    flat = main_directions(z)
    offsets = np.arange(len(z) + 1, dtype=np.int64) * z.shape[1]
    known = columns(recording, frame)
    return {
        "run_id": [recording.run_id] * len(z),
        "step": pa.array([frame.step] * len(z), pa.int64()),
        **{name: pa.array(values) for name, values in known.items()},
        "vector": pa.LargeListArray.from_arrays(offsets, pa.array(z.ravel(), pa.float32())),
        "x": pa.array(flat[:, 0], pa.float32()),
        "y": pa.array(flat[:, 1], pa.float32()),
    }


def main_directions(z: np.ndarray) -> np.ndarray:
    """(N, 2): the rows of z (N, D), D >= 2, along the two directions in which they differ most; the largest weight of
    each direction is positive, so that the same rows are always drawn the same way.

    >>> main_directions(np.array([[0.0, 0.0], [2.0, 0.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred = z.astype(np.float64) - z.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, :-3:-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return centred @ axes
