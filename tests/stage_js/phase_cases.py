"""What node compares the page's phase diagrams with: cells and borders of `ltviz.geometry.phase`.

python tests/stage_js/phase_cases.py    # writes phase_cases.json beside it
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.geometry.phase import Plane, border, tail_angle

FILE = Path(__file__).parent / "phase_cases.json"
PLANES: list[tuple[dict[str, Any], list[float], list[float]]] = [
    ({"loss": "ce", "against": "energy"}, [1.25, 5.0, 20.0], [1.0, 3.0, 10.0, 31.6]),
    ({"loss": "ce", "against": "energy", "num_head": 3, "num_tail": 7}, [5.0], [200.0, 300.0]),
    ({"loss": "ce", "against": "energy", "num_head": 1, "num_tail": 3}, [4.0], [1.5, 30.0]),
    ({"loss": "supcon", "against": "temperature"}, [0.0625, 0.5], [10.0, 1000.0]),
    ({"loss": "supcon", "against": "temperature", "num_head": 2, "num_tail": 2}, [0.5, 1.0], [100.0, 200.0]),
    ({"loss": "supcon", "against": "temperature", "average": "class"}, [0.25, 0.5, 1.0], [10.0, 75.0, 90.0]),
    ({"loss": "bcl", "against": "temperature"}, [0.125, 0.5], [10.0, 316.0]),
    ({"loss": "bcl", "against": "temperature", "average": "class"}, [0.3], [500.0]),
    ({"loss": "supcon", "against": "dim", "average": "class", "temperature": 0.5}, [9.0, 12.0], [10.0, 100.0]),
]
"""What a plane is of, its rows and its ratios: all with one end whatever the start."""


def judge(plane: dict[str, Any], rows: list[float], ratios: list[float]) -> dict[str, Any]:
    """Angles in degrees and borders; "never" where there is none."""
    made = Plane(**plane)
    borders = [border(made, row) for row in rows]
    return {
        "plane": {
            "loss": made.loss,
            "against": made.against,
            "average": made.average,
            "heads": made.num_head,
            "tails": made.num_tail,
            "temperature": made.temperature,
        },
        "rows": rows,
        "ratios": ratios,
        "angles": [[tail_angle(made, row, ratio) for ratio in ratios] for row in rows],
        "borders": ["never" if one == np.inf else one for one in borders],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps([judge(*one) for one in PLANES], separators=(",", ":")) + "\n", encoding="utf-8")
