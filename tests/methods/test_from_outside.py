"""Adding a method touches one place: a package that somebody else installs holds its file and an entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ltviz.figures.palette import METHOD_COLOURS, method_colour
from ltviz.methods.parts.forces import PARTS, TOTAL
from ltviz.recording import Recording

FILE = '''
"""A stranger's paper: SupCon beside a classifier whose directions are fixed."""

import torch
from pydantic import Field
from torch import Tensor

from ltviz.losses import logit_adjusted, supcon
from ltviz.methods.base import Batch, Card, Settings, live
from ltviz.methods.parts.cosine import cosine_logits
from ltviz.methods.parts.inputs import unit
from ltviz.methods.parts.probe import Probed


class OutsideSettings(Settings):
    sharpness: float = live(5.0, ge=1, le=50, description="Inverse temperature.")
    anchored: bool = Field(False, description="Whether the first views alone are anchors.")


class Outside(Probed):
    """SupCon beside a classifier whose directions are fixed."""

    card = Card(
        name="outside", title="Outside", year=2030, idea="One file.", formula="L", look_for="Nothing.",
        sphere="What training shapes.", paper="A stranger, 2030", code=None,
    )
    Settings = OutsideSettings

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.views(0, 1))
        z = self.project(features).view(2, len(batch.y), -1).transpose(0, 1)
        s = self.settings
        directions = unit(torch.eye(len(self.counts), z.shape[2]) - 0.1).to(z)
        anchors = "first" if s.anchored else "all"
        return {
            "contrast": supcon(z, batch.y, temperature=1 / s.sharpness, anchors=anchors),
            "prior": logit_adjusted(cosine_logits(z[:, 0], directions, s.sharpness), batch.y, self.counts),
            "probe": self.probe_loss(features, batch.y.repeat(2)),
        }
'''


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which the stranger's package is installed."""
    site = tmp_path_factory.mktemp("site")
    (site / "outside_paper.py").write_text(FILE)
    info = site / "outside_paper-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-paper\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ltviz.methods]\noutside = outside_paper:Outside\n")
    inherited = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *inherited])}


def ask(installed: dict[str, str], code: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error::UserWarning", "-c", code, *arguments]
    done = subprocess.run(command, env=installed, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_trains_with_its_own_settings_and_shows_forces_in_parts(installed: dict[str, str], tmp_path: Path) -> None:
    flags = ["--data", "digits-lt", "--steps", "3", "--dim", "3", "--batch-size", "32", "--forces-every", "1"]
    said = ask(
        installed,
        "import sys; from ltviz.cli import main; sys.exit(main(sys.argv[1:]))",
        *("train", "outside", "--sharpness", "4", *flags, "--run-dir", str(tmp_path / "run"), "--json"),
    )
    assert json.loads(said.splitlines()[-1])
    run = Recording(tmp_path / "run")
    assert run.info.method == "outside" and run.config["method"] == {"sharpness": 4.0, "anchored": False}
    assert run.steps()[-1] == 3 and run.status().state == "finished"
    parts = run.frame(3).forces["outside"]
    assert parts.keys() == {TOTAL, "positives", "head", "medium", "tail", "prior"}
    whole = np.sum([parts[name] for name in PARTS if name in parts], axis=0)
    np.testing.assert_allclose(whole, parts[TOTAL], rtol=1e-3, atol=1e-4)
    assert np.abs(parts["positives"]).max() > 1e-3 and np.abs(parts["prior"]).max() > 1e-3


def test_the_catalogue_has_it_with_card_and_settings(installed: dict[str, str]) -> None:
    code = "import json; from ltviz.training.catalogue import catalogue; print(json.dumps(catalogue()))"
    entries = {entry["name"]: entry for entry in json.loads(ask(installed, code))["methods"]}
    assert entries["outside"]["card"]["title"] == "Outside" and not entries["outside"]["what_if"]
    assert entries["outside"]["settings"]["properties"]["sharpness"]["live"] is True
    assert "supcon" in entries


def test_it_has_a_colour_of_its_own() -> None:
    assert method_colour("outside") == method_colour("outside") not in METHOD_COLOURS.values()
