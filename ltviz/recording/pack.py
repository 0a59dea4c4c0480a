"""A run in one file, and back, bit for bit: a plain tar of the run's own files, behind a manifest of what follows.

Any `tar` lists and opens such a file. Here it is read block by block and trusted in nothing: only plain files under
the names that a run has, each as long as its reader takes at most, and together exactly as long as the file is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltviz.errors import RecordingError
from ltviz.recording.files import make_folder, open_plain, sync_folder, unwritable, whole_file
from ltviz.recording.home import Home
from ltviz.recording.info import ACTIVE
from ltviz.recording.lock import is_held
from ltviz.recording.names import RUN_ID, check_run_id
from ltviz.recording.own import FIRST, LONGEST, is_own_file, most_bytes, own_files
from ltviz.recording.recording import Recording
from ltviz.recording.tensors import FORMAT

SUFFIX = ".ltviz.tar"
MOST_FILES = 500_000
MAX_MANIFEST = 128 << 20
_MANIFEST = "manifest.json"
_BLOCK, _CHUNK = tarfile.BLOCKSIZE, 1 << 20


class _File(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")
    name: Annotated[str, Field(max_length=LONGEST)]
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Manifest(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")
    format: int
    run_id: Annotated[str, Field(pattern=f"^{RUN_ID.pattern}$")]
    files: Annotated[list[_File], Field(min_length=1, max_length=MOST_FILES)]


class Packed(NamedTuple):
    """What was packed: so many files of the run, the size of the file made, and what lay beside them and is not in."""

    files: int
    size: int
    left_out: tuple[str, ...]


def pack(recording: Recording, out: Path) -> Packed:
    """Write the run into the file `out`, whole or not at all. The same run gives the same bytes, wherever and whenever.

    Its lock and open requests stay out, and so do other people's files in its folder.

    Raises:
        RecordingError, DiskFull: no run, one that is being written, a link in its folder, or `out` cannot be written.

    >>> import tempfile
    >>> from ltviz.recording import record
    >>> home = Path(tempfile.mkdtemp())
    >>> with record(home / "my-run", labels=[0, 1]) as run:
    ...     run.frame(0, embeddings=[[1.0, 0.0], [0.0, 1.0]])
    >>> pack(Recording(home / "my-run"), home / "my-run.ltviz.tar").left_out
    ()
    >>> unpack(home / "my-run.ltviz.tar", Home(home / "elsewhere")).name
    'my-run'
    """
    run = recording.path
    _check_resting(recording)
    names, left_out = own_files(run)
    if not {*FIRST} & {*names}:
        raise RecordingError(f"There is no run in this folder; `ltviz runs` lists those there are ({run}).")
    if len(names) > MOST_FILES:
        raise RecordingError(f"The run has {len(names):,} files; at most {MOST_FILES:,} are packed ({run}).")
    files = []
    for name in names:
        digest, size = hashlib.sha256(), 0
        for chunk in _chunks(run, name):
            digest.update(chunk)
            size += len(chunk)
        if size > most_bytes(name):
            raise RecordingError(f"{name} holds {size:,} bytes, more than any reader takes; the run is not packed.")
        files.append(_File(name=name, size=size, sha256=digest.hexdigest()))
    manifest = _Manifest(format=FORMAT, run_id=check_run_id(recording.run_id), files=files)
    text = manifest.model_dump_json(indent=1).encode()
    if len(text) > MAX_MANIFEST:
        raise RecordingError(f"The run's files have too many names to be packed; {MAX_MANIFEST:,} bytes are ({run}).")
    with whole_file(out) as path, path.open("xb") as file:
        file.write(_header(_MANIFEST, len(text)) + text + _padding(len(text)))
        for one in files:
            _copy_in(run, one, file)
        file.write(bytes(2 * _BLOCK))
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        _check_resting(recording)
    return Packed(len(files), size, tuple(left_out))


def unpack(file: Path, home: Home, *, run_id: str | None = None) -> Path:
    """Make the run in `file` again, in the home, and give its folder, which is there whole or not at all.

    Args:
        run_id: what it is to go by; what it was packed as where None.

    Raises:
        RecordingError, DiskFull: no file that `pack` wrote, one that is damaged, a run of that id in the home, no room.
    """
    try:
        if not file.is_file():
            raise RecordingError(f"This is no file that `ltviz pack` wrote, as it is no plain file ({file}).")
        with file.open("rb") as source:
            reader = _Reader(source, os.fstat(source.fileno()).st_size)
            return _make(reader, home, run_id)
    except OSError as error:
        raise RecordingError(f"The file cannot be read ({error.strerror}; {file}).") from error
    except _Unsound as error:
        raise RecordingError(
            f"This is no sound file of `ltviz pack`, and nothing was made: {error} ({file})."
        ) from error


class _Unsound(Exception):
    """What is wrong with a packed file, a part of a sentence."""


class _Reader:
    """The members of a packed file, which is as long as `size` says, in their order."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        manifest = self._manifest(size)
        self.run_id, self.files = manifest.run_id, manifest.files
        members = (_BLOCK + one.size + len(_padding(one.size)) for one in self.files)
        if file.tell() + sum(members) + 2 * _BLOCK != size:
            raise _Unsound(f"it holds {size:,} bytes, other than its manifest declares; was it cut short?")

    def _manifest(self, size: int) -> _Manifest:
        name, length = self._next()
        if name != _MANIFEST or length > min(MAX_MANIFEST, size):
            raise _Unsound("it does not begin with a manifest")
        try:
            manifest = _Manifest.model_validate_json(self._exactly(length))
        except ValidationError as error:
            raise _Unsound(f"its manifest breaks a rule ({error.errors()[0]['msg'][:200]})") from error
        if manifest.format > FORMAT:
            raise _Unsound(f"a newer ltviz wrote it (format {manifest.format}); update ltviz")
        self._exactly(len(_padding(length)))
        seen: set[str] = set()
        for one in manifest.files:
            if not is_own_file(one.name) or one.name.lower() in seen:
                raise _Unsound(f"its manifest names what is no file of a run, or a file twice: {one.name!r:.120}")
            if one.size > most_bytes(one.name):
                raise _Unsound(f"{one.name} is to hold {one.size:,} bytes; at most {most_bytes(one.name):,} are read")
            seen.add(one.name.lower())
        if not {*FIRST} & seen:
            raise _Unsound("it holds neither run.json nor status.json")
        return manifest

    def extract(self, folder: Path) -> None:
        """Write every file below a folder that nobody else writes to."""
        for one in self.files:
            if self._next() != (one.name, one.size):
                raise _Unsound(f"where {one.name} should be there is something else")
            path = folder / one.name
            path.parent.mkdir(parents=True, exist_ok=True)
            digest, left = hashlib.sha256(), one.size
            with path.open("xb") as target:
                while left:
                    chunk = self._exactly(min(left, _CHUNK))
                    digest.update(chunk)
                    target.write(chunk)
                    left -= len(chunk)
            if digest.hexdigest() != one.sha256:
                raise _Unsound(f"{one.name} is damaged")
            self._exactly(len(_padding(one.size)))

    def _next(self) -> tuple[str, int]:
        """Name and size of the member that begins here: a plain file's header and no other kind, no extension."""
        try:
            member = tarfile.TarInfo.frombuf(self._exactly(_BLOCK), "utf-8", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise _Unsound("a header in it cannot be read") from error
        if member.type != tarfile.REGTYPE or member.size < 0:
            raise _Unsound("it holds a link or another thing that is no plain file")
        return member.name, member.size

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise _Unsound("it ends too early")
        return data


def _make(reader: _Reader, home: Home, run_id: str | None) -> Path:
    run_id = check_run_id(run_id or reader.run_id)
    final = home.root / run_id
    if os.path.lexists(final) or run_id in home.look().runs:
        raise RecordingError(
            f"The home has a run '{run_id}' already, and it is not touched; give another id with --run-id, or another "
            f"--home ({home.root})."
        )
    make_folder(home.root)
    needed = sum(one.size for one in reader.files)
    if (free := shutil.disk_usage(home.root).free) < needed:
        raise RecordingError(f"The run needs {needed / 1e6:.1f} MB, {free / 1e6:.1f} are free ({home.root}).")
    building = home.root / f".unpacking-{run_id[:40]}-{secrets.token_hex(4)}"
    try:
        building.mkdir()
        reader.extract(building)
        if os.path.lexists(final):
            raise RecordingError(f"The home was given a run '{run_id}' meanwhile, and it is not touched ({home.root}).")
        building.rename(final)
    except OSError as error:
        raise unwritable(error, final, needed) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    with contextlib.suppress(OSError):
        sync_folder(home.root)
    return final


def _check_resting(recording: Recording) -> None:
    if is_held(recording.path / "lock") or recording.status().state in ACTIVE:
        raise RecordingError(f"The run is being written; stop it or wait for its end, then pack it ({recording.path}).")


def _chunks(run: Path, name: str) -> Iterator[bytes]:
    try:
        with open_plain(run / name) as (descriptor, _):
            while chunk := os.read(descriptor, _CHUNK):
                yield chunk
    except FileNotFoundError as error:
        raise RecordingError(f"{name} went away while the run was packed; try again ({run}).") from error
    except RecordingError as error:
        raise RecordingError(f"{name} cannot be packed: {error} ({run})") from error


def _copy_in(run: Path, one: _File, file: BinaryIO) -> None:
    file.write(_header(one.name, one.size))
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(run, one.name):
        digest.update(chunk)
        size += len(chunk)
        file.write(chunk)
    if (size, digest.hexdigest()) != (one.size, one.sha256):
        raise RecordingError(f"{one.name} changed while the run was packed; try again ({run}).")
    file.write(_padding(size))


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")  # GNU's: a file of more than 8 GB in one block as well


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)
