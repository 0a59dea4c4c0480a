"""evaluation.json: what a finished run is worth on its whole test set, beside the frames, which show a probe set.

    {"format": 1, "step": 300,
     "test_images": [50, 50, ...],          by class, less those for validation; where samples are pixels, the images
                                            that pixels of the class were judged of
     "judged": {"pixels": [9000, ...],      pixels behind accuracy and geometry, by class: a part of them all, as many
                "images": 150},             of each of so many test images; null where samples are no pixels
     "validation_images": 0,
     "accuracy": {"own": {"all": 0.9, "many": 1.0, "medium": 0.9, "few": 0.85}, "ncm": {...}, "linear": {...}},
     "map": {},                             of the own classifier, where samples have several labels
     "miou": {"all": 0.5, ...},             of the own classifier, where samples are pixels
     "pixels": [90000, 3000, ...],          labelled pixels behind miou, by class: all of them
     "refused": {"ncm": "why"},
     "sphere_is_readout": false,
     "geometry": {"train": {"centre_sum": 0.4, ...}, "test": {...}},       of the points on the sphere
     "features": {"train": {"centre_sum": 0.3, ...}, "test": {...}}}       of unit features, beside it

The trainer writes it with the last frame; a run that was stopped early, or whose setting `evaluate` is off, has none.
It speaks of the weights of its step alone: after more training it counts for nothing until it is written again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from ltviz.errors import RecordingError
from ltviz.recording.files import read_plain, write_whole
from ltviz.recording.info import MAX_CLASSES, MAX_STEP, _Strict
from ltviz.recording.tensors import FORMAT

FILE = "evaluation.json"
_LIMIT = 1 << 20
_Share = Annotated[float, Field(ge=0, le=1)]
_Images = Annotated[int, Field(ge=0, le=1 << 24)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Measures = dict[str, dict[str, _Number]]


class Judged(_Strict):
    """Of which pixels accuracies and geometry are, where samples are pixels."""

    pixels: list[_Images] = Field(max_length=MAX_CLASSES)
    images: _Images


class Evaluation(_Strict):
    """What stands in evaluation.json; accuracies from 0 to 1, angles in degrees. Groups without samples are absent."""

    format: int = FORMAT
    step: int = Field(ge=0, le=MAX_STEP)
    test_images: list[_Images] = Field(max_length=MAX_CLASSES)
    judged: Judged | None = None
    validation_images: _Images = 0
    accuracy: dict[str, dict[str, _Share]] = Field(default_factory=dict)
    map: dict[str, _Share] = Field(default_factory=dict)
    miou: dict[str, _Share] = Field(default_factory=dict)
    pixels: list[Annotated[int, Field(ge=0, le=1 << 48)]] = Field(default_factory=list, max_length=MAX_CLASSES)
    refused: dict[str, str] = Field(default_factory=dict)
    sphere_is_readout: bool = False
    geometry: _Measures = Field(default_factory=dict)
    features: _Measures = Field(default_factory=dict)

    def measures(self) -> dict[str, float]:
        """All numbers under the keys of `ltviz.metrics.FINAL`. The sphere of a read-out says nothing of the method that
        it stands beside, so its geometry is left out, and that of the features remains."""
        found = {
            f"final_accuracy_{group}_{judge}": share
            for judge, shares in self.accuracy.items()
            for group, share in shares.items()
        }
        found |= {f"final_map_{group}_own": share for group, share in self.map.items()}
        found |= {f"final_miou_{group}_own": share for group, share in self.miou.items()}
        spaces = {"_features": self.features} | ({} if self.sphere_is_readout else {"": self.geometry})
        for suffix, parts in spaces.items():
            found |= {f"final_{key}_{part}{suffix}": x for part, values in parts.items() for key, x in values.items()}
        return found


def write_evaluation(run: Path, evaluation: Evaluation) -> None:
    """Writes evaluation.json in one piece.

    Raises:
        RecordingError, DiskFull: it cannot be written; what was there before is still there.
    """
    write_whole(run / FILE, evaluation.model_dump_json().encode())


def read_evaluation(run: Path) -> Evaluation | None:
    """evaluation.json of a run folder; None where there is none.

    Raises:
        RecordingError: it is damaged, or of a newer version.
    """
    path = run / FILE
    try:
        data = read_plain(path, limit=_LIMIT)
    except FileNotFoundError:
        return None
    try:
        found = Evaluation.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise RecordingError(f"evaluation.json must be as documented, but {where}: {first['msg']}: {path}") from error
    if found.format > FORMAT:
        raise RecordingError(f"evaluation.json is of format {found.format}, newer than {FORMAT}; update ltviz: {path}")
    return found
