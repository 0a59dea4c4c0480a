"""Which names the server answers to. A browser that comes by another one is told so, in a sentence."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import psutil
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltviz.errors import ConfigError
from ltviz.export.cells import listed

from .. import words

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_KNOWN = "ltviz.known_host"
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")
_IPV6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*")


def host_name(given: str) -> str:
    """A name as `--allow-host` takes it, the way browsers send it: lower case, IPv6 addresses in brackets.

    Raises:
        ConfigError: it holds more than a name: a scheme, a port, a path, a wildcard.
    """
    name = given.strip().lower().rstrip(".")
    address = name.removeprefix("[").removesuffix("]")
    if _IPV6.fullmatch(address) and address.count(":") > 1:
        return f"[{address}]"
    try:
        name = name.encode("ascii" if name.isascii() else "idna").decode()
    except UnicodeError:
        name = ""
    if len(name) > 253 or not _NAME.fullmatch(name):
        bare = re.sub(r"^[a-z]*:?//", "", given.strip().lower()).partition("/")[0].partition(":")[0]
        hint = bare if _NAME.fullmatch(bare) else "hub.example.org"
        raise ConfigError(words.served.ALLOW_HOST.format(given=given[:100], hint=hint))
    return name


def own_names() -> list[str]:
    """Names and addresses by which other machines may call this one, its address in the network first."""
    found = []
    for interface in psutil.net_if_addrs().values():
        for entry in interface:
            address = entry.address.partition("%")[0]
            if entry.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address).is_loopback:
                found.append((entry.family == socket.AF_INET6, address))
    names = [address for _, address in sorted(found, key=lambda one: one[0])] + [socket.gethostname(), socket.getfqdn()]
    known = []
    for name in names:
        with contextlib.suppress(ConfigError):
            known.append(host_name(name))
    return list(dict.fromkeys(known))


class KnownHosts:
    """Starlette's check of the Host header, which ends DNS rebinding, with words of our own for who is refused.

    A proxy may put a Host header of its own in the place of the browser's. What the browser said then stands in the
    Origin alone, and where its name is among `allowed`, it is put back: whatever compares the two takes the page for
    the server's own. A WebSocket of any other site is refused here, before Streamlit asks the internet who it is.

    Args:
        hosts: names that the server answers to besides `allowed`.
        allowed: names that a person has allowed, as `host_name` gives them.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], allowed: Sequence[str] = ()) -> None:
        self.app, self._hosts, self._allowed = app, tuple(dict.fromkeys((*hosts, *allowed))), frozenset(allowed)
        self._gate = TrustedHostMiddleware(_pass, allowed_hosts=list(self._hosts), www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        await self._gate(scope, receive, _say_nothing)
        if not scope.pop(_KNOWN, False):
            name = _name_of(host)[:100] or "NAME"
            said = words.served.UNKNOWN_HOST.format(host=name, hosts=listed(self._hosts))
            await _refuse(400, said)(scope, receive, send)
            return
        if origin is not None and (netloc := _netloc_of(origin)) != host:
            name = _name_of(netloc)
            if name in self._allowed:
                scope = {**scope, "headers": list(scope["headers"])}
                MutableHeaders(scope=scope)["host"] = netloc
            elif scope["type"] == "websocket" and name not in LOCAL_HOSTS:
                said = words.served.STREAM_ORIGIN.format(
                    origin=origin[:100], host=host[:100], name=(name or "NAME")[:100]
                )
                await _refuse(403, said)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def origin_name(origin: str) -> str:
    """The name in an Origin header, IPv6 addresses in brackets; "" where there is none."""
    return _name_of(_netloc_of(origin))


def _netloc_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name_of(netloc: str) -> str:
    """The name without a port; "" for what is none."""
    try:
        return host_name(re.sub(r":\d*$", "", netloc))
    except ConfigError:
        return ""


def _refuse(status: int, said: str) -> PlainTextResponse:
    return PlainTextResponse(said, status_code=status, headers={"X-Content-Type-Options": "nosniff"})


async def _pass(scope: Scope, receive: Receive, send: Send) -> None:
    scope[_KNOWN] = True


async def _say_nothing(message: Message) -> None:
    """The gate's own refusal goes nowhere; ours is sent in its place."""
