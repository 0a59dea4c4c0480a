"""Messages of the stream as text that a page may hold, and what a stage needs that has no stream."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
from collections.abc import Collection, Sequence
from typing import Any

from ltviz.projection import REGISTRY

from .look import stage_look
from .projections import describe_projection
from .tail import Tail

LEAST_MOMENTS = 2
LOOK_AGAIN_SECONDS = 0.2
"""The last frames that are looked at may be no news, of which nobody is woken."""


def pack(message: bytes) -> str:
    """A message, gzipped, in base64."""
    return base64.b64encode(gzip.compress(message, 6, mtime=0)).decode()


async def first_look(tails: Sequence[Tail], woken: asyncio.Event, seconds: float, *, whole: bool = False) -> list[str]:
    """Waits until the folders of all runs have been looked at; gives those that were not, in so many seconds. Where
    `whole` runs are asked for, until every frame is known too, as far as there is time: one that is written has always
    another."""
    try:
        async with asyncio.timeout(seconds):
            while not all(tail.looked and (tail.complete or not whole) for tail in tails):
                woken.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                        await woken.wait()
    except TimeoutError:
        pass
    return [tail.run for tail in tails if not tail.looked]


def thin(steps: Sequence[int], most: int, keep: Collection[int] = ()) -> list[int]:
    """At most `most` of the steps, evenly chosen, with the first, the last and those to `keep`; none where these do not
    fit."""
    if len(steps) <= most:
        return list(steps)
    kept = set(keep) & set(steps)
    even = most - len(kept)
    if even < LEAST_MOMENTS:
        return []
    return sorted({steps[round(i * (len(steps) - 1) / (even - 1))] for i in range(even)} | kept)


def stage_without_stream(runs: Sequence[str], projection: str, view: str) -> dict[str, Any]:
    """What a stage is told whose page holds the frames: JSON. `view` names it on the page."""
    base = projection.partition(":")[0]
    return {
        "stream": "replay",
        "token": "",
        "runs": list(runs),
        # There is no form to train with.
        "words": {"failedNext": "", "lostNext": ""},
        "projection": projection,
        "projections": [describe_projection(base) | {"name": projection}] if base in REGISTRY else [],
        "view": view,
        "replay": True,
        **stage_look(),
    }
