"""The geometry lab as one file: what lies in it, what it may do, and who writes it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ltviz_app.service.lab import METHODS, OWN, lab_data
from ltviz_app.service.stagefiles import STAGE, needed
from ltviz_app.service.stagescript import worker_source

from ltviz.cli import main
from ltviz.export.lab import lab_page
from ltviz.recording import record

LIST = (STAGE / "lab/losses/list.js").read_text(encoding="utf-8")


def test_every_loss_has_a_colour_of_its_own():
    keys = set(re.findall(r'^  "?([a-z-]+)"?: loss\(', LIST, re.MULTILINE))
    assert keys == set(METHODS) | set(OWN) and len(keys) == 14
    colours = [look["colour"] for look in lab_data(None)["looks"].values()]
    assert len(set(colours)) == len(colours)


def test_the_file_needs_no_run_and_is_written_whole(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "X.html"
    assert main(["export", "--to", "geometry", "--out", str(out), "--theme", "dark", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == [] and told["to"] == "geometry" and told["bytes"] == out.stat().st_size
    assert out.read_bytes() == lab_page("dark")
    assert main(["export", "--to", "geometry", "--out", str(out)]) == 2, "a file that is there stays"
    assert main(["export", "some-run", "--to", "geometry", "--out", str(tmp_path / "Y.html")]) == 2
    assert "not made of runs" in capsys.readouterr().err and not (tmp_path / "Y.html").exists()


def test_the_policy_lets_nothing_in_but_a_blob_for_the_worker():
    page = lab_page().decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == "'none'" and rules["worker-src"] == "blob:"
    assert rules["trusted-types"] == "ltviz-worker" and "unsafe" not in policy[1] and "http" not in policy[1]
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_the_worker_is_one_script_without_imports(tmp_path: Path):
    source = worker_source("lab/worker.js")
    assert not re.search(r"^(import|export)\b", source, re.MULTILINE)
    assert all(f'"{name}": () => ' in source for name in needed("lab/worker.js", ""))
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    # It answers as the page's worker does.
    program = tmp_path / "worker.cjs"
    settings = {"losses": ["bcl"], "classes": 4, "dim": 3, "imbalance": 1, "profile": "exponential", "counts": []}
    more = {"batch": 0, "points": 1, "free": False, "noise": 0, "mover": "auto", "rate": 0.05, "speed": 0, "seed": 1}
    options = {"temperature": 0.1, "average": "sample", "classAveraging": True, "complement": True, "tied": True}
    order = json.dumps({"type": "begin", "settings": settings | more | options})
    told = "looks.at(-1)[0]"
    program.write_text(
        "globalThis.self = globalThis; globalThis.postMessage = ({ looks }) => {"
        f" console.log(JSON.stringify([{told}.id, {told}.rows.length])); process.exit(0); }};\n"
        f"{source}\nself.onmessage({{ data: {order} }});\n",
        encoding="utf-8",
    )
    done = subprocess.run([node, str(program)], capture_output=True, text=True, timeout=300, check=False)
    assert json.loads(done.stdout) == ["bcl", 12], done.stderr


def test_what_cannot_become_a_worker_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/odd.js").write_text('export { x } from "./other.js";\n', encoding="utf-8")
    (tmp_path / "lab/other.js").write_text("export const x = 1;\n", encoding="utf-8")
    monkeypatch.setattr("ltviz_app.service.stagefiles.STAGE", tmp_path)
    with pytest.raises(ValueError, match=r"lab/odd\.js imports or exports in a way"):
        worker_source("lab/odd.js")


def test_a_gallery_takes_the_lab(home: Path, tmp_path: Path):
    with record(home / "geometry", labels=np.repeat([0, 1], 5), title="A run of that name") as run:
        run.frame(0, embeddings=np.random.default_rng(0).normal(size=(10, 3)))
    assert main(["publish", "--out", str(tmp_path / "with"), "--geometry"]) == 0
    index = (tmp_path / "with/index.html").read_text(encoding="utf-8")
    assert (tmp_path / "with/geometry.html").read_bytes() == lab_page() and 'href="geometry.html"' in index
    names = {path.name for path in (tmp_path / "with").glob("*.html")}
    assert names == {"index.html", "geometry.html", "geometry-run.html"}, "a run of that name keeps clear of it"
    assert main(["publish", "--out", str(tmp_path / "without")]) == 0
    assert "geometry lab" not in (tmp_path / "without/index.html").read_text(encoding="utf-8")
