"""`ltviz.record`: a run from anybody's own training loop, in two lines."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.arrays import as_array
from ltviz.recording.classes import Classes, number_classes
from ltviz.recording.drops import Drops, warn
from ltviz.recording.info import make_info
from ltviz.recording.names import slug
from ltviz.recording.writer import RunWriter

_UNIT_TOLERANCE = 1e-3


def record(
    path: str | os.PathLike[str],
    *,
    labels: Any,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    images: Any = None,
    split: Any = None,
    sample_ids: Any = None,
    attributes: Mapping[str, Any] | None = None,
    counts: Sequence[int] | np.ndarray | None = None,
    method: str | None = None,
    title: str | None = None,
    config: Mapping[str, Any] | None = None,
    total_steps: int | None = None,
    seed: int | None = None,
    on_error: Literal["warn", "raise"] = "warn",
) -> Recorder:
    """Begin a run in the folder `path` and give what writes its frames.

        with ltviz.record("checkpoints/my-run", labels=y) as run:
            for step in range(300):
                ...
                run.frame(step, embeddings=z)

    Arrays are numpy's, torch's (any device, with gradient or not) or lists; they are copied and left as they are. The
    folder may have any name that is not hidden: `ltviz runs` and the app find every run below their home, and call one
    whose name fits no address by an id made from it.

    What is wrong here, or with the first frame, raises at once. After that a frame that does not fit (a step that came
    before, a NaN, other rows, a full disk, a folder that is gone) is dropped whole and never ends your loop: the first
    of each kind is a `RecordingWarning`, all are counted, and the counts are said on closing and kept in status.json.

    Args:
        labels: (N,) class of each sample that the frames will hold. Whole numbers from 0 stay the numbers they are. Any
            others (text, negative numbers, mostly gaps) become classes by falling number of samples, and keep their
            names. -1, NaN, None and "" are no label: such samples are drawn grey, and never measured, ranked or
            counted.
        class_names: a name a class, in the order of the labels' values (for text: the list of all classes, in any
            order), or {label: name}. The labels themselves where left out.
        images: (N, H, W), (N, H, W, channels) or torch's (N, channels, H, W) with 1, 3 or 4 channels, uint8 or 0 to 1:
            the small pictures that hovering shows, in colour where they are; at most 32 x 32 pixels are kept.
        split: (N,) 0 train, 1 test, 2 validation. Without it nobody knows which samples are test samples: accuracies
            are left out, and what is measured of training and of test samples apart.
        sample_ids: (N,) whole numbers that say which samples of your data these are.
        attributes: name -> (N,) numbers or text, None where nothing is known: what else is known of the samples, to
            colour by, to search and to read.
        counts: training samples of each class, in the order of `class_names`; by default those among `labels`.
        method, title, config, total_steps, seed: what run.json says of the run; `config` holds JSON values,
            or numpy's scalars.
        on_error: "raise" raises whatever is wrong with any frame.

    Raises:
        RunLocked: another process writes this run.
        RecordingError: the folder already holds a run, or an argument does not fit; nothing is left behind.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp() + "/my-run"
    >>> with record(folder, labels=["cat", "cat", "dog"]) as run:
    ...     run.frame(0, embeddings=np.eye(3), metrics={"loss": 0.7})
    ...     run.frame(1, embeddings=-np.eye(3), metrics={"loss": 0.6})
    >>> from ltviz.recording import Recording
    >>> Recording(folder).steps(), Recording(folder).frame(1).labels
    ([0, 1], array([0, 0, 1], dtype=int32))
    """
    if on_error not in ("warn", "raise"):
        raise RecordingError(f"on_error must be 'warn' or 'raise'; got {on_error!r:.80}.")
    path = Path(path)
    classes = number_classes(labels, class_names)
    split = None if split is None else as_array(split)
    if counts is None:
        counted = classes.labels >= 0
        if split is not None and split.shape == counted.shape:
            counted &= split == 0
        by_class = np.bincount(classes.labels[counted], minlength=len(classes.names))
    else:
        by_class = np.asarray(as_array(counts))
        if by_class.shape != (len(classes.names),) or by_class.dtype.kind not in "iu":
            raise RecordingError(
                f"counts must be one whole number for each of {len(classes.names)} classes; "
                f"got {by_class.dtype} of shape {by_class.shape}."
            )
        by_class = by_class[classes.rows]
    info = make_info(
        run_id=slug(path.resolve().name),
        method=method,
        title=title or method or path.resolve().name,
        created=time.time(),
        num_classes=len(classes.names),
        class_names=classes.names,
        counts=by_class.tolist(),
        total_steps=_plain(total_steps),
        seed=_plain(seed),
        config=_plain(dict(config or {})),
        versions=_versions(),
    )
    writer = RunWriter.create(
        path,
        info,
        labels=classes.labels,
        split=split,
        sample_ids=None if sample_ids is None else as_array(sample_ids),
        images=None if images is None else as_array(images),
        attributes=attributes,
    )
    return Recorder(writer, classes, split, on_error)


class Recorder:
    """What `record` gives. Use it in a `with` block, or call `close` at the end."""

    def __init__(
        self, writer: RunWriter, classes: Classes, split: np.ndarray | None, on_error: Literal["warn", "raise"] = "warn"
    ) -> None:
        self._writer = writer
        self._classes = classes
        self._split = split
        self._on_error = on_error
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
    def dropped(self) -> dict[str, int]:
        """How many frames were dropped so far, by kind, such as {"NaN or infinity in embeddings": 1}."""
        return dict(self._drops.counts)

    def frame(
        self,
        step: int,
        *,
        embeddings: Any,
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
            embeddings: (N, D), one row a label, D >= 2. Rows that are not unit are put on the sphere, and the run says
                so once.
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
        try:
            self._write(
                step,
                embeddings=embeddings,
                landmarks={**(landmarks or {}), **({} if targets is None else {"targets": targets})},
                predictions=predictions,
                columns={"confidence": confidence, "loss": loss},
                metrics=metrics or {},
                epoch=epoch,
                seconds=seconds,
                events=events,
            )
        except Exception as error:
            if self._on_error == "raise" or not self._recorded:
                raise
            # Whatever it is: a picture that is missing is no reason to lose a training of days.
            self._drops.add(step, error)
            self._writer.note(dropped=self.dropped)
        else:
            self._recorded += 1

    def _write(
        self,
        step: Any,
        *,
        embeddings: Any,
        landmarks: Mapping[str, Any],
        predictions: Any,
        columns: Mapping[str, Any],
        metrics: Mapping[str, Any],
        epoch: Any,
        seconds: Any,
        events: Sequence[Mapping[str, Any]],
    ) -> None:
        step = self._writer.check_next(_scalar("step", step))
        points, notes = {}, []
        for name, array in {"embeddings": embeddings, **landmarks}.items():
            points[name], note = self._on_sphere(name, as_array(array), step)
            notes += note
        z = points.pop("embeddings")
        samples = {name: as_array(values) for name, values in columns.items() if values is not None}
        if predictions is not None:
            samples["prediction"] = self._classes.number(predictions)
        rows = self._classes.rows
        targets = points.get("targets", ())
        self._writer.frame(
            step,
            embeddings=z,
            landmarks=points,
            target_index=rows if len(targets) == len(rows) > 0 else None,
            samples=samples,
            metrics={
                **self._measure(z, samples),
                **{name: _scalar(name, value) for name, value in metrics.items()},
            },
            epoch=_scalar("epoch", epoch),
            seconds=None if seconds is None else _scalar("seconds", seconds),
            events=[*events, *notes, *self._drops.untold],
        )
        self._noted |= {note["about"] for note in notes}
        self._drops.untold.clear()

    def close(self) -> None:
        """End the run as finished; a second call does nothing. How many frames were dropped is a last warning."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ended:
            return
        self._ended = True
        told = self._drops.sentence(self._recorded)
        if told is not None:
            self._writer.note(told)
        try:
            self._writer.__exit__(kind, error, trace)
        except RecordingError as trouble:
            if self._on_error == "raise" or not self._recorded:
                raise
            told = " ".join(filter(None, (told, f"The run could not be closed: {trouble}")))
        if told is not None:
            warn(f"{told.rstrip('.')} ({self.path}).")

    def _on_sphere(self, name: str, array: np.ndarray, step: int) -> tuple[np.ndarray, list[dict[str, str]]]:
        if array.ndim != 2 or array.dtype.kind not in "fiu":
            raise RecordingError(
                f"{name} at step {step} must be numbers of shape (rows, D); got {array.dtype} of shape {array.shape}.",
                kind=f"{name} of another shape",
            )
        array = array.astype(np.float64)
        # The largest number of each row first: the square of 1e-200 is 0, that of 1e200 infinite.
        largest = np.abs(array).max(axis=1, initial=0)
        if not np.isfinite(largest).all():
            row = int(np.flatnonzero(~np.isfinite(largest))[0])
            raise RecordingError(
                f"{name} at step {step} must be finite; row {row} holds NaN or infinity, lower the learning rate.",
                kind=f"NaN or infinity in {name}",
            )
        if not largest.all():
            row = int(np.flatnonzero(largest == 0)[0])
            raise RecordingError(
                f"{name} at step {step} must have a direction; row {row} is zero and has no place on a sphere.",
                kind=f"a row of zeros in {name}",
            )
        scaled = array / largest[:, None]
        inner = np.linalg.norm(scaled, axis=1)
        with np.errstate(over="ignore"):  # a length of more than 1.8e308 is told as infinite
            lengths = largest * inner
        if np.abs(lengths - 1).max(initial=0) <= _UNIT_TOLERANCE:
            return array.astype(np.float32), []
        lengths_given = f"{lengths.min():.3g} to {lengths.max():.3g}"
        text = f"The rows of {name} were not of length 1 ({lengths_given}); their directions are shown."
        note = [] if name in self._noted else [{"kind": "note", "about": name, "text": text}]
        return (scaled / inner[:, None]).astype(np.float32), note

    def _measure(self, z: np.ndarray, samples: Mapping[str, np.ndarray]) -> dict[str, float]:
        # Imported here so that a run can be read without the library's mathematics.
        from ltviz.metrics import measure

        probe, info = self._writer.probe, self._writer.info
        if len(z) != len(probe.labels):
            return {}  # the writer refuses this frame and says why
        return measure(
            z,
            probe.labels,
            num_classes=info.num_classes,
            counts=np.asarray(info.counts),
            split=self._split,
            predictions=samples.get("prediction"),
        )


def _plain(value: Any) -> Any:
    """`value` with numpy's scalars, at any depth, as the numbers that they are."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _scalar(name: str, value: Any) -> Any:
    array = as_array(value)
    if array.size != 1:
        raise RecordingError(
            f"'{name}' must be one number; got an array of shape {array.shape}.", kind="a metric that is no number"
        )
    return array.item()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    try:
        versions["ltviz"] = version("ltviz")
    except PackageNotFoundError:  # run from a bare checkout
        versions["ltviz"] = "0+unknown"
    return versions
