"""The process that fits slow projections: `python -m ltviz.projection.background`.

It reads jobs from its standard input and writes what they give, in order, to its standard output, each a tensor file
behind its length (8 bytes, little-endian); it touches no other file. It ends with its input, so it never outlives the
process that started it by more than one fit.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

import numpy as np

from ltviz.errors import DataError, LtvizError
from ltviz.priority import lower_priority
from ltviz.projection.base import Fit, draw, failure
from ltviz.projection.registry import make_projection
from ltviz.recording import tensors

NICENESS = 15
"""Trainers have 10: a picture may wait, a step may not."""
MOST_BYTES = 4 << 30


class FitJob(NamedTuple):
    """A frame to be fitted."""

    name: str
    embeddings: np.ndarray
    """(N, D)."""
    centres: np.ndarray
    """(C, D) by rank; NaN rows are absent classes."""
    before: Mapping[str, np.ndarray] | None
    """Arrays of the placement to follow, of the same N samples."""


class FitResult(NamedTuple):
    """Its placement's arrays and honesty, or one sentence why there is none."""

    arrays: dict[str, np.ndarray]
    honesty: dict[str, float]
    error: str | None = None


def write_job(pipe: BinaryIO, job: FitJob) -> None:
    """Sends a job; OSError where nobody reads."""
    arrays = {"embeddings": job.embeddings, "centres": job.centres}
    arrays |= {f"before.{name}": array for name, array in (job.before or {}).items()}
    _write(pipe, tensors.encode(arrays, {"name": job.name}))


def read_result(pipe: BinaryIO) -> FitResult | None:
    """The next result; None at the end."""
    data = _read(pipe)
    if data is None:
        return None
    arrays, meta = tensors.decode(data)
    return FitResult(arrays, json.loads(meta["honesty"]), meta.get("error"))


def serve(jobs: BinaryIO, results: BinaryIO) -> None:
    """Does jobs until their end."""
    while (data := _read(jobs)) is not None:
        arrays, meta = tensors.decode(data)
        before = {name.removeprefix("before."): array for name, array in arrays.items() if name.startswith("before.")}
        result = _fit(FitJob(meta["name"], arrays["embeddings"], arrays["centres"], before or None))
        more = {} if result.error is None else {"error": result.error}
        _write(results, tensors.encode(result.arrays, {"honesty": json.dumps(result.honesty), **more}))


def _fit(job: FitJob) -> FitResult:
    try:
        projection = make_projection(job.name)[1]
        before = None
        if job.before is not None:
            # Only where the samples were drawn is followed, not where they were in the space then.
            placement = projection.restore(job.before, job.embeddings)
            before = Fit(placement, draw(placement, job.embeddings, None, {}).shown, {})
        fit = projection.follow(job.embeddings, job.centres, {}, before)
    except LtvizError as error:
        return FitResult({}, {}, str(error))
    except MemoryError:
        return FitResult({}, {}, f"There is too little memory for the view {job.name}; record fewer points.")
    except Exception as error:  # another package's, about values that we cannot foresee
        return FitResult({}, {}, failure(job.name, error))
    return FitResult(dict(fit.placement.arrays), fit.honesty)


def _write(pipe: BinaryIO, data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "little"))
    pipe.write(data)
    pipe.flush()


def _read(pipe: BinaryIO) -> bytes | None:
    head = pipe.read(8)
    if len(head) < 8:
        return None
    length = int.from_bytes(head, "little")
    if length > MOST_BYTES:
        raise DataError(f"A message of {length:,} bytes is none of ours.")
    data = pipe.read(length)
    return data if len(data) == length else None


def main() -> None:
    """Serves standard input and output, at low priority."""
    lower_priority(NICENESS)
    # Whatever a library prints must not land between our results.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, results)


if __name__ == "__main__":
    main()
