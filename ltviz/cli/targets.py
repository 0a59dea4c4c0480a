"""`ltviz targets`: targets on the sphere, as a file that methods take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field

from ltviz.cli.arguments import check_writable, parse_one
from ltviz.data.target_files import encode_targets, read_targets
from ltviz.errors import ConfigError, DataError
from ltviz.geometry import best_angle, fits, ideal_cosine, make_targets
from ltviz.recording.files import write_whole
from ltviz.recording.names import typed_path

ABOUT = (
    "Make targets for so many classes in so many dimensions: the regular simplex in closed form, our annealed descent, "
    "or the official recipe of TSC, which does not reach the simplex. `tsc` and `etf` take the file: "
    "`ltviz train tsc --targets FILE`."
)


class TargetsOptions(BaseModel):
    classes: int = Field(10, ge=2, le=5000, description="Classes.")
    dim: int = Field(128, ge=1, le=4096, description="Dimensions.")
    method: Literal["closed", "annealed", "official"] = Field(
        "annealed", description="In closed form, by annealed descent, or by the official recipe."
    )
    seed: int = Field(0, ge=0, le=2**31, description="Of the random starts.")
    steps: int | None = Field(None, ge=1, description="Of the official recipe; 10,000 where empty.")
    out: str = Field("targets.npz", min_length=1, description="File to write, *.npz.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Writes the file and says how good the targets are.

    Raises:
        ConfigError: numbers that do not fit, a name that is not *.npz, a place that no file can be written to,
            a file that is there and holds no targets.
        RecordingError: the file cannot be written.
    """
    options = parse_one("ltviz targets", argv, TargetsOptions, about=ABOUT)
    path = _place(options.out)
    targets = make_targets(options.classes, options.dim, method=options.method, seed=options.seed, steps=options.steps)
    told = {"classes": options.classes, "dim": options.dim, "method": options.method, "seed": options.seed}
    write_whole(path, encode_targets(targets, told))
    cosines = (targets @ targets.T)[np.triu_indices(len(targets), 1)]
    told |= {
        "smallest_angle": float(np.degrees(np.arccos(np.clip(cosines.max(), -1, 1)))),
        "best_angle": best_angle(options.classes, options.dim),
        "largest_cosine": float(cosines.max()),
        "smallest_cosine": float(cosines.min()),
        "file": str(path),
    }
    if fits(options.classes, options.dim):
        told["simplex_deviation"] = float(np.abs(cosines - ideal_cosine(options.classes)).max())
    if options.json_:
        print(json.dumps(told))
        return 0
    print(f"smallest angle {told['smallest_angle']:.3f}°, at best {told['best_angle']:.3f}°")
    print(f"cosines {told['smallest_cosine']:.5f} to {told['largest_cosine']:.5f}")
    if "simplex_deviation" in told:
        print(f"off the regular simplex by {told['simplex_deviation']:.2g} at most")
    print(f"-> {path}")
    return 0


def _place(out: str) -> Path:
    """Where the file goes: only a file of targets is replaced."""
    path = typed_path(out)
    if path.suffix.lower() != ".npz":
        raise ConfigError(f"--out must end in .npz, got {path.name!r:.80}; try --out {path.stem or 'targets'}.npz")
    check_writable("--out", path)
    if path.is_file():
        try:
            read_targets(path)
        except DataError as error:
            raise ConfigError(f"--out must be a new file or one of targets; give another name: {path}") from error
    return path
