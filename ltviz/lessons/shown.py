"""What a stage has that a lesson can name: layers and colours. A word that is none of them would be left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from ltviz.errors import DataError, shorten
from ltviz.recording import Recording

LAYERS = (
    *("points", "train", "validation", "test", "sizes", "rings", "centres", "labels"),
    *("forces", "inside", "caps", "territory", "trails", "ghost", "theory", "grid"),
)
"""Of every stage (app/stage/layers/list.js); a run adds one for each mark that its method declares."""
GROUPS = ("links", "densities", "clouds", "landmarks")
"""Words of old links for marks of a kind (app/stage/layers/marks/declared.js)."""
OF_LAB = ("targets", "classifier", "prototypes")
"""Marks of the geometry lab's losses (app/stage/lab/words.js)."""
COLOURS = ("ramp", "categorical", "groups", "split", "correct", "confidence", "loss")
"""What the colour of a point can say (app/stage/scene/choices.js); beside these `attribute:NAME`."""
ATTRIBUTE = "attribute:"


def check_layers(words: Iterable[str], runs: Sequence[Recording]) -> None:
    """Refuses a layer that none of the runs has.

    Args:
        words: keys of layers, with a - before one that is off.
        runs: what the stage shows; none where it is the geometry lab.

    Raises:
        DataError: the word, what there is, and what may be meant.
    """
    there = (*LAYERS, *(dict.fromkeys(mark for run in runs for mark in _marks(run)) if runs else OF_LAB))
    for word in words:
        name = word.removeprefix("-")
        if name not in (*there, *GROUPS):
            raise DataError(f"the stage has no layer {shorten(name)!r}{_meant(name, there)}; it has {', '.join(there)}")


def check_colour(colour: str, runs: Sequence[Recording]) -> None:
    """Refuses what no colour says.

    Raises:
        DataError: the word, what there is, and what may be meant.
    """
    attributes = dict.fromkeys(attribute.name for run in runs for attribute in run.attributes)
    there = (*COLOURS, *(f"{ATTRIBUTE}{name}" for name in attributes))
    if colour not in there:
        raise DataError(
            f"no colour says {shorten(colour)!r}{_meant(colour, there)}; there are {', '.join(map(shorten, there))}"
        )


def _marks(run: Recording) -> list[str]:
    """Keys of the layers that a run adds, by its marks and landmarks; `mark.` comes before one that every stage has."""
    last = run.last()
    keys = [*(mark.key for mark in run.info.marks), *(last.landmarks if last else ())]
    return [f"mark.{key}" if key in LAYERS and key != "theory" else key for key in keys]


def _meant(given: str, there: Sequence[str]) -> str:
    close = get_close_matches(given.lower(), there, 1, 0.7)
    return f", perhaps {close[0]} is meant" if close else ""
