"""A home of very many runs: its pages look at it now and then, list some, find all, and miss nothing that is shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import listing as listing_module
from ltviz_app.service import studio as studio_module
from ltviz_app.service.listing import Listing, Listings
from ltviz_app.widgets import chooser, runlist
from streamlit.testing.v1 import AppTest

from ltviz.recording import Home
from ltviz.recording.index import Summary
from ltviz.recording.notes import tag_run

MAIN = Path(ltviz_app.__file__).parent / "main.py"


def summary(run: str, *, method: str = "ce", **more: object) -> Summary:
    known = {"run_id": run, "folder": run, "created": 0.0, "title": method.upper(), "method": method}
    values: dict = dict.fromkeys(Summary._fields) | known | {"tags": (), "note": "", "state": "finished"} | more
    return Summary(**values)


@pytest.fixture
def looks(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """One entry for each time that the home is looked at; what was found there is kept for long."""
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(listing_module, "MANY", 2)
    monkeypatch.setattr(listing_module, "REST", 1e9)
    found: list[Path] = []
    plain = Home.summaries

    def count(self: Home) -> list[Summary]:
        if self.root == home:
            found.append(self.root)
        return plain(self)

    monkeypatch.setattr(Home, "summaries", count)
    return found


def test_a_look_is_kept_until_something_says_that_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "MANY", 2)
    monkeypatch.setattr(listing_module, "REST", 1e9)
    runs = [summary("run-one"), summary("run-two")]
    listings = Listings(lambda: Listing(list(runs)))
    first = listings.get()
    runs.append(summary("run-new"))
    assert listings.get() is first and listings.get(wanted=["run-one"]) is first
    second = listings.get(wanted=["run-new"])
    assert second is not first and "run-new" in second.by_run
    third = listings.get(wanted=["run-lost"])
    assert third is not second and listings.get(wanted=["run-lost"]) is third, "it looks for a lost one once"
    assert (fourth := listings.get("another job")) is not third and listings.get("another job") is fourth
    listings.forget()
    assert listings.get("another job") is not fourth


def test_few_runs_are_looked_at_each_time() -> None:
    listings = Listings(lambda: Listing([summary("run-one")]))
    assert listings.get() is not listings.get()


def test_runs_fit_by_values_and_words_in_both_orders() -> None:
    runs = [
        summary("new-ce", created=4, seed=1),
        summary("new-bcl", created=3, method="bcl", seed=0, tags=("keep",)),
        summary("old-ce", created=2, seed=0),
        summary("broken", created=1, problem="no JSON", tags=("keep",)),
    ]
    listing = Listing(runs)

    def names(asked: dict[str, list], search: str = "") -> list[list[str]]:
        return [[entry.run for entry in found] for found in listing.fitting(asked, search)]

    assert names({}) == [["new-ce", "new-bcl", "old-ce", "broken"], ["broken", "old-ce", "new-ce", "new-bcl"]]
    assert names({"method": ["CE"]}) == [["new-ce", "old-ce"], ["old-ce", "new-ce"]]
    assert names({"tag": ["keep"]})[0] == ["new-bcl", "broken"] and names({"seed": [0]}, "old")[0] == ["old-ce"]
    assert listing.fitting({}, "ce") is listing.fitting({"method": []}, "ce"), "made once"
    assert listing.values["method"] == ["BCL", "CE"] and listing.values["seed"] == [0, 1]


def test_pages_of_many_runs_look_once_and_see_what_they_change(
    home: Path, looks: list[Path], runs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chooser, "MOST_LISTED", 2)
    for number in range(4):
        runs.finished(home, f"run-{number}", steps=(0,))
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params["runs"] = "run-0"
    app.run()
    app = app.switch_page("pages/compare.py").run()
    assert not app.exception and len(looks) == 1
    every = len(studio_module.open_studio().listing().entries)
    assert words.compare.not_listed(2, every) in [caption.value for caption in app.caption]
    listed = app.multiselect(key="compare-runs").options
    assert len(listed) == 3 and all(f"run-{number}" in " ".join(listed) for number in (0, 2, 3)), listed
    app.text_input(key="compare-search").set_value("run-1").run()
    assert any("run-1" in option for option in app.multiselect(key="compare-runs").options)
    assert len(looks) == 1
    app.text_input(key="curate-tag").set_value("keep").run()
    app.button(key="curate-add").click().run()
    assert not app.exception and app.multiselect(key="compare-tag").options == ["keep"] and len(looks) == 2


def test_the_labs_list_holds_a_run_that_began_since_the_look(
    home: Path, looks: list[Path], runs: SimpleNamespace, studio: studio_module.Studio
) -> None:
    for number in range(3):
        runs.finished(home, f"run-{number}", steps=(0,))
    assert [line.run for line in runlist._lines(studio, ["run-0"])[0]] == ["run-0", "run-2", "run-1"]
    with runs.begin(home, "run-new"):
        lines, more = runlist._lines(studio, ["run-new"])
        assert [line.run for line in lines] == ["run-new", "run-2", "run-1", "run-0"] and more == 0
        assert lines[0].live and len(looks) == 2


def test_a_run_that_was_tagged_elsewhere_is_seen_at_the_next_look(
    home: Path, looks: list[Path], runs: SimpleNamespace, studio: studio_module.Studio
) -> None:
    paths: list[Path] = [runs.finished(home, f"run-{number}", steps=(0,)) for number in range(2)]

    def tags() -> tuple[str, ...]:
        return studio.listing().by_run["run-0"].summary.tags

    assert tags() == ()
    tag_run(paths[0], ["keep"])
    assert tags() == ()
    studio.relist()
    assert tags() == ("keep",)
