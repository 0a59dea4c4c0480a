"""What the compare page says: choosing runs, the step, tables, findings, charts, files."""

from __future__ import annotations

from collections.abc import Sequence

from ltviz.export.cells import listed

from .shared import time_left

# Compare: choosing.
COMPARE_PICK = "Choose runs"
COMPARE_HELP = "Choose recorded or training runs. They share one camera and one timeline."
COMPARE_EMPTY = "Choose at least one run to see it here."
SEARCH = "Search runs, tags and notes"
NARROW = "Narrow down"
ANY = "any"
FILTERS = {
    "method": "Method",
    "data": "Data",
    "factor": "Imbalance",
    "dim": "Dimensions",
    "seed": "Seed",
    "tag": "Tag",
}
FACTOR, DIMENSIONS = "IF {factor:g}", "d {dim}"
DEMO_RUN = "demo"
SHOW_THESE = "Show all that fit"
FOLLOW_NEW = "Add new ones by itself"
FOLLOW_NEW_HELP = "Shows every run that fits, also those that come later, as from a sweep."
SWEEPS = "Sweeps"
WATCH_SWEEP = "Show its runs"
WATCH_SWEEP_HELP = "Shows the runs of this sweep, and each further one as soon as it is finished."

# Compare: tags, notes, deletion.
CURATE = "Tags, notes, delete"
ALL_CHOSEN = "all {count} chosen runs"
TAG_ADD = "Tags to add or remove"
TAG_EXAMPLE = "paper-fig2, keep"
TAG_HELP = "Lower-case letters, digits, dots, hyphens and underscores; several are separated by commas."
ADD, REMOVE = "Add", "Remove"
NOTE, NOTES, SAVE_NOTE = "Note", "Notes", "Save note"
DELETE, DELETE_NOW, KEEP = "Delete…", "Delete", "Keep"
DELETE_LIVE = "Only runs that have ended can be deleted."

# Compare: the step.
NUMBERS_AT = "Numbers and charts at"
STEP_LAST, STEP_CHOSEN = "the last step", "one step"
STEP_BEST = "the best step"
STEP_HELP = "Runs with validation samples (setting `validation_share`) can also be compared at their best step."
STEP_BEST_NOTE = (
    "Each run at the first step that classified its validation samples best; test samples have no say in it."
)
STEP_LAST_NOTE = "Each run counts as it was at its last recorded step."
STEP_FROM_STAGE = "Take the stage's step"
STEP_FROM_STAGE_HELP = "Hold the stage at a step first; then numbers and charts follow it there."

# Compare: tables and findings.
SUMMARY = "Summary, at the last recorded step"
SUMMARY_AT = "Summary, at step {step}"
SUMMARY_BEST = "Summary, at the best step by validation"
ROWS, MEASURES = "Rows", "Measures"
ROW_KINDS = ("Methods", "Runs")
SCOPES = ("Main measures", "All measures")
RUN, STEP, SEEDS, METHOD = "Run", "Step", "Seeds", "Method"
CELLS = {
    "data": "Data",
    "imbalance_factor": "Imbalance",
    "dim": "Dimensions",
    "classes": "Classes",
    "steps": "Steps",
    "Step": "Step",
    "Seeds": "Seeds",
}
UNITS = {"share": " (%)", "degrees": " (°)", "dimensions": " (dimensions)"}
TABLE_NOTE = (
    "Mean ± standard deviation over seeds. The best is bold, the others carry their difference to it in brackets; "
    "a click on a head sorts."
)
TABLE_NOTE_RUNS = (
    "Every run by itself. The best is bold, the others carry their difference to it in brackets; "
    "a click on a head sorts."
)
JUDGED_BY = "Judged by"
JUDGES = {
    "ncm": "nearest class mean (the same for all)",
    "linear": "linear probe (the same for all)",
    "own": "each method's own classifier",
}
JUDGED_BY_HELP = (
    "Who says what class a test image has. The same judge reads the features of every method, so that a difference is "
    "one of representations. Own classifiers differ: some are corrected for the class counts, others are not."
)
MEASURING = "Measuring"
LOOKING = "Looking at frames"
LOOKING_FOR_ALARMS = "Looking for what went wrong"
LEFT_OUT = "Left out: {reason}."
FINDINGS = "What differs"
DIFFERENCE = "Difference"
FIRST, SECOND = "First method", "minus second method"
NO_COMMON_SEED = "These two have no seed in common, so nothing can be held side by side."
COMPARED = {
    "measure": "Measure",
    "difference": "Difference",
    "low": "95 % from",
    "high": "to",
    "p": "Corrected p",
    "seeds": "Same sign",
    "better": "Better",
}
"""Heads of the tables of differences."""
DIFFERS = "differs"
"""In place of the better one, where neither way is better."""
COMPARED_NOTE = (
    "The same seeds side by side: they share data, first weights and batches. Differences of shares are in points."
)
DIFFERENCE_NOTE = "The same seeds side by side. Differences of shares are in points."
NO_INTERVAL = "Intervals and p need 3 seeds or more, so none is given."
OF = "{some} of {all}"

# Compare: alarms, charts, files.
ALARM = "{title}, step {step}: {reason}"
NO_ALARMS_READ = "{title} cannot be checked for alarms: {reason}"
CHARTS_HEAD = "Charts"
GROUP = "Setting"
GALLERY = {
    "curves": "Over training",
    "portrait": "Tight and even",
    "cosines": "Centres",
    "classes": "Against counts",
    "confusion": "Confusion",
    "angles": "Angles",
}
GROUPS = {"head": "Head", "medium": "Medium", "tail": "Tail"}
BAND_NOTE = "Lines are means over seeds, bands reach from the lowest to the highest seed."
PORTRAIT_ACROSS = "distance within classes, tight to the left"
PORTRAIT_UP = "uniformity, even downwards"
PORTRAIT_NOTE = (
    "Of test samples, where a run marks them. Small dots are steps, the ring is the last one: a method that tightens "
    "classes moves left, one that uses more of the sphere moves down."
)
FIRST_SEED = "Of each method its first seed is shown."
CLASSES_NOTE = (
    "Head on the left, tail on the right, means over seeds, of test samples where a run marks them. Spread is the mean "
    "angle to the class centre; territory is the share of the sphere that lies nearest to a class, and equal shares "
    "are even. Read-outs are left out."
)
COSINES_NOTE = (
    "Centres of training samples, where a run marks them, from most to fewest; on the right the best arrangement, "
    "whose classes have no order."
)
CONFUSION_NOTE = "Each row is a true class, from most to fewest samples; test points only where there are any."
ANGLES_NOTE = (
    "Angles between test samples, where a run marks them, and their class centre, head on top: a wide ridge is a "
    "loose class."
)
NO_FRAME = "The frame of {title} cannot be read."
TAKE_AWAY = "Take away"
TAKE_AWAY_NOTE = (
    "The report holds text, tables, charts, versions, seeds and fingerprints in one file that opens without a network."
)
# Compare: as spaces.
SPACES = "Space against space"
SPACES_SHOW = "Compare the runs as spaces"
SPACES_HELP = (
    "How alike the places are that two runs, or two steps of one, give the same samples: unbiased CKA, ten nearest "
    "neighbours in common, and the Procrustes distance, at the chosen step, over all probe samples."
)
SPACES_REFUSED = "Not compared: {reason}"
SPACES_NOTE = (
    "None of these numbers cares how a sphere is turned. Neighbours are among all samples; by chance two unrelated "
    "spaces would share {chance:.1%} of them."
)
SPACES_HEADS = {
    "pair": "Runs",
    "cka": "CKA ↑",
    "knn": "Neighbours in common (%) ↑",
    "procrustes": "Procrustes ↓",
    "knn_head": "in common, head (%)",
    "knn_medium": "in common, medium (%)",
    "knn_tail": "in common, tail (%)",
}
SPACES_PAIR = "Two runs, or two steps of one"
SPACES_ITSELF, SPACES_BETWEEN = "{run}, two of its steps", "{run}, step {first} to {last}"
SPACES_STEPS = "Which steps"
SPACES_RUNS = "CKA, runs against runs"
SPACES_FILM = "CKA, step against step: {first} down, {second} across"
MOVED = "Who moved"
MOVED_HEADS = {"sample": "Sample", "class": "Class", "shared": "Neighbours in common (%)"}
MOVED_CLASS_HEADS = {"class": "Class", **{key: SPACES_HEADS[key] for key in ("knn", "cka", "procrustes")}}
MOVED_CLASSES = "Classes, the most changed first"
MOVED_NOTE = (
    "The samples whose neighbourhoods differ most between the two runs, or the two steps, and every class, the most "
    "changed first. What is ticked or pressed here is lit on every sphere above."
)

DOWNLOADS = {"report": "Report (HTML)", "csv": "Numbers (CSV)", "parquet": "Numbers (Parquet)"}
BETTER = {"lower": "lower is better", "higher": "higher is better", "near": "nearer to the ideal is better"}


def fitting(found: int, every: int, most: int) -> str:
    """How many runs the filters leave."""
    said = f"All {every} runs fit." if found == every else f"{found} of {every} runs fit."
    return f"{said} At most {most} are shown at once." if found > most else said


def sweep_line(name: str, finished: int, failed: int, runs: int, seconds_left: float | None) -> str:
    """How far a sweep is."""
    said = f"{name}: {finished} of {runs} runs finished"
    said += f", {failed} failed" if failed else ""
    return f"{said}, {time_left(seconds_left)} left" if seconds_left is not None else said


def tags_line(tags: Sequence[str]) -> str:
    """The tags that runs carry."""
    return f"Tagged {listed(tags)}." if tags else "No tags yet."


def delete_question(count: int) -> str:
    """What is asked before runs are deleted."""
    return f"Delete {'this run' if count == 1 else f'these {count} runs'} with all frames? This cannot be undone."


def corrected_here(family: int) -> str:
    """What p is corrected for in a table of one method minus another."""
    return f"Intervals are meant as above; p is corrected for the {family} measures of this table."


def no_alarms(runs: int) -> str:
    """All is well."""
    return f"No alarms in {'this run' if runs == 1 else f'these {runs} runs'}."


def alarms_head(alarms: int, runs: int, every: int) -> str:
    """How many alarms there are, in how many of the runs."""
    return f"{alarms} alarm{'' if alarms == 1 else 's'} in {runs} of {every} run{'' if every == 1 else 's'}"
