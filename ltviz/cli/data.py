"""`ltviz data NAME`: what a data set holds, and what a run would train on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, create_model

from ltviz.cli.arguments import parse, positional
from ltviz.data import registry
from ltviz.data.inputs import ImageFiles, Inputs
from ltviz.data.longtail import LongTailed, measured_factor
from ltviz.data.pixels import Pixels
from ltviz.errors import DataError
from ltviz.training.settings import CUT, FILES, RunSettings

ABOUT = (
    "Say what a data set holds and which part of it a run would train on, from its lists and headers; without a NAME, "
    "which sets there are and what they lack."
)
_BAR, _CHECKED = 40, 64  # characters; images at a time


class DataOptions(BaseModel):
    name: str = positional("", description="Data set.")
    check: bool = Field(False, description="Decode every image that would be used, and name those that are damaged.")
    json_: bool = Field(False, alias="json", description="Print one JSON object, and nothing else.")


def run(argv: Sequence[str]) -> int:
    """Prints the counts by class.

    Raises:
        ConfigError: an unknown name or setting.
        DataError: missing or damaged files.
    """
    name = _name(argv)
    models = {"command": DataOptions, "cut": _cut_settings()}
    if name:
        models["data"] = registry.source(name).Options
    parsed = parse("ltviz data", argv, models, about=ABOUT, unprefixed=["cut"])
    options, cut = parsed["command"], parsed["cut"].model_dump()
    assert isinstance(options, DataOptions)
    if not name:
        _tell_sets(options.json_)
        return 0
    data = registry.load(name, **cut, data_options=parsed["data"].model_dump())
    if options.check:
        bad = [*_damaged(data.train_inputs), *_damaged(data.test_inputs)]
        if bad and not cut["skip_bad"]:
            raise DataError(f"{len(bad)} images of {name} cannot be used; {bad[0]}; with --skip-bad others stand in")
        data = replace(data, notes=(*data.notes, *bad))
    told = describe(data)
    print(json.dumps(told) if options.json_ else _table(told))
    return 0


def describe(data: LongTailed) -> dict[str, Any]:
    """What `--json` prints: counts and names by rank, numbers of samples, and what was left out.

    `train` and `test` are numbers of samples; `counts` and `test_counts` are by class, of which a sample may show
    several; `images` are [training, test] images, fewer than samples where these are pixels. `bytes` is what all inputs
    take on the device, or would where they are files; `imbalance_factor` is measured, largest over smallest class.
    """
    several = data.test_multi
    tested = np.bincount(data.test_labels, minlength=data.num_classes) if several is None else several.sum(0)
    return {
        "name": data.name,
        "class_names": list(data.class_names),
        "counts": data.counts.tolist(),
        "test_counts": tested.tolist(),
        "train": len(data.train_labels),
        "test": len(data.test_labels),
        "images": [data.num_images, data.test_inputs.num_images],
        "image_shape": list(data.train_inputs.shape),
        "profile": data.profile,
        "imbalance_factor": measured_factor(data.counts),
        "several_labels": several is not None,
        "streamed": isinstance(_read_from(data.train_inputs), ImageFiles),
        "bytes": data.train_inputs.nbytes + data.test_inputs.nbytes,
        "notes": list(data.notes),
    }


def _cut_settings() -> type[BaseModel]:
    """The settings of a run that say what of a data set it is trained on, with their bounds."""
    names = [name for name in (*CUT, *FILES) if name != "data_options"]
    fields: dict[str, Any] = {name: RunSettings.model_fields[name] for name in names}
    chosen: dict[str, Any] = {name: (field.annotation, field) for name, field in fields.items()}
    return create_model("Cut", __config__=ConfigDict(extra="forbid"), **chosen)


def _name(argv: Sequence[str]) -> str | None:
    """The data set, which stands anywhere on the line: its own settings are flags too, so it is found first."""
    known = registry.sources()
    free = [argument for argument in argv if not argument.startswith("-")]
    return next((argument for argument in free if argument in known), free[0] if argv and argv[0] in free else None)


def _damaged(inputs: Inputs) -> list[str]:
    """A sentence on each file that cannot be decoded."""
    read = _read_from(inputs)
    return read.damaged(_CHECKED) if isinstance(read, ImageFiles) else []


def _read_from(inputs: Inputs) -> Inputs:
    """The images of samples that are pixels."""
    return inputs.images if isinstance(inputs, Pixels) else inputs


def _tell_sets(as_json: bool) -> None:
    rows = [
        {
            "name": name,
            "title": source.title,
            "about": source.about,
            "several_labels": source.several_labels,
            "missing": source.missing(registry.locate(name)),
        }
        for name, source in registry.sources().items()
    ]
    if as_json:
        print(json.dumps({"sets": rows}))
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        print(f"{row['name']:{width}}  {row['about']}{'' if row['missing'] is None else ' Not here yet.'}")


def _table(told: dict[str, Any]) -> str:
    """For people: a line on the whole, and one a class with a bar as long as the logarithm of its samples."""
    shape, kind = " x ".join(map(str, told["image_shape"])), "numbers" if len(told["image_shape"]) == 1 else "pixels"
    lines = [
        f"{told['name']}: {told['train']:,} training and {told['test']:,} test samples of {shape} {kind}, "
        f"{_images(told)}{len(told['counts'])} classes, profile {told['profile']}, "
        f"imbalance factor {told['imbalance_factor']:.4g}, {told['bytes'] / 1e6:,.1f} MB"
        + (", read batch by batch" if told["streamed"] else "")
    ]
    width = max(map(len, told["class_names"]))
    longest = np.log1p(max(told["counts"]))
    for name, count, test in zip(told["class_names"], told["counts"], told["test_counts"], strict=True):
        bar = "█" * max(1, round(_BAR * float(np.log1p(count) / longest)))
        lines.append(f"{name:{width}} {count:9,} {test:7,}  {bar}")
    return "\n".join([*lines, *told["notes"]])


def _images(told: dict[str, Any]) -> str:
    """How many images the samples are pixels of; nothing where each is an image."""
    train, test = told["images"]
    return "" if train == told["train"] else f"each a pixel of one of {train:,} and {test:,} images, "
