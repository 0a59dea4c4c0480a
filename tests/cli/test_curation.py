"""Tags, notes and deletion of chosen runs: what is done, and what is refused before anything is."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.cli.choice import Choice, choose_runs
from ltviz.cli.curation import Curation, curate
from ltviz.errors import ConfigError
from ltviz.recording import Recording, record
from ltviz.recording.notes import Notes, read_notes

LABELS = np.repeat(np.arange(3), [6, 4, 2])


@pytest.fixture
def runs(home: Path) -> list[Recording]:
    for name in ("one-run", "two-run"):
        with record(home / name, labels=LABELS) as recorder:
            recorder.frame(0, embeddings=np.random.default_rng(0).normal(size=(12, 3)))
    return choose_runs(home, Choice())


def wanted(**flags: object) -> Curation:
    return Curation.model_validate(flags)


def test_tags_and_notes_go_to_all_that_are_chosen(runs: list[Recording]) -> None:
    done = curate(runs, wanted(add_tag="paper, fig2", note="so it is"), named=False)
    assert done == "2 runs changed"
    assert [read_notes(run.path) for run in runs] == [Notes(tags=("fig2", "paper"), note="so it is")] * 2
    curate(runs[:1], wanted(remove_tag="paper"), named=True)
    assert [read_notes(run.path).tags for run in runs] == [("fig2",), ("fig2", "paper")]
    curate(runs, wanted(note=""), named=False)
    assert {read_notes(run.path).note for run in runs} == {""}


def test_what_changes_something() -> None:
    assert not wanted().changes and not wanted(tag="x", method="ce").changes
    assert wanted(note="").changes and wanted(delete=True).changes and wanted(add_tag="x").changes
    assert wanted(tag="x").filters and wanted(seed=0).filters and not wanted(delete=True, yes=True).filters


def test_delete_needs_a_yes(runs: list[Recording], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(ConfigError, match=r"would delete 2 runs, .* first; say --yes"):
        curate(runs, wanted(delete=True), named=True)
    with pytest.raises(ConfigError, match="needs runs to delete"):
        curate(runs, wanted(delete=True, yes=True), named=False)
    assert all(run.exists for run in runs)
    assert curate(runs[:1], wanted(delete=True, yes=True), named=True) == "1 run deleted"
    assert [run.exists for run in runs] == [False, True]


@pytest.mark.parametrize("answer, left", [("y", False), ("", True), ("no", True), ("YES", False)])
def test_delete_asks_on_a_terminal(
    runs: list[Recording], answer: str, left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    curate(runs, wanted(delete=True), named=True)
    assert [run.exists for run in runs] == [left, left]


def test_a_run_that_is_written_keeps_all_of_them(runs: list[Recording], home: Path) -> None:
    with record(home / "live-run", labels=LABELS) as recorder:
        recorder.frame(0, embeddings=np.ones((12, 3)))
        live = Recording(home / "live-run")
        with pytest.raises(ConfigError, match="live-run is being trained; stop it first"):
            curate([*runs, live], wanted(delete=True, yes=True), named=True)
    assert all(run.exists for run in [*runs, live])


@pytest.mark.parametrize(
    "line", ["one-run --json", "--json one-run", "--home {home} one-run --json", "--json -- one-run"]
)
def test_runs_stand_before_or_after_flags(runs: list[Recording], home: Path, line: str, capsys) -> None:
    assert main(["runs", *line.format(home=home).split()]) == 0
    assert [row["run_id"] for row in json.loads(capsys.readouterr().out)["runs"]] == ["one-run"]


def test_damaged_notes_of_one_run_hide_no_other(runs: list[Recording], capsys) -> None:
    (runs[0].path / "notes.json").write_text("{")
    assert main(["runs"]) == 0
    told = capsys.readouterr().out
    assert all(run.run_id in told for run in runs) and "notes.json holds tags" in told
    assert main(["runs", "--tag", "paper"]) == 0
    assert "left out one-run: notes.json" in capsys.readouterr().err, "nobody knows whether it fits"


def test_the_end_of_the_input_is_no_yes(runs: list[Recording], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO("")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert curate(runs, wanted(delete=True), named=True) == "nothing deleted"
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigError, match="say --yes"):
        curate(runs, wanted(delete=True), named=True)


@pytest.mark.parametrize("more", [[], ["--follow-links"]])
@pytest.mark.parametrize("by", ["id", "path"])
def test_a_link_is_deleted_by_nobody(runs: list[Recording], tmp_path: Path, by: str, more: list[str], capsys) -> None:
    """What stands behind it is somebody else's."""
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    runs[0].path.rename(target)
    link = runs[1].path.parent / "linked"
    link.symlink_to(target)
    assert main(["runs", "linked" if by == "id" else str(link), "--delete", "--yes", *more]) == 2
    assert "link" in capsys.readouterr().err and (target / "run.json").exists() and link.is_symlink()
