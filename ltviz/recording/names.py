"""Names of runs, and the folder they live in."""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
from pathlib import Path

from ltviz.errors import ConfigError

LONGEST_ID = 64
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,63}")


def check_run_id(run_id: str) -> str:
    """`run_id` itself where it matches `RUN_ID`, ConfigError otherwise; called before any path is built from the id.

    >>> check_run_id("my-run-1")
    'my-run-1'
    """
    if not isinstance(run_id, str) or RUN_ID.fullmatch(run_id) is None:
        raise ConfigError(
            "A run id must be 3 to 64 lower-case letters, digits and hyphens, and must not start with a hyphen; "
            f"got {_shown(run_id)}, try 'my-run-1'."
        )
    return run_id


def new_run_id(prefix: str) -> str:
    """A fresh run id: `prefix` in the alphabet of run ids, the local time, and 4 random hex digits.

    >>> new_run_id("My run").startswith("my-run-20")
    True
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return f"{slug(prefix)[:40].rstrip('-')}-{stamp}-{secrets.token_hex(2)}"


def slug(text: str) -> str:
    """`text` in the alphabet of run ids, 3 to 64 characters: other characters become hyphens."""
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].rstrip("-")
    return kept if len(kept) >= 3 else f"run-{kept}".rstrip("-")


def is_url(text: object) -> bool:
    """Whether a text is an address and no path.

    >>> is_url("s3://bucket/runs"), is_url("checkpoints"), is_url(r"C:\\runs")
    (True, False, False)
    """
    return isinstance(text, str) and _URL.match(text) is not None


def typed_path(text: str) -> Path:
    """The path that a person typed, `~` being their own folder.

    Raises ConfigError where `~name` is nobody's, and for an address, which is no path of this machine.
    """
    if is_url(text):
        scheme = text.partition("://")[0]
        raise ConfigError(
            f"a path on this machine is needed here, got an address, {scheme}://...; addresses are taken by `ltviz app "
            "--home URL`, `ltviz runs --home URL`, `ltviz train ... --mirror URL` and `ltviz mirror RUN URL`"
        )
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(
            f"~ and a name must be a person of this machine; give the whole path, got {text!r:.200}"
        ) from error


def checkpoints_home() -> Path:
    """The folder of run folders: LTVIZ_HOME, else ./checkpoints where that exists, else the user's data folder.

    The last is `ltviz` where the platform keeps a user's data. Nothing is created.

    >>> checkpoints_home().name in ("checkpoints", "ltviz") or "LTVIZ_HOME" in os.environ
    True
    """
    if given := os.environ.get("LTVIZ_HOME"):
        return typed_path(given)
    local = Path("checkpoints")
    if local.is_dir():
        return local.resolve()
    return _user_data() / "ltviz"


def cache_home() -> Path:
    """The folder where ltviz keeps what it can always have again. Nothing is created."""
    if sys.platform == "win32":
        return _user_data() / "ltviz" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ltviz"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ltviz"


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
