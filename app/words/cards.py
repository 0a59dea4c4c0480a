"""What a method's card says beside the method's own sentences."""

from __future__ import annotations

UNKNOWN = "Nothing is known of this run's method yet. Its card can be read once the trainer has started."
LOOK_FOR, SPHERE = "What to look for", "What the sphere shows"
DIFFERS = "What the code does differently from the paper"
TERMS = {
    "pull": "pull of the class",
    "push": "push of all others",
    "targets": "pull of given points",
    "prior": "what the class counts do",
}
"""Of the formula, in the colours of the arrows on the stage."""
SETTINGS, SETTING, VALUE, MEANS = "Settings in force", "Setting", "Value", "What it is"
FOLLOWS = "{value} now; it follows a curve"
LEARNED = "{value} ({name}, learned)"
COUNTS = "samples of a class, {most} to {least}"
CHANGES = "What was changed while it trained"
CHANGE = "Step {step}: **{name}** from {before} to **{value}**"
NO_BEFORE = "an unknown value"
FOLLOWED = "From step {first} to step {last}: {measures}. Not all of it is due to the change, for training went on."
MEASURE = "{name} {first} → {last}"
NOTHING_MEASURED = "No two frames lie around it, so nothing can be compared."
SOURCES, CODE, NO_CODE = "Paper and code", "Official code", "There is no official code."
SHOW_CODE = "Show me the code"
CODE_ABOUT = (
    "A Python program that trains this run outside of ltviz, from the same data, batches and initial weights: it finds "
    "the same losses. `ltviz code {run}` prints it too."
)
SAVE_CODE = "Save as a file"
WRITING = "The program is being written."
NO_PROCESS = "The program could not be written ({reason})."
