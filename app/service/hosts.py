"""Which names the server answers to. A browser that comes by another one is told so, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import words

_KNOWN = "ltviz.known_host"


class KnownHosts:
    """Starlette's check of the Host header, which ends DNS rebinding, with words of our own for who is refused."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app, self._hosts = app, tuple(hosts)
        self._gate = TrustedHostMiddleware(_pass, allowed_hosts=list(hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            await self._gate(scope, receive, _say_nothing)
            if not scope.pop(_KNOWN, False):
                host = Headers(scope=scope).get("host", "")[:100]
                said = words.UNKNOWN_HOST.format(host=host, hosts=words.listed(self._hosts))
                headers = {"X-Content-Type-Options": "nosniff"}
                await PlainTextResponse(said, status_code=400, headers=headers)(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _pass(scope: Scope, receive: Receive, send: Send) -> None:
    scope[_KNOWN] = True


async def _say_nothing(message: Message) -> None:
    """The gate's own refusal goes nowhere; ours is sent in its place."""
