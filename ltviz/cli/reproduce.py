"""`ltviz reproduce`: published and derived results, each as a number with a tolerance and a verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches

from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.errors import ConfigError
from ltviz.recording.names import typed_path

ABOUT = (
    "Reproduce a published or derived result on this machine, in seconds: the number, what is expected, the tolerance "
    "and the verdict, which may be that it is not reproduced. --list names them all. --record films it: the frames of "
    "that run are what is computed on the way."
)


class ReproduceOptions(BaseModel):
    name: str = positional("", description="which result; --list names them")
    list_: bool = Field(False, alias="list", description="Print the names, one a line.")
    record: str = Field("", description="Folder of a run to record as it computes, for `ltviz app`; a new one.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints the verdict of one result, or the names of all.

    Raises:
        ConfigError: no such result.
    """
    options = parse_one("ltviz reproduce", argv, ReproduceOptions, about=ABOUT)

    from ltviz.museum import EXHIBITS

    if options.list_:
        print("\n".join(EXHIBITS))
        return 0
    if options.name not in EXHIBITS:
        near = get_close_matches(options.name, EXHIBITS, 1)
        hint = f"`ltviz reproduce {near[0]}`" if near else "`ltviz reproduce --list`"
        given = repr(options.name) if options.name else "nothing"
        raise ConfigError(f"`ltviz reproduce` takes one of {', '.join(EXHIBITS)}, got {given}; try {hint}")
    exhibit, folder = EXHIBITS[options.name], typed_path(options.record) if options.record else None
    found = exhibit.judge(folder)
    if options.json_:
        print(json.dumps(found if folder is None else {**found, "record": str(folder)}))
        return 0
    unit = f" {found['unit']}" if found["unit"] else ""
    print(found["claim"])
    print(f"  source     {found['source']}")
    print(f"  value      {found['value']:.6g}{unit}")
    print(f"  expected   {found['expected']:.6g}{unit}, give or take {found['tolerance']:g}")
    off = "" if found["verdict"] == "reproduced" else f", off by {found['off_by']:.3g}"
    print(f"  verdict    {found['verdict']}{off} ({found['seconds']:.1f} s)")
    if found["note"]:
        print(f"  {found['note']}")
    if folder is not None:
        print(f"  film       {folder}\n  shows      {exhibit.filmed}")
    elif exhibit.moves:
        print(f"  see it     page Geometry of `ltviz app`, /geometry?{exhibit.moves}")
    else:
        print(f"  see it     `ltviz reproduce {exhibit.name} --record FOLDER`")
    return 0
