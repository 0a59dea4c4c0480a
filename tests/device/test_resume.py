"""On one device a run that is cut and goes on is, bit for bit, the run that was never cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltviz.recording import Recording, load_weights
from ltviz.training import phase
from ltviz.training.race import Race
from ltviz.training.start import resume

Start = Callable[..., Race]


class Killed(BaseException):
    """Ends a training where it stands."""


@pytest.mark.parametrize("name", ["ce", "supcon", "bcl", "kcl", "gml", "proco"])
def test_a_run_goes_on_exactly(start: Start, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase, "SAVE_STEPS", 10)
    settings = {"teacher": "none"} if name == "gml" else {}
    start(name, folder="whole", settings=settings, deterministic=True).run()

    def cut(step: int) -> None:
        if step == 13:
            raise Killed

    with pytest.raises(Killed):
        start(name, settings=settings, progress=cut, deterministic=True).run()
    resume([tmp_path / "runs" / name]).run()
    one, two = tmp_path / "whole" / name, tmp_path / "runs" / name
    assert Recording(one).metrics() == Recording(two).metrics()
    whole, again = load_weights(one, 20), load_weights(two, 20)
    for group, arrays in whole.tensors.items():
        for key, array in arrays.items():
            np.testing.assert_array_equal(array, again.tensors[group][key], err_msg=f"{group} {key}")
