"""Who may do what where the app is shared: viewers come by a link and read, trainers sign in and train.

Without `--share` there is nobody to tell apart, and everybody who reaches the server is its owner.
"""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import hmac
import os
import secrets
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import Literal

from ltviz.errors import ConfigError

from .. import words

Role = Literal["viewer", "trainer"]
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1000
VARIABLE = "LTVIZ_TRAINER_PASSWORD"
LINK = "share"
"""Of the viewers' link: /?share=TOKEN."""
_COST = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 2**20}
"""Of scrypt: 16 MB and some 50 ms a try."""
_TRIES, _TRIES_OF_ALL, _WINDOW = 5, 60, 60.0
"""Wrong passwords or links that are heard within so many seconds, from one address and from all."""
_MOST_ADDRESSES = 10_000


class Sharing:
    """The viewers' token, the trainers' password, and the cookies that say who has shown one of them.

    A cookie is signed with a key of this process: it says the role itself, so nothing is kept of who came, and it is
    worth nothing after a restart.

    Args:
        password: of the trainers; only its scrypt hash is kept.

    Raises:
        ConfigError: a password that is too short or too long.
    """

    def __init__(self, password: str) -> None:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise ConfigError(words.sharing.PASSWORD.format(least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD))
        self.token = secrets.token_urlsafe(16)
        self.cookie = f"ltviz_{secrets.token_hex(4)}"
        self._salt, self._key = secrets.token_bytes(16), secrets.token_bytes(32)
        self._hash = self._scrypt(password)
        self._wrong: dict[str, deque[float]] = {}
        self._all_wrong: deque[float] = deque()
        self._trying = asyncio.Semaphore(2)

    def _scrypt(self, password: str) -> bytes:
        return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=self._salt, **_COST)

    # ------------------------------------------------------------------ cookies

    def admit(self, role: Role) -> str:
        """The value of a cookie for somebody who has shown that they are of this role."""
        told = f"{role}.{secrets.token_urlsafe(12)}"
        return f"{told}.{self._sign(told)}"

    def role_of(self, cookies: Mapping[str, str]) -> Role | None:
        """Whom these cookies are of; None for a stranger."""
        told, _, signature = cookies.get(self.cookie, "").rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(told).encode()):
            return None
        role = told.partition(".")[0]
        return role if role in ("viewer", "trainer") else None

    def _sign(self, told: str) -> str:
        return hmac.new(self._key, told.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    # ------------------------------------------------------------------ showing the link, or the password

    def is_link(self, token: str, address: str) -> bool:
        """Whether this is the viewers' token. TooManyTries where the address has shown too many others."""
        self._check_tries(address)
        right = hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())
        return right or self._count_wrong(address)

    async def is_password(self, password: str, address: str) -> bool:
        """Whether this is the trainers' password; at most two are looked at at a time, and the event loop goes on.

        TooManyTries where the address has tried too many others.
        """
        self._check_tries(address)
        async with self._trying:
            given = await asyncio.to_thread(self._scrypt, password[: LONGEST_PASSWORD + 1])
        return hmac.compare_digest(given, self._hash) or self._count_wrong(address)

    def _check_tries(self, address: str) -> None:
        since = time.monotonic() - _WINDOW
        for tries, most in ((self._wrong.get(address, deque()), _TRIES), (self._all_wrong, _TRIES_OF_ALL)):
            while tries and tries[0] < since:
                tries.popleft()
            if len(tries) >= most:
                raise TooManyTries(words.sharing.TOO_MANY_TRIES.format(seconds=round(_WINDOW)))

    def _count_wrong(self, address: str) -> Literal[False]:
        if len(self._wrong) >= _MOST_ADDRESSES:
            self._wrong.pop(next(iter(self._wrong)))
        now = time.monotonic()
        self._wrong.setdefault(address, deque()).append(now)
        self._all_wrong.append(now)
        return False


def trainers_password() -> str:
    """The trainers' password: of LTVIZ_TRAINER_PASSWORD, which is taken out of the environment so that no worker
    inherits it; or as it is typed, where there is a terminal.

    Raises:
        ConfigError: neither.
    """
    if given := os.environ.pop(VARIABLE, ""):
        return given
    missing = words.sharing.NEEDS_PASSWORD.format(least=SHORTEST_PASSWORD)
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigError(missing)
    try:
        return getpass.getpass(words.sharing.ASK_PASSWORD)
    except EOFError as error:
        raise ConfigError(missing) from error


class TooManyTries(ConfigError):
    """Somebody is guessing."""
