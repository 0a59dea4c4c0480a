"""The web server: Streamlit, the stream of frames and the stage's files on one port of this machine."""

from __future__ import annotations

import errno
import gzip
import importlib
import ipaddress
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from streamlit.runtime.pages_manager import PagesManager

from ltviz.errors import ConfigError
from ltviz.export.cells import listed
from ltviz.recording import Home

from . import words
from .service.frontpage import FrontPage
from .service.guard import SIGN_IN, AnswerHeaders, Guard
from .service.hosts import LOCAL_HOSTS, KnownHosts, host_name, own_names
from .service.memory import return_memory
from .service.paths import BasePath, base_path
from .service.pulls import serve_pulls
from .service.replayroute import serve_replay
from .service.sharing import LINK, Sharing
from .service.stagefiles import STAGE
from .service.stagescript import packed, script_name
from .service.stream import explain_stream, serve_stream
from .service.studio import Studio, open_studio
from .widgets.style import theme_options

FOLDER = Path(__file__).parent
FIRST_PORT = 8501
PORTS_TRIED = 100
MOST_DROPPED_MB = 300
"""A browser's file lies in this process's memory; larger ones are opened by their path, with `ltviz open`."""


class StageFiles(StaticFiles):
    """The stage's modules, of which a browser asks each time whether its copy is still right, so an update never mixes
    two; and all of them as one script, whose name is its fingerprint, so that a browser keeps it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if (script := packed(path)) is not None and scope["method"] in ("GET", "HEAD"):
            return _answer_script(script, path, Headers(scope=scope))
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _answer_script(script: bytes, path: str, asked: Headers) -> Response:
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if "gzip" in asked.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        script = gzip.decompress(script)
    kind = "application/json" if path.endswith(".map") else "text/javascript"
    return Response(script, headers=headers, media_type=kind)


def build_app(
    studio: Studio,
    *,
    hosts: tuple[str, ...] = LOCAL_HOSTS,
    allowed: tuple[str, ...] = (),
    base: str = "",
    on_start: Any = None,
) -> st.App:
    """The ASGI application.

    Args:
        hosts: names by which a browser may call this server; others are refused, which ends DNS rebinding.
        allowed: more such names, also where a proxy keeps them from the server.
        base: path under which a proxy serves it, without a slash at its end.
        on_start: called once when the server answers.
    """

    @asynccontextmanager
    async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
        return_memory()
        if not studio.hub.runs.read_only:
            studio.supervisor.start()
        studio.serving = True
        threading.Thread(target=_import_pages, name="ltviz-imports", daemon=True).start()
        try:
            if on_start is not None:
                on_start()
            yield {}
        finally:
            await studio.hub.close()
            studio.supervisor.close()
            studio.hub.runs.close()

    # main.py navigates. Without this, a first visit by a link to another page than the lab would find Streamlit looking
    # through the folder `pages` by itself, and showing its own menu, until somebody has opened the lab.
    PagesManager.uses_pages_directory = False
    return st.App(
        FOLDER / "main.py",
        routes=[
            WebSocketRoute("/ltviz/stream", _stream_of(studio)),
            Route("/ltviz/stream", _answer_of(explain_stream, studio), methods=["POST"]),
            Route("/ltviz/replay", _answer_of(serve_replay, studio)),
            Route("/ltviz/pulls", _answer_of(serve_pulls, studio)),
            Mount("/ltviz/stage", StageFiles(directory=STAGE)),
        ],
        lifespan=lifespan,
        middleware=[
            Middleware(KnownHosts, hosts=hosts, allowed=allowed),
            Middleware(AnswerHeaders),
            Middleware(BasePath, base=base),
            Middleware(Guard, sharing=studio.sharing),
            Middleware(FrontPage, allowed=allowed),
        ],
    )


def _import_pages() -> None:
    """Makes and imports what the first visit needs while the browser is still starting."""
    packed(script_name())
    for name in ("charts", "comparison", "race"):
        importlib.import_module(f"ltviz_app.widgets.{name}")


def _stream_of(studio: Studio) -> Any:
    async def stream(socket: Any) -> None:
        await serve_stream(socket, studio)

    return stream


def _answer_of(serve: Callable[[Request, Studio], Awaitable[Response]], studio: Studio) -> Any:
    async def answer(request: Request) -> Response:
        return await serve(request, studio)

    return answer


def serve(
    port: int | None = None,
    home: Home | Path | None = None,
    *,
    open_browser: bool = False,
    address: str = "127.0.0.1",
    i_know: bool = False,
    allow_hosts: Sequence[str] = (),
    base: str = "",
    follow_links: bool = False,
    runs: Sequence[str] = (),
    lessons: Path | None = None,
    draft: Path | None = None,
    password: str | None = None,
) -> None:
    """Runs the app until it is interrupted, and prints its address.

    Args:
        port: as `find_port` takes it.
        home: the home of runs, or its folder; None takes `ltviz.recording.checkpoints_home()`.
        address: where to listen. Another than this machine's own is refused without a password or `i_know`: whoever
            reaches it can start and stop training.
        allow_hosts: names besides those of this machine that may stand in the browser's address, without ports.
        base: path under which a proxy serves the app; it works whether the proxy takes it off or leaves it on.
        follow_links: whether runs are also looked for in folders that the home only links to.
        runs: shown at the address that is printed.
        lessons: a folder of lessons beside those of the app.
        draft: a lesson that is being written; the address that is printed is the page that follows its file.
        password: of those who may train; with one the app is shared: viewers come by a link, and nobody else gets in.

    Raises:
        ConfigError: a port that is taken, an address that is open to others, a name or path that is none.
    """
    base, allowed = base_path(base), tuple(map(host_name, allow_hosts))
    sharing = None if password is None else Sharing(password)
    if not _is_local(address) and not i_know and sharing is None:
        raise ConfigError(words.served.OPEN_ADDRESS.format(address=address))
    port = find_port(port, address)
    hosts = LOCAL_HOSTS if _is_local(address) else (*LOCAL_HOSTS, host_name(address))
    if sharing is not None:
        hosts = tuple(dict.fromkeys((*hosts, *own_names())))
        allowed = allowed or tuple(own_names()[:1])
    url = f"http://{_shown(address, allowed)}:{port}{base}{'/' if base or runs or draft else ''}"
    url += f"?runs={','.join(runs)}" if runs else ""
    url += "learn" if draft else ""
    studio = open_studio(home, follow_links=follow_links)
    studio.lessons, studio.draft = lessons, draft
    studio.sharing = sharing

    def announce() -> None:
        print(words.served.ADDRESS.format(url=url), flush=True)
        if sharing is not None:
            root, names = (
                url.partition("?")[0].rstrip("/"),
                listed(tuple(dict.fromkeys((*hosts, *allowed)))),
            )
            link = f"{root}/?{LINK}={sharing.token}"
            print(words.sharing.OPENS.format(link=link, sign_in=root + SIGN_IN, hosts=names), flush=True)
        elif not _is_local(address):
            names = listed(tuple(dict.fromkeys((*hosts, *allowed))))
            print(words.served.ADDRESS_IS_OPEN.format(address=address, hosts=names), flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    app = build_app(studio, hosts=hosts, allowed=allowed, base=base, on_start=announce)
    app.run(config=server_options(port, address, (*hosts, *allowed)))


def _shown(address: str, allowed: Sequence[str]) -> str:
    """The name in the address that is printed: one that a browser on this machine can open."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.is_unspecified:  # every address of this machine, which no browser can open as such
        return next(iter(allowed), "localhost")
    return f"[{ip}]" if ip.version == 6 else address


def server_options(port: int, address: str, hosts: tuple[str, ...]) -> dict[str, Any]:
    """Streamlit's options: local, silent, without statistics, error details or anything for developers."""
    return {
        "server.port": port,
        "server.address": address,
        "server.headless": True,
        "server.allowedHosts": [host.strip("[]") for host in hosts],  # Streamlit's own check knows no brackets
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.maxUploadSize": MOST_DROPPED_MB,
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        "logger.enableRich": False,
        **theme_options(),
    }


def find_port(port: int | None, address: str) -> int:
    """The port to listen on: the one asked for; 0, any free one; 8501 or None, the first free one from 8501 on.

    Raises:
        ConfigError: it is taken or out of range.
    """
    if port is not None and not 0 <= port <= 65535:
        raise ConfigError(words.served.PORT_RANGE.format(port=port))
    if port in (None, FIRST_PORT):
        wanted = range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
        for number in wanted:
            if _bound(number, address) is not None:
                return number
        raise ConfigError(words.served.PORTS_TAKEN.format(first=wanted[0], last=wanted[-1]))
    free = _bound(port, address)
    if free is None:
        raise ConfigError(words.served.PORT_TAKEN.format(port=port))
    return free


def _bound(port: int, address: str) -> int | None:
    """The port that listening on `port` would give, None where it is taken."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return None
            raise ConfigError(words.served.BAD_ADDRESS.format(address=address[:60], reason=error.strerror)) from error
        return probe.getsockname()[1]


def _is_local(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
