"""Event files for TensorBoard: every number of runs over their steps."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ltviz.errors import ConfigError
from ltviz.export.formats import Wanted, Written, missing, place, whole_folder
from ltviz.recording import Recording

ABOUT = "event files for TensorBoard, every number over the steps"
OUT = "ltviz-tensorboard/"


def write(wanted: Wanted) -> Written:
    """Scalars `measures/<key>` of each frame and `loss/<term>` of each step, by TensorBoard's own writer. Events of one
    run lie in the folder itself, of several in a folder each."""
    try:
        event_pb2: Any = import_module("tensorboard.compat.proto.event_pb2")
        summary_pb2: Any = import_module("tensorboard.compat.proto.summary_pb2")
        writer: Any = import_module("tensorboard.summary.writer.event_file_writer")
    except ImportError as error:
        raise missing("tensorboard", "tensorboard") from error
    written, left_out, used = 0, [], 0
    with whole_folder(wanted.out, "--to tensorboard", wanted.runs) as folder:
        for recording in wanted.runs:
            numbers = list(_numbers(recording, wanted.step))
            if not numbers:
                left_out.append(f"{recording.run_id}: it has no numbers")
                continue
            where: Path = place(folder, len(wanted.runs) > 1, recording.run_id)
            events = writer.EventFileWriter(str(where))
            for step, when, values in numbers:
                value = [summary_pb2.Summary.Value(tag=tag, simple_value=number) for tag, number in values.items()]
                events.add_event(event_pb2.Event(step=step, wall_time=when, summary=summary_pb2.Summary(value=value)))
                written += len(value)
            events.close()
            used += 1
        if not used:
            raise ConfigError(f"event files need at least one run with numbers, but {left_out[0]}")
    return Written(used=used, told={"scalars": written}, left_out=left_out)


def _numbers(recording: Recording, step: int | None) -> Iterator[tuple[int, float, dict[str, float]]]:
    """(step, Unix time, tag -> value) of every step that has any, growing. Steps lie a second apart: when each of them
    was, only the frames say, and steps between them have none."""
    by_step: dict[int, dict[str, float]] = {}
    for each, metrics in recording.frame_metrics().items():
        by_step[each] = {f"measures/{key}": value for key, value in metrics.items()}
    for line in recording.metrics():
        terms = {f"loss/{name}": value for name, value in line.items() if name != "step" and _is_number(value)}
        by_step.setdefault(line["step"], {}).update(terms)
    began = recording.info.created
    for each in sorted(by_step):
        if by_step[each] and step in (None, each):
            yield each, began + each, by_step[each]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
