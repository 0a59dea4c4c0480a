from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltviz.bench import theory
from ltviz.cli import main
from ltviz.errors import ConfigError


def test_free_features_under_a_vanishing_ridge_come_to_what_theory_says() -> None:
    counts = 10.0 ** (-np.arange(theory.CLASSES) / (theory.CLASSES - 1))
    found = theory.with_ridge(counts, np.random.default_rng(0))
    assert found["theory_weight_error_mean"] < 0.5 < found["theory_weight_simplex_mean"]
    assert found["theory_error_mean"] < 1


def test_the_table_says_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theory, "PLAIN_STEPS", 3)
    monkeypatch.setattr(theory, "CONTRAST_STEPS", 3)
    monkeypatch.setattr(theory, "RIDGES", (1e-2,))
    out = tmp_path / "table.md"
    assert main(["bench", "theory", "--seeds", "2", "--imbalances", "10", "--out", str(out)]) == 0
    rows = [line for line in out.read_text().splitlines() if line.startswith(("| CE", "| SupCon"))]
    assert [row.split(" | ")[1:3] for row in rows] == [["10", "2"]] * 3
    assert rows[2].count("–") == 2, "SupCon has no classifier"
    with pytest.raises(ConfigError, match="numbers of 1 or more"):
        theory.run(["--imbalances", "0.5"])
