"""`ltviz.record`: a run from anybody's own training loop, in two lines."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.classes import Classes, number_classes
from ltviz.recording.frame import check_step
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
    counts: Sequence[int] | None = None,
    method: str | None = None,
    title: str | None = None,
    config: Mapping[str, Any] | None = None,
    total_steps: int | None = None,
    seed: int | None = None,
) -> Recorder:
    """Begin a run in the folder `path` and give what writes its frames.

        with ltviz.record("checkpoints/my-run", labels=y) as run:
            for step in range(300):
                ...
                run.frame(step, embeddings=z)

    Arrays are numpy's, torch's (any device, with gradient or not) or lists; they are copied and left as they are. The
    folder may have any name that is not hidden: `ltviz runs` and the app find every run below their home, and call one
    whose name fits no address by an id made from it.

    Args:
        labels: (N,) class of each sample that the frames will hold. Whole numbers from 0 stay the numbers they are. Any
            others (text, negative numbers, mostly gaps) become classes by falling number of samples, and keep their
            names.
        class_names: a name a class, in the order of the labels' values (for text: the list of all classes, in any
            order), or {label: name}. The labels themselves where left out.
        images: (N, H, W) or with channels, uint8 or 0 to 1: the small pictures that hovering shows.
        split: (N,) 0 train, 1 test, 2 validation. Without it nobody knows which samples are test samples: accuracies
            are left out, and what is measured of training and of test samples apart.
        sample_ids: (N,) whole numbers that say which samples of your data these are.
        counts: training samples of each class, in the order of `class_names`; by default those among `labels`.
        method, title, config, total_steps, seed: what run.json says of the run; `config` holds JSON values.

    Raises:
        RunLocked: another process writes this run.
        RecordingError: the folder already holds a run, or an argument does not fit; nothing is left behind.
    """
    path = Path(path)
    classes = number_classes(as_array(labels), class_names)
    split = None if split is None else as_array(split)
    if counts is None:
        counted = classes.labels if split is None or split.shape != classes.labels.shape else classes.labels[split == 0]
        by_class = np.bincount(counted, minlength=len(classes.names))
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
        total_steps=total_steps,
        seed=seed,
        config=dict(config or {}),
        versions=_versions(),
    )
    writer = RunWriter.create(
        path,
        info,
        labels=classes.labels,
        split=split,
        sample_ids=None if sample_ids is None else as_array(sample_ids),
        images=None if images is None else as_array(images),
    )
    return Recorder(writer, classes, split)


class Recorder:
    """What `record` gives. Use it in a `with` block, or call `close` at the end."""

    def __init__(self, writer: RunWriter, classes: Classes, split: np.ndarray | None) -> None:
        self._writer = writer
        self._classes = classes
        self._split = split
        self._noted: set[str] = set()
        writer.set_state("running")

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self._writer.path

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

        Args:
            step: later than the step before.
            embeddings: (N, D), one row a label, D >= 2. Rows that are not unit are put on the sphere, and the run says
                so once.
            targets: (K, D); where K is the number of classes, row c is the target of class c in the order of
                `class_names`.
            landmarks: other points on the sphere that the method owns, name -> (K, D): prototypes, classifier weights.
            predictions: (N,) predicted labels, in the same values as `labels`.
            confidence: (N,) probability of the predicted class.
            loss: (N,) what each sample costs, 0 or more; the stage can colour by it.
            metrics: name -> number of your own.
            epoch, seconds: of this step; seconds since `record` where left out.
            events: JSON objects such as {"kind": "setting", "name": "learning_rate", "value": 0.1}.

        Raises:
            RecordingError: what does not fit, as one sentence; no frame is written.
            DiskFull: no room; the same frame may be tried again.
        """
        step = check_step(_scalar("step", step) if hasattr(step, "detach") else step)
        points, notes = {}, []
        given = {"embeddings": embeddings, **(landmarks or {}), **({} if targets is None else {"targets": targets})}
        for name, array in given.items():
            points[name], note = self._on_sphere(name, as_array(array), step)
            notes += note
        z = points.pop("embeddings")
        columns = {"confidence": confidence, "loss": loss}
        samples = {name: as_array(values) for name, values in columns.items() if values is not None}
        if predictions is not None:
            samples["prediction"] = self._classes.number(as_array(predictions))
        rows = self._classes.rows
        self._writer.frame(
            step,
            embeddings=z,
            landmarks=points,
            target_index=rows if len(points.get("targets", ())) == len(rows) else None,
            samples=samples,
            metrics={
                **self._measure(z, samples),
                **{name: _scalar(name, value) for name, value in (metrics or {}).items()},
            },
            epoch=_scalar("epoch", epoch),
            seconds=None if seconds is None else _scalar("seconds", seconds),
            events=[*events, *notes],
        )
        self._noted |= {note["about"] for note in notes}

    def close(self) -> None:
        """End the run as finished; a second call does nothing."""
        self._writer.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def _on_sphere(self, name: str, array: np.ndarray, step: int) -> tuple[np.ndarray, list[dict[str, str]]]:
        if array.ndim != 2 or array.dtype.kind not in "fiu":
            raise RecordingError(
                f"{name} at step {step} must be numbers of shape (rows, D); got {array.dtype} of shape {array.shape}."
            )
        array = array.astype(np.float64)
        lengths = np.linalg.norm(array, axis=1)
        if not np.isfinite(lengths).all():
            row = int(np.flatnonzero(~np.isfinite(lengths))[0])
            raise RecordingError(
                f"{name} at step {step} must be finite; row {row} holds NaN or infinity, lower the learning rate."
            )
        if not lengths.all():
            row = int(np.flatnonzero(lengths == 0)[0])
            raise RecordingError(
                f"{name} at step {step} must have a direction; row {row} is zero and has no place on a sphere."
            )
        if np.abs(lengths - 1).max(initial=0) <= _UNIT_TOLERANCE:
            return array.astype(np.float32), []
        lengths_given = f"{lengths.min():.3g} to {lengths.max():.3g}"
        text = f"The rows of {name} were not of length 1 ({lengths_given}); their directions are shown."
        note = [] if name in self._noted else [{"kind": "note", "about": name, "text": text}]
        return (array / lengths[:, None]).astype(np.float32), note

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


def as_array(value: Any) -> np.ndarray:
    """A numpy array of `value`; torch tensors are taken off their graph and device, without importing torch."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        value = value.numpy()
    return np.asarray(value)


def _scalar(name: str, value: Any) -> Any:
    array = as_array(value)
    if array.size != 1:
        raise RecordingError(f"'{name}' must be one number; got an array of shape {array.shape}.")
    return array.item()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    try:
        versions["ltviz"] = version("ltviz")
    except PackageNotFoundError:  # run from a bare checkout
        versions["ltviz"] = "0+unknown"
    return versions
