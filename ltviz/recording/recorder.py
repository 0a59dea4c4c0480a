"""What `ltviz.record` gives: it checks frames in the caller's loop, and measures and writes them there or behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.arrays import as_array
from ltviz.recording.behind import Behind
from ltviz.recording.classes import Classes
from ltviz.recording.drops import Drops, warn
from ltviz.recording.frame import Frame, check_frame, encode_events
from ltviz.recording.info import UNLABELLED
from ltviz.recording.samples import Given, Samples
from ltviz.recording.sphere import on_sphere
from ltviz.recording.writer import RunWriter

SMALL = 12_000_000
"""Products of pairs of samples (400 samples in 3 dimensions, 250 in 128): a frame of fewer takes 1 to 3 ms with its
measures, and is on the disk when `frame` returns."""
_BOUNDS = {"confidence": (0.0, 1.0, "lie in [0, 1]"), "loss": (0.0, np.inf, "be 0 or more")}
_ROUNDED = 1e-3
"""As far beyond its bounds a number may lie that was rounded, and is put on them."""


class Recorder:
    """What `record` gives. Use it in a `with` block, or call `close` at the end."""

    def __init__(
        self,
        writer: RunWriter,
        classes: Classes,
        split: np.ndarray | None,
        on_error: Literal["warn", "raise"] = "warn",
        newest: Frame | None = None,
    ) -> None:
        """Not for callers: use `record`. `newest` is the last frame of a run that is gone on with."""
        self._writer = writer
        self._classes = classes
        self._split = split
        self._on_error = on_error
        self._samples = Samples(writer.probe.sample_ids, None if newest is None else newest.embeddings)
        self._behind: Behind[tuple[int, list[dict[str, Any]]]] = Behind(f"ltviz-record-{writer.path.name}")
        self._newest = writer.last_step
        self._begun = newest is not None
        self._noted: set[str] = set()
        self._recorded = 0
        self._drops = Drops()
        self._ended = False
        writer.set_state("running")

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self._writer.path

    @property
    def last_step(self) -> int:
        """The step of the last frame that was taken; -1 before the first."""
        return self._newest

    @property
    def dropped(self) -> dict[str, int]:
        """How many frames were dropped so far, by kind, such as {"NaN or infinity in embeddings": 1}; waits for those
        that are being written."""
        self.flush()
        return dict(self._drops.counts)

    def frame(
        self,
        step: int,
        *,
        embeddings: Any,
        sample_ids: Any = None,
        targets: Any = None,
        landmarks: Mapping[str, Any] | None = None,
        predictions: Any = None,
        confidence: Any = None,
        loss: Any = None,
        metrics: Mapping[str, Any] | None = None,
        epoch: float = 0.0,
        seconds: float | None = None,
        events: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Write one frame: `ltviz.metrics.measure` of the embeddings stands in it beside `metrics`, which win.

        Once a frame has been written, one that does not fit is dropped and counted instead of raised; see `record`.

        Args:
            step: a whole number, later than the step before.
            embeddings: (N, D), one row a label, D >= 2; (M, D) with `sample_ids`. Rows that are not unit are put on the
                sphere, and the run says so once.
            sample_ids: (M,) which of the run's samples the rows of this frame are, `predictions`, `confidence` and
                `loss` too, in any order. Of a sample that comes again, as padded samplers give it, the first row
                counts; one that does not come is absent: it is not drawn at this step, and never measured.
            targets: (K, D); where K is the number of classes, row c is the target of class c in the order of
                `class_names`.
            landmarks: other points on the sphere that the method owns, name -> (K, D): prototypes, classifier weights.
            predictions: (N,) predicted labels, in the same values as `labels`, None or -1 where there is none.
            confidence: (N,) probability of the predicted class.
            loss: (N,) what each sample costs, 0 or more; the stage can colour by it.
            metrics: name -> number of your own.
            epoch, seconds: of this step; seconds since `record` where left out.
            events: JSON objects such as {"kind": "setting", "name": "learning_rate", "value": 0.1}.

        Raises:
            RecordingError: what does not fit in the first frame, or in any with on_error="raise", as one sentence; no
                frame is written.
            DiskFull: no room; the same frame may be tried again.
        """
        self._tell()
        try:
            frame, notes = self._check(
                step,
                as_array(embeddings),
                sample_ids=sample_ids,
                landmarks={**(landmarks or {}), **({} if targets is None else {"targets": targets})},
                predictions=predictions,
                columns={"confidence": confidence, "loss": loss},
                metrics=metrics or {},
                epoch=epoch,
                seconds=seconds,
                events=events,
            )
            self._write(frame)
        except Exception as error:
            if self._on_error == "raise" or not self._begun:
                raise
            # Whatever it is: a picture that is missing is no reason to lose a training of days.
            self.drop(step, error)
        else:
            self._begun = True
            self._newest = frame.step
            self._samples.keep(frame.embeddings)
            self._noted |= {note["about"] for note in notes}
            self._drops.untold.clear()

    def flush(self) -> None:
        """Return once every frame that was given is on the disk, or dropped."""
        self._behind.wait()
        self._tell()

    def _check(
        self,
        step: Any,
        embeddings: np.ndarray,
        *,
        sample_ids: Any,
        landmarks: Mapping[str, Any],
        predictions: Any,
        columns: Mapping[str, Any],
        metrics: Mapping[str, Any],
        epoch: Any,
        seconds: Any,
        events: Sequence[Mapping[str, Any]],
    ) -> tuple[Frame, list[dict[str, str]]]:
        """The frame, all of it checked and none of it the caller's, and what is to be noted once."""
        step = self._writer.check_next(_scalar("step", step), after=self._newest)
        points, notes = {}, []
        for name, array in {"embeddings": embeddings, **landmarks}.items():
            points[name], text = on_sphere(name, as_array(array), step)
            if text is not None and name not in self._noted:
                notes.append({"kind": "note", "about": name, "text": text})
        z, probe, present = points.pop("embeddings"), self._writer.probe, None
        samples = {
            name: _bounded(name, np.array(as_array(values)), len(z), step)
            for name, values in columns.items()
            if values is not None
        }
        if predictions is not None:
            samples["prediction"] = numbers = self._classes.number(predictions)
            if numbers.shape != (len(z),):
                raise RecordingError(
                    f"predictions at step {step} must be one label for each of {len(z)} embeddings; "
                    f"got shape {numbers.shape}."
                )
        if sample_ids is not None:
            given = self._samples.find(sample_ids, len(z), step)
            samples = self._spread_columns(samples, given, len(z), step)
            z, present = self._samples.spread(given, z, step)
        rows = self._classes.rows
        made = Frame(
            step=step,
            embeddings=z,
            labels=probe.labels,
            present=present,
            landmarks=points,
            target_index=rows if len(points.get("targets", ())) == len(rows) > 0 else None,
            samples=samples,
            metrics={name: _scalar(name, value) for name, value in metrics.items()},
            epoch=_positive("epoch", epoch, step),
            seconds=self._writer.seconds if seconds is None else _positive("seconds", seconds, step),
            events=[*map(dict, events), *notes, *self._drops.untold],
        )
        info = self._writer.info
        return check_frame(made, num_classes=info.num_classes, dim=info.dim), notes

    def _spread_columns(
        self, samples: Mapping[str, np.ndarray], given: Given, count: int, step: int
    ) -> dict[str, np.ndarray]:
        whole = {
            name: self._samples.spread_column(name, given, column, count, step) for name, column in samples.items()
        }
        if "prediction" in whole:
            absent = np.ones(len(whole["prediction"]), bool)
            absent[given.rows] = False
            whole["prediction"][absent] = UNLABELLED
        return whole

    def _write(self, frame: Frame) -> None:
        """Here, where it takes no time to speak of or errors are to be raised; else behind the caller's loop."""
        count, dim = frame.embeddings.shape
        if self._on_error == "raise" or not self._begun or count * count * (dim + 64) <= SMALL:
            self._behind.wait()
            self._finish(frame)
            self._recorded += 1
            return
        told = list(self._drops.untold)
        frame = replace(frame, events=json.loads(encode_events(frame)))
        arrays = (frame.embeddings, *frame.landmarks.values(), *frame.samples.values())
        size = sum(array.nbytes for array in arrays)
        self._behind.give((frame.step, told), partial(self._finish_behind, frame), size)

    def _finish(self, frame: Frame) -> None:
        """Measure a frame and write it; the caller's numbers win."""
        self._writer.write(replace(frame, metrics={**self._measure(frame), **frame.metrics}))

    def _finish_behind(self, frame: Frame) -> None:
        from ltviz.geometry.threads import without_helpers  # as in `_measure`

        with without_helpers():
            self._finish(frame)

    def _tell(self) -> None:
        """Count what became of the frames that were written behind the loop."""
        for about, error in self._behind.outcomes():
            if error is None:
                self._recorded += 1
                continue
            step, told = about
            self._drops.untold[:0] = told
            if step == self._newest:
                self._newest = self._writer.last_step
            self.drop(step, error)

    def drop(self, step: Any, error: Exception) -> None:
        """Count the frame of `step` as dropped for an error that came before it could be given, and warn once a kind;
        with on_error="raise" the error is raised."""
        if self._on_error == "raise":
            raise error
        self._drops.add(step, error)
        self._writer.note(dropped=dict(self._drops.counts))

    def close(self) -> None:
        """End the run as finished; a second call does nothing. How many frames were dropped is a last warning."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ended or self._writer.is_child:
            return
        self._ended = True
        self._behind.close()
        self._tell()
        told = self._drops.sentence(self._recorded)
        if told is not None:
            self._writer.note(told)
        try:
            self._writer.__exit__(kind, error, trace)
        except RecordingError as trouble:
            if self._on_error == "raise" or not self._begun:
                raise
            told = " ".join(filter(None, (told, f"The run could not be closed: {trouble}")))
        if told is not None:
            warn(f"{told.rstrip('.')} ({self.path}).")

    def _measure(self, frame: Frame) -> dict[str, float]:
        # Imported here so that a run can be read without the library's mathematics.
        from ltviz.recording.measured import measure_present

        return measure_present(frame, self._writer.probe, self._writer.info, split=self._split)


class Silent(Recorder):
    """What `record` gives to a process that is to write nothing: it takes everything, and does nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """The run's folder, which another process writes."""
        return self._path

    @property
    def last_step(self) -> int:
        """-1: nothing is kept."""
        return -1

    @property
    def dropped(self) -> dict[str, int]:
        """Nothing."""
        return {}

    def frame(self, step: int, **values: Any) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""

    def drop(self, step: Any, error: Exception) -> None:
        """Nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing."""


def _bounded(name: str, column: np.ndarray, count: int, step: int) -> np.ndarray:
    """A column within its bounds; what was rounded beyond them lies on them."""
    low, high, rule = _BOUNDS[name]
    if column.shape != (count,) or column.dtype.kind not in "biuf":
        return column  # the frame's own rule refuses it
    least, most = float(column.min()), float(column.max())
    if least < low - _ROUNDED or most > high + _ROUNDED:
        raise RecordingError(
            f"samples['{name}'] at step {step} must {rule}; got {least:.6g} to {most:.6g}.", kind=f"{name} out of range"
        )
    return column if low <= least and most <= high else np.clip(column, low, high)


def _positive(name: str, value: Any, step: int) -> Any:
    number = _scalar(name, value)
    if isinstance(number, int | float) and number < 0:
        raise RecordingError(f"{name} at step {step} must be 0 or more; got {number}.", kind=f"{name} out of range")
    return number


def _scalar(name: str, value: Any) -> Any:
    array = as_array(value)
    if array.size != 1:
        raise RecordingError(
            f"'{name}' must be one number; got an array of shape {array.shape}.", kind="a metric that is no number"
        )
    return array.item()
