"""A real S3 server: that of moto, beside the test. Skipped where moto or s3fs is not installed."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltviz.recording import Recording, open
from ltviz.recording.mirror import LEDGER, Sender
from ltviz.recording.remote import RemoteHome
from ltviz.recording.storage import Storage

MISSING = [name for name in ("moto", "s3fs", "flask") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}: pip install 's3fs' 'moto[server]'"),
    # aiobotocore and moto are not ours to mend.
    pytest.mark.filterwarnings("ignore"),
]
PATIENCE = 60.0
SECRET = "not-a-real-secret"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of the server, with an empty bucket named runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end, url = time.monotonic() + PATIENCE, f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{url}/runs", method="PUT"), timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None and time.monotonic() < end, "moto's server did not begin"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def there(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    given = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**given, "AWS_ENDPOINT_URL": server, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    return Storage(f"s3://runs/{tmp_path.name}")


def test_a_run_goes_to_a_bucket_and_is_read_from_it(run: Path, there: Storage):
    (run / "log.txt").touch()  # S3 answers a range of an empty object with an error
    assert Sender(run, "test-run", there).send(end=True).files == 8
    assert Sender(run, "test-run", there).send(end=True).files == 0
    files = there.files("test-run", deep=True)
    assert LEDGER in files and files["log.txt"].size == 0
    for name in {*files} - {LEDGER}:
        assert there.read_all({f"test-run/{name}": files[name].size}) == {f"test-run/{name}": (run / name).read_bytes()}
    home = RemoteHome(there.url)
    assert [(one.run_id, one.state) for one in home.summaries()] == [("test-run", "finished")]
    found = open(f"{there.url}/test-run")
    assert found.steps() == Recording(run).steps() and not found.bad_frames()

    frame = run / "frames" / "000000020.safetensors"
    (run / "frames" / "000000010.safetensors").replace(frame)  # of the same size: only its ETag tells
    assert Sender(run, "test-run", there).send(end=True).files == 1
    found = open(f"{there.url}/test-run")
    assert found.frame_files() == [0, 20] and (found.path / "frames" / frame.name).read_bytes() == frame.read_bytes()


def test_a_large_file_is_sent_in_parts(run: Path, there: Storage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ltviz.recording.mirror.IN_PARTS", 100)
    Sender(run, "test-run", there).send(end=True)
    assert there.read("test-run/run.json", limit=1 << 20) == (run / "run.json").read_bytes()


def test_a_bucket_that_is_not_there_is_a_sentence_without_a_secret(run: Path, there: Storage):
    with pytest.raises(Exception, match=r"s3://no-such-bucket") as error:
        Sender(run, "test-run", Storage("s3://no-such-bucket/x")).send(end=True)
    assert SECRET not in str(error.value) and type(error.value).__name__ == "RecordingError"
    with pytest.raises(Exception, match=r"s3://no-such-bucket"):
        RemoteHome("s3://no-such-bucket/x").summaries()
