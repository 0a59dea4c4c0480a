"""`ltviz pack RUN`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.arguments import new_place, parse_one, positional
from ltviz.cli.choice import HomeOptions, named
from ltviz.recording.pack import SUFFIX, pack
from ltviz.text import plain

ABOUT = (
    "Put a run into one file, bit for bit: a plain tar with a manifest of sizes and SHA-256. `ltviz unpack FILE` makes "
    "the run again. RUN is an id or a folder; a run that is being written is refused."
)


class PackOptions(HomeOptions):
    run: str = positional(description="id or folder of a run")
    out: str = Field("", description=f"File to write; the run's id and {SUFFIX} where empty.")
    overwrite: bool = Field(False, description="Replace the file where it is there already.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Writes the file, and says what lay in the run's folder and is not in it.

    Raises:
        ConfigError: a file that is there already.
        RecordingError: no such run, one that is being written, or one that cannot be read or written.
    """
    options = parse_one("ltviz pack", argv, PackOptions, about=ABOUT)
    recording = named(options.own_home("ltviz pack"), options.run)
    usual = recording.run_id + SUFFIX
    out = new_place("ltviz pack", "--out", options.out or usual, overwrite=options.overwrite, file=usual)
    made = pack(recording, out)
    if options.json_:
        print(json.dumps({"path": str(out), "run_id": recording.run_id, **made._asdict()}))
        return 0
    print(f"{out}: {made.files} files, {made.size / 1e6:.1f} MB")
    for name in made.left_out:
        print(f"ltviz: left out {plain(name)}", file=sys.stderr)
    return 0
