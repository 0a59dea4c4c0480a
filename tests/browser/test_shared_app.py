"""`ltviz app --share` as its three kinds of guests meet it: by the link, by the password, and by neither."""

from __future__ import annotations

import http.client
import re
import sys
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from streamlit_talk import StreamlitTalk

import ltviz
from ltviz.bench import served
from ltviz.recording import list_runs

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("shared")
    with ltviz.record(home / "one-run", labels=[0, 0, 1, 1], class_names=["cat", "dog"], title="The one") as run:
        for step in range(3):
            run.frame(step, embeddings=np.eye(4)[:, :3] + 0.1 * (step + 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LTVIZ_TRAINER_PASSWORD", PASSWORD)
        with served.app(home, (sys.executable, "-m", "ltviz", "app", "--share")) as app:
            yield app, home


def said(home: Path) -> str:
    return (home / "app.log").read_text()


def link_of(home: Path, address: str) -> str:
    token = re.search(r"\?share=([\w-]{12,})", said(home))
    assert token is not None, said(home)
    return f"{address}/compare?share={token[1]}&runs=one-run"


def open_at(browser, address: str):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    blocked: list[str] = []
    page.on("console", lambda told: blocked.append(told.text) if "Content Security Policy" in told.text else None)
    page.goto(address)
    return page, blocked


def test_what_it_opens_is_said_in_three_lines_without_the_password(shared):
    _, home = shared
    lines = said(home).strip().splitlines()
    assert len([line for line in lines if line.startswith(("Viewers", "Trainers", "Nobody"))]) == 3
    assert PASSWORD not in said(home)


def test_without_link_or_password_no_run_is_shown(shared, browser):
    app, _ = shared
    for path in ("/", "/compare?runs=one-run", "/embeddings"):
        page, _ = open_at(browser, app.address + path)
        page.get_by_label("Password of those who may train").wait_for()
        assert "The one" not in page.content() and page.locator("canvas").count() == 0
        page.context.close()


def test_a_viewer_sees_runs_and_no_way_to_change_them_and_the_token_leaves_the_address(shared, browser):
    app, home = shared
    page, blocked = open_at(browser, link_of(home, app.address))
    page.wait_for_function("() => !location.href.includes('share=')")
    assert "runs=one-run" in page.evaluate("location.href")
    page.locator("canvas").first.wait_for(timeout=60_000)
    page.wait_for_function("() => window.ltviz?.stage?.frames >= 1", timeout=60_000)
    assert page.get_by_text("Tags, notes, delete").count() == 0
    page.goto(app.address)
    page.get_by_text("Sign in to train").wait_for(timeout=60_000)
    assert page.get_by_role("button", name="Train", exact=True).count() == 0
    cookies = page.context.cookies()
    mine = [cookie for cookie in cookies if cookie["name"].startswith("ltviz_")]
    assert mine and all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in mine)
    assert blocked == []
    page.context.close()


def test_a_trainer_signs_in_and_may_train(shared, browser):
    app, home = shared
    page, blocked = open_at(browser, app.address)
    page.get_by_label("Password of those who may train").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("That is not the password.").wait_for()
    page.get_by_label("Password of those who may train").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Train", exact=True).wait_for(timeout=60_000)
    assert page.evaluate("location.href").rstrip("/") == app.address and blocked == []
    assert [run.run_id for run in list_runs(home)] == ["one-run"]
    assert PASSWORD not in said(home)
    page.context.close()


def cookie_of(address: str, *, link: str = "", password: str = "") -> str:
    """The cookie that a browser would keep after the link, or the password."""
    talk = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
    if password:
        talk.request("POST", "/ltviz/sign-in", urlencode({"password": password}))
    else:
        talk.request("GET", link.removeprefix(address), headers={"accept": "text/html"})
    cookie = talk.getresponse().getheader("set-cookie") or ""
    talk.close()
    return cookie.partition(";")[0]


def test_a_trainer_leads_a_class_and_whoever_opens_its_link_follows_and_changes_nothing(shared, browser):
    app, _ = shared
    name, _, value = cookie_of(app.address, password=PASSWORD).partition("=")
    led, followed = browser.new_context(), browser.new_context()
    led.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));")
    led.add_cookies([{"name": name, "value": value, "url": app.address}])
    leader, follower = led.new_page(), followed.new_page()
    leader.goto(f"{app.address}/learn?lesson=1-what-lives-on-the-sphere")
    leader.get_by_role("button", name="Lead a class").click(timeout=60_000)
    bar = leader.get_by_test_id("ltviz-class")
    bar.get_by_role("button", name="Copy the class link").click(timeout=60_000)
    link = bar.get_by_role("textbox").input_value()
    assert "class=" in link and "share=" in link
    follower.goto(link)
    follower.get_by_role("heading", name="Every dot is one picture").wait_for(timeout=60_000)
    bar.get_by_text("1 follow").wait_for()
    leader.get_by_role("button", name="Next").click()
    follower.get_by_role("heading", name="At first all clouds").wait_for(timeout=60_000)
    assert "share=" not in follower.evaluate("location.href")
    assert follower.get_by_role("button", name="Lead a class").count() == 0
    for context in (led, followed):
        context.close()


def kept(home: Path) -> dict[str, bytes]:
    """All files of a home, but for what the writer of the live run and the app itself write all the time."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name not in ("app.log", "status.json", "lock"))
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def test_buttons_that_a_viewer_was_never_shown_do_nothing_when_pressed_on_the_socket(shared):
    """Streamlit's own socket is driven as no page would: with the ids that the trainer's page has."""
    app, home = shared
    trainer = cookie_of(app.address, password=PASSWORD)
    viewer = cookie_of(app.address, link=link_of(home, app.address))
    with ltviz.record(home / "live-run", labels=[0, 1, 2]) as run:
        run.frame(0, embeddings=np.eye(3))
        control = home / "live-run" / "control"
        tried = []
        for page in ("", "compare", "embeddings"):
            with StreamlitTalk(app.address, trainer, page) as session:
                buttons = session.run().buttons
            before = kept(home)
            with StreamlitTalk(app.address, viewer, page) as session:
                assert not set(session.run().buttons.values()) & {"Train", "Stop all", "Add", "Save note"}
                for button in buttons:
                    session.run(pressed=button)
            tried += [button.rpartition("-")[2] for button in buttons] + list(buttons.values())
            assert kept(home) == before and not list(control.iterdir()), page
        assert {"Train", "Stop all", "Add", "Save note"} <= set(tried)
        with StreamlitTalk(app.address, trainer) as session:
            (stop,) = [button for button in session.run().buttons if button.endswith("stop-live-run")]
            session.run(pressed=stop)
        assert list(control.iterdir()), "a trainer's press of the same kind is obeyed"
