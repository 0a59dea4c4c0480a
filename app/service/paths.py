"""Under which path the app is asked for: a proxy may take its own path off a request, or leave it on.

The page's address is all that a browser goes by: it asks for everything below the directory of that address. So what
comes in front of the parts that the app itself has is a proxy's, whatever it is, and is taken off here.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ltviz.errors import ConfigError

from .. import words

# Streamlit's routes and ours. `static` comes before `media`: there is a folder of this name in it.
_OURS = re.compile(
    r"/(?:_stcore/|ltviz/(?:stream$|replay$|pulls$|sign-in$|stage/)|static/|media/|component/|vendor/|favicon\.png$|manifest\.json$)"
)
_PART = re.compile(r"[A-Za-z0-9._~@:%+,=-]+")
_LONGEST = 300


def base_path(given: str) -> str:
    """A path as `--base-path` takes it, with a slash in front and none behind; "" for none.

    Raises:
        ConfigError: it is a whole address, or holds what no path does.
    """
    path = given.strip().strip("/")
    parts = path.split("/") if path else []
    if len(path) > _LONGEST or any(not _PART.fullmatch(part) or set(part) == {"."} for part in parts):
        raise ConfigError(words.served.BASE_PATH.format(given=given[:100]))
    return "".join(f"/{part}" for part in parts)


class BasePath:
    """Middleware that takes a proxy's path off what is asked for: everything behind it knows its own paths only.

    Args:
        base: the path that a proxy serves the app under, as `base_path` gives it. Where it is "" or a request does not
            begin with it, what comes in front of the app's own parts goes.
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app, self._base = app, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if self._base and scope["path"] == self._base:  # relative addresses are below it only with a slash at its end
            query = scope["query_string"].decode("latin-1")
            there = f"{self._base.rpartition('/')[2]}/{'?' if query else ''}{query}"
            await RedirectResponse(there)(scope, receive, send)
            return
        await self.app(_asked_for(scope, own_path(scope["path"], self._base)), receive, send)


def own_path(path: str, base: str = "") -> str:
    """The app's own part of a path that was asked for: "/proxy/8501/_stcore/health" gives "/_stcore/health".

    Of a page's path it is the last part, as all pages lie side by side: "/proxy/8501/compare" gives "/compare".
    """
    if base and path.startswith(f"{base}/"):
        path = path[len(base) :]
    found = _OURS.search(path)
    return path[found.start() if found else path.rfind("/") :]


def is_ours(path: str) -> bool:
    """Whether a path is that of a file, a stream or an answer to a script, and not that of a page."""
    return _OURS.search(path) is not None


def _asked_for(scope: Scope, path: str) -> Scope:
    if path == scope["path"]:
        return scope
    changed: dict[str, Any] = {**scope, "path": path}
    changed.pop("raw_path", None)  # the longer one's
    return changed
