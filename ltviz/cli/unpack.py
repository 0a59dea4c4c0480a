"""`ltviz unpack FILE`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions
from ltviz.recording.names import typed_path
from ltviz.recording.pack import unpack

ABOUT = "Make a run again of a file that `ltviz pack` wrote: whole or not at all, and never over another run."


class UnpackOptions(HomeOptions):
    file: str = positional(description="a file that `ltviz pack` wrote")
    run_id: str | None = Field(None, description="What the run is to go by; what it was packed as where empty.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Makes the run's folder in the home.

    Raises:
        ConfigError: an id that is none.
        RecordingError: a file that is damaged or of another kind, a run that is there already, or no room.
    """
    options = parse_one("ltviz unpack", argv, UnpackOptions, about=ABOUT)
    folder = unpack(typed_path(options.file), options.own_home("ltviz unpack"), run_id=options.run_id)
    print(json.dumps({"path": str(folder), "run_id": folder.name}) if options.json_ else str(folder))
    return 0
