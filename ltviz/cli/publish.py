"""`ltviz publish RUN... --out DIR`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from ltviz.cli.arguments import new_place, parse_one, positional
from ltviz.cli.choice import Choice, HomeOptions, choose_runs, tell_skipped
from ltviz.errors import ConfigError
from ltviz.export.gallery import publish

ABOUT = (
    "Write a gallery that any file host serves: a page with a picture of each run, and a replay of each. RUN is an id "
    "or a folder; without RUN, the flags choose among all runs."
)


class PublishOptions(Choice, HomeOptions):
    run: list[str] = positional([], description="ids or folders of runs; all runs where none is named", many=True)
    out: str = Field("ltviz-gallery", description="Folder to write.")
    title: str = Field("Long-tailed embeddings", min_length=1, max_length=200, description="Heading of the page.")
    theme: Literal["light", "dark"] | None = Field(None, description="Of the replays; the reader's own where empty.")
    projection: str | None = Field(None, description="How more than three dimensions are shown.")
    max_mb: float = Field(12.0, gt=0, le=500, description="Size of each replay; its frames are thinned to stay below.")
    geometry: bool = Field(False, description="Add the geometry lab, which computes in the reader's browser.")
    overwrite: bool = Field(False, description="Replace a folder that `ltviz publish` made.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Writes the gallery.

    Raises:
        ConfigError: no runs, or a folder that is there already.
        RecordingError: a run or the folder cannot be read or written.
    """
    options = parse_one("ltviz publish", argv, PublishOptions, about=ABOUT)
    home = options.open_home()
    runs = choose_runs(home, options, options.run)
    if not runs:
        raise ConfigError(f"`ltviz publish` needs at least one run, but none was chosen among those in {home.name}")
    out = new_place("ltviz publish", "--out", options.out, overwrite=options.overwrite)
    made = publish(
        out,
        runs,
        title=options.title,
        theme=options.theme,
        projection=options.projection,
        max_mb=options.max_mb,
        geometry=options.geometry,
    )
    size = sum(path.stat().st_size for path in out.iterdir())
    if options.json_:
        told = {"path": str(out), "index": str(out / "index.html"), "used": made.used, "bytes": size}
        print(json.dumps({**told, "left_out": list(made.left_out)}))
        return 0
    print(f"{out / 'index.html'}: {made.used} run{'' if made.used == 1 else 's'}, {size / 1e6:.1f} MB")
    for reason in made.left_out:
        print(f"ltviz: left out {reason}", file=sys.stderr)
    tell_skipped(home.skipped)
    return 0
