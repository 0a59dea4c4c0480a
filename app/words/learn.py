"""What the page Learn says around its lessons, whose own sentences stand in their files."""

from __future__ import annotations

from collections.abc import Sequence

from .shared import with_unit

TITLE = "Learn"
LEAD = "Look, say what you expect, then press Play. The answer is computed from the recording in front of you."
TOUR = "Take the tour of the lab"
EMPTY = "There is no lesson in {folder}."
MINUTES = "{minutes} min"
UNKNOWN = "There is no lesson called {name}. These are the lessons."
BROKEN = "{name} is left out. {reason}"
ALL = "All lessons"
PROGRESS = "Step {number} of {count}"
SLIDES, NO_SLIDES = "Slides", "End slides"
SLIDES_HELP = "Large type and nothing else on the screen; the arrow keys go on and back."
CLOCK = {
    "clock": "Time of this lesson",
    "target": "of {minutes} min",
    "over": "{time} over {minutes} min",
    "anew": "From 0",
    "anewHelp": "Begin the time anew",
}
"""The presenter's clock; it is filled in as it runs."""
BACK, NEXT, DONE = "Back", "Next", "All lessons"
PLAY, AGAIN = "Play", "Play again"
PREDICT = "Answer first, then press Play."
NUMBER = "From {low} to {high}{unit}"
UNITS = {"degrees": " degrees", "share": " (a share: 0.5 is half)"}
YOU, RECORDED, COMPUTED = "your answer", "in the recording", "by geometry"
SCORE = "{right} of {asked} predictions were right, {share} % of what there was to know."
PICTURE = "The picture in words"
PICTURE_LAB = "The geometry lab computes in this page: {what}."
NO_ANSWER = "The answer cannot be computed. {reason}"
STAGE = {"play": "Let time run", "pause": "Stop time"}
"""What the stage's own button is called beside the lesson's Play."""
LAB_STAGE = {**STAGE, "nowStarting": "The points wait for Play.", "nowSingle": "The points wait for Play."}
WAITS = "Your turn"
SKIP = "Skip"
POINT = "Click it on the sphere, or choose it here."
LIVE = "Train it live"
LIVE_HELP = "Trains the runs of this lesson on this machine with the settings they had, and shows them as they grow."
LIVE_RUNNING = "Your own runs are training: step {step} of {steps}. Until they end, answers come from the recording."
LIVE_DONE = "These are your own runs, and answers come from them. What the text says is of the recording."
LIVE_FAILED = "Your runs have ended early, and the answers come from the recording. {reason}"
LIVE_BACK = "Back to the recording"
SHAPES = {
    "stays": "it stays where it is",
    "rises": "it rises",
    "falls": "it falls",
    "rises_falls": "it rises, then falls",
    "falls_rises": "it falls, then rises",
    "wanders": "it goes up and down",
}
TRAVELLED = (
    "The centre of {most} moved farthest, by {most_by}; that of {least} moved least, by {least_by}. "
    "Nearest to one another at the end are {a} and {b}, {angle} apart."
)
NEAREST = "Nearest to one another are the centres of {a} and {b}, {angle} apart."
MEASURED = {
    "centre_sum": "centre sum {first} to {last}",
    "spread_head": "common classes {first} to {last} wide",
    "spread_tail": "rare classes {first} to {last} wide",
    "min_centre_angle": "nearest centres {first} to {last} apart",
}
STANDS = {
    "centre_sum": "centre sum {last}",
    "spread_head": "common classes {last} wide",
    "spread_tail": "rare classes {last} wide",
    "min_centre_angle": "nearest centres {last} apart",
}
FILE_NOTE = "A lesson, saved on {date} by ltviz {version}. This file holds its recordings and all that it shows."
FILE_THINNED = "{kept} of {all} recorded moments are in it, evenly chosen, so that it stays below {limit} MB."
FILE_TOO_LARGE = "The recordings of {title} do not fit into {limit} MB; allow more with --max-mb."
PREVIEW = "{path}: this page follows the file."
PREVIEW_LAST = "Below is the last version that could be read."
TO_BEGIN = "To the beginning"
PICTURE_RUN = "{title}, step {first} to {last}: {told}."
PICTURE_STILL = "{title}, step {last}: {told}."


def number(value: float, unit: str) -> str:
    """A number of a recording with its unit, as precise as a look at the picture: "34 %", "65.9°", "0.57"."""
    if unit == "share":
        return with_unit(f"{100 * value:.0f}" if abs(value) >= 0.1 else f"{100 * value:.1f}", unit)
    if abs(value) >= 1000:
        return with_unit(f"{value:,.0f}", unit)
    digits = f"{value:.0f}" if float(value).is_integer() and not unit else f"{value:.3g}"
    return with_unit(f"{value:.1f}" if unit == "degrees" else digits, unit)


VERDICT = {
    True: "You said: {said}. {source} says so too. The bars are the {what}.",
    False: "You said: {said}. {source} says: {found}. The bars are the {what}.",
}
VERDICT_NUMBER = {
    True: "You said {said}. {source} says {found}, which is close enough. The number is the {what}.",
    False: "You said {said}. {source} says {found}, which is {off} away. The number is the {what}.",
}
VERDICT_CURVE = {
    True: "You said: {drawn}. {source} says: {found}. Your curve is {off} away on average, which is close enough. "
    "The curve is the {what}.",
    False: "You said: {drawn}. {source} says: {found}. Your curve is {off} away on average, which is too far. "
    "The curve is the {what}.",
}


def verdict(right: bool, said: str, found: str, what: str, *, recorded: bool) -> str:
    """What the learner said beside what is in the recording, or in geometry alone."""
    return VERDICT[right].format(said=said, source=source(recorded), found=found, what=what)


def verdict_number(right: bool, said: str, found: str, what: str, off: str, *, recorded: bool) -> str:
    """The same of a number."""
    return VERDICT_NUMBER[right].format(said=said, source=source(recorded), found=found, off=off, what=what)


def verdict_curve(right: bool, drawn: str, found: str, what: str, off: str) -> str:
    """The same of a curve."""
    both = {"drawn": SHAPES[drawn], "found": SHAPES[found], "what": what, "off": off, "source": source(True)}
    return VERDICT_CURVE[right].format(**both)


def source(recorded: bool) -> str:
    """Who knows the answer."""
    return "The recording" if recorded else "Geometry"


def lab_picture(asked: Sequence[tuple[str, str]]) -> str:
    """What a lesson's address of the geometry lab sets."""
    return PICTURE_LAB.format(what=", ".join(f"{name} {value.replace(',', ', ')}" for name, value in asked))
