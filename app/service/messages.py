"""What the server tells the stage, spelled once: the header of each message, and how numbers lie in its payload.

`app/stage/common/messages.js` is generated from this file by `python -m app.service.types_js`. A field that is None or
empty by default is left out where it is. Frames carry a `step`; all other messages do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field
from typing import Any, ClassVar, Literal

from ltviz.marks import Mark, Reading

Vec3 = tuple[float, float, float]
VectorsByClass = Sequence[Sequence[float] | None]
Forces = Mapping[str, Mapping[str, VectorsByClass]]
"""Method, part ("total", "positives", ...), class."""
Arrays = Mapping[str, tuple[int, int, str]]
"""Name -> bytes from the start of the payload, items, type: uint8, uint16, int16, int32 or float32."""


@dataclass(frozen=True)
class Kind:
    """How numbers of one kind lie in a payload: `round(number * scale)`, clipped to what the type and the kind hold."""

    type: str
    """The browser's word."""
    scale: int = 1
    least: int = 0
    most: int = 65535


NO_CLASS = 65535
"""The class of a sample that has none, and the prediction where there is none."""
PLACE = Kind("int16", 32767, -32767, 32767)
"""Coordinates; the unit sphere has the radius 32767."""
CLASS = Kind("uint16")
"""Classes by rank: 0 has most samples."""
AGE = Kind("uint16")
"""Training steps."""
ANGLE = Kind("uint16", 100)
"""Degrees, in units of 1/100."""
LOSS = Kind("uint16", 4096)
"""In units of 1/4096; 65535 stands for all beyond."""
NUMBER = Kind("float32")
"""As it is; NaN where there is none."""
CONFIDENCE = Kind("uint8", 255, 0, 255)
"""A probability, in units of 1/255."""
COLUMNS = {"places": PLACE, "a": PLACE, "b": PLACE, "y": CLASS, "age": AGE, "angle": ANGLE}
"""Columns of marks, which are arrays "marks.<key>.<column>"."""
CONSTANTS = {
    "PLACE_SCALE": PLACE.scale,
    "ANGLE_SCALE": ANGLE.scale,
    "LOSS_SCALE": LOSS.scale,
    "CONFIDENCE_SCALE": CONFIDENCE.scale,
    "NO_CLASS": NO_CLASS,
}
"""What the stage must know of these kinds."""


@dataclass(frozen=True, kw_only=True)
class ProjectionHeader:
    """How an embedding of more than three dimensions is drawn, and how far that can be trusted."""

    name: str
    linear: bool
    pending: str | None
    """The projection that was asked for and is still being computed."""
    error: str | None = None
    """Why the projection that was asked for is not shown, where it cannot be."""
    kept_variance: float | None = None
    """Share, 0 to 1."""
    kept_angle_order: float | None = None
    """Spearman rank correlation of pair angles, -1 to 1."""
    kept_centre_order: float | None = None
    """The same of the angles between class centres."""
    trustworthiness: float | None = None
    """Share, 0 to 1: neighbours here that are neighbours in the embedding."""
    jitter: float | None = None
    """Radii of the sphere that a point moved since the frame before."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What differs between the viewers of one frame."""

    seq: int
    """Counts the frames that a viewer gets; it acknowledges each."""
    time: float
    """Unix seconds: when the frame was complete on disk if live, when sent if replayed."""
    live: bool


@dataclass(frozen=True, kw_only=True)
class FrameHeader:
    """One step of a run. The payload begins with the points, (n, 3) int16; `arrays` says where the rest lies."""

    run: str
    step: int
    epoch: float | None
    seconds: float | None
    n: int
    """Samples of the run. Each has a point in the payload; with the array "rows", those that it names alone."""
    centres: VectorsByClass
    landmarks: Mapping[str, VectorsByClass]
    """Name -> places; by class where there are as many."""
    target_index: Sequence[int] | None
    """Row of the landmark "targets" that is each class's."""
    metrics: Mapping[str, float]
    events: Sequence[Mapping[str, Any]] = ()
    projection: ProjectionHeader | None
    """Null where the picture is the embedding itself."""
    predictions: bool
    """Whether the array "prediction" follows the points: a class for each."""
    arrays: Arrays
    """prediction, loss, confidence, and "marks.<key>.<column>": places, age of points; a, b of segments; places, angle
    of caps; y of all. Angles are left out where the picture is not the embedding itself. "present" is there where some
    samples are not: 0 for those, which have no place then. "rows", growing, is there in a first look at a frame of many
    samples: the points are of these alone, and the same frame follows with all."""
    readings: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    """By class, or one number."""
    vectors: Mapping[str, VectorsByClass] = field(default_factory=dict)
    """Marks that are one direction a class, by key; absent where the projection is not linear."""
    forces: Forces = field(default_factory=dict)
    """Absent where none were measured, or the projection is not linear; null: a class that is not in the batch."""


@dataclass(frozen=True)
class WhatIfTrust:
    """How far what-ifs on a run can be trusted."""

    least: float
    """Cosine below which a what-if is not drawn."""
    cosines: Mapping[str, float]
    """Method -> cosine of its what-if with its own force on runs of its own, as recorded; -1 to 1."""


@dataclass(frozen=True, kw_only=True)
class AttributeHeader:
    """What else is known of every sample. The i-th lies in the array "attribute.<i>"."""

    name: str
    low: float | None = None
    """The smallest of numbers."""
    high: float | None = None
    texts: Sequence[str] | None = None
    """Where the array holds indices into texts, -1 for none; else it holds numbers, NaN for none."""


@dataclass(frozen=True, kw_only=True)
class RunHeader:
    """What a viewer gets once per run: who it is, and what every sample is."""

    type: ClassVar[Literal["run"]] = "run"
    run: str
    title: str
    method: str | None
    colour: str
    """The method's own colour, #rrggbb."""
    readout: bool
    """Whether the points were trained beside the encoder, which they did not steer."""
    state: str
    reason: str | None
    dim: int
    num_classes: int
    class_names: Sequence[str]
    """Ordered by rank: class 0 has most samples."""
    counts: Sequence[int]
    """Training samples of each class."""
    groups: Sequence[int]
    """0 head, 1 medium, 2 tail."""
    rule: str
    """How the groups were cut."""
    total_steps: int | None
    n: int
    readings: Sequence[Reading]
    marks: Sequence[Mark]
    """What frames show, for people; landmarks too, under their names."""
    what_if: WhatIfTrust
    arrays: Arrays
    """ids, labels, split (0 train, 1 test, 2 validation), label_sets, thumbs, "attribute.<i>"."""
    thumb: Sequence[int] | None
    """Height and width of a thumbnail, and 3 where it is in colour."""
    attributes: Sequence[AttributeHeader] = ()
    attributes_left: Sequence[str] = ()
    """Names of those that are too large to travel."""


@dataclass(frozen=True, kw_only=True)
class StateHeader:
    """How a run stands."""

    type: ClassVar[Literal["state"]] = "state"
    run: str
    state: str
    reason: str | None
    first: int | None
    last: int | None
    frames: int
    total_steps: int | None
    steps: Sequence[int]
    """Those that were not listed before."""
    events: Sequence[tuple[int, str, str]] | None
    """What the timeline shows: step, kind and words of what happened, alarms included; null where they are many and as
    they were."""


@dataclass(frozen=True, kw_only=True)
class MovesHeader:
    """What moved in a run from step to step: the samples of which a classifier names another class, or another class's
    centre is nearest."""

    type: ClassVar[Literal["moves"]] = "moves"
    run: str
    anew: bool
    """Takes the place of what was told before; else it goes on from there."""
    steps: Sequence[int]
    """Frames that were looked at. What moved is told since the one before; of the first one of all nothing is."""
    joined: int
    """How many steps of all, the first ones, tell what happened at several frames at once."""
    looked: int | None
    """How many samples were looked at; null: all."""
    arrays: Arrays
    """"<kind>.counts" for each step, then for each that moved its place in the run, "<kind>.rows", and the classes
    "<kind>.before" and "<kind>.after"; the kinds are prediction and border, where known."""


@dataclass(frozen=True, kw_only=True)
class ClockHeader:
    """What the viewer's clock does."""

    type: ClassVar[Literal["clock"]] = "clock"
    mode: Literal["follow", "play", "hold"]
    at: int | None
    """Step."""
    speed: float


@dataclass(frozen=True, kw_only=True)
class ErrorHeader:
    """One sentence for a person."""

    type: ClassVar[Literal["error"]] = "error"
    run: str | None
    message: str


@dataclass(frozen=True, kw_only=True)
class ClassHeader:
    """How a class stands."""

    type: ClassVar[Literal["class"]] = "class"
    state: Literal["open", "away", "ended"]
    """away: nobody leads just now."""
    followers: int
    """How many are there; 0 to all but whoever leads."""


@dataclass(frozen=True, kw_only=True)
class LeadHeader:
    """What whoever leads a class sees; followers' pages show the same."""

    type: ClassVar[Literal["lead"]] = "lead"
    page: Literal["lab", "compare", "geometry", "learn", "embeddings"]
    search: str
    """What of the page's address says where they are."""
    look: str
    """Layers, colours and classes in focus, as a link says them."""
    pose: Sequence[float] | None
    """Yaw, pitch and distance of the camera that all panels share; null: no stage."""
    poses: Mapping[str, Sequence[float]]
    """The same of each panel, where cameras are free."""
    projection: str | None
    mode: Literal["follow", "play", "hold"] | None
    """What the clock does; null: no stage."""
    at: int | None
    """Step, as it was when the clock last changed."""
    speed: float
    question: str | None
    """Which question is asked now."""


@dataclass(frozen=True, kw_only=True)
class TallyHeader:
    """What followers have answered to the present question; only whoever leads is told."""

    type: ClassVar[Literal["tally"]] = "tally"
    question: str | None
    counts: Sequence[int]
    """Of each option, or of each tenth of the scale."""
    answered: int


BEAT_SECONDS = 0.75
"""After so long without a message a viewer is told that the server is still there: a socket of one that has stopped, or
of a network that is gone, stays open and silent."""


@dataclass(frozen=True, kw_only=True)
class BeatHeader:
    """Sent where nothing else has been for a while: the server is there, and all is as it was."""

    type: ClassVar[Literal["beat"]] = "beat"


def is_optional(field: Field[Any]) -> bool:
    """Whether the field is left out of a message where it has nothing to say: one that is None or empty by default."""
    return field.default is None or field.default == () or field.default_factory is not MISSING


def is_nothing(value: Any) -> bool:
    """Whether the value of such a field says nothing."""
    return value is None or (not isinstance(value, int | float) and len(value) == 0)


Header = (
    RunHeader
    | StateHeader
    | MovesHeader
    | ClockHeader
    | ErrorHeader
    | BeatHeader
    | FrameHeader
    | ClassHeader
    | LeadHeader
    | TallyHeader
)
