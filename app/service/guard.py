"""The door of a shared app: every request passes it, and what a viewer may not do is refused here, whatever the page
shows. Around it, what every answer tells the browser it may not do with it."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import words
from .frontpage import is_page
from .sharing import LINK, LONGEST_PASSWORD, Sharing, TooManyTries

ROLE = "ltviz.role"
"""Key of a scope: who asks."""
SIGN_IN = "/ltviz/sign-in"
_OPEN = frozenset({"/_stcore/health", "/favicon.png"})
"""What says nothing of any run: proxies ask for it."""
_READING = frozenset({"GET", "HEAD"})
_READING_POSTS = frozenset({"/ltviz/stream"})
"""Asked for with POST, and changing nothing."""


class Guard:
    """Middleware that knows who asks. None of `sharing` lets everybody pass, as the owner of this machine."""

    def __init__(self, app: ASGIApp, sharing: Sharing | None = None) -> None:
        self.app, self._sharing = app, sharing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._sharing is None or scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        answer, role = await self._judge(self._sharing, scope, receive)
        if answer is None:
            scope[ROLE] = role
            await self.app(scope, receive, send)
        else:
            await answer(scope, receive, send)

    async def _judge(self, sharing: Sharing, scope: Scope, receive: Receive) -> tuple[Response | None, str | None]:
        """What is answered here, None where the request may pass; and whose it is."""
        asked = HTTPConnection(scope)
        role = sharing.role_of(asked.cookies)
        if scope["type"] == "http":
            if scope["path"] == SIGN_IN:
                return await self._sign_in(sharing, Request(scope, receive)), role
            if LINK in asked.query_params:
                return self._follow_link(sharing, asked, role), role
            if scope["path"] in _OPEN:
                return None, role
        if role is None:
            headers = Headers(scope=scope)
            if scope["type"] == "http" and is_page(scope["method"], scope["path"], headers):
                return _page(words.sharing.NOBODY, status=401, action="ltviz/sign-in"), role
            return PlainTextResponse(words.sharing.NOBODY, status_code=403), role
        if role == "viewer" and scope["type"] == "http":
            reads = scope["method"] in _READING or scope["path"] in _READING_POSTS
            if not reads:
                return PlainTextResponse(words.sharing.VIEWER, status_code=403), role
        return None, role

    def _follow_link(self, sharing: Sharing, asked: HTTPConnection, role: str | None) -> Response:
        """Sends on to the same address without the token, with a cookie where the token was right."""
        rest = [(key, value) for key, value in parse_qsl(asked.url.query, keep_blank_values=True) if key != LINK]
        # Relative: a proxy's path in front of it is the browser's to keep.
        place = asked.scope["path"].rpartition("/")[2] or "."
        there = RedirectResponse(f"./{place if place != '.' else ''}{'?' if rest else ''}{urlencode(rest)}", 303)
        try:
            if sharing.is_link(asked.query_params[LINK], _address(asked)):
                if role is None:
                    _admit(there, asked, sharing, sharing.admit("viewer"))
            elif role is None:
                return _page(words.sharing.WRONG_LINK, status=403, action="ltviz/sign-in")
        except TooManyTries as error:
            return _page(str(error), status=429, action="ltviz/sign-in")
        return there

    async def _sign_in(self, sharing: Sharing, request: Request) -> Response:
        if request.method in _READING:
            return _page("")
        origin, host = request.headers.get("origin"), request.headers.get("host", "")
        if request.method != "POST" or (origin is not None and origin.partition("://")[2] != host):
            return _page(words.sharing.NOT_FROM_HERE, status=403)
        try:
            if await sharing.is_password(await _password(request), _address(request)):
                there = RedirectResponse("../", 303)
                _admit(there, request, sharing, sharing.admit("trainer"))
                return there
        except TooManyTries as error:
            return _page(str(error), status=429)
        return _page(words.sharing.WRONG_PASSWORD, status=403)


class AnswerHeaders:
    """Middleware that says on every answer what a browser must not do with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _headers(host).items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_on)


def _headers(host: str) -> dict[str, str]:
    # Streamlit's own scripts are compiled in the page, the stage's modules come from blobs of this page; nothing may
    # come from, or be sent to, anywhere else. 'self' alone does not mean WebSockets in every browser.
    sockets = f"ws://{host} wss://{host}" if host and not set(host) & set(" ;,\"'") else ""
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "connect-src": f"'self' data: blob: {sockets}".strip(),
        "worker-src": "'self' blob:",
        "frame-src": "'self' data: blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
    }


def _admit(answer: Response, asked: HTTPConnection, sharing: Sharing, value: str) -> None:
    secure = asked.url.scheme == "https" or asked.headers.get("x-forwarded-proto") == "https"
    answer.set_cookie(sharing.cookie, value, httponly=True, samesite="lax", secure=secure, path="/")


async def _password(request: Request) -> str:
    """The field of the form; "" where the request holds more than a form of this kind ever does."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > 12 * LONGEST_PASSWORD:
            return ""
    fields = dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))
    return fields.get("password", "")


def _address(asked: HTTPConnection) -> str:
    return asked.client.host if asked.client else ""


def _page(said: str, *, status: int = 200, action: str = "sign-in") -> HTMLResponse:
    """The page that asks who somebody is: no script, nothing of any run. `action` is relative to where it is."""
    text: dict[str, Any] = {name: html.escape(value) for name, value in words.sharing.SIGN_IN.items()}
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{text["title"]}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font:16px/1.5 system-ui,sans-serif;'
        "max-width:26rem;margin:12vh auto;padding:0 1rem;color:#222;background:#fff}input,button{font:inherit;"
        "padding:.4rem .6rem;margin:.3rem 0;width:100%;box-sizing:border-box}</style>"
        f'<main><h1>{text["title"]}</h1><p role="alert">{html.escape(said)}</p>'
        f'<form method="post" action="{action}"><label>{text["password"]}<input type="password" '
        f'name="password" autocomplete="current-password" required maxlength="{LONGEST_PASSWORD}"></label>'
        f"<button>{text['button']}</button></form><p>{text['viewers']}</p></main></html>"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    }
    return HTMLResponse(body, status_code=status, headers=headers)
