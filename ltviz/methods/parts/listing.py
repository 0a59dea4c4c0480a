"""A method's part of a program that trains as it does, outside of ltviz: what "show me the code" shows.

The rest of the program, the same for all methods, is `ltviz.training.program`'s, which says what stands there already.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Four pieces of Python, each without indentation.

    They may use what the program has by then: `encoder`, `head`, `width` (of the features), `dim`, `num_classes`,
    `counts` and `log_prior` (C,), `generator`, `seed`, `step`, `steps`, `batch`, `torch`, `nn`, `F`, `math`, `copy`,
    `losses` and `geometry`; and the method's settings by their names, which the program then begins with.
    """

    build: str = ""
    """What the method has beside encoder and head, drawn in the order in which the method draws it."""
    trains: str = ""
    """What of it is trained, as it stands in a list: "*probe.parameters(), weight"."""
    step: str
    """From `batch` to `loss`, the scalar that is minimised."""
    after: str = ""
    """What follows the optimiser's step."""
    imports: str = ""
    """Further imports."""
