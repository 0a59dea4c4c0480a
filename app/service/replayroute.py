"""`/ltviz/replay`: the runs on a page as a file to keep. Guarded like the stream."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ltviz.errors import ConfigError, LtvizError

from .. import words
from .guard import ROLE
from .projections import DEFAULT_PROJECTION
from .replay import Opening, build_replay
from .stream import asked_number, asked_runs, check_origin
from .studio import Studio

SIGHT = ("camera", "layers", "colour", "solo", "arrows", "class")
"""What the page adds about its present view; the stage reads it back and leaves out what it does not know."""
LONGEST_SIGHT = 4000
THEMES = ("light", "dark")


async def serve_replay(request: Request, studio: Studio) -> Response:
    """The endpoint; refuses with 403 and a sentence whatever is not entirely in order."""
    asked = request.query_params
    try:
        check_origin(request)
        # Another site's page may link here, and the browser would say so; the token keeps it out in any case.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise ConfigError(words.served.REPLAY_ORIGIN)
        if not studio.knows(asked.get("token", "")):
            raise ConfigError(words.served.REPLAY_TOKEN)
        runs = asked_runs(asked, studio.hub)
        step = asked_number(asked, "step")
        opening = Opening(
            step=None if step is None else int(step),
            hz=min(max(asked_number(asked, "hz") or 10.0, 0.1), 60.0),
            theme=asked["theme"] if asked.get("theme") in THEMES else None,
            sight=urlencode({name: asked[name] for name in SIGHT if name in asked})[:LONGEST_SIGHT],
        )
        replay = await build_replay(
            studio.hub,
            runs,
            projection=asked.get("projection") or DEFAULT_PROJECTION,
            opening=opening,
            keeps=request.scope.get(ROLE) != "viewer",
        )
    except LtvizError as error:
        return PlainTextResponse(str(error), status_code=403)
    return Response(
        replay.html,
        media_type="text/html",
        headers={
            "Content-Disposition": 'attachment; filename="ltviz-replay.html"',
            # Opened from here by hand, it must not act as a page of this server.
            "Content-Security-Policy": "sandbox allow-scripts allow-downloads",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
