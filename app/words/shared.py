"""What the app says on more than one page."""

from __future__ import annotations

APP = "ltviz"
ABOUT = (
    "**ltviz** shows long-tailed feature spaces while they learn: every dot is a sample, every sphere a method. "
    "Nothing leaves this machine."
)
LAB, COMPARE, GEOMETRY, LEARN, EMBEDDINGS = "Lab", "Compare", "Geometry", "Learn", "Your embeddings"
EVIDENCE = "Evidence"

# First sentence above the stage. What the stage does at the moment only the stage knows, and says (stage/words.js).
DEMO = "Each dot is a digit. Watch where the rare ones go."
TRAIN_IN_LAB = "Change the settings and train again in the lab."

# The page.
TOO_MANY_RUNS = "The link names {given} runs; at most {most} are shown at once."
BAD_RUNS = "The link names a run that cannot be opened. {reason}"
UNKNOWN_RUNS = "There is no run called {names} here yet. Its picture appears as soon as it does."
SKIPPED_FRAMES = "{count} damaged frames of {title} are left out; the others are shown."
NO_STREAM = "Without ltviz's own server the spheres cannot move; start it with the command `ltviz app`."

# Charts.
CHARTS_SOON = "The curves follow in a moment."
CHARTS_EMPTY = "The curves begin with the first frame."
CHARTS_NONE = "No frame was recorded, so there are no curves."
LOSS_NOTE = "Each method minimises a loss of its own, so compare their shapes and not their heights."
BOUND_NOTE = (
    "Information is bounded from below, by a critic that knows cosines alone: a low curve may be the critic's fault. "
    "No curve can pass its dashed line: the entropy of the labels, or the logarithm of the number of samples compared. "
    "Little information with inputs is no fault either: a method that collapses classes is to forget them."
)
NO_SIMPLEX = (
    "No regular simplex fits: {classes} classes need {need} dimensions and these have {dim}. "
    "The deviation cannot reach 0."
)
NO_THEORY = (
    "No distance to theory is drawn: on a sphere of fewer dimensions than classes less one, several arrangements are "
    "equally good; of features and classifier it is measured while a run trains, and these runs do not hold it."
)
SPHERE = "The sphere: {text}"

# What the methods are.
ABOUT_METHODS = "About these methods"
LOOK_FOR = "What to look for: {text}"
PAPER = "{paper} ({year})"
SEED = "seed {seed}"
WORKING = "{what}: {done} of {all}, {left} left"


def first_of(shown: int, every: int) -> str:
    """That only some of a race's runs are shown."""
    return f"These are the first {shown} of its {every} runs."


def rule(text: str) -> str:
    """The rule by which classes were grouped, as a sentence."""
    return f"Groups: {text.rstrip('.')}."


def sentence(reason: str | None) -> str | None:
    """A reason with its full stop, so that another sentence may follow."""
    return f"{reason}." if reason and not reason.endswith((".", "!", "?")) else reason


def time_left(seconds: float) -> str:
    """A duration as a person would say it: "14 s", "3 min", "2 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def with_unit(number: str, unit: str) -> str:
    """A number with its unit, as a table says it."""
    return f"{number} %" if unit == "share" else f"{number}°" if unit == "degrees" else f"{number} {unit}".rstrip()


CONTROLS = {
    "nav": "Navigation at the top",
    "train": "Form that starts training",
    "data": "Data set",
    "imbalance": "Imbalance",
    "choice": "Methods to train",
    "dim": "Dimensions",
    "steps": "Steps",
    "more": "More settings",
    "runs": "List of runs",
    "charts": "Curves",
    "methods": "Cards of the methods",
    "ways": "Back and Next",
    "slides": "Slides",
    "words": "The picture in words",
}
"""What a link with fewer controls can take away of a page."""
