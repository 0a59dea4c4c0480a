"""Looks at the app behind a real Jupyter server with jupyter-server-proxy, with its path taken off and left on.

Called without arguments it makes an environment for Jupyter; the app and the browser are those of this environment.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from own_environment import own_environment

from ltviz.bench.served import app, free_port
from ltviz.launch.chromium import browser

DRAWN = "() => window.ltviz?.stage?.draws > 0 && window.ltviz.stage.frames > 0"
PATIENCE = 60_000
NAME = "hub.localhost"


def main() -> None:
    began = time.monotonic()
    given = sys.argv[1:]
    if given:
        check(Path(given[0]))
    else:
        with own_environment(["jupyter-server", "jupyter-server-proxy"]) as (python, _):
            check(python)
    print(f"the app is there behind jupyter-server-proxy, in {time.monotonic() - began:.0f} s")


def check(python: Path) -> None:
    """Looks by every way that leads there; `python` is the one that has Jupyter."""
    flags = (sys.executable, "-m", "ltviz", "app", "--allow-host", NAME)
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as work,
        app(Path(home), flags) as served,
        jupyter(python, Path(work)) as port,
        browser() as chromium,
    ):
        inner = served.address.rpartition(":")[2]
        for host in ("127.0.0.1", NAME):
            for path in (f"proxy/{inner}/", f"proxy/absolute/{inner}/compare?runs=demo-ce"):
                look(chromium, f"http://{host}:{port}/user/ada/{path}")


def look(chromium: Any, address: str) -> None:
    """Opens the app there, until the spheres are drawn."""
    page, said = chromium.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_function(DRAWN, timeout=PATIENCE)
    page.close()
    assert said == [], said
    print(f"drawn: {address}", flush=True)


@contextmanager
def jupyter(python: Path, work: Path) -> Iterator[int]:
    """Port of a Jupyter server at /user/ada/, without a token, as JupyterHub has one for each person."""
    port = free_port()
    options = [
        *("--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.base_url=/user/ada/"),
        *("--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={work}"),
        *("--ServerApp.allow_remote_access=True", "--ServerApp.jpserver_extensions=jupyter_server_proxy=True"),
    ]
    with (work / "jupyter.log").open("wb") as log:
        child = subprocess.Popen([python, "-m", "jupyter_server", *options], stdout=log, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + 60
            while not answers(f"http://127.0.0.1:{port}/user/ada/api"):
                assert child.poll() is None and time.monotonic() < end, (work / "jupyter.log").read_text()[-3000:]
                time.sleep(0.3)
            yield port
        finally:
            child.terminate()
            child.wait(20)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
