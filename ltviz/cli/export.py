"""`ltviz export RUN... --to FORMAT --out PATH`: the formats are the files of ltviz/export/formats."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ltviz.cli.app import lessons_folder
from ltviz.cli.arguments import new_place, parse_one, positional
from ltviz.cli.choice import Choice, HomeOptions, choose_runs, tell_skipped
from ltviz.errors import ConfigError
from ltviz.export.formats import FORMATS, Wanted, find_format, made_of
from ltviz.export.lesson import find_lesson
from ltviz.lessons import Lesson
from ltviz.metrics.judged import COMMON
from ltviz.recording import Recording

ABOUT = (
    "Write chosen runs for others: a report that opens anywhere, a page that replays them in 3-D, a table of every "
    "number, a picture, or what another tool reads. RUN is an id or a folder; without RUN, the flags choose among all "
    "runs."
)
if TYPE_CHECKING:
    To = str
else:
    To = Literal[FORMATS]


class ExportOptions(Choice, HomeOptions):
    run: list[str] = positional(
        [], description="ids or folders of runs; all runs where none is named. Of --to lesson, a lesson", many=True
    )
    to: To = Field(
        "report",
        description="Kind of file; html is the replay, lesson a lesson with its recordings, which is named in "
        "place of runs, by its name or its file; geometry the geometry lab, which needs no run; site a folder that any "
        "host of files serves, whose page reads a frame when it shows it. tensorboard and "
        "projector are folders for TensorBoard, atlas is for embedding-atlas, rerun for Rerun; png, svg, gif and mp4 "
        "are drawn by chromium.",
    )
    out: str | None = Field(None, description="File or folder to write; ltviz-report.html or alike where empty.")
    step: int | None = Field(None, ge=0, description="The one step that is meant: of a picture, points, a replay.")
    title: str = Field("Comparison of runs", max_length=200, description="Heading of a report.")
    theme: Literal["light", "dark"] | None = Field(
        None, description="Colours; a report's are light, a replay's follow the reader's system where empty."
    )
    judge: Literal["ncm", "linear", "own"] = Field(
        COMMON,
        description="Who judges the accuracies of a report, where it has judged all runs: nearest class mean, a "
        "linear probe, or each method's own classifier.",
    )
    projection: str | None = Field(None, description="How more than three dimensions are shown.")
    max_mb: float | None = Field(
        None, gt=0, le=500, description="Size of a replay or a lesson, 12 and 4 where empty; frames are thinned to it."
    )
    caption: str = Field("", max_length=240, description="What stands beneath every picture of a gif or an mp4.")
    lessons: str | None = Field(None, description="With --to lesson: a folder of your own lessons.")
    watch: bool = Field(
        False, description="With --to site: go on until the runs have ended; whoever has the page open sees them train."
    )
    overwrite: bool = Field(False, description="Replace a file that is there, or a folder that an export made.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Writes the file.

    Raises:
        ConfigError: no runs, no such lesson, a file that is there already, or a kind that cannot be written here, as
            a package or a browser is missing.
        DataError: a file that is no lesson, or a lesson that its recordings do not bear out; with the line.
        RecordingError: a run or the file cannot be read or written.
    """
    options = parse_one("ltviz export", argv, ExportOptions, about=ABOUT)
    chosen, home = find_format(options.to), options.open_home()
    kind = made_of(chosen)
    lesson = _lesson(options) if kind == "lesson" else None
    if kind == "runs":
        runs = choose_runs(home, options, options.run)
        if not runs:
            raise ConfigError(f"`ltviz export` needs at least one run, but none was chosen among those in {home.name}")
    elif given := (options.run if kind == "nothing" else []) + options.chosen_by:
        raise ConfigError(f"--to {options.to} is not made of runs; leave {', '.join(given)[:200]} out")
    else:
        runs = []
    if options.watch and not getattr(chosen, "FOLLOWS", False):
        raise ConfigError(
            f"--watch follows runs into a folder for a host of files, got --to {options.to}; try --to site"
        )
    file = "" if chosen.OUT.endswith("/") else chosen.OUT
    out = new_place("ltviz export", "--out", options.out or chosen.OUT, overwrite=options.overwrite, file=file)
    if options.watch:
        print(f"ltviz: {out} grows until its runs have ended, or until Ctrl-C", file=sys.stderr, flush=True)
    written = chosen.write(replace(_wanted(options, out, runs), lesson=lesson, home=home))
    done = {"used": written.used, "left_out": list(written.left_out), **written.told}
    size = sum(path.stat().st_size for path in (out, *out.rglob("*")) if path.is_file())
    if options.json_:
        print(json.dumps({"path": str(out), "to": options.to, "runs": [r.run_id for r in runs], "bytes": size, **done}))
    else:
        counts = {word: count for word, count in written.told.items() if word != "recorded"}
        of = {"moments": f" of {done.get('recorded')}"}
        told = "".join(f", {count}{of.get(word, '')} {word}" for word, count in counts.items())
        room = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
        runs_in = f"{done['used']} run{'' if done['used'] == 1 else 's'}{told}, " if kind != "nothing" else ""
        print(f"{out}: {runs_in}{room}")
        for reason in done["left_out"]:
            print(f"ltviz: left out {reason}", file=sys.stderr)
        tell_skipped(home.skipped)
    return 0


def _lesson(options: ExportOptions) -> tuple[Lesson, Path]:
    if len(options.run) != 1:
        raise ConfigError(
            f"--to lesson writes one lesson, got {', '.join(options.run)[:200] or 'none'}; "
            "try `ltviz export 2-pull-and-push --to lesson`"
        )
    folder = None if options.lessons is None else lessons_folder(options.lessons)
    return find_lesson(options.run[0], [folder] if folder else [])


def _wanted(options: ExportOptions, out: Path, runs: Sequence[Recording]) -> Wanted:
    return Wanted(
        runs=runs,
        out=out,
        step=options.step,
        title=options.title,
        theme=options.theme,
        judge=options.judge,
        projection=options.projection,
        max_mb=options.max_mb,
        caption=options.caption,
        watch=options.watch,
    )
