"""Runs from what files hold: the folder at once, so that one may look, and the frames behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ltviz.errors import RecordingError
from ltviz.launch.opening import Series
from ltviz.recording import Home, Recording, RunWriter, new_run_id, record, run_id_of
from ltviz.recording.names import slug
from ltviz.recording.notes import delete_run

MOST_COLUMNS = 64
"""Names of vector columns that run.json keeps."""


class Making:
    """A run that is being made: its folder is there from the start, and `write` puts the frames into it.

    Args:
        name: what it is called; its id is this in the alphabet of ids where that is free.

    Raises:
        RecordingError: the home cannot be written; nothing is left.
    """

    def __init__(self, series: Series, home: Home, *, name: str | None = None) -> None:
        run_id = _free_id(home, name, series.name)
        self._series = series
        self._recorder = record(
            home.folder(run_id),
            labels=series.labels,
            class_names=series.class_names,
            counts=series.counts,
            split=series.split,
            sample_ids=series.sample_ids,
            attributes={attribute.name: attribute for attribute in series.attributes},
            title=name or series.name,
            config={
                "opened": {
                    "vectors": [column[:200] for column in series.upload.vector_columns[:MOST_COLUMNS]],
                    "notes": list(series.notes),
                }
            },
            on_error="raise",
        )
        self.recording = Recording(home.folder(run_id), run_id=run_id)

    def write(self) -> Recording:
        """All frames, each measured before.

        Raises:
            RecordingError: one cannot be written; nothing is left of the run.
        """
        try:
            with self._recorder as run:
                for step, embeddings in zip(self._series.steps, self._series.embeddings, strict=True):
                    run.frame(step, embeddings=embeddings)
        except BaseException:
            delete_run(self.recording.path)
            raise
        return self.recording

    def abandon(self) -> None:
        """Nothing is written, and nothing is left of the run."""
        self._recorder.close()
        delete_run(self.recording.path)


class MakingBehind:
    """Runs whose frames are written while one looks at them already.

    Args:
        named: what each is made of, and what it is called; in this order they are written.
        failed: called in the thread that writes, once one could not be written; those after it are made no more.

    Raises:
        RecordingError: the home cannot be written; nothing is left.
    """

    def __init__(
        self, named: Sequence[tuple[Series, str | None]], home: Home, failed: Callable[[], None] = lambda: None
    ) -> None:
        self._left: list[Making] = []
        try:
            for series, name in named:
                self._left.append(Making(series, home, name=name))
        except BaseException:
            self._abandon()
            raise
        self._failed = failed
        self.recordings = [making.recording for making in self._left]
        """All runs, written or not."""
        self.error: Exception | None = None
        """Why a run is not there."""
        self._thread = threading.Thread(target=self._write, name="ltviz-making")
        self._thread.start()

    def done(self, seconds: float = 0.0) -> bool:
        """Whether nothing more is written; waits so long for that."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Returns once all frames are written; raises what kept one from it."""
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _write(self) -> None:
        try:
            while self._left:
                self._left.pop(0).write()
        except Exception as error:  # told to whoever waits
            self.error = error
            self._abandon()
            self._failed()

    def _abandon(self) -> None:
        while self._left:
            self._left.pop().abandon()


def make_run(series: Series, home: Home, *, name: str | None = None) -> Recording:
    """Writes the run into the home; its id is `name` in the alphabet of ids where that is free.

    Raises:
        RecordingError: it cannot be written; nothing is left.
    """
    return Making(series, home, name=name).write()


def copy_run(given: Recording, home: Home, *, name: str | None = None) -> Recording:
    """A run folder from elsewhere, checked frame by frame, in the home; one that lies there already as it is.

    Raises:
        RecordingError: it holds no sound frame, or cannot be written; nothing is left.
    """
    if home.root.resolve() in given.path.resolve().parents:
        below = given.path.resolve().relative_to(home.root.resolve())
        return Recording(given.path, run_id=run_id_of(below.as_posix()))
    info, probe = given.info, given.probe
    if given.last() is None:
        raise RecordingError(f"The run holds no frame that can be read ({given.path}).")
    run_id = _free_id(home, name, given.path.resolve().name)
    path = home.folder(run_id)
    writer = RunWriter.create(
        path,
        info.model_copy(update={"run_id": run_id, "title": name or info.title}),
        labels=probe.labels,
        split=probe.split,
        sample_ids=probe.sample_ids,
        images=probe.thumbnails,
        label_sets=probe.label_sets,
        attributes={attribute.name: attribute for attribute in given.attributes},
    )
    try:
        with writer:
            for frame in given.since(None):
                writer.write(frame)
    except BaseException:
        delete_run(path)
        raise
    return Recording(path, run_id=run_id)


def _free_id(home: Home, name: str | None, otherwise: str) -> str:
    wanted = slug(name) if name else ""
    return wanted if wanted and not home.folder(wanted).exists() else new_run_id(name or otherwise)
