"""The page Evidence without a browser, its background process, and what the compare page says of its measures."""

from __future__ import annotations

import time
from pathlib import Path

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import reproductions
from ltviz_app.service import studio as studio_module
from ltviz_app.service.reproductions import Reproductions
from ltviz_app.widgets import trust
from streamlit.testing.v1 import AppTest

from ltviz.errors import LtvizError
from ltviz.export.results import group_results, read_results
from ltviz.metrics import MEASURES
from ltviz.metrics.court import read_court
from ltviz.museum import EXHIBITS
from ltviz.recording import Recording, record

MAIN = Path(ltviz_app.__file__).parent / "main.py"


@pytest.fixture(autouse=True)
def fresh(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run().switch_page("pages/evidence.py")
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def html_of(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def test_the_court_shows_every_verdict_of_every_measure() -> None:
    shown = html_of(page())
    tried = [(key, one) for trial in read_court().trials for key, one in trial.measures.items()]
    assert shown.count("<section>") == len({key for key, _ in tried})
    assert shown.count(f"<b>{words.evidence.FAILED}</b>") == sum(not one.passed for _, one in tried)
    assert shown.count("<i ") == sum(len(one.curve) for _, one in tried)
    for key in {key for key, _ in tried}:
        assert MEASURES[key].title in shown and (MEASURES[key].source or "") in shown


def test_the_museum_lists_all_and_computes_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(part="museum")
    assert html_of(app).count('class="ltviz-exhibit') == len(EXHIBITS)
    assert "not reproduced, off by 0.221" in html_of(app)
    started = []
    monkeypatch.setattr(Reproductions, "start", lambda self, name, record: started.append((name, record)))
    app.button(key="compute-sigreg-bias").click().run()
    app.button(key="compute-tsc-targets").click().run()
    app.button(key="compute-supcon-simplex").click().run()
    films = home / "museum-sigreg-bias", home / "museum-tsc-targets"
    assert started == [("sigreg-bias", films[0]), ("tsc-targets", films[1]), ("supcon-simplex", None)]
    assert not app.exception


def test_a_film_is_linked_once_it_is_there(home: Path) -> None:
    moves = sum(bool(one.moves) for one in EXHIBITS.values())
    assert len(page(part="museum").get("page_link")) == moves, "no film yet"
    with record(home / "museum-instance-cloning", labels=[0, 1]) as run:
        run.frame(0, embeddings=[[1, 0], [0, 1]])
    links = [link.proto for link in page(part="museum").get("page_link")]
    (film,) = [link for link in links if link.page == "lab"]
    assert film.query_string == "runs=museum-instance-cloning" and len(links) == moves + 1


def test_a_result_is_computed_and_filmed_beside_and_one_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    all_of_them = Reproductions()
    first, second = all_of_them.start("instance-cloning", tmp_path / "film"), all_of_them.start("tsc-targets")
    assert all_of_them.start("instance-cloning") is first and all_of_them.busy == {"instance-cloning", "tsc-targets"}
    second.cancel()
    assert first.found.result(120)["verdict"] == "reproduced"
    assert len(Recording(tmp_path / "film").steps()) > 10
    with pytest.raises(LtvizError, match=words.evidence.CANCELLED):
        second.found.result(120)
    assert not all_of_them.busy


def test_one_that_computes_ends_when_it_is_cancelled_or_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    all_of_them = Reproductions()
    one = all_of_them.start("tsc-targets")
    while one._process is None:
        time.sleep(0.01)
    one.cancel()
    with pytest.raises(LtvizError, match=words.evidence.CANCELLED):
        one.found.result(120)
    assert one._process.returncode is not None
    monkeypatch.setattr(reproductions, "LONGEST_SECONDS", 0.05)
    with pytest.raises(LtvizError, match="no answer within"):
        all_of_them.start("tsc-targets").found.result(120)
    monkeypatch.undo()
    with pytest.raises(LtvizError, match="takes one of"):
        all_of_them.start("no-such-result").found.result(120)


def told(home: Path, *names: str, keys: tuple[str, ...] = ()) -> list[str]:
    results, _ = read_results(Recording(home / name) for name in names)
    return trust.sentences(group_results(results), keys)


def test_the_compare_page_says_what_its_measures_cannot_judge(home: Path, runs) -> None:
    runs.finished(home, "run-one")
    runs.finished(home, "run-two", method="bcl", title="BCL")
    runs.finished(home, "run-wide", dim=16)
    runs.finished(home, "run-many", n=60)
    assert told(home, "run-one", "run-two") == [], "what is alike needs no word"
    (said,) = told(home, "run-one", "run-wide", keys=("uniformity_test", "mmd_sphere", "centre_sum"))
    assert said.startswith("Uniformity, all samples cannot judge") and "in dimensions (3 to 16)" in said
    assert told(home, "run-one", "run-many") == [], "uniformity passed there"
    (said,) = told(home, "run-one", "run-many", keys=("uniformity_wasserstein",))
    assert said.startswith("Uniformity, Wasserstein cannot") and "(30 to 60)" in said
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params["runs"] = "run-one,run-wide"
    app = app.run().switch_page("pages/compare.py").run()
    assert not app.exception and any("in dimensions (3 to 16)" in text.value for text in app.text)


def test_other_shares_of_classes_are_said(home: Path, runs) -> None:
    runs.finished(home, "run-one")
    runs.finished(home, "run-four", names=("a", "b", "c", "d"), counts=(40, 12, 5, 2))
    (said,) = told(home, "run-one", "run-four")
    assert "shares of classes" in said and "33%" in said
