"""Teachers: a method may learn from another one that is trained first, or that a finished run holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltviz.errors import ConfigError, RecordingError
from ltviz.methods import registry as method_registry
from ltviz.methods.base import FIRST, NONE, Method, Settings
from ltviz.recording import RUN_ID, Recording, RunInfo, checkpoints_home, run_path
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart, parse_settings

_SUFFIX = "-teacher"
_LONGEST = 64  # characters of a run id
_SHARED = ("data", "encoder", "dim", "head", "head_width")
_SAME = (
    *("steps", "learning_rate", "weight_decay", "precision", "optimizer", "momentum", "nesterov", "schedule"),
    *("rate_every", "warmup", "milestones", "decay_factor", "final_rate", "switches"),
)


@dataclass(frozen=True)
class TeacherSpec:
    """Which run teaches a student; the student's run.json holds it, so that it can go on without that run.

    Attributes:
        run_id: folder of the teacher's run, beside the student's; a given one may also lie in the home of runs.
        method, settings: of the teacher.
        given: whether a finished run was named; else the teacher is trained before the student.
    """

    run_id: str
    method: str
    settings: dict[str, Any] = field(default_factory=dict)
    given: bool = False

    def folder(self, student: Path) -> Path:
        """The teacher's run folder, for the student in that folder.

        Raises:
            ConfigError: a given run that is not there.
        """
        return find(self.run_id, student).path if self.given else student.with_name(self.run_id)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, info: RunInfo) -> TeacherSpec | None:
        """The teacher in a student's run.json; None where it had no teacher.

        Raises:
            RecordingError: it has been tampered with.
        """
        held: Any = info.config.get("teacher")
        if held is None:
            return None
        try:
            spec = cls(**held)
            if Path(spec.run_id).name != spec.run_id or not isinstance(spec.settings, dict):
                raise TypeError("neither a folder elsewhere nor settings without names")
        except TypeError as error:
            raise RecordingError(
                f"config.teacher in run.json must name run_id, method and settings, got {held!r:.80}"
            ) from error
        return spec


def specify(kind: type[Method], settings: Settings, student: Path, shared: SharedStart) -> TeacherSpec | None:
    """What the setting `teacher` asks for; None for methods that have no teacher and those that are to go without.

    Args:
        student: folder of the student's run.

    Raises:
        ConfigError: a named run that does not exist, is not finished or saw other data, classes, encoder or dimension.
    """
    wish = NONE if kind.teacher_recipe is None else getattr(settings, "teacher", NONE)
    if wish == NONE or kind.teacher_recipe is None:
        return None
    if wish == FIRST:
        method, values = kind.teacher_recipe
        return TeacherSpec(f"{student.name}{_SUFFIX}"[-_LONGEST:].lstrip("-"), method, dict(values))
    info = _read_given(find(wish, student), kind, shared)
    return TeacherSpec(wish, info.method or "", _table(info.config.get("method")), given=True)


def build(kind: type[Method], settings: Settings, shared: SharedStart, spec: TeacherSpec | None) -> Method:
    """An untrained method, with an untrained teacher where it has one."""
    teacher = None
    if spec is not None:
        taught_by = method_registry.method(spec.method)
        teacher = shared.build(taught_by, parse_settings(taught_by, spec.settings))
    return shared.build(kind, settings, teacher)


def find(run_id: str, student: Path) -> Recording:
    """The run of a given teacher, beside the student's folder or else in the home of runs.

    Raises:
        ConfigError: neither has it.
    """
    for home in (student.absolute().parent, checkpoints_home()):
        recording = Recording(home / run_id)
        if not recording.exists and RUN_ID.fullmatch(run_id):
            recording = Recording(run_path(home, run_id), run_id=run_id)
        if recording.exists:
            return recording
    raise ConfigError(
        f"teacher must be {FIRST}, {NONE} or the id of a finished run, got {run_id!r}; `ltviz runs` lists the ids"
    )


def is_trained(spec: TeacherSpec, student: Path, shared: SharedStart) -> bool:
    """Whether the teacher's run is complete; False where it has not begun or can go on.

    Raises:
        RecordingError: the folder holds another run, which is not overwritten.
    """
    recording = Recording(spec.folder(student))
    if spec.given:
        return True  # `specify` has seen to it
    if not (recording.path / "run.json").exists():
        return False
    info = recording.info
    held, run = _run_of(info), shared.run.model_dump(mode="json")
    same = info.fingerprints == shared.fingerprints and all(held.get(name) == run[name] for name in _SAME)
    if not (same and info.method == spec.method and _agree(info.config.get("method"), spec.settings)):
        raise RecordingError(
            f"the teacher's folder must be free or hold the same teacher, but it holds another run; "
            f"delete it or train the student elsewhere: {recording.path}"
        )
    return _is_complete(recording)


def _read_given(recording: Recording, kind: type[Method], shared: SharedStart) -> RunInfo:
    info = recording.info
    who = f"the teacher of {kind.card.name}"
    if info.method is None or not _is_complete(recording):
        raise ConfigError(
            f"{who} must be a run that `ltviz train` has finished, but {recording.run_id} is "
            f"{recording.status().state}; finish it first, or choose {FIRST}"
        )
    held, run = _run_of(info), shared.run.model_dump(mode="json")
    differing = [name for name in _SHARED if held.get(name) != run[name]]
    if differing:
        name = differing[0]
        raise ConfigError(
            f"{who} must share the student's {name} ({run[name]}), but {recording.run_id} has {held.get(name)}; "
            f"choose another run, or {FIRST}"
        )
    if tuple(info.class_names) != shared.data.class_names:
        raise ConfigError(
            f"{who} must rank the classes as the student does, but {recording.run_id} was trained with seed "
            f"{info.seed} instead of {shared.run.seed}; choose a run of the same seed, or {FIRST}"
        )
    return info


def _run_of(info: RunInfo) -> dict[str, Any]:
    """The run settings in run.json; what older runs do not name was as the defaults have it."""
    return {**RunSettings.model_validate({}).model_dump(mode="json"), **_table(info.config.get("run"))}


def _is_complete(recording: Recording) -> bool:
    last = recording.last()
    return (
        recording.status().state == "finished"
        and last is not None
        and last.step >= (recording.info.total_steps or 0)
        and (recording.path / "weights" / str(last.step)).is_dir()
    )


def _agree(held: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether settings from run.json, complete with defaults, are those wanted."""
    return all(json.dumps(_table(held).get(name)) == json.dumps(value) for name, value in wanted.items())


def _table(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
