"""What is said of settings that follow a curve: in the form, and while a run trains."""

from __future__ import annotations

# The form.
HEAD = "Schedules"
FOLLOW = "Follow a curve"
FOLLOW_HELP = (
    "Settings that change by themselves while a run trains. A method that has no such setting leaves its curve out."
)
NOTHING_FOLLOWS = "none"
SHAPE = "Curve of {name}"
SHAPES = {
    "constant": "constant",
    "linear": "straight line",
    "cosine": "cosine",
    "wave": "cosine that comes back",
    "step": "one step",
    "drawn": "drawn by hand",
    "text": "as text",
}
KEPT = "kept: {name}"
VALUE, FIRST, LAST = "Value", "First value", "Last value"
BEGINS, ENDS, EVERY, AT = "Begins at, %", "Ends at, %", "Comes back every, %", "Steps at, %"
LOWEST, HIGHEST = "Lowest drawn", "Highest drawn"
TEXT = "As `--schedules` has it"
TEXT_HELP = "constant A, linear A B from P over P, cosine A B every P, step P=A ..., drawn P=A ...; P in steps or in %."
NOT_DRAWN = "Draw the curve of {name}, or it keeps its value."
RACE = "Race it"
RACE_HELP = (
    "Trains each method three times from one start, one after the other: along these curves, at their first values, "
    "and along cosines from the first to the last."
)
RIVALS = {"own": "own curve", "constant": "constant", "cosine": "cosine"}
TITLE = "{method}, {shape}"
NAME, KEEP = "Name of the curve", "Keep"
KEEP_HELP = "Keeps it in the folder of runs under this name, for any run and any setting."
IS_KEPT = "Kept as {name}."

# While a run trains.
FROM_HERE = "Draw from here on"
FROM_HERE_HELP = "A curve from the step that is trained now to the last one. What was so far stands before it."
SEND = "Follow this curve"
NOTHING_LEFT = "No steps are left for a curve."
RACE_LIVE = "Race it against constant and cosine"
RACE_LIVE_HELP = (
    "Begins three runs of this method at step 0, with the same start: along the whole curve, what was so far and what "
    "is drawn, at its first value, and along a cosine from its first value to its last."
)
RACE_BEGUN = "They wait in the queue, and appear among the runs."

# What is refused.
NO_NUMBERS = (
    "A curve is {knots} finite numbers from {low:g} to {high:g}; what was drawn is something else, draw it again."
)
NO_SPAN = "The highest number drawn must lie above the lowest, got {low:g} to {high:g}."
OUT_OF_BOUNDS = "{name} must be from {low} to {high}, and the curve has {value:g}; try another one."
BAD_NAME = "A curve's name is one line of 1 to {most} letters that can be seen, got {name}."
TOO_MANY = "A folder of runs keeps at most {most} curves; delete some in {folder}."
NO_SETTINGS = "{run} does not say its settings, so nothing can be raced against it."
NOT_KEPT = "The curve could not be written ({reason}): {file}"
NO_CURVE = "{file} holds no curve that can be read: {reason}"
