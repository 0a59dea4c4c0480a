"""From settings, or from a run folder, to a race that is ready to run. Nothing is written before all of it is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ltviz.data import registry as data_registry
from ltviz.errors import ConfigError
from ltviz.methods import registry as method_registry
from ltviz.recording import Recording, new_run_id
from ltviz.recording.names import typed_path
from ltviz.training import controls, folders, teachers
from ltviz.training.crew import Crew
from ltviz.training.forces import parse_what_if
from ltviz.training.lane import Lane
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart, check_labels, parse_settings, prepare, relocate, run_settings
from ltviz.training.stop import Stop
from ltviz.training.teachers import TeacherSpec
from ltviz.training.timetable import parse_switches


@dataclass(frozen=True)
class Entrant:
    """A method that is to be trained, and the folder that is to hold the run."""

    path: Path
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] | None = None
    """What run.json says of the recipe that the settings are from; None where there was none."""
    title: str | None = None
    """For people; the method's own where None."""


def begin(
    entrants: Sequence[Entrant],
    run: RunSettings,
    *,
    race: str | None = None,
    stop: Stop | None = None,
    progress: Callable[[int], None] = lambda step: None,
    say: Callable[[str], None] = lambda doing: None,
) -> Race:
    """A new race; the run folders are made last.

    Args:
        race: id that the runs of a race share; made up where several runs have none.
        stop, progress, say: as `Race` takes them.

    Raises:
        ConfigError, DataError: settings that cannot be met.
        RecordingError, RunLocked: a folder that holds a run already; no folder is left behind then.
    """
    kinds = [method_registry.method(entrant.method) for entrant in entrants]
    settings = [parse_settings(kind, entrant.settings) for kind, entrant in zip(kinds, entrants, strict=True)]
    check_labels(kinds, run.data)
    parse_what_if(run.what_if, several_labels=data_registry.source(run.data).several_labels)
    check_switches(run, settings)
    total = run.steps if run.epochs is None else None
    controls.check_schedules(run.schedules, [*settings, run], total_steps=total)
    for entrant in entrants:
        folders.check_free(entrant.path)
    found = data_registry.resolve(run.data, **run.files)
    if run.weights:
        found["weights"] = str(typed_path(run.weights).absolute())
    run = run.model_copy(update=found)
    crew, shared = _muster(run)
    if race is None and len(entrants) > 1:
        race = new_run_id("race")
    with ExitStack() as undo:
        if crew is not None:
            undo.callback(crew.dismiss)
        specs = _common_teachers(
            teachers.specify(kind, chosen, entrant.path, shared)
            for entrant, kind, chosen in zip(entrants, kinds, settings, strict=True)
        )
        untrained = [
            (spec, entrant.path, kind.card.title)
            for entrant, kind, spec in zip(entrants, kinds, specs, strict=True)
            if spec is not None and not teachers.is_trained(spec, entrant.path, shared)
        ]
        first = _open_teachers(untrained, shared, undo, crew)  # older than their students: pages show the newest
        lanes = []
        for entrant, kind, chosen, spec in zip(entrants, kinds, settings, specs, strict=True):
            lanes.append(
                Lane.create(
                    entrant.path,
                    kind,
                    chosen,
                    shared,
                    teacher=spec,
                    title=entrant.title,
                    race=race,
                    recipe=entrant.recipe,
                    crew=crew,
                )
            )
            undo.callback(lanes[-1].undo)
        undo.pop_all()
    return Race(lanes, shared.batches, teachers=first, crew=crew, stop=stop, progress=progress, say=say)


def _muster(run: RunSettings) -> tuple[Crew | None, SharedStart]:
    """The other ranks, where there are to be some, and the start that all have."""
    if run.devices * run.nodes == 1:
        return None, prepare(run)
    crew = Crew(run)
    try:
        shared = prepare(run, crew.ranks)
        crew.begin(shared.run)
    except BaseException:
        crew.dismiss()
        raise
    return crew, shared


def check_switches(run: RunSettings, settings: Sequence[BaseModel]) -> None:
    """Refuses switches that could change nothing, or to a value out of bounds, before anything is trained.

    Args:
        settings: of the methods; what only some of them know changes in those.

    Raises:
        ConfigError: such a switch.
    """
    for name, value in (item for switch in parse_switches(run.switches) for item in switch.values.items()):
        takers = [model for model in (*settings, run) if name in controls.live_fields(type(model))]
        if not takers:
            known = sorted({field for model in (*settings, run) for field in controls.live_fields(type(model))})
            raise ConfigError(
                f"switches must name settings that may change while a run trains, got {name:.80}; "
                f"try {', '.join(known)}"
            )
        for model in takers:
            controls.replace(model, name, value)


def resume(
    paths: Sequence[Path],
    *,
    device: str | None = None,
    devices: int | None = None,
    stop: Stop | None = None,
    progress: Callable[[int], None] = lambda step: None,
    say: Callable[[str], None] = lambda doing: None,
) -> Race:
    """A race that goes on from the last saved weights of each run, and adds to its recording.

    Without saved weights a run starts over from its seed: it comes to the same weights, and frames that are there
    already are not written again.

    Args:
        paths: runs of one race, or a single run.
        device, devices: instead of the one, and of as many, as the runs were made with.
        stop, progress, say: as `Race` takes them.

    Raises:
        RecordingError, RunLocked: not a run that ltviz trained, complete already, or trained elsewhere right now.
        ConfigError: runs with different settings.
    """
    recordings = [Recording(path) for path in paths]
    run = _common_settings(recordings)
    parse_what_if(run.what_if, several_labels=data_registry.source(run.data).several_labels)
    if device is not None:
        run = controls.replace(run, "device", device)
    if devices is not None:
        run = controls.replace(run, "devices", devices)
    crew, shared = _muster(relocate(run))
    with ExitStack() as undo:
        if crew is not None:
            undo.callback(crew.dismiss)
        lanes = []
        for recording in recordings:
            lanes.append(Lane.resume(recording, shared, crew))
            undo.callback(lanes[-1].undo)
        untrained = [
            (spec, lane.path, lane.method.card.title)
            for lane, recording in zip(lanes, recordings, strict=True)
            if lane.awaits is not None and (spec := TeacherSpec.of(recording.info)) is not None
        ]
        first = _open_teachers(untrained, shared, undo, crew)
        undo.pop_all()
    return Race(lanes, shared.batches, teachers=first, crew=crew, stop=stop, progress=progress, say=say)


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


def _common_teachers(specs: Iterable[TeacherSpec | None]) -> list[TeacherSpec | None]:
    """The teachers of a race, where students that want the same one trained share the first one's."""
    common: list[TeacherSpec | None] = []
    for spec in specs:
        equal = (other for other in common if other and spec and replace(other, run_id=spec.run_id) == spec)
        common.append(next((other for other in equal if not other.given), spec))
    return common


def _open_teachers(
    wanted: Iterable[tuple[TeacherSpec, Path, str]], shared: SharedStart, undo: ExitStack, crew: Crew | None
) -> list[Lane]:
    """Lanes of the teachers that must be trained, new or to go on; of each folder one.

    Args:
        wanted: each with the folder and the title of the student.
        undo: takes in how to leave the folders as they were.

    Raises:
        RecordingError, RunLocked: a folder that holds another run, or is written by somebody else.
    """
    found: dict[Path, Lane] = {}
    for spec, student, title in wanted:
        path = spec.folder(student)
        if path in found:
            continue
        if (path / "run.json").exists():
            recording = Recording(path)
            folders.check_resumable(recording)
            lane = Lane.resume(recording, shared, crew)
        else:
            folders.check_free(path)
            kind = method_registry.method(spec.method)
            title = f"{kind.card.title}, teacher of {title}"
            lane = Lane.create(path, kind, parse_settings(kind, spec.settings), shared, title=title, crew=crew)
        found[path] = lane
        undo.callback(lane.undo)
    return list(found.values())
