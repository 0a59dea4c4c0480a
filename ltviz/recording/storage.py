"""Files at an address that fsspec knows: s3://, gs://, az://, memory:// and file://. Here and nowhere else it is
imported, on first use: who reads and writes folders of this machine never loads it.

Credentials are fsspec's own (environment, ~/.aws, ~/.config/fsspec). An address that holds some is refused, as it would
stand in logs, and what an error of the network says is cleaned of them before anybody reads it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording.files import make_folder, write_whole
from ltviz.text import plain

SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "memory", "file", "local")
"""What gives a file its name only once it is whole, or is this machine's disk, where we do that ourselves."""
EXTRA = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
AT_ONCE = 32
"""Files that are asked for or sent together."""
AT_ONCE_BYTES = 32 << 20
IN_PARTS = 64 << 20
"""A file from this size on is sent by itself, and in parts."""
_DISK = ("file", "local")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "generation", "mtime", "LastModified", "last_modified", "created")
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN")
_SIGNED = re.compile(r"(?i)([?&;](?:x-amz-[a-z-]+|sig|signature|token|key|secret|password|credential)=)[^&\s'\"]+")
_USER = re.compile(r"//[^/\s'\"@]+@")


class Entry(NamedTuple):
    """A file: its bytes, and what tells it from another of the same name; None where the storage says nothing."""

    size: int
    tag: str | None


def redacted(text: object) -> str:
    """What somebody else's error says, on one line, without anything that opens a door.

    >>> redacted("GET https://me:secret@host/x?X-Amz-Signature=abc failed")
    'GET https://...@host/x?X-Amz-Signature=... failed'
    """
    said = plain(" ".join(str(text).split()))
    for secret in filter(None, map(os.environ.get, _SECRETS)):
        said = said.replace(secret, "...")
    return _USER.sub("//...@", _SIGNED.sub(r"\1...", said))[:300]


class Storage:
    """The folder at `url`, which need not be there yet. Objects may be used by several threads.

    Raises:
        ConfigError: no address that is served here, one that holds a password, or a package that is missing.

    >>> storage = Storage("memory://runs-of-the-example")
    >>> storage.write({"my-run/run.json": b"{}"})
    >>> storage.folders(), storage.read("my-run/run.json", limit=10)
    (['my-run'], b'{}')
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        scheme = self.url.partition("://")[0]
        self._disk = scheme in _DISK
        try:
            import fsspec

            # Nothing that was listed once is believed later, and no two homes share one.
            self._files = fsspec.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False)
        except ImportError as error:
            package = EXTRA.get(scheme, "fsspec")
            raise ConfigError(
                f"{scheme}:// needs the package {package}; try `pip install {package}`, got {self.url}"
            ) from error
        except Exception as error:  # whatever a foreign file system makes of its own settings
            raise ConfigError(f"{scheme}:// cannot be used here ({redacted(error)}), got {self.url}") from error
        self._root = str(self._files._strip_protocol(self.url)).rstrip("/")

    def __repr__(self) -> str:
        return f"Storage({self.url!r})"

    def folders(self) -> list[str]:
        """Names of the folders directly in it, as they are called there; RecordingError where it is not there."""
        with self._told("listed"):
            self._files.invalidate_cache()
            try:
                found = self._files.ls(self._root, detail=True)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise RecordingError(f"There is nothing at this address; check its spelling ({self.url}).") from error
        return sorted(self._below(one["name"]) for one in found if one["type"] == "directory" and not _is_link(one))

    def files(self, folder: str, *, deep: bool = False) -> dict[str, Entry]:
        """Name below `folder` -> what is known of each file there; with `deep` also of those in its folders. Empty
        where there is no such folder."""
        path = self._path(folder)
        with self._told("listed"):
            self._files.invalidate_cache()
            try:
                if deep:
                    found = list(self._files.find(path, maxdepth=None, detail=True).values())
                else:
                    found = self._files.ls(path, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return {}
        names = ((self._below(one["name"])[len(folder) :].lstrip("/"), one) for one in found if one["type"] == "file")
        return {name: _entry(one) for name, one in names if name and not _is_link(one)}

    def read(self, name: str, *, limit: int) -> bytes:
        """The bytes of one file, so many at most; FileNotFoundError where there is none."""
        with self._told(f"read ({name})", missing=True):
            return self._files.cat_file(self._path(name), start=0, end=limit)

    def read_all(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """name -> bytes of several files, so many of each at most; a file that is gone by now is left out."""
        names = [name for name, size in sizes.items() if size]
        with self._told("read"):
            paths, ends = [self._path(name) for name in names], [sizes[name] for name in names]
            got = self._files.cat_ranges(paths, [0] * len(paths), ends, on_error="return") if paths else []
            for one in got:
                if isinstance(one, BaseException) and not isinstance(one, FileNotFoundError):
                    raise one
        found = {name: b"" for name, size in sizes.items() if not size}
        return found | {name: data for name, data in zip(names, got, strict=True) if isinstance(data, bytes)}

    def write(self, files: Mapping[str, bytes]) -> None:
        """Make or replace files, each whole or not at all."""
        with self._told("written"):
            if self._disk:
                for name, data in files.items():
                    path = Path(self._path(name))
                    make_folder(path.parent)
                    write_whole(path, data)
            elif len(files) > 1:
                self._files.pipe({self._path(name): data for name, data in files.items()})
            else:
                for name, data in files.items():
                    self._files.pipe_file(self._path(name), data)

    def send(self, name: str, path: Path) -> None:
        """Make or replace one file, in parts: of any size."""
        if self._disk:
            self.write({name: path.read_bytes()})
            return
        with self._told("written"):
            self._files.put_file(str(path), self._path(name))

    def remove(self, names: Sequence[str]) -> None:
        """Delete files; what is gone already is no error."""
        with self._told("removed"):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self._files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        path = f"{self._root}/{name}"
        if self._disk and not Path(path).resolve().is_relative_to(Path(self._root).resolve()):
            raise RecordingError(f"{name} is a link out of the folder and is not followed ({self.url}).")
        return path

    def _below(self, path: str) -> str:
        """A path as the storage gives it -> the name below the root; empty where it does not lie there."""
        root, path = self._root.strip("/") + "/", str(path).replace("\\", "/").strip("/")
        return path[len(root) :] if path.startswith(root) else ""

    @contextlib.contextmanager
    def _told(self, done: str, *, missing: bool = False) -> Iterator[None]:
        """Foreign errors as RecordingError, cleaned of secrets; with `missing`, FileNotFoundError as it is."""
        try:
            yield
        except RecordingError:
            raise
        except Exception as error:  # of botocore, aiohttp, google: no common class
            if missing and isinstance(error, FileNotFoundError):
                raise
            reason = f"{type(error).__name__}: {redacted(error)}".rstrip(": ")
            raise RecordingError(f"The storage could not be {done} ({reason}; {self.url}).") from error


def batches(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Names in their order, as many together as may be under way at once."""
    batch: list[str] = []
    held = 0
    for name, size in sizes.items():
        if batch and (len(batch) >= AT_ONCE or held + size > AT_ONCE_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(name)
        held += size
    if batch:
        yield batch


def _checked(url: str) -> str:
    """The address, without slashes at its end; ConfigError, which repeats no secret, where it is none to be used."""
    found = _URL.match(url)
    scheme = found.group(1).lower() if found else ""
    if scheme not in SCHEMES:
        schemes = ", ".join(f"{one}://" for one in SCHEMES)
        raise ConfigError(f"the address must begin with one of {schemes}, got {redacted(url)!r:.200}")
    rest = url[len(scheme) + 3 :]
    if not rest.strip("/"):
        raise ConfigError(f"the address must name a bucket or folder, as in s3://bucket/runs, got {scheme}://")
    if "@" in rest or ("?" in rest and scheme not in _DISK):
        raise ConfigError(
            "the address holds a name, password or key, which would stand in logs; leave it out, and give it where "
            f"fsspec looks for it: the environment, ~/.aws or ~/.config/fsspec; got {scheme}://..."
        )
    if any(ord(letter) < 32 for letter in rest) or ".." in rest.split("/"):
        raise ConfigError(f"the address must be plain, without '..' and control characters, got {plain(url)!r:.200}")
    return f"{scheme}://{rest.rstrip('/')}"


def _entry(one: Mapping[str, Any]) -> Entry:
    tags = [f"{name}={one[name]}" for name in _TAGS if one.get(name)]
    return Entry(int(one.get("size") or 0), f"{one.get('size')} {' '.join(tags)}" if tags else None)


def _is_link(one: Mapping[str, Any]) -> bool:
    return bool(one.get("islink"))
