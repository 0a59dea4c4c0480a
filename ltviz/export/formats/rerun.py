"""A recording for Rerun: the spheres on a timeline of steps."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from ltviz.errors import ConfigError
from ltviz.export.formats import Wanted, Written, frames_of, missing
from ltviz.export.formats._samples import UNLABELLED, shown_rows
from ltviz.export.places import drawn
from ltviz.figures.palette import class_ramp
from ltviz.projection import REGISTRY, RunProjections
from ltviz.recording import Recording
from ltviz.recording.files import whole_file

ABOUT = "a recording for Rerun, points on a timeline of steps"
OUT = "ltviz-run.rrd"
_GREY = (150, 150, 150)


def write(wanted: Wanted) -> Written:
    """Per run: `<run>/points` (class ids, their names and colours from an annotation) and `<run>/landmarks/<name>` on
    the timeline `step`, and every number of the frames as `<run>/measures/<key>`. More than three dimensions are drawn
    through the projection, as the app does."""
    try:
        rr: Any = import_module("rerun")
    except ImportError as error:
        raise missing("rerun", "rerun-sdk") from error
    left_out: list[str] = []
    used = frames = 0
    with whole_file(wanted.out) as path:
        stream = rr.RecordingStream("ltviz", recording_id="-".join(run.run_id for run in wanted.runs)[:200])
        stream.save(path)
        for recording in wanted.runs:
            count = _log_run(rr, stream, recording, wanted, left_out)
            used, frames = used + bool(count), frames + count
            if not count:
                left_out.append(f"{recording.run_id}: it has no frame that can be read")
        stream.flush()
        stream.disconnect()
        if not used:
            raise ConfigError(f"a recording needs at least one run with frames, but {left_out[0]}")
    return Written(used=used, told={"frames": frames}, left_out=left_out)


def _log_run(rr: Any, stream: Any, recording: Recording, wanted: Wanted, left_out: list[str]) -> int:
    """Logs one run; gives the number of its frames."""
    info, name = recording.info, recording.run_id
    if info.num_classes:
        ramp, described = class_ramp(info.num_classes), []
        for colour, label in zip(ramp, info.order.tolist(), strict=True):
            described.append(rr.AnnotationInfo(id=label, label=info.class_names[label], color=_rgb(colour)))
        described.append(rr.AnnotationInfo(id=info.num_classes, label=UNLABELLED, color=_GREY))
        stream.log(name, rr.AnnotationContext(described), static=True)
    views = RunProjections(wanted.projection or next(iter(REGISTRY)), recording, info.order)
    count = 0
    for frame in frames_of(recording, wanted.step, left_out):
        stream.set_time("step", sequence=frame.step)
        points, landmarks = drawn(frame, views)
        rows = shown_rows(frame)
        labels = np.where(frame.labels[rows] < 0, info.num_classes, frame.labels[rows]).astype(np.uint16)
        stream.log(f"{name}/points", rr.Points3D(points[rows], class_ids=labels, radii=0.008))
        for mark, places in landmarks.items():
            stream.log(f"{name}/landmarks/{mark}", rr.Points3D(places, radii=0.025))
        for key, value in frame.metrics.items():
            stream.log(f"{name}/measures/{key}", rr.Scalars(value))
        count += 1
    return count


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue
