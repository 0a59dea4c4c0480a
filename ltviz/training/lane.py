"""One method of a race: what learns, and the recording of it. The race decides when; the lane does."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.data.batch import Batch
from ltviz.errors import DiskFull, RecordingError, TrainingError
from ltviz.methods import registry as method_registry
from ltviz.methods.base import Method, Settings
from ltviz.recording import Recording, Request, RunInfo, RunWriter, State, load_weights, save_weights
from ltviz.recording.evaluation import write_evaluation
from ltviz.recording.keep import KeepRule
from ltviz.recording.names import slug
from ltviz.training import controls, folders, teachers
from ltviz.training.crew import Crew, enlist
from ltviz.training.engine import fitting_batch, free_memory
from ltviz.training.evaluation import evaluated
from ltviz.training.forces import ForceMeter, Measured, parse_what_if
from ltviz.training.learner import Learner
from ltviz.training.progress import Outcome, Progress
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart, parse_settings
from ltviz.training.teachers import TeacherSpec
from ltviz.training.timetable import parse_switches

MOST_UNREAD = 256
"""Steps whose losses wait on the device to be read, at most; a frame reads them before."""

log = logging.getLogger(__name__)
_MOST_FILES = 20  # damaged files that one event names


class Lane:
    """A method on its way through the steps; `create` or `resume` it, then `train`, `record` and `save`, then `end`.

    Attributes:
        writer: the run's recording.
        progress: how far it is.
        awaits: folder of the teacher that must be trained before the first step; None where there is none to wait for.
        ended: state and reason, once the lane has left the race.
    """

    def __init__(
        self, writer: RunWriter, learner: Learner, shared: SharedStart, progress: Progress, before: folders.Snapshot
    ) -> None:
        """Not for callers: use `create` or `resume`."""
        self.writer, self.progress = writer, progress
        writer.keeper.rule = KeepRule.parse(learner.run.keep)
        self.path, self.name, self.engine = writer.path, learner.method.card.name, shared.engine
        self.awaits: Path | None = None
        self.ended: tuple[str, str | None] | None = None
        self._learner, self._before, self._shared = learner, before, shared
        self._observer = shared.observer()
        self._force_meter = ForceMeter(shared.probe, learner.method.counts, learner.run.seed)
        self._matched: np.ndarray | None = None
        self._events: list[controls.Event] = []
        self._unlogged: list[tuple[int, dict[str, float]]] = []
        self._replay: dict[int, dict[str, Any]] = {}
        self._replaced = 0

    @classmethod
    def create(
        cls,
        path: Path,
        kind: type[Method],
        settings: Settings,
        shared: SharedStart,
        *,
        teacher: TeacherSpec | None = None,
        title: str | None = None,
        race: str | None = None,
        recipe: Mapping[str, Any] | None = None,
        crew: Crew | None = None,
    ) -> Lane:
        """A new run in the folder `path`, before its first step.

        Args:
            teacher: whom it learns from; its weights are taken in where it is trained, else the lane awaits them.
            title: for people; the method's own where None.
            race: id that the runs of a race share.
            recipe: what run.json says of the recipe that the settings are from.
            crew: the other ranks, where several processes train together.

        Raises:
            RecordingError, RunLocked: a folder that holds a run, or a teacher's that holds another one. DiskFull.
                Nothing is left behind.
        """
        method = teachers.build(kind, settings, shared, teacher)
        share = shared.share_of(method)
        learner = enlist(method, shared, share, teacher, crew)
        awaits = teachers.take_in(method, teacher, path, shared)
        about = shared.describe(method, share, teacher=teacher and teacher.as_json(), recipe=recipe and dict(recipe))
        about["config"]["engine"]["notes"] += learner.notes
        about["title"] = title or about["title"]
        before = folders.Snapshot(path)
        writer = RunWriter.create(
            path,
            RunInfo(run_id=slug(path.name), created=time.time(), race=race, **about),
            labels=shared.probe.labels,
            split=shared.probe.split,
            sample_ids=shared.probe.sample_ids,
            images=shared.probe.thumbnails,
            label_sets=shared.probe.multi,
        )
        lane = cls(writer, learner, shared, Progress(), before)
        lane.awaits = awaits
        return lane

    @classmethod
    def resume(cls, recording: Recording, shared: SharedStart, crew: Crew | None = None) -> Lane:
        """A run that goes on, with any number of ranks: the last weights, and what its frames tell of after them.

        Raises:
            RecordingError, RunLocked: it began otherwise, its weights cannot be read, or somebody else writes it.
                The folder says what it said.
        """
        path, info = recording.path, recording.info
        shared.check_began(recording, has_weights=folders.has_weights(path))
        kind, teacher = method_registry.method(info.method or ""), TeacherSpec.of(info)
        settings = parse_settings(kind, recording.config.get("method", {}))
        method = teachers.build(kind, settings, shared, teacher)
        rows, views = recording.config["share"]
        learner = enlist(method, shared, (int(rows), int(views)), teacher, crew)
        before = folders.Snapshot(path)
        writer = RunWriter.resume(path)
        try:
            # Only now, with the lock held, can nobody else add frames or weights.
            saved = -1
            if folders.has_weights(path):
                held = load_weights(path)
                learner.unpack(held)
                saved = held.step
            lane = cls(writer, learner, shared, Progress.of(recording, saved=saved), before)
            if lane.step == 0:  # later, the teacher is among the lane's own weights
                lane.awaits = teachers.take_in(method, teacher, path, shared)
            lane._make_again(event for frame in recording.since(lane.step) for event in frame.events)
        except BaseException:
            writer.close()
            before.restore()
            raise
        return lane

    def undo(self) -> None:
        """Leaves the folder as it was before the lane was opened: for a race that cannot begin."""
        self.writer.close()
        self._before.restore()

    @property
    def active(self) -> bool:
        return self.ended is None

    @property
    def step(self) -> int:
        """Last step that changed the weights; 0 before training."""
        return self.progress.step

    @property
    def method(self) -> Method:
        return self._learner.method

    @property
    def run(self) -> RunSettings:
        return self._learner.run

    # ------------------------------------------------------------------ training

    def train(self, batch: Batch) -> None:
        """One step of the optimiser, or none at all where the loss or its gradient is not finite, as `look` will tell.

        Raises:
            TrainingError: as `look` does, once many steps have not been looked at.
        """
        begin = time.perf_counter()
        if batch.step in self._replay:
            self.set(self._replay.pop(batch.step), batch.step, note=False)
        self._switch(batch.step)
        self.method.settings, self._learner.run = controls.follow(self.method.settings, self.run, batch.step)
        try:
            self._learner.step(batch)
        except Exception:
            self.look()  # it may fail in the wake of a step that was not finite, which says more
            raise
        self.progress.step = batch.step
        self.progress.busy += time.perf_counter() - begin
        self.progress.steps_here += 1
        if self._learner.unread >= MOST_UNREAD:
            self.look()

    def look(self) -> None:
        """Takes in what the steps since the last look have brought; waits for the device.

        Raises:
            TrainingError: a loss term or a gradient was not finite; the weights are those of the step before.
        """
        begin = time.perf_counter()
        found, refusal = self._learner.read(self._shared.batches.at)
        self.progress.busy += time.perf_counter() - begin
        self._unlogged.extend((step, terms) for step, terms in found if step > self.progress.last_logged)
        with contextlib.suppress(DiskFull):  # the next frame waits for room
            self._log()
        if refusal is not None:
            self.progress.step = refusal.step - 1
            raise TrainingError(refusal.why)

    def fitting_batch(self, size: int) -> tuple[int, float | None]:
        """A batch size that fits where one of `size` did not, and the bytes of a sample; the lane is lost anyway."""
        batch = self._shared.batches.at(self.step + 1)
        return fitting_batch(lambda rows: self._learner.bytes_of(batch, rows), size, free_memory(self.engine.device))

    def learn_from(self, teacher: Path) -> None:
        """Takes in the last weights of a teacher's run, and waits for it no more; errors as of `teachers.take_in`."""
        teachers.copy_weights(self.method, teacher)
        self._learner.outdated = True
        self.awaits = None

    # ------------------------------------------------------------------ settings

    def set(self, values: dict[str, Any], step: int, *, note: bool = True) -> list[controls.Event]:
        """Changes settings from training step `step` on; gives the events, which the next frame will hold."""
        (settings, run), events = controls.change(
            values, self.method.settings, self.run, step=step, check=self._check_what_if
        )
        assert isinstance(settings, Settings) and isinstance(run, RunSettings)
        self.method.settings, self._learner.run, self.writer.keeper.rule = settings, run, KeepRule.parse(run.keep)
        if note:
            self._events.extend(events)
        return events

    def _switch(self, step: int) -> None:
        """Does what the settings' timetable says of this step; what a frame tells of is not told again."""
        for switch in parse_switches(self.run.switches):
            if switch.first_step(self.run.steps) != step:
                continue
            note = step > self.progress.last_frame
            if switch.renew:
                self._learner.renew()
                if note:
                    self._events.append({"kind": "renewed", "step": step})
            known = {*controls.live_fields(type(self.method.settings)), *controls.live_fields(RunSettings)}
            self.set({name: value for name, value in switch.values.items() if name in known}, step, note=note)

    def _check_what_if(self, model: object) -> None:
        if isinstance(model, RunSettings):  # ConfigError for methods that cannot be imagined
            parse_what_if(model.what_if, several_labels=self.method.several_labels)

    def _make_again(self, events: Iterable[controls.Event]) -> None:
        """Keeps changes that the recording holds after the saved weights, to make them again at their steps."""
        for event in events:
            if event.get("kind") == "setting" and int(event["step"]) > self.step:
                self._replay.setdefault(int(event["step"]), {})[event["name"]] = event["value"]

    def note(self, kind: str, **more: Any) -> None:
        """Adds an event to the next frame."""
        self._events.append({"kind": kind, "step": self.step, **more})

    # ------------------------------------------------------------------ recording

    def record(self, elapsed: float, upcoming: Batch) -> None:
        """Writes the frame of the current step, `elapsed` seconds into this attempt; none where it is recorded already.

        `upcoming` is the batch of the next step, whose forces the frame holds.

        Raises:
            DiskFull: nothing was written; try again.
            TrainingError: as `look`.
        """
        self.look()
        self._log()
        progress = self.progress
        if self.step <= progress.last_frame:
            return
        with self._learner.own_rng():
            frame = self._observer.observe(self.method, self.step)
            measured = self._measure_forces(upcoming, frame.embeddings)
        self._note_swaps(frame.target_index)
        self._note_replaced()
        epoch = self.step * self.run.batch_size / self.method.setup_.epoch_size
        seconds = progress.seconds_before + elapsed
        frame = measured.put_in(frame)
        frame = replace(
            frame,
            metrics=frame.metrics | {"images_seen": float(self._learner.images_seen)},
            epoch=epoch,
            seconds=seconds,
            events=tuple(self._events),
        )
        self.writer.write(frame)
        self._events.clear()
        progress.last_frame, progress.metrics, progress.seconds = self.step, frame.metrics, seconds
        progress.frames_here += 1

    def _measure_forces(self, upcoming: Batch, embeddings: np.ndarray) -> Measured:
        """The forces of the next step, where this frame is to have them."""
        every, last = self.run.forces_every, self.step >= self.run.steps
        if not every or (self.progress.frames_here % every and not last):
            return Measured()
        names = parse_what_if(self.run.what_if, several_labels=self.method.several_labels)
        return self._force_meter.try_to(self.method, self._learner.share(upcoming), upcoming, embeddings, names)

    def _note_swaps(self, matched: np.ndarray | None) -> None:
        """Adds an event where classes have been given other targets since the frame before."""
        if matched is None:
            return
        moved = [] if self._matched is None else np.flatnonzero(matched != self._matched).tolist()
        if moved:
            self.note("swap", classes=moved)
        self._matched = matched

    def _note_replaced(self) -> None:
        """Adds an event on files found damaged since the frame before, for which others of their class stand in."""
        told = self._shared.data.replaced
        if len(told) > self._replaced:
            self.note("replaced", total=len(told), files=told[self._replaced :][:_MOST_FILES])
            self._replaced = len(told)

    def _log(self) -> None:
        """Writes the loss terms that wait."""
        while self._unlogged:
            self.writer.log(*self._unlogged[0])
            del self._unlogged[0]

    def evaluate(self, tell: Callable[[str], None] = lambda doing: None) -> None:
        """Writes evaluation.json, unless the settings say not to or `tell`, called now and then, is `Interrupted`.

        Raises:
            DiskFull: nothing was written; try again.
        """
        if self.run.evaluate:
            with self._learner.own_rng():
                found = evaluated(self.method, self._shared, self.step, tell)
            if found is not None:
                write_evaluation(self.path, found)

    def save(self) -> None:
        """Writes weights/<step>/, unless they are there; raises as `look` does."""
        self.look()
        if self.progress.saved != self.step:
            save_weights(self.path, self.step, *self._learner.pack())
            self.progress.saved = self.step

    def rescue(self) -> int:
        """Saves what a lane that cannot go on has learned, where it is sound; the step of the weights that are on the
        disk then, -1 without any. For a lane whose steps have been looked at."""
        try:
            if self.step > max(self.progress.saved, 0) and self._learner.is_sound():
                self.save()
        except Exception as error:  # a folder or a device that is gone: that is why it cannot go on
            log.warning("%s: weights of step %d are not saved: %s", self.name, self.step, error)
        return self.progress.saved

    # ------------------------------------------------------------------ status

    def requests(self) -> list[Request]:
        """Those that arrived since the last call."""
        return self.writer.requests()

    def tell(self, state: State, reason: str | None, **details: Any) -> None:
        """Writes the state into status.json; training does not end for want of room there, nor that of other lanes for
        a folder that is gone."""
        try:
            self.writer.set_state(state, reason, **details)
        except RecordingError as error:
            log.warning("%s: %s", self.name, error)

    def end(self, state: State, reason: str | None, **details: Any) -> None:
        """Leaves the race: the last word in status.json, the lock and the memory are released."""
        self.ended = (state, reason)
        self.tell(state, reason, **details)
        try:
            self.writer.close()
        except RecordingError as error:  # the lock is released all the same
            log.warning("%s: %s", self.name, error)
        del self._learner, self._observer, self._force_meter, self._shared

    def outcome(self, watch_share: float) -> Outcome:
        """How the run ended."""
        state, reason = self.ended or ("running", None)
        progress = self.progress
        return Outcome(
            path=self.path,
            method=self.name,
            state=state,
            reason=reason,
            step=progress.step,
            frames=progress.frames_here,
            seconds=progress.seconds,
            ms_per_step=progress.ms_per_step,
            watch_share=watch_share,
            metrics=progress.metrics,
        )
