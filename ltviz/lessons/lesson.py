"""What a lesson is: steps, each with a few sentences, what the stage shows, and mostly a question."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qsl, quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ltviz.errors import ConfigError
from ltviz.lessons.quantities import Quantity
from ltviz.lessons.terms import TERMS
from ltviz.lessons.text import check_plain
from ltviz.recording.info import MAX_STEP
from ltviz.recording.names import check_run_id

LAB = frozenset(
    {
        *("losses", "classes", "dim", "imbalance", "profile", "counts", "batch", "points", "free", "noise", "mover"),
        *("rate", "speed", "seed", "temperature", "k", "targetWeight", "tau", "decay", "spread", "average"),
        *("negatives", "decayBy", "classAveraging", "complement", "tied", "lengths", "vanish", "together"),
    }
)
"""What the address of the geometry lab may set (app/stage/lab/settings.js)."""
VIEWS = {"home": (0.6, 0.35, 4.0), "top": (0.0, math.pi / 2, 4.0), "front": (0.0, 0.0, 4.0)}
"""Named views: yaw and pitch in radians, and sphere radii from the eye to the centre."""
POSE = {"yaw": (-100.0, 100.0), "pitch": (-1.58, 1.58), "distance": (1.35, 9.0)}
"""Where a camera can be (app/stage/scene/camera.js): radians, and sphere radii from its centre."""
MOST_RUNS = 6
KNOTS = 13
"""Places, evenly apart from the first step to the last, at which a learner's curve is known."""


def _run(name: str) -> str:
    try:
        return check_run_id(name)
    except ConfigError as error:
        raise ValueError(str(error).rstrip(".")) from error


def _plain(text: str) -> str:
    if reason := check_plain(text):
        raise ValueError(reason)
    return text


def _lab(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    if (unknown := [name for name, _ in pairs if name not in LAB]) or not pairs:
        raise ValueError(
            f"must set what the geometry lab knows ({', '.join(sorted(LAB))}), as in 'losses=ce&classes=4'"
            + (f"; {unknown[0][:40]!r} is none of it" if unknown else "")
        )
    return text


def _quantity(text: str) -> str:
    Quantity.parse(text)
    return text


def _term(name: str) -> str:
    if name not in TERMS:
        raise ValueError(f"must be one of {', '.join(TERMS)}, got {name[:40]!r}")
    return name


def _setting(name: str) -> str:
    if name not in LAB:
        raise ValueError(f"must be one of {', '.join(sorted(LAB))}, got {name[:40]!r}")
    return name


def _pose(given: list[float]) -> list[float]:
    for name, value, (low, high) in zip(POSE, given, POSE.values(), strict=True):
        if not low <= value <= high:
            raise ValueError(f"must have a {name} from {low:g} to {high:g}, got {value:g}")
    return given


RunName = Annotated[str, AfterValidator(_run)]
Text = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_plain)]
Asked = Annotated[str, Field(max_length=160), AfterValidator(_quantity)]
Number = Annotated[float, Field(allow_inf_nan=False)]
When = Annotated[int, Field(ge=0, le=MAX_STEP)]
Word = Annotated[str, Field(pattern=r"^-?[A-Za-z0-9_][A-Za-z0-9_.-]{0,64}$")]
Shade = Annotated[str, Field(pattern=r"^(attribute:[^\x00-\x1f]{1,70}|[A-Za-z0-9_.-]{1,65})$")]
Pose = Annotated[list[Number], Field(min_length=3, max_length=3), AfterValidator(_pose)]
Part = Annotated[str, AfterValidator(_term)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Scene(_Block):
    """A block `stage`: what the stage shows. Everything has a default: the lesson's runs at their last frames."""

    runs: list[RunName] = Field([], max_length=MOST_RUNS, description="Runs, a sphere each.")
    geometry: Annotated[str, Field(max_length=400, pattern=r"^[A-Za-z0-9=&,._-]+$"), AfterValidator(_lab)] | None = (
        Field(None, description="Instead of runs the geometry lab, as its address says it: losses=ce,bcl&classes=4.")
    )
    step: When | None = Field(None, description="The step to hold; the last one where empty.")
    play: list[When] | None = Field(
        None, min_length=2, max_length=2, description="First and last step of what is played."
    )
    layers: list[Word] = Field([], max_length=40, description="Layers that are on, with a - before it one that is off.")
    classes: list[Annotated[int, Field(ge=0, le=99_999)]] = Field([], max_length=50, description="Classes in focus.")
    colour: Shade | None = Field(None, description="What colours say, as in a link.")
    view: Literal["home", "top", "front"] | None = Field(None, description="From where the spheres are seen.")
    camera: Pose | None = Field(None, description="Yaw, pitch and distance instead.")
    path: list[Pose] | None = Field(
        None, min_length=2, max_length=8, description="Cameras to travel over, from the first to the last."
    )
    seconds: Annotated[float, Field(ge=1, le=60)] = Field(6.0, description="How long the camera travels.")
    forces: list[Part] = Field([], max_length=len(TERMS), description="Parts of the force that are drawn beside it.")

    @model_validator(mode="after")
    def _one_stage(self) -> Scene:
        if self.geometry and (self.runs or self.play or self.step is not None):
            raise ValueError("geometry stands without runs, step and play")
        if self.play and not self.play[0] < self.play[1]:
            raise ValueError(f"play must go from a step to a later one, got {self.play}")
        if self.play and self.step is not None:
            raise ValueError("step and play exclude one another")
        if sum(given is not None for given in (self.view, self.camera, self.path)) > 1:
            raise ValueError("view, camera and path exclude one another")
        return self

    @property
    def look(self) -> str:
        """Layers, focus, colours and camera as the stage's links write them."""
        pose = self.path[0] if self.path else self.camera or (VIEWS[self.view] if self.view else None)
        parts = {
            "camera": ",".join(f"{value:.3f}" for value in pose) if pose else "",
            "layers": ",".join(self.layers),
            "parts": ",".join(dict.fromkeys(part for name in self.forces for part in TERMS[name][1])),
            "class": ",".join(map(str, self.classes)),
            "colour": quote(self.colour or "", safe=":"),
        }
        return "&".join(f"{name}={text}" for name, text in parts.items() if text)


class Ask(_Block):
    """A block `ask`: a question whose answer a recording has.

    choose  of `options` that one is right whose quantity in `values` is the largest (or, so asked, the smallest)
    class   the class at which the quantity `of` is the largest or the smallest
    value   the quantity `of`, right within `tolerance`
    curve   how the quantity `of` goes from the first frame to the last, right within `tolerance` on average
    """

    kind: Literal["choose", "class", "value", "curve"]
    question: Text
    options: list[Text] = Field([], max_length=8)
    values: list[Asked] = Field([], max_length=8)
    of: Asked | None = None
    right: Literal["largest", "smallest"] = "largest"
    tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    low: Number | None = None
    high: Number | None = None
    start: Number | None = None

    @model_validator(mode="after")
    def _complete(self) -> Ask:
        if self.kind == "choose":
            if len(self.options) < 2 or len(self.options) != len(self.values):
                raise ValueError("a question to choose has two options or more, and in values one quantity for each")
            if len(set(self.options)) < len(self.options):
                raise ValueError("options must differ from one another")
            if self.of or self.tolerance:
                raise ValueError("a question to choose has options and values, and neither of nor tolerance")
        elif self.options or self.values or not self.of:
            raise ValueError(f"a question of kind {self.kind} has the quantity in of, and neither options nor values")
        if self.kind in ("value", "curve"):
            if self.tolerance is None or self.low is None or self.high is None or not self.low < self.high:
                raise ValueError(f"a question for a {self.kind} has a tolerance, and a low below a high")
            if self.start is not None and not self.low <= self.start <= self.high:
                raise ValueError("start must lie between low and high")
        return self


class Wait(_Block):
    """A block `wait`: what the learner does, really, before the lesson goes on by itself. It can be skipped."""

    say: Text
    layer: Word | None = Field(None, description="A layer to turn on, with a - before it: off.")
    setting: Annotated[str, AfterValidator(_setting)] | None = Field(
        None, description="A slider of the geometry lab to move."
    )
    below: Number | None = None
    above: Number | None = None
    do: Literal["turn", "pin"] | None = Field(None, description="turn: the sphere; pin: a dot, by a click on it.")

    @model_validator(mode="after")
    def _one_deed(self) -> Wait:
        if sum(given is not None for given in (self.layer, self.setting, self.do)) != 1:
            raise ValueError("a wait block names one of layer, setting and do")
        if (self.setting is None) != (self.below is None and self.above is None):
            raise ValueError("a setting to move comes with below or above, and nothing else does")
        if self.below is not None and self.above is not None and not self.above < self.below:
            raise ValueError("above must be less than below")
        return self


@dataclass(frozen=True)
class Claim:
    """A line of a block `claim`: what the text says, as the recording must show it."""

    text: str
    left: Quantity | float
    sign: Literal["<", ">", "<=", ">="]
    right: Quantity | float
    line: int


@dataclass(frozen=True)
class Section:
    """One screen. Lines are those of the file, counted from 1."""

    title: str
    text: str
    """Markdown without HTML."""
    scene: Scene
    ask: Ask | None
    claims: tuple[Claim, ...]
    line: int
    scene_line: int
    ask_line: int
    wait: Wait | None = None
    wait_line: int = 0


@dataclass(frozen=True)
class Lesson:
    """One file."""

    name: str
    """Of the file, without its ending: what an address calls it."""
    title: str
    steps: tuple[Section, ...]
    about: str = ""
    language: str = "en"
    minutes: int | None = None
    runs: tuple[str, ...] = ()

    def runs_of(self, step: Section) -> tuple[str, ...]:
        """The runs that a step shows: its own, else the lesson's; none where it shows the geometry lab."""
        return () if step.scene.geometry else tuple(step.scene.runs) or self.runs

    @property
    def right_to_left(self) -> bool:
        """Whether its language is written from right to left."""
        return self.language.split("-")[0].lower() in {
            "ar",
            "arc",
            "ckb",
            "dv",
            "fa",
            "he",
            "ps",
            "sd",
            "ug",
            "ur",
            "yi",
        }
