"""Between a browser and the app: every page by its own address, and what it says when a proxy keeps something away."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from ltviz_app.service.stagescript import script_name
from prefix_proxy import proxy
from real_nginx import NGINX, nginx

from ltviz.bench import served

pytestmark = pytest.mark.browser

DRAWN = "() => window.ltviz?.stage?.draws > 0 && window.ltviz.stage.frames > 0"
PATIENCE = 45_000
"""Milliseconds: the page says it within some seconds, but tests share two cores with others."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.App]:
    with served.app(tmp_path_factory.mktemp("home")) as running:
        yield running


NAMED = "hub.localhost"
"""A name that leads a browser to this machine, though the app does not answer to it unasked."""


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.App]:
    """The app for whom it was told its path and its name."""
    flags = ["--base-path", "/static/8501", "--allow-host", "other.example", "--allow-host", NAMED]
    command = (sys.executable, "-m", "ltviz", "app", *flags)
    with served.app(tmp_path_factory.mktemp("named"), command) as running:
        yield running


@pytest.fixture
def port(app: served.App) -> int:
    return int(app.address.rpartition(":")[2])


@pytest.fixture
def look(browser: Any) -> Iterator[Any]:
    """Opens an address in a fresh page; gives the page and what its console complains of."""
    pages = []

    def open_page(address: str) -> tuple[Any, list[str]]:
        page, said = browser.new_page(viewport={"width": 1000, "height": 700}), []
        pages.append(page)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda m: said.append(f"{m.text} {m.location['url']}") if m.type == "error" else None)
        page.goto(address, wait_until="domcontentloaded")
        return page, said

    yield open_page
    for page in pages:
        page.close()


def missing(page: Any, timeout: int = PATIENCE) -> str:
    """The sentences about what is missing."""
    note = page.get_by_test_id("ltviz-missing").first
    note.wait_for(timeout=timeout)
    return note.inner_text()


@pytest.mark.parametrize("path", ["/", "/compare", "/?runs=demo-ce", "/compare?runs=demo-ce,demo-bcl"])
def test_every_page_opens_by_its_own_address_with_nothing_in_the_console(app: served.App, look: Any, path: str) -> None:
    page, said = look(app.address + path)
    page.wait_for_function(DRAWN, timeout=PATIENCE)
    page.wait_for_timeout(1500)
    assert said == [] and page.get_by_test_id("ltviz-missing").count() == 0


def test_an_address_that_is_no_page_leads_to_the_lab_without_failed_requests(app: served.App, look: Any) -> None:
    page, said = look(f"{app.address}/no-such-page")
    page.wait_for_function(DRAWN, timeout=PATIENCE)
    assert all("does not seem to exist" in line for line in said), "Streamlit's own sentence about it, nothing else"


@pytest.mark.parametrize("path", ["/", "/compare?runs=demo-ce"])
def test_it_works_behind_a_proxy_that_takes_its_path_off(port: int, look: Any, path: str) -> None:
    with proxy(port) as address:
        page, said = look(address + path)
        page.wait_for_function(DRAWN, timeout=PATIENCE)
        assert said == [] and page.url.startswith(address + path.partition("?")[0])
        asked = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [name for name in asked if "/ltviz/" in name and name.endswith(".js")] == [
        f"{address}/ltviz/stage/{script_name()}"
    ], "the stage is one script, asked for once"


@pytest.mark.parametrize("path", ["/", "/compare?runs=demo-ce"])
def test_it_works_behind_a_proxy_that_leaves_its_path_on(port: int, look: Any, path: str) -> None:
    with proxy(port, strips=False) as address:
        page, said = look(address + path)
        page.wait_for_function(DRAWN, timeout=PATIENCE)
        assert said == [] and page.url.startswith(address + path.partition("?")[0])
        asked = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [name for name in asked if "/ltviz/" in name and name.endswith(".js")] == [
        f"{address}/ltviz/stage/{script_name()}"
    ], "the stage is one script, asked for once"


def test_a_path_with_a_part_like_the_apps_own_is_told_the_flag(port: int, look: Any) -> None:
    with proxy(port, strips=False, prefix="/static/8501") as address:
        said = missing(look(f"{address}/")[0])
    assert "cannot be drawn" in said and f"{address}/static/js/" in said
    assert "`ltviz app --base-path /static/8501/`" in said


def test_a_proxy_without_websockets_is_told(port: int, look: Any) -> None:
    with proxy(port, blocks=lambda path, upgrade: upgrade) as address:
        said = missing(look(f"{address}/")[0])
    assert f"{address}/_stcore/stream" in said and "did not open a WebSocket" in said


def test_a_script_of_the_stage_that_does_not_come_is_named(port: int, look: Any) -> None:
    with proxy(port, blocks=lambda path, upgrade: path.startswith("/ltviz/stage/all-")) as address:
        said = missing(look(f"{address}/")[0])
    assert f"{address}/ltviz/stage/{script_name()}" in said and "answered 404" in said and "proxy" in said


@pytest.mark.parametrize(
    "clumsy, says",
    [
        ({"blocks": lambda path, upgrade: path == "/ltviz/stream"}, "Somebody else than ltviz answers there (404)"),
        ({"blocks": lambda path, upgrade: upgrade and path == "/ltviz/stream"}, "no WebSocket to it opens"),
        ({"own_host": True}, "`ltviz app --allow-host 127.0.0.1`"),
    ],
    ids=["path", "websocket", "host"],
)
def test_a_stream_that_does_not_open_says_where_and_why(
    port: int, look: Any, clumsy: dict[str, Any], says: str
) -> None:
    with proxy(port, **clumsy) as address:
        page, _ = look(f"{address}/")
        page.get_by_text("No frames arrive").wait_for(timeout=PATIENCE)
        said = page.locator(".ltv-message").inner_text()
    assert says in said and f"{address}/ltviz/stream" in said and "token=" not in said


def test_the_message_goes_when_the_stream_comes_back(port: int, look: Any) -> None:
    closed = [True]
    with proxy(port, blocks=lambda path, upgrade: closed[0] and upgrade and path == "/ltviz/stream") as address:
        page, _ = look(f"{address}/")
        page.get_by_text("No frames arrive").wait_for(timeout=PATIENCE)
        closed[0] = False
        page.wait_for_function(DRAWN, timeout=PATIENCE)
        page.get_by_text("No frames arrive").wait_for(state="hidden", timeout=PATIENCE)


needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian's package nginx-light)")


@needs_nginx
@pytest.mark.parametrize("strips", [True, False], ids=["strips", "keeps"])
@pytest.mark.parametrize("passes_host", [True, False], ids=["host", "rewritten"])
def test_behind_nginx_by_another_name(named: served.App, look: Any, tmp_path: Path, strips: bool, passes_host: bool):
    inner = int(named.address.rpartition(":")[2])
    with nginx(inner, tmp_path, prefix="/static/8501", strips=strips, passes_host=passes_host) as port:
        page, said = look(f"http://{NAMED}:{port}/static/8501/compare?runs=demo-ce")
        page.wait_for_function(DRAWN, timeout=PATIENCE)
        assert said == [] and page.get_by_test_id("ltviz-missing").count() == 0


@needs_nginx
@pytest.mark.parametrize("strips", [True, False], ids=["strips", "keeps"])
def test_behind_nginx_with_a_path_that_nobody_told(port: int, look: Any, tmp_path: Path, strips: bool) -> None:
    with nginx(port, tmp_path, prefix="/ltviz", strips=strips, passes_host=True) as outer:
        page, said = look(f"http://127.0.0.1:{outer}/ltviz")  # nginx adds the slash
        page.wait_for_function(DRAWN, timeout=PATIENCE)
        assert said == []


@needs_nginx
def test_behind_nginx_that_changes_the_host_the_page_says_what_to_type(port: int, look: Any, tmp_path: Path) -> None:
    with nginx(port, tmp_path, prefix="/hub", strips=True, passes_host=False) as outer:
        said = missing(look(f"http://{NAMED}:{outer}/hub/")[0])
    assert f"`ltviz app --allow-host {NAMED}`" in said and f"127.0.0.1:{port}" in said and "Host" in said


@needs_nginx
def test_behind_nginx_by_a_name_that_is_not_allowed_the_answer_names_the_flag(
    port: int, look: Any, tmp_path: Path
) -> None:
    with nginx(port, tmp_path, prefix="/hub", strips=True, passes_host=True) as outer:
        page, _ = look(f"http://{NAMED}:{outer}/hub/")
        assert f"`ltviz app --allow-host {NAMED}`" in page.inner_text("body")
