"""What the pages of one server share: the folder of runs, the stream's token, the supervisor."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from ltviz.errors import ConfigError
from ltviz.launch.app import demo_home
from ltviz.recording import Home, Recording, Skipped, checkpoints_home
from ltviz.recording.index import Summary

from .. import words
from .classroom import Classrooms
from .hub import Hub
from .listing import Listing, Listings
from .previews import Previews
from .programs import Programs
from .reproductions import Reproductions
from .sharing import Sharing
from .supervisor import Supervisor


@dataclass
class Studio:
    """One server's shared parts. The token lives as long as the server and reaches only our own page."""

    home: Path
    supervisor: Supervisor
    hub: Hub
    demos: Path | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    lessons: Path | None = None
    """A folder of lessons beside those that came with the app."""
    draft: Path | None = None
    """The file of a lesson that is being written: the page Learn shows it alone, and follows it."""
    serving: bool = False
    """Whether our server runs: without it pages show recordings' numbers, but no stream and no training."""
    previews: Previews = field(default_factory=Previews)
    classrooms: Classrooms = field(default_factory=Classrooms)
    programs: Programs = field(default_factory=Programs)
    reproductions: Reproductions = field(default_factory=Reproductions)
    sharing: Sharing | None = None
    """Who is a viewer and who a trainer; None where all who reach the server are its owner."""

    def __post_init__(self) -> None:
        self.supervisor.permit = self.check_trainer
        self._listings = Listings(lambda: Listing(self.hub.runs.summaries(), self.demo_recordings))

    @property
    def may_train(self) -> bool:
        """Whether the person of the session that asks may change anything. Without a session nobody may, and nobody
        where the runs are elsewhere."""
        if self.hub.runs.read_only:
            return False
        return self.sharing is None or self.sharing.role_of(st.context.cookies) == "trainer"

    def check_trainer(self) -> None:
        """ConfigError where the person of the session that asks may only look.

        Every act that changes anything begins here, wherever it comes from: what a page does not draw is no protection.
        """
        if not self.may_train:
            raise ConfigError(self.refusal)

    @property
    def refusal(self) -> str:
        """Why somebody who may only look may not do more."""
        return words.sharing.REMOTE if self.hub.runs.read_only else words.sharing.VIEWER

    def knows(self, token: str) -> bool:
        """Whether a token is this server's, in a time that does not depend on it."""
        return secrets.compare_digest(token.encode(), self.token.encode())

    @property
    def catalogue(self) -> dict[str, Any] | None:
        """What the last worker wrote about methods and data; None before any worker has started."""
        return read_catalogue(self.home)

    def method(self, name: str | None) -> dict[str, Any]:
        """The catalogue's entry of a method: name, card, settings; empty where it is not known."""
        entries = (self.catalogue or {}).get("methods", [])
        return next((entry for entry in entries if entry.get("name") == name), {})

    def recordings(self) -> list[Recording]:
        """The person's own runs, newest first."""
        return self.hub.runs.recordings()

    def listing(self, shown: Sequence[str] = ()) -> Listing:
        """All runs; of a home of very many as they were some seconds ago, unless one of `shown` has come since."""
        root = self.hub.runs.root
        recordings = [self.hub.recording(run) for run in shown]
        wanted = [one.run_id for one in recordings if one.path.is_relative_to(root) and one.exists]
        return self._listings.get(tuple(self.supervisor.queued_runs()), wanted)

    def relist(self) -> None:
        """Runs have been changed here, or elsewhere by something that told: the next listing looks at the home."""
        self._listings.forget()

    def summaries(self) -> Sequence[Summary]:
        """What a list says of each of the person's own runs, newest first; as old as `listing` may be."""
        return self.listing().own

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Folders in which runs were not looked for when last they were listed, and why."""
        return self.hub.runs.skipped

    def demo_recordings(self) -> list[Recording]:
        """The runs that came with the package, in the order of the default race."""
        if self.hub.demos is None:
            return []
        demos = [recording for recording in self.hub.demos.recordings() if recording.run_id.startswith("demo-")]
        place = {f"demo-{method.replace('_', '-')}": number for number, method in enumerate(words.lab.DEFAULT_RACE)}
        return sorted(demos, key=lambda demo: (place.get(demo.run_id, len(place)), demo.run_id))


def read_catalogue(home: Path) -> dict[str, Any] | None:
    """The catalogue in a home, read instead of importing the methods, which would bring torch into this process."""
    try:
        found = json.loads((home / ".ltviz" / "catalogue.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("methods"), list) else None


_open: Studio | None = None


def open_studio(home: Home | Path | None = None, *, follow_links: bool = False) -> Studio:
    """The studio of this process: the server's own while it runs, else one for `home` or `checkpoints_home()`.

    It is made on first use, so that a page also runs without our server.
    """
    global _open
    if _open is not None and _open.serving and home is None:
        return _open
    folder = home.root if isinstance(home, Home) else (checkpoints_home() if home is None else Path(home)).absolute()
    if _open is None or _open.home != folder:
        demos = demo_home()
        runs = home if isinstance(home, Home) else Home(folder, follow_links=follow_links)
        _open = Studio(folder, Supervisor(runs), Hub(runs, demos), demos)
    return _open
