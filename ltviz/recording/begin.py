"""`ltviz.record`: a run from anybody's own training loop, in two lines."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence, Sized
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording.arrays import as_array
from ltviz.recording.classes import Classes, number_classes, number_sets
from ltviz.recording.files import is_there
from ltviz.recording.frame import check_step
from ltviz.recording.info import RunInfo, make_info
from ltviz.recording.names import slug
from ltviz.recording.recorder import Recorder, Silent
from ltviz.recording.recording import Recording
from ltviz.recording.writer import RunWriter
from ltviz.text import plain


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
    resume: bool = False,
    step: int | None = None,
    overwrite: bool = False,
) -> Recorder:
    """Begin a run in the folder `path` and give what writes its frames.

        with ltviz.record("checkpoints/my-run", labels=y) as run:
            for step in range(300):
                ...
                run.frame(step, embeddings=z)

    Arrays are numpy's, torch's (any device, with gradient or not) or lists; they are copied and left as they are. The
    folder may have any name that is not hidden: `ltviz runs` and the app find every run below their home, and call one
    whose name fits no address by an id made from it. Files of your own may lie in it.

    What is wrong here, or with the first frame, raises at once. After that a frame that does not fit (a step that came
    before, a NaN, other rows, a full disk, a folder that is gone) is dropped whole and never ends your loop: the first
    of each kind is a `RecordingWarning`, all are counted, and the counts are said on closing and kept in status.json.

    A small frame (up to 400 samples in 3 dimensions, 250 in 128) is on the disk when `frame` returns. A larger one is
    copied, and measured and written behind your loop, which does not wait for it; at most 128 MiB of frames wait.
    `flush`, closing the run and the end of the program wait for all of them; a process that is killed loses those that
    wait.

    In a process whose environment says RANK (torchrun does) and a number above 0 nothing is written: what is given back
    does nothing, so that all ranks may run the same lines. `ltviz.gather` brings the rows of all ranks together.

    Args:
        labels: (N,) class of each sample that the frames will hold. Whole numbers from 0 stay the numbers they are. Any
            others (text, negative numbers, mostly gaps) become classes by falling number of samples, and keep their
            names. -1, NaN, None and "" are no label: such samples are drawn grey, and never measured, ranked or
            counted. Or (N, C), N above 1, of 0 and 1: each sample shows the classes of its ones; it has the colour of
            the rarest of them, and no label where it shows none.
        class_names: a name a class, in the order of the labels' values (for text: the list of all classes, in any
            order), or {label: name}. The labels themselves where left out.
        images: (N, H, W), (N, H, W, channels) or torch's (N, channels, H, W) with 1, 3 or 4 channels, uint8 or 0 to 1:
            the small pictures that hovering shows, in colour where they are; at most 32 x 32 pixels are kept.
        split: (N,) 0 train, 1 test, 2 validation. Without it nobody knows which samples are test samples: accuracies
            are left out, and what is measured of training and of test samples apart.
        sample_ids: (N,) whole numbers that say which samples of your data these are; 0 ... N-1 where left out.
        attributes: name -> (N,) numbers or text, None where nothing is known: what else is known of the samples, to
            colour by, to search and to read.
        counts: training samples of each class, in the order of `class_names`; by default those among `labels`.
        method, title, config, total_steps, seed: what run.json says of the run; `config` holds JSON values,
            or numpy's scalars.
        on_error: "raise" raises whatever is wrong with any frame, and writes each before `frame` returns.
        resume: go on after the last step of the run that is in the folder, whose samples must be these; what run.json
            says stays. Where there is none, one is begun.
        step: with `resume`, cut the run back first: the frames of later steps are deleted, and the next may be that of
            `step`, which takes the place of the one before, or a later one.
        overwrite: delete the run that is in the folder, if there is one; nothing else in it.

    Raises:
        RunLocked: another process writes this run.
        RecordingError: the folder already holds a run, or an argument does not fit; nothing is left behind.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp() + "/my-run"
    >>> with record(folder, labels=["cat", "cat", "dog"]) as run:
    ...     run.frame(0, embeddings=np.eye(3), metrics={"loss": 0.7})
    >>> with record(folder, labels=["cat", "cat", "dog"], resume=True) as run:
    ...     run.frame(1, embeddings=-np.eye(3), metrics={"loss": 0.6})
    >>> from ltviz.recording import Recording
    >>> Recording(folder).steps(), Recording(folder).frame(1).labels
    ([0, 1], array([0, 0, 1], dtype=int32))
    """
    if on_error not in ("warn", "raise"):
        raise RecordingError(f"on_error must be 'warn' or 'raise'; got {on_error!r:.80}.")
    if resume and overwrite:
        raise RecordingError("A run is gone on with (resume=True) or replaced (overwrite=True); give one of both.")
    if step is not None and not resume:
        raise RecordingError(f"step={step!r:.80} says where to go on, which needs resume=True.")
    path = Path(path).absolute()
    if _rank() > 0:
        return Silent(path)
    table, sets = _table_of(labels), None
    if table is None:
        classes = number_classes(labels, class_names)
    else:
        classes, sets = number_sets(table, class_names)
    split = None if split is None else as_array(split)
    arrays = {"split": split, "sample_ids": None if sample_ids is None else as_array(sample_ids)}
    if resume and is_there(path / "run.json"):
        begun = Recording(path)
        _check_same(begun, classes, sets, arrays)
        writer = RunWriter.resume(path, step=None if step is None else check_step(step))
        return Recorder(writer, classes, split, on_error, newest=begun.last())
    info = make_info(
        run_id=slug(path.resolve().name),
        method=method,
        title=title or method or path.resolve().name,
        created=time.time(),
        num_classes=len(classes.names),
        class_names=classes.names,
        counts=_counts(counts, classes, sets, split),
        total_steps=_plain(total_steps),
        seed=_plain(seed),
        config=_plain(dict(config or {})),
        versions=_versions(),
    )
    images = None if images is None else as_array(images)
    writer = RunWriter.create(
        path,
        info,
        labels=classes.labels,
        label_sets=sets,
        images=images,
        attributes=attributes,
        overwrite=overwrite,
        **arrays,
    )
    return Recorder(writer, classes, split, on_error)


def _rank() -> int:
    """Of this process among those that train together; 0 where nobody says."""
    try:
        return int(os.environ.get("RANK", "0"))
    except ValueError:
        return 0


def _table_of(labels: Any) -> np.ndarray | None:
    """Labels of several samples with several columns; None where each has one. A single row is no table: who gives one
    most likely means the labels of as many samples."""
    if isinstance(labels, np.ma.MaskedArray):
        return None
    if isinstance(labels, list | tuple) and not (len(labels) and isinstance(labels[0], Sized | np.ndarray)):
        return None
    if isinstance(labels, list | tuple) and isinstance(labels[0], str):
        return None
    table = as_array(labels)
    return table if table.ndim == 2 and len(table) > 1 else None


def _counts(
    given: Sequence[int] | np.ndarray | None, classes: Classes, sets: np.ndarray | None, split: np.ndarray | None
) -> list[int]:
    """Training samples of each class: as `given`, in the caller's order of classes, or counted."""
    if given is not None:
        by_class = np.asarray(as_array(given))
        if by_class.shape != (len(classes.names),) or by_class.dtype.kind not in "iu":
            raise RecordingError(
                f"counts must be one whole number for each of {len(classes.names)} classes; "
                f"got {by_class.dtype} of shape {by_class.shape}."
            )
        return by_class[classes.rows].tolist()
    counted = classes.labels >= 0
    if split is not None and split.shape == counted.shape:
        counted &= split == 0
    if sets is not None:
        return sets[counted].sum(axis=0, dtype=np.int64).tolist()
    return np.bincount(classes.labels[counted], minlength=len(classes.names)).tolist()


def _check_same(begun: Recording, classes: Classes, sets: np.ndarray | None, arrays: Mapping[str, Any]) -> None:
    """RecordingError where a run that is to be gone on with is of other samples."""
    info: RunInfo = begun.info
    probe = begun.probe
    same = {
        "labels": _equal(probe.labels, classes.labels) and _equal(probe.label_sets, sets),
        "class_names": info.class_names == [plain(name) for name in classes.names],
        **{name: now is None or _equal(getattr(probe, name), now) for name, now in arrays.items()},
    }
    differs = [name for name, equal in same.items() if not equal]
    if differs:
        raise RecordingError(
            f"The run in the folder was begun with other {differs[0]} and cannot be gone on with; give another folder, "
            f"or replace the run (overwrite=True): {begun.path}."
        )


def _equal(before: np.ndarray | None, now: np.ndarray | None) -> bool:
    return before is now if before is None or now is None else np.array_equal(before, now)


def _plain(value: Any) -> Any:
    """`value` with numpy's scalars, at any depth, as the numbers that they are."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    try:
        versions["ltviz"] = version("ltviz")
    except PackageNotFoundError:  # run from a bare checkout
        versions["ltviz"] = "0+unknown"
    return versions
