"""run.json and status.json: what a run is, and how it is doing. Both may be a stranger's, so parsing is strict."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from ltviz.errors import RecordingError
from ltviz.marks import Mark, Reading
from ltviz.recording.names import RUN_ID
from ltviz.recording.tensors import FORMAT
from ltviz.text import plain

MAX_CLASSES = 65_535
MAX_STEP = 999_999_999
MAX_DECLARED = 64
"""Readings of a run, and marks."""
UNLABELLED = -1
"""The label of a sample that has none: it is drawn, and never measured, ranked or counted."""

State = Literal["queued", "starting", "running", "paused", "stopping", "finished", "failed", "lost"]
ACTIVE: frozenset[str] = frozenset({"starting", "running", "paused", "stopping"})

_Text = Annotated[str, AfterValidator(plain)]
"""Shown to people: what a terminal or a page would obey is replaced."""
_Word = Annotated[_Text, Field(max_length=200)]
_ClassName = Annotated[_Text, Field(max_length=20_000)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    # Unknown fields are left out: a later version may add some without a new format.
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


_Parsed = TypeVar("_Parsed", "RunInfo", "Status")


class Fingerprints(_Strict):
    """Hex digests that show whether two runs began alike: of the first weights, and of the order of batches."""

    weights: _Word | None = None
    batches: _Word | None = None


class RunInfo(_Strict):
    """What stands in run.json. Class c has the name `class_names[c]` and `counts[c]` training samples; there are none
    where no sample has a label.

    In the runs of ltviz's trainer class 0 has most samples and class C-1 fewest; a run of `ltviz.record` keeps its
    caller's numbers, so order classes by `order`, not by their number.
    """

    format: int = FORMAT
    run_id: str = Field(pattern=f"^{RUN_ID.pattern}$")
    method: _Word | None = None
    title: _Text = Field(default="", max_length=2_000)
    created: _Finite
    race: _Word | None = None
    dim: int | None = Field(default=None, ge=2, le=1_000_000)
    num_classes: int = Field(ge=0, le=MAX_CLASSES)
    class_names: list[_ClassName] = Field(max_length=MAX_CLASSES)
    counts: list[Annotated[int, Field(ge=0, le=2**53)]] = Field(max_length=MAX_CLASSES)
    total_steps: int | None = Field(default=None, ge=0, le=MAX_STEP)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    data: _Word | None = None
    imbalance_factor: float | None = Field(default=None, ge=1, allow_inf_nan=False)
    sphere_is_readout: bool | None = None
    """Whether the points on the sphere were trained beside the encoder, which they did not steer; None where a run does
    not say."""
    config: dict[str, JsonValue] = Field(default_factory=dict)
    versions: dict[_Word, _Word] = Field(default_factory=dict)
    fingerprints: Fingerprints = Fingerprints()
    readings: list[Reading] = Field(default_factory=list, max_length=MAX_DECLARED)
    marks: list[Mark] = Field(default_factory=list, max_length=MAX_DECLARED)

    @model_validator(mode="after")
    def _one_entry_a_class(self) -> RunInfo:
        if not len(self.class_names) == len(self.counts) == self.num_classes:
            raise ValueError(
                f"class_names ({len(self.class_names)}) and counts ({len(self.counts)}) must have num_classes "
                f"({self.num_classes}) entries"
            )
        return self

    @property
    def order(self) -> np.ndarray:
        """(C,) int64: the classes from most to fewest samples, equal counts in the order of their numbers."""
        return np.argsort(-np.asarray(self.counts, np.int64), kind="stable")


class Status(_Strict):
    """How a run is doing. `beat` is Unix seconds of the writer's last sign of life, `step` that of its newest frame."""

    format: int = FORMAT
    state: State
    reason: _Text | None = Field(default=None, max_length=4_000)
    pid: int | None = None
    host: _Word | None = None
    beat: _Finite = 0.0
    step: int | None = Field(default=None, ge=0, le=MAX_STEP)
    details: dict[str, JsonValue] = Field(default_factory=dict)


def parse_info(data: bytes) -> RunInfo:
    """RunInfo from the bytes of run.json; RecordingError says what is wrong with them."""
    return _parse(RunInfo, data)


def parse_status(data: bytes) -> Status:
    """Status from the bytes of status.json; RecordingError says what is wrong with them."""
    return _parse(Status, data)


def make_info(**fields: object) -> RunInfo:
    """RunInfo from fields of our own process; RecordingError names the first one that breaks a rule."""
    try:
        return RunInfo.model_validate(fields)
    except ValidationError as error:
        raise RecordingError(f"The run cannot be described: {_first_problem(error)}") from error


def _parse(model: type[_Parsed], data: bytes) -> _Parsed:
    try:
        parsed = model.model_validate_json(data)
    except ValidationError as error:
        raise RecordingError(_first_problem(error)) from error
    if parsed.format > FORMAT:
        raise RecordingError(
            f"A newer ltviz wrote it (format {parsed.format}, this one reads up to {FORMAT}); update ltviz."
        )
    return parsed


def _first_problem(error: ValidationError) -> str:
    # The input itself is left out of the sentence: it may be a stranger's, and megabytes long.
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])[:100]
    what = f"Its field '{where}'" if where else "It"
    return f"{what} breaks a rule ({problem['msg'][:200]})."
