"""A real nginx in front of the app: unprivileged, with a configuration of its own in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltviz.bench.served import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{
      proxy_pass http://127.0.0.1:{inner}{target};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      {host}
    }}
  }}
}}
"""


@contextmanager
def nginx(inner: int, folder: Path, *, prefix: str, strips: bool, passes_host: bool) -> Iterator[int]:
    """Port of an nginx that serves the app on port `inner` under `prefix`.

    Args:
        strips: whether the prefix is taken off what is passed on.
        passes_host: whether the browser's Host header is passed on; nginx by itself puts the inner address there.
    """
    assert NGINX is not None
    port = free_port()
    text = CONFIG.format(
        folder=folder,
        port=port,
        inner=inner,
        prefix=prefix,
        target="/" if strips else "",
        host="proxy_set_header Host $http_host;" if passes_host else "",
    )
    (folder / "nginx.conf").write_text(text)
    command = [NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        try:
            for _ in range(200):
                assert child.poll() is None, child.stderr.read()  # type: ignore[union-attr]
                if _answers(f"http://127.0.0.1:{port}{prefix}/_stcore/health"):
                    break
                time.sleep(0.05)
            yield port
        finally:
            child.terminate()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
