"""What somebody looks at in the app, as a small file in the home: other programs may ask for it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ltviz.errors import RecordingError
from ltviz.recording.files import read_plain, write_whole

FILE = ".attention.json"
"""Hidden, so that nobody takes it for a run."""
MOST_IDS = 100_000
_LIMIT = 4 << 20


class Attention(BaseModel):
    """The runs on a stage and the samples that are selected there; `at` is Unix seconds."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    runs: list[str] = Field(default_factory=list, max_length=100)
    sample_ids: list[int] = Field(default_factory=list, max_length=MOST_IDS)
    at: float = 0.0


def write_attention(home: Path, seen: Attention) -> None:
    """Keeps what was selected last, in whichever window.

    Raises:
        RecordingError, DiskFull: the home cannot be written, or is not there.
    """
    write_whole(home / FILE, seen.model_dump_json().encode())


def read_attention(home: Path) -> Attention | None:
    """What was selected last; None where nothing was, or the file is damaged.

    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> write_attention(home, Attention(runs=["my-run"], sample_ids=[3, 5]))
    >>> read_attention(home).sample_ids, read_attention(home / "none")
    ([3, 5], None)
    """
    try:
        return Attention.model_validate_json(read_plain(home / FILE, limit=_LIMIT))
    except (OSError, ValueError, RecordingError):
        return None
