"""`ltviz mirror RUN... URL`, and the copy that `ltviz train --mirror URL` keeps up."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions, named
from ltviz.errors import ConfigError
from ltviz.recording import Recording, run_id_of
from ltviz.recording.info import ACTIVE
from ltviz.recording.mirror import Left, Mirror, Sender
from ltviz.recording.names import is_url
from ltviz.recording.storage import Storage, redacted
from ltviz.text import plain

ABOUT = (
    "Bring runs to an address of fsspec: s3://bucket/runs, gs://, az://, file:///folder. What is there already is not "
    "sent again, and a run that is being written is sent as far as it is; with --follow, until it ends. "
    "`ltviz app --home URL` shows them."
)


class MirrorOptions(HomeOptions):
    follow: bool = Field(False, description="Go on until the runs have ended.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")
    runs: list[str] = positional([], description="ids or folders of runs, and the address at the end", many=True)


def run(argv: Sequence[str]) -> int:
    """Sends the runs, and says how much.

    Raises:
        ConfigError: no run, or no address that can be used.
        RecordingError: no such run, one that cannot be read, or a storage that cannot be reached or refuses.
    """
    options = parse_one("ltviz mirror", argv, MirrorOptions, about=ABOUT)
    if len(options.runs) < 2 or not is_url(options.runs[-1]):
        raise ConfigError(
            "`ltviz mirror` needs runs and, at the end, an address with a scheme; "
            f"try `ltviz mirror RUN s3://bucket/runs`, got {redacted(' '.join(options.runs))!r:.200}"
        )
    *names, url = options.runs
    storage, home = Storage(url), options.own_home("ltviz mirror")
    recordings = [named(home, name) for name in names]
    rows = []
    if options.follow:
        _follow(recordings, storage)
    for recording in recordings:
        sent = Sender(recording.path, recording.run_id, storage).send(end=True)
        rows.append({"run_id": recording.run_id, "url": f"{storage.url}/{recording.run_id}", **sent._asdict()})
    if options.json_:
        print(json.dumps({"url": storage.url, "runs": rows}))
        return 0
    for row in rows:
        print(f"{row['url']}: {row['files']} files sent, {row['size'] / 1e6:.1f} MB, {row['before']} were there")
    return 0


def _follow(recordings: Sequence[Recording], storage: Storage) -> None:
    with Mirror({one.path: one.run_id for one in recordings}, storage):
        while any(one.status().state in ACTIVE for one in recordings):
            time.sleep(0.5)


def mirror_storage(url: str | None) -> Storage | None:
    """Where --mirror leads; None where it is not given. ConfigError before anything is written."""
    return None if url is None else Storage(url)


@contextlib.contextmanager
def mirrored(paths: Sequence[Path], storage: Storage | None) -> Iterator[None]:
    """Keeps copies of runs up while the block lasts; at its end waits, not for ever, and says what did not arrive."""
    if storage is None:
        yield
        return
    mirror = Mirror({path: run_id_of(path.resolve().name) for path in paths}, storage)
    mirror.start()
    try:
        yield
    finally:
        for left in mirror.close():
            print(f"ltviz: {_told(left, mirror.url, paths)}", file=sys.stderr)


def _told(left: Left, url: str, paths: Sequence[Path]) -> str:
    path = next(path for path in paths if run_id_of(path.resolve().name) == left.run_id)
    why = f" ({plain(left.reason)})" if left.reason else " in time"
    return (
        f"{left.files} files of {left.run_id} did not reach the mirror{why}; the run is whole in its folder, and "
        f"`ltviz mirror {path} {url}` sends the rest"
    )
