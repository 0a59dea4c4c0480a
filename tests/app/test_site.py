"""Runs as files for a host that only serves files: what is written, in which order, and what is made once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import ltviz_app.service.site as site_module
import pytest
from ltviz_app.service.hub import Hub
from ltviz_app.service.site import CHAPTER, Folder, Site, build_site, in_chapters

from ltviz.cli import main


def build(home: Path, out: Path, *runs: str) -> Site:
    async def work() -> Site:
        hub = Hub(home)
        try:
            return await build_site(hub, runs, out)
        finally:
            await hub.close()

    return asyncio.run(work())


def told(out: Path) -> dict:
    return json.loads((out / "list.json").read_text())


def header(packed: bytes) -> dict:
    message = gzip.decompress(packed)
    return json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])


def test_a_file_is_named_by_its_bytes_and_holds_a_message_of_the_stream(
    home: Path, tmp_path: Path, runs: SimpleNamespace
) -> None:
    runs.finished(home, "one-run", title="One", dim=5)
    made = build(home, tmp_path, "one-run")
    list_ = told(tmp_path)
    (run,) = list_["runs"]
    assert (made.runs, made.frames, list_["over"]) == (("one-run",), 3, True)
    assert (run["steps"], run["state"]["state"], run["chapters"]) == ([0, 5, 10], "finished", [])
    folder = Folder(tmp_path)
    for step, name in zip(run["steps"], run["frames"], strict=True):
        packed = folder.place(name).read_bytes()
        assert hashlib.sha256(packed).hexdigest().startswith(name) and header(packed)["step"] == step
    assert header(folder.place(run["header"]).read_bytes())["title"] == "One"
    moves = header(folder.place(run["moves"]).read_bytes())
    assert (moves["type"], moves["steps"], moves["anew"]) == ("moves", [0, 5, 10], True)
    page = (tmp_path / "index.html").read_text()
    assert "connect-src 'self'; " in page and "default-src 'none'" in page and "one-run" in page


def test_what_was_written_is_not_made_again_and_a_run_that_is_another_is(
    home: Path, tmp_path: Path, runs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_module, "CHAPTER", 8)
    runs.finished(home, "one-run", steps=tuple(range(40)), n=4)
    build(home, tmp_path, "one-run")
    before = told(tmp_path)["runs"][0]
    assert before["chapters"] and len(before["steps"]) < 40
    made: list[int] = []
    finished_frame = site_module.finished_frame

    async def counted(hub, tail, step, projection):
        made.append(step)
        return await finished_frame(hub, tail, step, projection)

    monkeypatch.setattr(site_module, "finished_frame", counted)
    (lost,) = (Folder(tmp_path).place(name) for name in before["frames"][-1:])
    lost.unlink()
    assert build(home, tmp_path, "one-run").frames == 40
    assert made == [39] and lost.exists() and told(tmp_path)["runs"][0] == before
    for path in sorted((home / "one-run").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (home / "one-run").rmdir()
    runs.finished(home, "one-run", steps=(0, 5))
    build(home, tmp_path, "one-run")
    assert told(tmp_path)["runs"][0]["steps"] == [0, 5] and made[1:] == [5, 0]


def test_a_frame_that_goes_changes_no_chapter_but_its_own() -> None:
    shown = [(step, f"{step:020x}") for step in range(0, 10_000, 3)]
    chapters, rest = in_chapters(shown)
    assert [*(pair for one in chapters for pair in one), *rest] == shown
    assert 0.5 * CHAPTER < len(shown) / len(chapters) < 2 * CHAPTER
    fewer, same_rest = in_chapters([pair for pair in shown if pair[0] != 3 * 40])
    assert len({*chapters} - {*fewer}) == 1 and rest == same_rest


def test_no_two_lists_have_the_same_time_and_files_outlive_the_list_that_named_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, times = Folder(tmp_path), []
    first, second = folder.keep(b"first"), folder.keep(b"second")
    for named in ({first}, {second}, {second}):
        folder.tell({"named": sorted(named)}, named)
        times.append((tmp_path / "list.json").stat().st_mtime_ns)
    assert len({moment // 10**9 for moment in times}) == 3
    assert folder.place(first).exists(), "whoever has read the list before may still ask for it"
    monkeypatch.setattr(site_module, "GRACE_SECONDS", -1.0)
    folder.tell({"named": [second]}, {second})
    assert not folder.place(first).exists() and folder.place(second).exists()


def test_only_what_ltviz_wrote_is_added_to_and_only_a_site_goes_on(
    home: Path, tmp_path: Path, runs: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.finished(home, "one-run")
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    assert main(["export", "one-run", "--to", "site", "--out", str(out), "--overwrite"]) == 2
    assert "this is something else" in capsys.readouterr().err and [p.name for p in out.iterdir()] == ["thesis.txt"]
    assert main(["export", "one-run", "--to", "html", "--watch"]) == 2
    assert "try --to site" in capsys.readouterr().err
    out = tmp_path / "site"
    assert main(["export", "one-run", "--to", "site", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 3 and told(out)["over"]
