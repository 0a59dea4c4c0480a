"""Published and derived results that a CPU reproduces in seconds: each a number, a tolerance and a verdict.

Here stands what is said of them, which needs no torch; `computed` has what they compute, and is imported when one is.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ltviz.errors import ConfigError
from ltviz.geometry import predicted
from ltviz.museum.film import Film, check_folder

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
FOUND = Path(__file__).with_name("found.json")
"""What `ltviz bench museum` has found."""


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One result."""

    name: str
    claim: str
    """What is said, one sentence."""
    source: str
    expected: float
    tolerance: float
    unit: str
    compute: Callable[..., float]
    """Gives the number; where it is `filmed` it takes a `Watch`, to which it shows how it comes about."""
    note: str = ""
    """What the number teaches, where it is not what is expected too."""
    moves: str = ""
    """Settings of the geometry lab in which it can be seen to happen, as its address has them; empty where none do."""
    filmed: str = ""
    """What its film shows, and where that is another thing than the number is of; empty where the lab shows it."""

    def judge(self, record: Path | None = None) -> dict[str, Any]:
        """The number, held against what is expected; plain values.

        Args:
            record: folder of a run that becomes its film.

        Raises:
            ConfigError: it has no film, or another run is in the folder.
        """
        begun = time.perf_counter()
        value = self.compute() if record is None else self._film(record)
        inside = math.isfinite(value) and abs(value - self.expected) <= self.tolerance
        return {
            "name": self.name,
            "claim": self.claim,
            "source": self.source,
            "value": value,
            "expected": self.expected,
            "tolerance": self.tolerance,
            "unit": self.unit,
            "off_by": abs(value - self.expected),
            "verdict": REPRODUCED if inside else NOT_REPRODUCED,
            "note": self.note,
            "seconds": round(time.perf_counter() - begun, 2),
        }

    def _film(self, folder: Path) -> float:
        if not self.filmed:
            raise ConfigError(
                f"{self.name} is filmed by nobody, for the page Geometry shows it live; try the address "
                f"/geometry?{self.moves}"
            )
        check_folder(folder, self.name)
        with Film(folder, self.name, {"claim": self.claim, "film": self.filmed}) as film:
            return self.compute(film)


def _seli_angle() -> float:
    """Degrees between two tail classifiers of 5 + 5 classes at imbalance 10."""
    angles = predicted.predicted_ce([10] * 5 + [1] * 5).weight_angles
    assert angles is not None, "SELI tells the classifiers"
    return float(angles[8, 9])


def _computed(name: str) -> Callable[..., float]:
    """A function of `computed`, which brings torch in only when it is called."""
    return lambda *watch: getattr(import_module(f"{__name__}.computed"), name)(*watch)


@cache
def read_found() -> dict[str, Any]:
    """`date`, `version` and by name in `found` what `Exhibit.judge` gave when last all were computed."""
    return json.loads(FOUND.read_text(encoding="utf-8"))


UNDER_SHARE = 0.075 / 2
"""Middle and half of what is under 7.5 %."""
SIMPLEX_OF_FOUR = math.degrees(math.acos(-1 / 3))

EXHIBITS = {
    one.name: one
    for one in (
        Exhibit(
            name="ce-simplex",
            claim="Cross-entropy on free unit vectors, balanced: class means become a regular simplex.",
            source="Papyan et al. 2020; Lu and Steinerberger 2022",
            expected=SIMPLEX_OF_FOUR,
            tolerance=0.1,
            unit="degrees",
            compute=_computed("ce_simplex"),
            moves="losses=ce&classes=4&imbalance=1",
        ),
        Exhibit(
            name="supcon-simplex",
            claim="SupCon on free vectors, balanced: class means become a regular simplex.",
            source="Graf et al. 2021, theorem 2",
            expected=SIMPLEX_OF_FOUR,
            tolerance=0.1,
            unit="degrees",
            compute=_computed("supcon_simplex"),
            moves="losses=supcon&classes=4&imbalance=1&temperature=0.5",
        ),
        Exhibit(
            name="relu-frame",
            claim="Behind a ReLU head SupCon ends in an orthogonal frame, whatever the imbalance.",
            source="Kini et al. 2024",
            expected=90.0,
            tolerance=0.5,
            unit="degrees",
            compute=_computed("relu_frame"),
            filmed="the free vectors behind the ReLU on their way down SupCon; their class means at its end are what "
            "the angle is of.",
        ),
        Exhibit(
            name="bcl-theorem",
            claim="BCL ends in a regular simplex under imbalance, where anchors are averaged by class.",
            source="Zhu et al. 2022, theorem 1",
            expected=0.0,
            tolerance=1e-3,
            unit="cosine",
            compute=_computed("bcl_by_class"),
            moves="losses=bcl&classes=4&profile=own&counts=60,20,6,3&temperature=0.2",
        ),
        Exhibit(
            name="bcl-as-published",
            claim="BCL ends in a regular simplex under imbalance, as its code averages: over samples.",
            source="Zhu et al. 2022, theorem 1, on the code's average",
            expected=0.0,
            tolerance=1e-3,
            unit="cosine",
            compute=_computed("bcl_by_sample"),
            moves="losses=bcl&classes=4&profile=own&counts=60,20,6,3&temperature=0.2&average=sample",
            note="The theorem speaks of class averages; the code's mean over samples gives head classes more say.",
        ),
        Exhibit(
            name="ntce-speed",
            claim="NTCE on free vectors matches the collapse cross-entropy ends at in under 7.5 % of its steps.",
            source="Koromilas et al. 2026 (of networks); of free vectors: ltviz",
            expected=UNDER_SHARE,
            tolerance=UNDER_SHARE,
            unit="of the steps",
            compute=_computed("ntce_share"),
            moves="losses=ce,ntce,nonl&classes=10&dim=16&imbalance=1&points=10&free=1",
            note="At its README's temperature 0.1: a class's own images stand in the denominator and take back the "
            "pull. At 0.2 it is 6 %.",
        ),
        Exhibit(
            name="nonl-speed",
            claim="NONL on free vectors matches the collapse cross-entropy ends at in under 7.5 % of its steps.",
            source="Koromilas et al. 2026 (of networks); of free vectors: ltviz",
            expected=UNDER_SHARE,
            tolerance=UNDER_SHARE,
            unit="of the steps",
            compute=_computed("nonl_share"),
            moves="losses=ce,nonl&classes=10&dim=16&imbalance=1&points=10&free=1",
        ),
        Exhibit(
            name="seli-angles",
            claim="Cross-entropy, 5 + 5 classes, imbalance 10, ridge 1e-9: tail classifiers end at SELI's angle.",
            source="Thrampoulidis et al. 2022 (SELI)",
            expected=_seli_angle(),
            tolerance=0.5,
            unit="degrees",
            compute=_computed("seli_angle"),
            moves="losses=ce&classes=10&dim=16&profile=step&imbalance=10&average=sample&decayBy=sample&vanish=1",
            note="The limit comes slowly: the means of the tail classes are still 1.8 degrees off their angle there.",
        ),
        Exhibit(
            name="layer-peeled-cosine",
            claim="Layer-peeled model, 5 + 5 classes, R = 10, E_H = 5: mean cosine of tail classifiers.",
            source="Fang et al. 2021; official semidefinite program",
            expected=0.51745,
            tolerance=1e-3,
            unit="cosine",
            compute=_computed("peeled_cosine"),
            moves="losses=ce&classes=10&dim=16&profile=step&imbalance=10&average=sample&decay=0.01769",
        ),
        Exhibit(
            name="layer-peeled-threshold",
            claim="Layer-peeled model, 5 + 5 classes, E_H = 5: the imbalance from which tails are one point.",
            source="Fang et al. 2021 (minority collapse); the number is derived",
            expected=12.192,
            tolerance=0.05,
            unit="ratio",
            compute=_computed("peeled_threshold"),
            moves="losses=ce&classes=10&dim=16&profile=step&imbalance=13&average=sample&decay=0.01501",
        ),
        Exhibit(
            name="supcon-tail-limit",
            claim="SupCon with five heads at tau 0.5 never collapses its tails: their angle has a limit.",
            source="derived",
            expected=math.degrees(math.acos(predicted.supcon_tail_limit(5, temperature=0.5))),
            tolerance=0.1,
            unit="degrees",
            compute=_computed("tail_limit"),
            moves="losses=supcon&classes=10&dim=16&profile=step&imbalance=1000&temperature=0.5&average=sample",
        ),
        Exhibit(
            name="sigreg-bias",
            claim="In 3-D SIGReg is not 0 on the uniform sphere, whose marginals are no Gaussians: 0.016 a sample.",
            source="derived; Balestriero and LeCun 2025",
            expected=0.016,
            tolerance=1e-3,
            unit="a sample",
            compute=_computed("sigreg_bias"),
            filmed="300 even points go down SIGReg. They begin at the number, which is of 20,000 along one axis, and "
            "find next to nothing lower on the sphere, yet fall together in groups: it sees coarse unevenness alone.",
            note="No points on the sphere do better; rows of free length do, as a Gaussian.",
        ),
        Exhibit(
            name="tsc-targets",
            claim="The targets of TSC's official recipe are a regular simplex where one fits (three in 2-D).",
            source="Li et al. 2022; code targeted-supcon c4f15eb",
            expected=0.0,
            tolerance=0.01,
            unit="cosine",
            compute=_computed("tsc_targets"),
            filmed="the three targets under Adam; the last frame is the iterate that the recipe keeps.",
            note="The self term of its objective swamps all others, and its best iterate is picked by rounding.",
        ),
        Exhibit(
            name="instance-cloning",
            claim="The Wasserstein uniformity does not change where every sample is there twice.",
            source="Fang et al. 2024, property 2",
            expected=0.0,
            tolerance=1e-9,
            unit="",
            compute=_computed("instance_cloning"),
            filmed="the second half of the samples begins as a cloud of its own and walks onto the first; the number "
            "is of the last frame.",
        ),
        Exhibit(
            name="feature-cloning-wang-isola",
            claim="Wang and Isola's uniformity does not see that every feature is there twice.",
            source="Fang et al. 2024, table 1",
            expected=0.0,
            tolerance=1e-6,
            unit="",
            compute=_computed("feature_cloning_unseen"),
            filmed="the second half of the features begins as a cloud of its own and becomes the first; the number is "
            "of the last frame, against the cloud itself.",
        ),
        Exhibit(
            name="feature-cloning-wasserstein",
            claim="The Wasserstein uniformity sees it: of even points it becomes the root of 2 less that of 2.",
            source="Fang et al. 2024, property 3; the number is derived",
            expected=math.sqrt(2 - math.sqrt(2)),
            tolerance=0.01,
            unit="",
            compute=_computed("feature_cloning_seen"),
            filmed="the second half of the features begins as a cloud of its own and becomes the first; the number is "
            "of the last frame.",
        ),
        Exhibit(
            name="w2-synthetic",
            claim="The Wasserstein uniformity of even points that fill 100 % to 2 % of 200 directions is as derived.",
            source="Fang et al. 2024, dimensional collapse of 20,000 points; the numbers are derived",
            expected=0.0,
            tolerance=2e-3,
            unit="",
            compute=_computed("collapse_table"),
            filmed="one of ten of the points as direction after direction goes out, at steps that count per cent; "
            "each frame says what was computed of all 20,000, and what is derived.",
        ),
    )
}
"""By name."""
