"""A recipe as a person picks it in the lab: its values stand there, it is trained, and the run knows the recipe."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from patience import eventually

from ltviz.bench import served
from ltviz.recording import Recording, list_runs

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from cifar_writer import files_of_ten, write_folder

pytestmark = pytest.mark.browser


def enter(page: Any, field: str, value: str, kind: str = "spinbutton") -> None:
    place = page.get_by_role(kind, name=field, exact=True)
    place.fill(value)
    place.press("Enter")


def test_a_recipe_is_chosen_changed_and_trained(browser: Any, tmp_path: Path) -> None:
    write_folder(tmp_path / "cifar-10-batches-py", files_of_ten())
    home = tmp_path / "home"
    home.mkdir()
    with served.app(home) as app:
        page = served.open_page(browser, app.address)
        for field, value in (("Recipe", "Cross-entropy"), ("Benchmark", "CIFAR-10-LT, IF 100")):
            page.get_by_role("combobox", name=field).click(timeout=60_000)
            page.get_by_role("option", name=value, exact=True).click()
        page.get_by_text("It aims at 71.36 % top-1 accuracy").wait_for(timeout=60_000)
        for field, value in (("Epochs", "1241"), ("Imbalance", "100")):
            there = page.get_by_role("spinbutton", name=field)
            assert eventually(page, lambda there=there, value=value: there.input_value() == value)
        boxes = page.get_by_text("CE", exact=True).and_(page.locator(".stCheckbox *"))
        assert eventually(page, lambda: boxes.count() == 0)
        enter(page, "Folder of the files", str(tmp_path), "textbox")
        page.locator(".ltviz-samples img").first.wait_for(timeout=60_000)
        enter(page, "Epochs", "10")
        page.get_by_text("Changed against the recipe: epochs 10 instead of 1241.").wait_for(timeout=60_000)
        page.get_by_text("Parameters of resnet32: 463,504, with a linear classifier of 10 classes 464,154").wait_for()
        page.get_by_role("button", name=re.compile("^train$", re.IGNORECASE)).click()
        end = time.monotonic() + 120
        while {run.status().state for run in list_runs(home)} != {"finished"}:
            assert time.monotonic() < end, [run.status() for run in list_runs(home)]
            time.sleep(0.2)
        page.close()
    (run,) = list_runs(home)
    told = Recording(run.path).config["recipe"]
    assert (told["name"], told["overridden"]) == ("cifar10-lt-if100", {"epochs": 1241})
    assert run.config["run"]["encoder"] == "resnet32" and run.config["run"]["optimizer"] == "sgd"
