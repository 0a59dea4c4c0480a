"""The file of claims: sentences about methods, where they stand, and the evidence that they fall with."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ltviz.errors import ConfigError
from ltviz.metrics import MEASURES
from ltviz.metrics.comparison import Comparison

CLAIMS = Path(__file__).with_name("claims.toml")
_STRICT = ConfigDict(frozen=True, extra="forbid")

Value = bool | int | float | str


class Arm(BaseModel):
    """A method with some of its settings; the others are their defaults."""

    model_config = _STRICT
    method: str
    settings: dict[str, Value] = {}

    @property
    def name(self) -> str:
        """ "gml", or "gml (teacher none)"."""
        own = ", ".join(f"{key} {value}" for key, value in self.settings.items())
        return f"{self.method} ({own})" if own else self.method


class Evidence(BaseModel):
    """What one comparison must give: the first arm's measure minus the second's, the same seeds side by side.

    "higher" and "lower" hold where the difference is a finding after correction, has that sign and is at least `size`;
    "same" where the whole interval lies within `size` of zero, since to find no difference is not enough.
    """

    model_config = _STRICT
    setting: str
    first: Arm
    second: Arm | float
    """A number is one that nothing was measured for, such as the share that would be even."""
    measure: str
    against: str | None = None
    """Measure of the second arm, where it is another one."""
    judge: Literal["own", "ncm"] = "own"
    """Of accuracies, all on the whole test set: the method's own classifier, or the nearest class mean on the frozen
    encoder, one and the same judge for all methods."""
    direction: Literal["higher", "lower", "same"]
    size: float = Field(gt=0, allow_inf_nan=False)
    """In the unit of the measure; accuracies are shares of 1."""

    @field_validator("first", "second", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"method": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _known(self) -> Evidence:
        for measure in (self.measure, self.other_measure):
            if measure not in MEASURES:
                raise ValueError(f"{measure} is no measure")
        if self.judge != "own" and not self.measure.startswith("accuracy_"):
            raise ValueError(f"judge {self.judge} speaks of accuracies alone, got {self.measure}")
        return self

    @property
    def other_measure(self) -> str:
        return self.against or self.measure

    @property
    def arms(self) -> list[Arm]:
        return [arm for arm in (self.first, self.second) if isinstance(arm, Arm)]

    @property
    def names(self) -> tuple[str, str]:
        return self.first.name, self.second.name if isinstance(self.second, Arm) else f"{self.second:g}"

    def holds(self, found: Comparison) -> bool:
        if found.difference is None or found.low is None or found.high is None:
            return False
        if self.direction == "same":
            return -self.size < found.low and found.high < self.size
        sign = 1 if self.direction == "higher" else -1
        return found.differs and sign * found.difference >= self.size


class Condition(BaseModel):
    """Settings of runs, and the seeds that all arms are trained with."""

    model_config = _STRICT
    run: dict[str, Value]
    seeds: tuple[int, ...] = Field(min_length=3)


class Claim(BaseModel):
    """What is said of methods, where, and what it falls with."""

    model_config = _STRICT
    id: str = Field(pattern="^[a-z0-9-]+$")
    said: dict[str, str] = Field(min_length=1)
    """File, from the root of the repository -> the sentence as it stands there, but for line breaks."""
    evidence: tuple[Evidence, ...] = Field(min_length=1)

    @field_validator("evidence", mode="before")
    @classmethod
    def _each_by_itself(cls, value: Any) -> Any:
        """Lists of settings and of first arms stand for all their combinations."""
        if not isinstance(value, list):
            return value
        return [
            {**one, "setting": setting, "first": first}
            for one in value
            for setting in _as_list(one.get("setting"))
            for first in _as_list(one.get("first"))
        ]


class Claims(BaseModel):
    """The file of claims."""

    model_config = _STRICT
    setting: dict[str, Condition]
    claim: tuple[Claim, ...] = Field(min_length=1)
    definitional: dict[str, tuple[str, ...]] = {}
    """File -> sentences of cards that need no run: they say what a loss is made of, or where to look."""

    @model_validator(mode="after")
    def _fit_together(self) -> Claims:
        ids = [claim.id for claim in self.claim]
        if len(set(ids)) < len(ids):
            raise ValueError("two claims have one id")
        for claim in self.claim:
            for evidence in claim.evidence:
                if evidence.setting not in self.setting:
                    raise ValueError(f"claim {claim.id} names the setting {evidence.setting}, which is not there")
        return self


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def read_claims(path: Path = CLAIMS) -> Claims:
    """The claims in a TOML file.

    Raises:
        ConfigError: it cannot be read, or says what a file of claims does not.
    """
    try:
        return Claims.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"a file of claims must be readable TOML, but {error}: {path}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its top"
        raise ConfigError(f"a file of claims does not fit at {place}: {first['msg']}: {path}") from error


def choose(claims: Claims, only: str | None) -> tuple[Claim, ...]:
    """The claims whose ids are listed, in the order of the file; all where nothing is.

    Raises:
        ConfigError: an id that no claim has, or none.
    """
    if only is None:
        return claims.claim
    wanted = [part.strip() for part in only.split(",") if part.strip()]
    known = [claim.id for claim in claims.claim]
    if strange := [name for name in wanted or [only] if name not in known]:
        raise ConfigError(f"--only must name claims among {', '.join(known)}, got {strange[0]!r}")
    return tuple(claim for claim in claims.claim if claim.id in wanted)


def fingerprint(claim: Claim, file: Claims) -> str:
    """Of a claim's evidence and its settings, so that what was measured is known to be of these."""
    settings = {evidence.setting: file.setting[evidence.setting].model_dump(mode="json") for evidence in claim.evidence}
    told = {"evidence": [evidence.model_dump(mode="json") for evidence in claim.evidence], "settings": settings}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
