"""Tags, notes, and deleting: all or nothing, and nothing outside of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ltviz.errors import ConfigError, RecordingError, RunLocked
from ltviz.recording import Recording, RunWriter
from ltviz.recording.notes import MAX_NOTE, Notes, delete_run, note_run, read_notes, tag_run


def test_a_run_without_notes_has_empty_ones(run: Path) -> None:
    assert read_notes(run) == Notes() and not (run / "notes.json").exists()


def test_tags_are_kept_once_and_sorted(run: Path) -> None:
    tag_run(run, ["seen", "paper"])
    assert tag_run(run, ["paper", "a.b_c-1"], ["not-there"]).tags == ("a.b_c-1", "paper", "seen")
    assert read_notes(run).tags == ("a.b_c-1", "paper", "seen")
    assert tag_run(run, remove=["seen"]).tags == ("a.b_c-1", "paper")


def test_a_note_is_text_of_any_kind(run: Path) -> None:
    text = "tail <b>apart</b>\nsince step 40 — ½"
    note_run(run, text)
    tag_run(run, ["x"])
    assert read_notes(run) == Notes(tags=("x",), note=text)
    note_run(run, "")
    tag_run(run, remove=["x"])
    assert not (run / "notes.json").exists(), "empty notes leave no file"


@pytest.mark.parametrize("tag", ["", "Paper", "-x", "a b", "a/b", "é", "x" * 41, "a\n"])
def test_a_bad_tag_changes_nothing(run: Path, tag: str) -> None:
    tag_run(run, ["kept"])
    with pytest.raises(ConfigError, match="A tag must be"):
        tag_run(run, ["good", tag])
    assert read_notes(run).tags == ("kept",)


def test_too_much_is_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="at most 50 tags, got 51"):
        tag_run(run, [f"t{i}" for i in range(51)])
    with pytest.raises(ConfigError, match="at most 10,000 characters"):
        note_run(run, "x" * (MAX_NOTE + 1))
    assert read_notes(run) == Notes()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"tags": "a"}', '{"tags": ["A B"]}', '{"note": 3}', '{"format": 99}', "[" * 10_000]
)
def test_damaged_notes_say_so(run: Path, text: str) -> None:
    (run / "notes.json").write_text(text)
    with pytest.raises(RecordingError, match=r"notes\.json"):
        read_notes(run)
    assert Recording(run).last() is not None, "the recording is as readable as before"


def test_a_link_is_not_followed(run: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"note": "hidden"}))
    (run / "notes.json").symlink_to(secret)
    with pytest.raises(RecordingError, match="link"):
        read_notes(run)


def test_notes_may_change_while_the_run_is_written(create: Callable[..., RunWriter]) -> None:
    with create() as writer:
        tag_run(writer.path, ["live"])
        assert read_notes(writer.path).tags == ("live",)
    assert read_notes(writer.path).tags == ("live",)


def test_only_runs_take_notes(tmp_path: Path) -> None:
    (tmp_path / "plain-folder").mkdir()
    for path in (tmp_path / "plain-folder", tmp_path / "not-there"):
        with pytest.raises(RecordingError, match="no run in this folder"):
            tag_run(path, ["x"])
        with pytest.raises(RecordingError, match="no run in this folder"):
            delete_run(path)
    assert list((tmp_path / "plain-folder").iterdir()) == []


def test_delete_removes_the_folder(run: Path) -> None:
    delete_run(run)
    assert not run.exists() and list(run.parent.iterdir()) == []


def test_a_run_that_is_written_is_not_deleted(create: Callable[..., RunWriter]) -> None:
    with create() as writer:
        before = sorted(entry.name for entry in writer.path.iterdir())
        with pytest.raises(RunLocked, match="already running"):
            delete_run(writer.path)
        assert sorted(entry.name for entry in writer.path.iterdir()) == before
    delete_run(writer.path)


def test_a_link_to_a_run_is_not_deleted(run: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(run)
    with pytest.raises(RecordingError, match="no run in this folder"):
        delete_run(tmp_path / "alias")
    assert run.is_dir()


def test_a_failed_run_without_a_recording_can_be_deleted(tmp_path: Path) -> None:
    from ltviz.recording import mark_failed

    mark_failed(tmp_path / "dead-run", "the worker died")
    delete_run(tmp_path / "dead-run")
    assert not (tmp_path / "dead-run").exists()
