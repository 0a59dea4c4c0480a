"""Runs in folders of any name, everywhere in the app: listed, shown, compared, stopped, tagged, deleted, replayed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.service.replay import build_replay
from ltviz_app.service.supervisor import Supervisor
from ltviz_app.widgets import runlist
from ltviz_app.widgets.curation import delete_run
from ltviz_app.widgets.selection import newest_race
from streamlit.testing.v1 import AppTest

from ltviz.errors import LtvizError
from ltviz.recording import Home, Recording, run_id_of
from ltviz.recording.requests import take_requests

MAIN = Path(ltviz_app.__file__).parent / "main.py"
NAMES = ["ce", "my_run", "lr=0.1,bs=64", "seeds/version_0"]


@pytest.fixture
def odd(home: Path, runs) -> list[str]:
    """The ids of four runs, and a folder that is only linked to."""
    made = runs.finished(home, "plain-run")
    for name in NAMES:
        shutil.copytree(made, home / name)
    shutil.rmtree(made)
    (home / "latest").symlink_to(home / "ce")
    return [run_id_of(name) for name in NAMES]


def test_the_hub_finds_each_and_nothing_that_is_no_id(studio, odd: list[str], home: Path):
    for run, name in zip(odd, NAMES, strict=True):
        assert studio.hub.folder(run) == home / name and studio.hub.recording(run).run_id == run
    for bad in ("ce", "my_run", "seeds/version_0", "../home", "latest/../ce"):
        with pytest.raises(LtvizError):
            studio.hub.folder(bad)
    assert {entry.run for entry in studio.listing().entries if entry.own} == set(odd)
    assert [one.folder for one in studio.skipped] == ["latest"]


def test_the_stream_sends_their_frames_under_their_ids(talk, odd: list[str]):
    seen = talk(",".join(odd))
    seen.wait(lambda: {frame["run"] for frame in seen.frames()} == set(odd))


async def _replay(studio, runs: list[str]):
    try:
        return await build_replay(studio.hub, runs)
    finally:
        await studio.hub.close()


def test_a_replay_holds_them(studio, odd: list[str]):
    assert list(asyncio.run(_replay(studio, odd)).runs) == odd


def test_requests_go_into_their_folders(home: Path, runs):
    with runs.begin(home, "plain-run") as writer:
        runs.frame(writer, 0)
        writer.path.rename(home / "my_run")
        Supervisor(home).pause(run_id_of("my_run"))
        assert [request.kind for request in take_requests(home / "my_run")] == ["pause"]
        (home / "my_run").rename(writer.path)


def test_both_pages_list_them_with_their_folders_and_say_what_was_skipped(
    home: Path, odd: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "no-demos")
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params["runs"] = ",".join(odd)
    app.run()
    assert not app.exception and not app.error
    drawn = "\n".join(element.proto.body for element in app.get("html"))
    assert all(f"in {name}" in drawn for name in NAMES)
    assert words.lab.skipped_head(1) in [box.label for box in app.expander]
    compare = app.switch_page("pages/compare.py").run()
    assert not compare.exception and words.lab.skipped_head(1) in [box.label for box in compare.expander]
    assert len(compare.multiselect(key="compare-runs").options) == len(NAMES)


def test_what_a_short_list_leaves_out_is_counted_and_its_ends_are_read_once(
    studio, home: Path, runs, monkeypatch: pytest.MonkeyPatch
):
    for number in range(runlist.MOST_RUNS + 3):
        runs.finished(home, f"run-{number:02}", steps=(0,))
    lines, more = runlist._lines(studio, ["run-00"])
    assert len(lines) == runlist.MOST_RUNS and more == 3 and lines[0].run == "run-00"
    assert words.lab.more_runs(3) == "3 more runs are on the page Compare."
    read: list[Path] = []
    status = Recording.status
    monkeypatch.setattr(Recording, "status", lambda run: read.append(run.path) or status(run))
    runlist._lines(studio, [])
    assert len(set(read)) <= runlist.MOST_RUNS


def test_a_linked_run_is_shown_where_links_are_followed_and_never_deleted_through_the_link(home: Path, tmp_path, runs):
    made = runs.finished(tmp_path / "elsewhere", "far-run")
    (home / "near").symlink_to(made)
    followed = Home(home, follow_links=True)
    (run,) = followed.recordings()
    assert run.run_id == "near" and followed.folder("near") == home / "near"
    with pytest.raises(LtvizError, match="a link to"):
        delete_run(followed.folder("near"))
    assert Recording(made).steps()


def test_the_newest_race_is_given_whole(studio, home: Path, runs):
    runs.finished(home, "old-run", race="older", steps=(0,))
    for number in range(3):
        runs.finished(home, f"race-{number}", race="newer", steps=(0,))
    assert newest_race(studio) == ("race-0", "race-1", "race-2")
