"""What a browser gets first, who is answered at all, and what a stream that does not open says for itself."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from ltviz_app import words
from ltviz_app.server import _answer_of
from ltviz_app.service.frontpage import is_page, page_of
from ltviz_app.service.hosts import LOCAL_HOSTS, KnownHosts, host_name
from ltviz_app.service.paths import BasePath, base_path, own_path
from ltviz_app.service.stream import explain_stream
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ltviz.errors import ConfigError


def ask(app: Starlette, method: str, url: str, **headers: str) -> httpx.Response:
    async def work() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.request(method, url, headers=headers)

    return asyncio.run(work())


BROWSER = Headers({"accept": "text/html,*/*;q=0.8"})


@pytest.mark.parametrize("path", ["/", "/compare", "/no-such", "/a/b", "/ltviz", "/static/8501/"])
def test_pages_are_given_the_script_before_any_other(path: str):
    assert is_page("GET", path, BROWSER)
    page = page_of(path)
    assert page.index("BACKEND_BASE_URL") < page.index('type="module"') and f'"path": "{path}"' in page


@pytest.mark.parametrize("path", ["/_stcore/health", "/compare/_stcore/host-config", "/static/js/a", "/favicon.png"])
def test_files_and_what_scripts_read_stay_streamlits(path: str):
    assert not is_page("GET", path, BROWSER)
    assert not is_page("POST", "/", BROWSER) and not is_page("GET", "/", Headers({"accept": "*/*"}))


def test_a_path_cannot_end_the_script():
    hostile = "/</script><script>alert(1)</script>"
    assert page_of(hostile).count("</script>") == page_of("/").count("</script>")


def test_a_host_that_is_not_ours_is_told_in_a_sentence():
    async def fine(request):
        return PlainTextResponse("fine")

    app = Starlette(routes=[Route("/", fine)], middleware=[Middleware(KnownHosts, hosts=("localhost", "127.0.0.1"))])
    assert ask(app, "GET", "http://localhost:9/").text == "fine"
    refused = ask(app, "GET", "http://proxy.example/")
    assert refused.status_code == 400 and refused.headers["content-type"].startswith("text/plain")
    assert refused.text == words.served.UNKNOWN_HOST.format(host="proxy.example", hosts="localhost and 127.0.0.1")


def told_by(gate: Middleware, method: str, url: str, **headers: str) -> tuple[int, str]:
    """Status, and either the refusal or the host that what lies behind the gate was told."""

    async def whom(request):
        return PlainTextResponse(request.headers["host"])

    answer = ask(
        Starlette(routes=[Route("/", whom, methods=["GET", "POST"])], middleware=[gate]), method, url, **headers
    )
    return answer.status_code, answer.text


def test_a_host_that_is_not_ours_is_told_the_flag_that_allows_it():
    status, said = told_by(Middleware(KnownHosts, hosts=LOCAL_HOSTS), "GET", "http://hub.example:8080/")
    assert status == 400 and "`ltviz app --allow-host hub.example`" in said


@pytest.mark.parametrize(
    "origin, behind",
    [
        ("https://hub.example", "hub.example"),
        ("http://hub.example:8080", "hub.example:8080"),
        ("https://HUB.example", "HUB.example"),
        ("https://evil.example", "localhost:8501"),
        ("https://hub.example.evil", "localhost:8501"),
        ("null", "localhost:8501"),
        ("http://[", "localhost:8501"),
    ],
)
def test_an_allowed_name_that_a_proxy_took_off_is_put_back(origin: str, behind: str):
    gate = Middleware(KnownHosts, hosts=LOCAL_HOSTS, allowed=("hub.example",))
    assert told_by(gate, "POST", "http://localhost:8501/", Origin=origin) == (200, behind)
    assert told_by(gate, "GET", "https://hub.example/")[0] == 200


@pytest.mark.parametrize(
    "given, name",
    [
        ("Hub.Example.", "hub.example"),
        ("10.0.0.7", "10.0.0.7"),
        ("::1", "[::1]"),
        ("[fe80::1]", "[fe80::1]"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_name_is_taken_as_browsers_send_it(given: str, name: str):
    assert host_name(given) == name


@pytest.mark.parametrize("given", ["https://hub.example/x", "hub.example:8080", "*", "*.example", "", "a b", "a..b"])
def test_more_than_a_name_is_refused(given: str):
    with pytest.raises(ConfigError, match="--allow-host takes the name"):
        host_name(given)
    if "hub" in given:
        with pytest.raises(ConfigError, match=r"try --allow-host hub\.example$"):
            host_name(given)


@pytest.mark.parametrize(
    "asked, base, own",
    [
        ("/proxy/8501/_stcore/health", "", "/_stcore/health"),
        ("/proxy/8501/static/media/a.woff2", "", "/static/media/a.woff2"),
        ("/ltviz/ltviz/stage/stage.js", "", "/ltviz/stage/stage.js"),
        ("/ltviz/", "", "/"),
        ("/proxy/8501/compare", "", "/compare"),
        ("//compare", "", "/compare"),
        ("/proxy/8501/favicon.png", "", "/favicon.png"),
        ("/_stcore/health", "/proxy/8501", "/_stcore/health"),
        ("/my/static/a/_stcore/health", "/my/static/a", "/_stcore/health"),
        ("/my/static/a/", "/my/static/a", "/"),
        ("/compare", "/compare", "/compare"),
    ],
)
def test_a_proxys_path_is_taken_off_whether_it_is_known_or_not(asked: str, base: str, own: str):
    assert own_path(asked, base) == own


def test_the_path_alone_leads_below_itself_with_what_was_asked():
    app = Starlette(middleware=[Middleware(BasePath, base="/proxy/8501")])
    answer = ask(app, "GET", "http://testserver/proxy/8501?runs=a,b")
    assert (answer.status_code, answer.headers["location"]) == (307, "8501/?runs=a,b")


@pytest.mark.parametrize("given, path", [("", ""), ("/", ""), ("proxy/8501/", "/proxy/8501"), ("/~ada/x", "/~ada/x")])
def test_a_base_path_has_one_form(given: str, path: str):
    assert base_path(given) == path


@pytest.mark.parametrize("given", ["https://hub.example/x", "/a//b", "/a/../b", "/a b", "/a?b", "/" + "x" * 400])
def test_what_is_no_path_is_refused(given: str):
    with pytest.raises(ConfigError, match="--base-path takes the path"):
        base_path(given)


@pytest.mark.parametrize(
    "query, origin, status, said",
    [
        ("runs=one-run&token=a-token", "http://testserver", 426, "no WebSocket to it opens"),
        ("runs=one-run&token=a-token", "https://hub.example", 403, "A proxy must pass on the Host header"),
        ("runs=one-run&token=old", "http://testserver", 403, "ltviz was started anew; reload"),
        ("runs=../x&token=a-token", "http://testserver", 403, "A run id must be"),
        ("runs=&token=a-token", "http://testserver", 403, "1 to 24 runs"),
        ("runs=one-run&token=a-token&step=x", "http://testserver", 403, "step of the stream must be a number"),
    ],
)
def test_a_stream_that_does_not_open_gives_its_reason_in_plain_http(studio, query, origin, status, said):
    routes = [Route("/ltviz/stream", _answer_of(explain_stream, studio), methods=["POST"])]
    answer = ask(Starlette(routes=routes), "POST", f"http://testserver/ltviz/stream?{query}", Origin=origin)
    assert answer.status_code == status and said in answer.text and answer.headers["x-ltviz"] == "stream"
