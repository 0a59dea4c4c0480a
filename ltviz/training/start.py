"""From settings, or from a run folder, to a race that is ready to run. Nothing is written before all of it is sound."""

from __future__ import annotations

import contextlib
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ltviz
from ltviz.data import registry as data_registry
from ltviz.errors import ConfigError, RecordingError
from ltviz.methods import registry as method_registry
from ltviz.recording import Fingerprints, Reading, Recording, RunInfo, RunWriter, new_run_id
from ltviz.recording.names import slug
from ltviz.training import controls, folders, teachers
from ltviz.training.forces import parse_what_if
from ltviz.training.ground import Ground, check_labels, parse_settings, prepare, relocate, run_settings
from ltviz.training.lane import Lane
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.stop import Stop
from ltviz.training.teachers import Lesson, Recipe


@dataclass(frozen=True)
class Entrant:
    """A method that is to be trained, and the folder that is to hold the run."""

    path: Path
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def begin(
    entrants: Sequence[Entrant],
    run: RunSettings,
    *,
    race: str | None = None,
    stop: Stop | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> Race:
    """A new race; the run folders are made last.

    Args:
        race: id that the runs of a race share; made up where several runs have none.

    Raises:
        ConfigError, DataError: settings that cannot be met.
        RecordingError, RunLocked: a folder that holds a run already; no folder is left behind then.
    """
    kinds = [method_registry.method(entrant.method) for entrant in entrants]
    settings = [parse_settings(kind, entrant.settings) for kind, entrant in zip(kinds, entrants, strict=True)]
    check_labels(kinds, run.data)
    parse_what_if(run.what_if, several_labels=data_registry.source(run.data).several_labels)
    for entrant in entrants:
        folders.check_free(entrant.path)
    run = run.model_copy(update={"data_dir": data_registry.resolve_folder(run.data, run.data_dir)})
    ground = prepare(run)
    fingerprints = ground.fingerprints()
    if race is None and len(entrants) > 1:
        race = new_run_id("race")
    recipes = _shared(
        [
            teachers.recipe(kind, chosen, entrant.path, ground)
            for entrant, kind, chosen in zip(entrants, kinds, settings, strict=True)
        ]
    )
    lanes = [
        ground.lane(entrant.path, kind, chosen, recipe)
        for entrant, kind, chosen, recipe in zip(entrants, kinds, settings, recipes, strict=True)
    ]
    lessons = _enrol(lanes, ground, fingerprints)
    with _all_or_none([*lanes, *(lesson.teacher for lesson in lessons)]):
        _open_teachers(lessons, ground, fingerprints)  # older than their students: the page shows the newest run
        for lane in lanes:
            _create(lane, ground, _describe(lane, ground, race, fingerprints))
    return Race(lanes, ground.batches, lessons=lessons, stop=stop, progress=progress)


def resume(
    paths: Sequence[Path],
    *,
    device: str | None = None,
    stop: Stop | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> Race:
    """A race that goes on from the last saved weights of each run, and adds to its recording.

    Without saved weights a run starts over from its seed: it comes to the same weights, and frames that are there
    already are not written again.

    Args:
        paths: runs of one race, or a single run.
        device: instead of the one the runs were made with.

    Raises:
        RecordingError, RunLocked: not a run that ltviz trained, complete already, or trained elsewhere right now.
        ConfigError: runs with different settings.
    """
    recordings = [Recording(path) for path in paths]
    run = _common_settings(recordings)
    parse_what_if(run.what_if, several_labels=data_registry.source(run.data).several_labels)
    if device is not None:
        run = controls.replace(run, "device", device)
    ground = prepare(relocate(run))
    fingerprints = ground.fingerprints()
    lanes = [_continued(recording, ground, fingerprints) for recording in recordings]
    with contextlib.ExitStack() as opened:
        for lane, recording in zip(lanes, recordings, strict=True):
            lane.writer = RunWriter.resume(lane.path)
            opened.callback(lane.writer.close)
            # Only now, with the lock held, can nobody else add frames or weights.
            _catch_up(lane, recording)
        lessons = _enrol(lanes, ground, fingerprints)
        with _all_or_none([lesson.teacher for lesson in lessons]):
            _open_teachers(lessons, ground, fingerprints)
        opened.pop_all()
    return Race(lanes, ground.batches, lessons=lessons, stop=stop, progress=progress)


def _shared(recipes: Sequence[Recipe | None]) -> list[Recipe | None]:
    """The recipes of a race, where students that want the same teacher trained share the first one's."""
    shared: list[Recipe | None] = []
    for recipe in recipes:
        equal = (r for r in shared if r and recipe and replace(r, run_id=recipe.run_id) == recipe and not r.given)
        shared.append(next(equal, recipe))
    return shared


def _enrol(students: Sequence[Lane], ground: Ground, fingerprints: Fingerprints) -> list[Lesson]:
    """Lessons with all teachers that must be trained yet; students of one that is trained take in its weights.

    A student beyond step 0 has its teacher in its own weights.

    Raises:
        RecordingError, RunLocked: a teacher's folder that holds another run, or is written by somebody else.
    """
    lessons: dict[Path, Lesson] = {}
    for student in students:
        recipe = student.teacher
        if recipe is None or student.step > 0:
            continue
        if recipe.given:
            student.learn_from(teachers.find(recipe.run_id, student.path).path)
            continue
        path = student.path.with_name(recipe.run_id)
        if path in lessons:
            lessons[path].students.append(student)
        elif (path / "run.json").exists() and teachers.is_trained(Recording(path), recipe, ground):
            student.learn_from(path)
        else:
            lessons[path] = Lesson(_teacher(path, recipe, ground, fingerprints), [student])
    return list(lessons.values())


def _teacher(path: Path, recipe: Recipe, ground: Ground, fingerprints: Fingerprints) -> Lane:
    """A teacher's lane, new or to go on."""
    if (path / "run.json").exists():
        recording = Recording(path)
        folders.check_resumable(recording)
        return _continued(recording, ground, fingerprints)
    folders.check_free(path)
    kind = method_registry.method(recipe.method)
    return ground.lane(path, kind, parse_settings(kind, recipe.settings))


def _open_teachers(lessons: Sequence[Lesson], ground: Ground, fingerprints: Fingerprints) -> None:
    for lesson in lessons:
        lane = lesson.teacher
        if (lane.path / "run.json").exists():
            lane.writer = RunWriter.resume(lane.path)
            _catch_up(lane, Recording(lane.path))
        else:
            title = f"{lane.method.card.title}, teacher of {lesson.students[0].method.card.title}"
            info = _describe(lane, ground, None, fingerprints)
            _create(lane, ground, info.model_copy(update={"title": title}))


def _create(lane: Lane, ground: Ground, info: RunInfo) -> None:
    lane.writer = RunWriter.create(
        lane.path,
        info,
        labels=ground.probe.labels,
        split=ground.probe.split,
        sample_ids=ground.probe.sample_ids,
        images=ground.probe.thumbnails,
        label_sets=ground.probe.multi,
    )


def _common_settings(recordings: Sequence[Recording]) -> RunSettings:
    found: list[RunSettings] = []
    for recording in recordings:
        folders.check_resumable(recording)
        found.append(run_settings(recording))
    if any(run != found[0] for run in found):
        raise ConfigError(
            "runs go on together only where all their settings but the methods' are equal; resume each alone"
        )
    return found[0]


def _continued(recording: Recording, ground: Ground, fingerprints: Fingerprints) -> Lane:
    """A lane at step 0 on the run's own ground: seed, data and batches must be those it was started with."""
    info = recording.info
    if info.fingerprints.batches != fingerprints.batches or not np.array_equal(
        recording.probe.sample_ids, ground.probe.sample_ids
    ):
        raise RecordingError(
            f"a run goes on with the samples it began with, but this data folder gives others; "
            f"set LTVIZ_DATA to the old one: {recording.path}"
        )
    if not _has_weights(recording.path) and info.fingerprints.weights != fingerprints.weights:
        raise RecordingError(
            f"without saved weights a run starts over from its seed, but torch {torch.__version__} draws other initial "
            f"weights than torch {info.versions.get('torch')}; train it anew: {recording.path}"
        )
    kind = method_registry.method(info.method or "")
    settings = parse_settings(kind, recording.config.get("method", {}))
    return ground.lane(recording.path, kind, settings, Recipe.of(info))


def _has_weights(path: Path) -> bool:
    return any((path / "weights").glob("[0-9]*"))


def _catch_up(lane: Lane, recording: Recording) -> None:
    """Brings a lane to the state of its recording: weights, frames that exist, changes made after the weights."""
    if _has_weights(lane.path):
        lane.restore()
    last = recording.last()
    if last is not None:
        lane.last_frame, lane.seconds_before, lane.seconds = last.step, last.seconds, last.seconds
        lane.metrics = dict(last.metrics)
    lane.replay([event for frame in recording.since(lane.step) for event in frame.events])
    lane.last_logged = max((row["step"] for row in recording.metrics()), default=-1)


def _describe(lane: Lane, ground: Ground, race: str | None, fingerprints: Fingerprints) -> RunInfo:
    run, data = ground.run, ground.data
    return RunInfo(
        run_id=slug(lane.path.name),
        method=lane.name,
        title=lane.method.card.title,
        created=time.time(),
        race=race,
        dim=run.dim,
        num_classes=data.num_classes,
        class_names=list(data.class_names),
        counts=data.counts.tolist(),
        total_steps=run.steps,
        seed=run.seed,
        data=run.data,
        imbalance_factor=run.imbalance_factor,
        config={
            "run": run.model_dump(mode="json"),
            "method": lane.method.settings.model_dump(mode="json"),
            "engine": ground.engine.describe(),
            **({} if lane.teacher is None else {"teacher": lane.teacher.as_json()}),
        },
        versions={
            "ltviz": ltviz.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        fingerprints=fingerprints,
        readings=[Reading.model_validate(asdict(reading)) for reading in lane.method.readings],
    )


@contextmanager
def _all_or_none(lanes: Sequence[Lane]) -> Iterator[None]:
    """Where one folder of a race cannot be made, what was made before it is taken away again, and nothing else."""
    paths = [lane.path for lane in lanes]
    before = {path: set(path.iterdir()) for path in paths if path.is_dir()}
    new = sorted({folder for path in paths for folder in (path, *path.parents) if not folder.exists()}, reverse=True)
    try:
        yield
    except BaseException:
        for lane in lanes:
            if lane.writer is None:
                continue
            lane.writer.close()
            for made in set(lane.path.iterdir()) - before.get(lane.path, set()):
                shutil.rmtree(made) if made.is_dir() else made.unlink()
        for folder in new:
            with contextlib.suppress(OSError):  # not made yet, or in use by somebody else
                folder.rmdir()
        raise
