"""The whole server as a process: what it answers, whom it refuses, what it does not hold."""

from __future__ import annotations

import ast
import gzip
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import ltviz_app.server as server_module
import psutil
import pytest
from ltviz_app import words
from ltviz_app.server import FOLDER, LOCAL_HOSTS, find_port, serve, server_options
from streamlit import config
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ltviz.errors import ConfigError

SERVE = """
from pathlib import Path
import sys
from ltviz.launch.app import load_app
load_app()
from ltviz_app import server
from ltviz_app.service import supervisor
supervisor.Supervisor.look = lambda self: None  # the tests of the supervisor have workers; this one needs none
server.serve(int(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    """Address and process of a running app over an empty home."""
    home = tmp_path_factory.mktemp("served")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port), str(home)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = child.stdout.readline()
    assert words.served.ADDRESS.format(url=f"http://127.0.0.1:{port}") in said, said
    yield f"127.0.0.1:{port}", child
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)


def get(address: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    request = urllib.request.Request(f"http://{address}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), refused.read().decode()


def test_it_answers_the_page_and_the_stages_files(server):
    address, _ = server
    assert get(address, "/_stcore/health")[0] == 200
    assert get(address, "/")[0] == 200
    status, headers, text = get(address, "/ltviz/stage/stage.js")
    assert status == 200 and "export default" in text
    assert headers["content-type"].split(";")[0] in ("text/javascript", "application/javascript")
    assert headers["cache-control"] == "no-cache"
    again = get(address, "/ltviz/stage/stage.js", **{"If-None-Match": headers["etag"]})
    assert again[0] == 304


def test_the_page_names_the_stages_script_and_a_browser_keeps_it(server):
    address, _ = server
    page = get(address, "/", Accept="text/html")[2]
    script = re.search(r'<link rel="modulepreload" crossorigin href="(ltviz/stage/all-\w+\.js)">', page)
    assert script is not None
    status, headers, text = get(address, f"/{script[1]}")
    assert status == 200 and headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"] and "max-age=31536000" in headers["cache-control"]
    assert "content-encoding" not in headers and text.endswith(f"{script[1].rpartition('/')[2]}.map\n")
    assert "default-src 'self'" in headers["content-security-policy"]
    with urllib.request.urlopen(
        urllib.request.Request(f"http://{address}/{script[1]}", headers={"Accept-Encoding": "gzip"})
    ) as packed:
        assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.read()).decode() == text
    source_map = json.loads(get(address, f"/{script[1]}.map")[2])
    assert all(get(address, f"/ltviz/stage/{name}")[0] == 200 for name in source_map["sources"][:3])
    assert get(address, "/ltviz/stage/all-0123456789abcdef.js")[0] == 404, "that of another version"


@pytest.mark.parametrize("path", ["/ltviz/stage/../server.py", "/ltviz/stage/%2e%2e/server.py", "/ltviz/stage/"])
def test_nothing_but_the_stage_is_served(server, path: str):
    status, _, text = get(server[0], path)
    assert status >= 400 or "def serve" not in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example", ""])
def test_another_host_name_is_refused(server, host: str):
    assert get(server[0], "/", Host=host)[0] == 400
    with pytest.raises(InvalidStatus):
        connect(f"ws://{server[0]}/_stcore/stream", additional_headers={"Host": host})


def test_streamlits_own_socket_refuses_another_site(server):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{server[0]}/_stcore/stream", origin="http://evil.example")
    assert refused.value.response.status_code == 403


def test_the_stream_needs_the_token(server):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{server[0]}/ltviz/stream?runs=demo-ce&token=guess")
    assert refused.value.response.status_code == 403


def test_a_replay_needs_the_token_too(server):
    status, _, text = get(server[0], "/ltviz/replay?runs=demo-ce&token=guess")
    assert status == 403 and "token" in text


def test_it_listens_on_this_machine_only_and_holds_no_torch(server):
    address, child = server
    process = psutil.Process(child.pid)
    listening = {c.laddr for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert {tuple(where) for where in listening} == {("127.0.0.1", int(address.rpartition(":")[2]))}
    assert not any("libtorch" in region.path for region in process.memory_maps())


def test_importing_every_module_of_the_app_brings_no_torch():
    paths = [path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.py")]
    scripts = {"__init__", "main", "lab", "compare"}  # what Streamlit runs by itself
    modules = sorted(".".join(path.parts) for path in paths if path.name not in scripts)
    script = "import sys; from ltviz.launch.app import load_app; load_app()\n"
    script += "".join(f"import ltviz_app.{name}\n" for name in modules)
    script += "print([m for m in ('torch', 'sklearn', 'umap', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "[]"


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port} is taken"):
            find_port(port, "127.0.0.1")
    assert find_port(port, "127.0.0.1") == port


def test_without_a_wish_the_next_free_port_is_used(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        monkeypatch.setattr(server_module, "FIRST_PORT", first)
        assert find_port(None, "127.0.0.1") > first
        assert find_port(first, "127.0.0.1") > first
        monkeypatch.setattr(server_module, "PORTS_TRIED", 1)
        with pytest.raises(ConfigError, match="is free"):
            find_port(None, "127.0.0.1")
    assert find_port(0, "127.0.0.1") > 0


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port: int):
    with pytest.raises(ConfigError, match="0 to 65535"):
        find_port(port, "127.0.0.1")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_an_address_open_to_others_needs_i_know(home: Path, address: str):
    with pytest.raises(ConfigError, match="no login"):
        serve(home=home, address=address)


def test_streamlit_knows_every_option_and_stays_silent():
    options = server_options(8501, "127.0.0.1", LOCAL_HOSTS)
    assert set(options) <= set(config._config_options_template)
    assert options["browser.gatherUsageStats"] is False
    assert options["client.showErrorDetails"] == "none"
    assert options["server.enableCORS"] and options["server.enableXsrfProtection"]
    assert "http" not in json.dumps([value for key, value in options.items() if key.startswith("theme")]), (
        "no font from afar"
    )


def test_every_sentence_is_used():
    pages = {path.stem: ast.parse(path.read_text()) for path in (FOLDER / "words").glob("[a-z]*.py")}
    names = {
        f"{page}.{target.id}"
        for page, tree in pages.items()
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in ast.walk(node)
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store)
    } | {
        f"{page}.{node.name}" for page, tree in pages.items() for node in tree.body if isinstance(node, ast.FunctionDef)
    }
    sources = "".join(path.read_text() for path in FOLDER.rglob("*.py") if path.parent.name != "words")
    spoken = {*re.findall(r"\bwords\.(\w+\.\w+)", sources)}
    inside = {
        node.id
        for tree in pages.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert len(pages) > 4 and {name for name in names - spoken if name.partition(".")[2] not in inside} == set()
