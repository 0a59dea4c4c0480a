"""What terminals and pages would obey is shown instead; files of settings neither hang nor are taken for what they
are not."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.cli import main
from ltviz.errors import ConfigError
from ltviz.launch.sweep import read_sweep
from ltviz.recipes.recipe import read_recipe
from ltviz.recording import Recording
from ltviz.text import parse_toml, plain
from ltviz.training import controls
from ltviz.training.settings import RunSettings

ESC, OVERRIDE = "\x1b[31m", "\u202e"


def test_a_mistake_is_said_in_one_line_whatever_it_repeats() -> None:
    assert str(ConfigError(f"no such file: 'a\nb\t{ESC}{OVERRIDE}'")) == "no such file: 'a b \ufffd[31m\ufffd'"


@pytest.fixture
def stranger(home: Path) -> Path:
    with ltviz.record(home / "stranger", labels=[0, 1, 2], attributes={f"a{ESC}": [f"b{OVERRIDE}", "c", "d"]}) as run:
        run.frame(0, embeddings=np.eye(3), events=[{"kind": "note", "text": f"{ESC}red"}])
    for name, fields in {
        "run.json": {"class_names": [f"{OVERRIDE}live", f"b{ESC}", "c"], "method": f"{ESC}ce", "title": f"{ESC}t"},
        "status.json": {"reason": f"{ESC}red \x07{OVERRIDE}"},
        "notes.json": {"note": f"one\ntwo{ESC}{OVERRIDE}"},
    }.items():
        path = run.path / name
        path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | fields))
    return run.path


def test_nothing_of_a_strangers_run_moves_the_cursor_or_turns_the_text(stranger: Path, capsys):
    (stranger.parent / f"evil{ESC}{OVERRIDE}").mkdir()
    (stranger.parent / f"evil{ESC}{OVERRIDE}" / "run.json").write_text("{}")
    (stranger.parent / f"link{ESC}").symlink_to(stranger.parent)
    assert main(["runs"]) == 0
    said = capsys.readouterr()
    assert "stranger" in said.out and "red" in said.out and "evil" in said.out and "link" in said.err
    seen = Recording(stranger)
    from ltviz.recording.notes import read_notes

    texts = [said.out, said.err, *seen.info.class_names, seen.info.title, seen.info.method, seen.status().reason]
    texts += [read_notes(stranger).note, seen.attributes[0].name, *(seen.attributes[0].texts or ())]
    texts += [str(event["text"]) for events in seen.frame_events().values() for event in events]
    assert not [text for text in texts if set(text or "") & {"\x1b", "\x07", OVERRIDE}]
    assert seen.info.class_names[0] == "\ufffdlive"
    assert main(["runs", f"no{ESC}run"]) == 2 and "\x1b" not in capsys.readouterr().err


def test_one_damaged_file_of_notes_hides_no_other_run(stranger: Path, capsys):
    with ltviz.record(stranger.parent / "other", labels=[0, 1]) as run:
        run.frame(0, embeddings=np.eye(2))
    (stranger / "notes.json").write_text("{")
    assert main(["runs", "--search", "other"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("other ") and "left out stranger: notes.json" in said.err
    assert main(["runs", "--tag", "keep"]) == 0


def test_names_with_such_characters_are_gone_on_with(tmp_path: Path):
    labels = ["a\x1b", "b\n", "a\x1b"]
    with ltviz.record(tmp_path / "run", labels=labels) as run:
        run.frame(0, embeddings=np.eye(3))
    with ltviz.record(tmp_path / "run", labels=labels, resume=True) as run:
        run.frame(1, embeddings=np.eye(3), predictions=labels)
    assert Recording(tmp_path / "run").steps() == [0, 1]


@pytest.mark.parametrize(
    "text", ["a" + ".a" * 200_000 + " = 1", "x = {" + "a." * 200_000 + "b = 1}", "x = " + "[" * 200_000, "a" * 900_000]
)
@pytest.mark.parametrize("read", [read_sweep, lambda path: read_recipe(path, "name")])
def test_settings_that_would_be_read_for_ever_are_refused_at_once(tmp_path: Path, text: str, read):
    path = tmp_path / "file.toml"
    path.write_text(text)
    began = time.monotonic()
    with pytest.raises(ConfigError) as refusal:
        read(path)
    assert time.monotonic() - began < 20 and str(path) in str(refusal.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no named pipes")
@pytest.mark.parametrize("read", [read_sweep, lambda path: read_recipe(path, "name")])
def test_a_pipe_is_no_file_of_settings(tmp_path: Path, read):
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ConfigError):
        read(tmp_path / "pipe.toml")


def test_a_truth_is_no_number(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"learning_rate must be a valid number"):
        controls.replace(RunSettings(), "learning_rate", True)
    with pytest.raises(ValueError, match="steps"):
        RunSettings.model_validate({"steps": True})
    assert RunSettings.model_validate({"evaluate": False, "dim": 3}).evaluate is False


def test_ordinary_text_stays_as_it_is():
    for text in ("seven", "é🙂👩‍👩‍👧", "שלום", "$$ <img onerror=x>", ""):
        assert plain(text) == text
    assert parse_toml("a.b.c = 1.5\nx = [0.1, 0.2]") == {"a": {"b": {"c": 1.5}}, "x": [0.1, 0.2]}
