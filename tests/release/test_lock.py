"""What CI installs is locked by hashes, and is what pyproject.toml allows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
APART = {"torch", "ltviz"}
"""Not locked: torch, whose builds differ, and what this is itself, as an extra."""


def test_the_lock_has_every_direct_requirement_within_its_bounds_and_every_hash() -> None:
    text = (ROOT / ".ci" / "requirements.txt").read_text(encoding="utf-8")
    entries = re.findall(
        r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)(?: *;[^\\\n]*)? \\\n((?: +--hash=sha256:[0-9a-f]{64}.*\n?)+)",
        text,
        re.M,
    )
    locked = {canonicalize_name(name): version for name, version, _ in entries}
    pinned = [line for line in text.splitlines() if line and line[0] not in "# "]
    assert len(entries) == len(pinned) == len(locked), "each is pinned once, with a hash"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for line in (*project["dependencies"], *extras["dev"], *extras["cluster"]):
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        if name not in APART:
            assert wanted.specifier.contains(locked[name]), f"{line} is locked at {locked[name]}"
    assert not [name for name in locked if name == "torch" or name.startswith("nvidia-")]
