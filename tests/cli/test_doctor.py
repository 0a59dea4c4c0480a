"""`ltviz doctor`: what works, what to do about the rest, and a run made whole without losing anything."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.cli import main
from ltviz.cli.doctor import _anonymous
from ltviz.launch.webgl import ask_browser
from ltviz.recording import Recording, RunWriter, load_weights, save_weights
from ltviz.recording.notes import delete_run


@pytest.fixture
def run(home: Path) -> Path:
    with ltviz.record(home / "one-run", labels=[0, 1, 2]) as made:
        for step in range(4):
            made.frame(step, embeddings=np.eye(3))
            made._writer.log(step, {"loss": 1.0})
    for step in (1, 2, 3):
        save_weights(made.path, step, {"model": {"w": np.eye(2, dtype=np.float32)}}, {}, keep=0)
    return made.path


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_sound_run_is_left_as_it_is(run: Path, capsys):
    before = files_of(run)
    assert main(["doctor", "one-run"]) == 0
    assert capsys.readouterr().out == "one-run is sound: 4 frames\n"
    assert {name: data for name, data in files_of(run).items() if name != "lock"} == {
        name: data for name, data in before.items() if name != "lock"
    }


def test_what_is_damaged_is_put_aside_and_nothing_is_lost(run: Path, capsys):
    frame = run / "frames" / "000000001.safetensors"
    frame.write_bytes(torn := frame.read_bytes()[:-5])
    (run / "frames" / ".000000009.safetensors.1-2.tmp").write_bytes(b"half")
    (run / "notes.json").write_text("{")
    (run / "status.json").write_text("no status")
    (run / "weights" / "3" / "model.safetensors").write_bytes(b"torn")
    (run / "epoch_10.pt").write_bytes(b"a stranger's")
    with (run / "metrics.jsonl").open("a") as file:
        file.write('no line\n{"step": 9')
    terms = (run / "metrics.jsonl").read_bytes()
    assert main(["doctor", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] and sorted({damage["file"] for damage in told["damages"]}) == [
        "frames/.000000009.safetensors.1-2.tmp",
        "frames/000000001.safetensors",
        "metrics.jsonl",
        "notes.json",
        "status.json",
        "weights/3",
        "weights/LATEST",
    ]
    seen = Recording(run)
    assert seen.steps() == [0, 2, 3] and seen.bad_frames() == [] and len(seen.metrics()) == 4
    assert load_weights(run).step == 2 and (run / "weights" / "LATEST").read_text() == "2"
    aside = files_of(run / "damaged")
    assert aside["frames-000000001.safetensors"] == torn and aside["metrics.jsonl"] == terms
    assert aside["notes.json"] == b"{" and aside["weights-3/model.safetensors"] == b"torn"
    assert aside["frames-.000000009.safetensors.1-2.tmp"] == b"half"
    assert main(["doctor", str(run)]) == 0 and "is sound" in capsys.readouterr().out, "a second look finds nothing"
    with RunWriter.resume(run) as writer:
        writer.frame(4, embeddings=np.eye(3))
    delete_run(run)
    assert [path.name for path in run.iterdir()] == ["epoch_10.pt"], "what was put aside is the run's own"


def test_what_nobody_can_make_up_is_said(run: Path, capsys):
    (run / "probe.safetensors").write_bytes(b"torn")
    (run / "run.json").write_text("{")
    assert main(["doctor", str(run)]) == 1
    said = capsys.readouterr().out
    assert "probe.safetensors" in said and "run.json" in said and "backup" in said
    assert (run / "run.json").read_text() == "{"


def test_a_run_that_is_written_is_not_touched(run: Path, capsys):
    with RunWriter.resume(run):
        assert main(["doctor", str(run)]) == 3
    assert main(["doctor", "no-such-run"]) == 2


def test_a_bundle_holds_no_names_paths_or_data(run: Path, tmp_path: Path, capsys):
    main(["doctor", "--bundle", str(tmp_path / "bundle.json")])
    text = (tmp_path / "bundle.json").read_text()
    told = json.loads(text)
    assert {"home", "torch", "port", "file system", "driver"} <= {one["name"] for one in told["findings"]}
    assert str(tmp_path) not in text and "one-run" not in text and "pytest" not in text.replace("pytest-", "")
    assert told["packages"]["numpy"] == np.__version__
    assert _anonymous("runs in /home/ann/x, y, and C:\\Users\\ann\\z") == "runs in PATH, y, and PATH"


def test_a_bundle_that_is_there_is_kept(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ltviz.cli.doctor.CHECKS", ())
    monkeypatch.setattr("ltviz.cli.doctor.registry.sources", list)
    place = tmp_path / "bundle.json"
    place.write_text("mine")
    assert main(["doctor", "--bundle", str(place)]) == 2
    assert "try --overwrite" in capsys.readouterr().err and place.read_text() == "mine"
    main(["doctor", "--bundle", str(place), "--overwrite"])
    assert json.loads(place.read_text())["findings"]


def test_the_home_that_is_given_is_the_one_that_is_checked(tmp_path: Path, capsys):
    file = tmp_path / "features.npz"
    file.write_bytes(b"")
    for place, ok in ((tmp_path, True), (file, False)):
        main(["doctor", "--home", str(place), "--json"])
        found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
        assert found["home"]["ok"] is ok and found["home"]["text"].startswith(str(place))


def test_a_browser_is_asked_through_a_page_of_its_own():
    def open_page(address: str) -> None:
        def visit() -> None:
            assert b"webgl2" in urllib.request.urlopen(address).read()
            wrong = urllib.request.Request(address, b"[]")
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(wrong)
            urllib.request.urlopen(urllib.request.Request(address, b'{"webgl2": true, "renderer": "soft"}'))

        threading.Thread(target=visit, daemon=True).start()

    assert ask_browser(open_page) == {"webgl2": True, "renderer": "soft"}
    assert ask_browser(lambda address: None, seconds=0.1) is None


@pytest.mark.browser
def test_a_real_browser_tells_of_its_webgl(browser):
    context = browser.new_context()
    pages = []

    def open_page(address: str) -> None:
        pages.append(context.new_page())
        pages[0].goto(address)
        pages[0].get_by_text("Told.").wait_for()

    assert ask_browser(open_page)["webgl2"] is True
    context.close()
