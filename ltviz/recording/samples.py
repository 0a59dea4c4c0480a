"""Frames that hold the samples of a run in another order, some of them twice, or only some of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.arrays import as_array, check_column


class Given(NamedTuple):
    """M of the N samples of a run that a frame holds: `take` (M,) are rows of the caller's arrays, `rows` (M,) their
    places among the run's samples."""

    take: np.ndarray
    rows: np.ndarray


class Samples:
    """The samples of one run: where each of them stands, and what fills the place of one that is absent."""

    def __init__(self, ids: np.ndarray, last: np.ndarray | None = None) -> None:
        """`ids` (N,) int64 name the samples; `last` (N, D) float32 are the embeddings of the newest frame, if any."""
        self._ids = ids
        self._order = np.argsort(ids, kind="stable")
        self._sorted = ids[self._order]
        self._last = last

    def find(self, given: Any, count: int, step: int) -> Given:
        """Which samples `given` (count,) names: of one that is named more than once the first row counts.

        Raises:
            RecordingError: other than one whole number a row, or one that names no sample of the run, or several.
        """
        ids = np.asarray(as_array(given))
        if ids.shape != (count,) or ids.dtype.kind not in "iu":
            raise RecordingError(
                f"sample_ids at step {step} must be one whole number for each of {count} embeddings; "
                f"got {ids.dtype} of shape {ids.shape}.",
                kind="sample_ids of another shape",
            )
        if (self._sorted[1:] == self._sorted[:-1]).any():
            raise RecordingError(
                "sample_ids of a frame need samples with ids of their own, but those of the run repeat; give record() "
                "each id once.",
                kind="sample_ids that repeat in the run",
            )
        named, take = np.unique(ids, return_index=True)
        places = np.searchsorted(self._sorted, named)
        unknown = self._sorted[np.minimum(places, len(self._sorted) - 1)] != named
        if unknown.any():
            raise RecordingError(
                f"sample_ids at step {step} must name samples of the run; {named[unknown][0]} is none of its "
                f"{len(self._ids):,}.",
                kind="sample_ids of other samples",
            )
        return Given(take, self._order[places])

    def spread(self, given: Given, embeddings: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray | None]:
        """(N, D) embeddings in the run's order, and (N,) which of them are there; None where all are.

        An absent sample keeps the place that it had in the frame before, else it has that of the mean direction: who
        reads the frame knows that it is not there, and who fits a view to all rows meets no row without a direction.
        """
        count = len(self._ids)
        if not len(given.rows):
            raise RecordingError(f"A frame must hold one sample at least; at step {step} all are absent.")
        whole = self._last
        if whole is None or whole.shape[1] != embeddings.shape[1]:
            mean = embeddings[given.take].mean(axis=0)
            length = np.linalg.norm(mean)
            whole = np.tile(mean / length if length > 1e-6 else embeddings[given.take[0]], (count, 1))
        whole = whole.astype(np.float32)
        whole[given.rows] = embeddings[given.take]
        if len(given.rows) == count:
            return whole, None
        present = np.zeros(count, bool)
        present[given.rows] = True
        return whole, present

    def spread_column(self, name: str, given: Given, column: np.ndarray, count: int, step: int) -> np.ndarray:
        """(N,) of a column (count,) in the caller's order; absent samples get the first value, which nobody sees."""
        column = check_column(f"samples['{name}']", column, f"step {step}", count)
        whole = np.full(len(self._ids), column[given.take[0]], column.dtype)
        whole[given.rows] = column[given.take]
        return whole

    def keep(self, embeddings: np.ndarray) -> None:
        """Remember the (N, D) embeddings of the newest frame. They must not be changed."""
        self._last = embeddings
