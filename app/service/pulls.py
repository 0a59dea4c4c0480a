"""Who moved a class or a sample, for all who ask: the ledger under the curves, and `/ltviz/pulls`, which a card on the
stage asks. Guarded like the stream.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ltviz.errors import ConfigError, LtvizError
from ltviz.export.cells import listed
from ltviz.figures.palette import Movers
from ltviz.metrics.work import Work
from ltviz.recording import Recording, RunInfo
from ltviz.recording.pulls import Pulls

from .. import words
from .hub import Hub
from .kept import Kept, identify
from .stream import asked_number, check_origin
from .studio import Studio

MOST_BYTES = 2**30
"""Embeddings of a run that are read for a card; of more the ledger under the curves tells, for whoever waits for it."""
MOST_TOLD = 4
"""Parts of one sentence."""
MOST_STEPS = 120
"""That a card draws."""
_kept = Kept(64)
_readers = ThreadPoolExecutor(1, "ltviz-pulls")


def pulls_of(hub: Hub, run: str) -> Pulls:
    """What is known of who moved what in a run, kept from one time to the next."""
    recording = hub.recording(run)
    return _kept.get((recording.path, identify(recording.path)), lambda: Pulls(recording))


def movers_of(info: RunInfo) -> Movers:
    return Movers(info.class_names, info.order.tolist())


def tell_parts(work: Work, column: int, movers: Movers) -> tuple[str, str]:
    """Which parts went along with the way, and which against it: those that are farther from nothing than they are
    doubted, the largest first, each with its doubt; of very many classes the first ones."""
    ends = {name: (float(done[-1, column]), float(work.doubt[name][column])) for name, done in work.done.items()}
    ordered = sorted(ends.items(), key=lambda pair: -abs(pair[1][0]))

    def listing(sign: int) -> str:
        told = [f"{movers.name(n)} {value:+.2g} ± {doubt:.1g}" for n, (value, doubt) in ordered if value * sign > doubt]
        if (more := len(told) - MOST_TOLD) > 1:
            told = [*told[:MOST_TOLD], words.pulls.MORE.format(more=more)]
        return listed(told) if told else words.pulls.NOBODY

    return listing(1), listing(-1)


async def serve_pulls(request: Request, studio: Studio) -> Response:
    """The endpoint: of a `class` by rank or a `row` of the probe, JSON as `app/stage/reading/pulled.js` has it.

    403 and a sentence for whatever is not entirely in order.
    """
    asked = request.query_params
    try:
        check_origin(request)
        if not studio.knows(asked.get("token", "")):
            raise ConfigError(words.served.STREAM_TOKEN)
        rank, row = asked_number(asked, "class"), asked_number(asked, "row")
        if (rank is None) == (row is None):
            raise ConfigError(words.pulls.ASKED_ONE)
        pulls = pulls_of(studio.hub, asked.get("run", ""))
        loop = asyncio.get_running_loop()
        told = await loop.run_in_executor(_readers, _answer, pulls, rank, row)
    except (LtvizError, OSError) as error:
        return PlainTextResponse(str(error), status_code=403)
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


def _answer(pulls: Pulls, rank: float | None, row: float | None) -> dict[str, Any]:
    recording = pulls.recording
    info = recording.info
    if rank is not None and not 0 <= rank < info.num_classes:
        raise ConfigError(words.pulls.NO_CLASS.format(most=info.num_classes - 1, given=f"{rank:g}"))
    if _size(recording) > MOST_BYTES:
        return {"told": words.pulls.CARD_LARGE, "parts": [], "steps": []}
    label = int(info.order[int(rank)]) if rank is not None else None

    def of(*, by_class: bool) -> Work | None:
        if label is None:
            return pulls.of_sample(int(row or 0), by_class=by_class)
        return pulls.of_classes(by_class=by_class)

    if (work := of(by_class=False)) is None:
        return {"told": "", "parts": [], "steps": []}
    return _of_card(work, of(by_class=True), label if label is not None else 0, movers_of(info), sample=label is None)


def _size(recording: Recording) -> int:
    dim = recording.info.dim or 0
    return len(recording.steps()) * len(recording.probe.labels) * dim * 4


def _of_card(work: Work, by_class: Work | None, column: int, movers: Movers, *, sample: bool) -> dict[str, Any]:
    tells, moved = work.tells(column), float(np.nan_to_num(work.moved[-1, column]))
    said = words.pulls.CARD_MOVED.format(moved=moved, since=int(work.steps[0]), until=int(work.steps[-1]))
    along, against = tell_parts(work, column, movers)
    said += words.pulls.TOLD.format(along=along, against=against) if tells else words.pulls.CARD_UNTOLD
    if tells and by_class is not None and by_class.tells(column):
        along, against = tell_parts(by_class, column, movers)
        said += words.pulls.TOLD_BY_CLASS.format(along=along, against=against)
    shown = np.unique(np.linspace(0, len(work.steps) - 1, min(MOST_STEPS, len(work.steps))).round().astype(int))
    parts = [
        {"part": name, "name": movers.name(name), "done": [float(f"{value:.4g}") for value in done[shown, column]]}
        for name, done in work.done.items()
        if np.abs(done[:, column]).max() > 0
    ]
    note = words.pulls.SAMPLE_NOTE if sample else ""
    return {"told": said, "note": note, "tells": bool(tells), "steps": work.steps[shown].tolist(), "parts": parts}
