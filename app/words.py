"""Every sentence a person reads in the app. Names that come from outside are filled in as text, never as markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ltviz.metrics.comparison import share_error, told_apart
from ltviz.training.settings import RunSettings

APP = "ltviz"
ABOUT = (
    "**ltviz** shows long-tailed feature spaces while they learn: every dot is a sample, every sphere a method. "
    "Nothing leaves this machine."
)
LAB, COMPARE, EMBEDDINGS = "Lab", "Compare", "Your embeddings"

# The command line.
ADDRESS = "ltviz is ready at {url} (Ctrl-C ends it; training goes on)."
OPEN_ADDRESS = (
    "{address} is open to other machines, and the app has no login: whoever reaches it can start and stop training; "
    "leave the address out, or add --i-know."
)
ADDRESS_IS_OPEN = (
    "It listens on {address}, for every machine that reaches it, without a login. Browsers may call it {hosts}; "
    "--allow-host NAME adds a name."
)
BASE_PATH = (
    "--base-path takes the path under which a proxy serves the app, of letters, digits and - . _ ~ @ : % + , = between "
    "slashes, got {given!r}; try --base-path /proxy/8501"
)
ALLOW_HOST = (
    "--allow-host takes the name in the browser's address alone, without https://, port, path or *, got {given!r}; "
    "try --allow-host {hint}"
)
PORT_RANGE = "The port must lie in 0 to 65535, got {port}."
PORTS_TAKEN = "No port from {first} to {last} is free; choose one with --port."
PORT_TAKEN = "Port {port} is taken by another program; choose another or leave it out."
BAD_ADDRESS = "The address {address!r} cannot be listened on: {reason}."

# First sentence above the stage. What the stage does at the moment only the stage knows, and says (stage/words.js).
DEMO = "Each dot is a digit. Watch where the rare ones go."

# The race form.
DATA, RACE, RUNS = "Data", "Race", "Runs"
DATA_SET = "Data set"
IMBALANCE = "Imbalance"
IMBALANCE_HELP = "How many samples the largest class has for each one of the smallest. 1 is balanced."
DIM = "Dimensions"
DIM_HELP = "Dimensions of the sphere's space. With 3 you see the embedding itself; with more, a projection of it."
STEPS = "Steps"
STEPS_HELP = "Training steps. 300 take about half a minute on a laptop."
EQUAL_IMAGES = "Equal images"
EQUAL_IMAGES_HELP = (
    "Some methods take three views of each sample at a step, others one. Switched on, all see {views} of each, so that "
    "none gains by seeing more images; a step takes longer."
)
MORE = "More settings"
OPTIMISATION = "Optimiser and schedule"
OPTIMISATION_HELP = "Optimiser, schedule of the rate, epochs, changes on the way, and the projection head."
AUTOMATIC = "automatic"
TRAIN = "Train"
CHOOSE_METHOD = "Choose at least one method to train."
DEFAULT_RACE = {"ce": "CE", "supcon": "SupCon", "bcl": "BCL", "tsc": "TSC", "logit_adjust": "Logit adj."}
"""The methods of the default race, in order, and their names until the trainer has written its catalogue."""
WHAT_IF = "What if: forces under other methods"
WHAT_IF_NONE = "None"
NO_CATALOGUE = "The trainer is waking up. Its other methods and their settings appear here in a few seconds."
NO_COUNTS = "The class counts cannot be shown: {reason}"
NO_SAMPLES = "Its images cannot be shown: {reason}"
SAMPLES_SOON = "Some of its images follow in a moment."
FILES = {"data_dir": "Folder of the files", "image_root": "Folder of the images"}
SET_OPTIONS = "Settings of this set"
PLAN_TIME = "How long it takes stands beside each run after a few steps."
STOP_ALL = "Stop all"

# Runs.
NO_RUNS = "None yet. Train starts a race."
IN_FOLDER = "in {folder}"
SKIPPED = "{folder}: {reason}."
PAUSE, RESUME, STOP = "Pause", "Resume", "Stop"
CHANGE = "Change while it trains"
CHANGE_HELP = "What you change takes effect at the next step and is marked on the timeline."
ALL_LIVE = "all methods"
SETTING = "Setting"
APPLY = "Apply"
APPLIED = "Sent. It takes effect at the next step that is trained."
SHOW_LOG = "Last lines of the trainer"
STATES = {
    "queued": "queued",
    "starting": "starting",
    "running": "training",
    "paused": "paused",
    "stopping": "stopping",
    "finished": "finished",
    "failed": "failed",
    "lost": "lost",
    "deleted": "deleted",
}
WORKER_STARTING = "The trainer is starting; the first race begins as soon as it is ready."
WORKER_BROKEN = "The trainer does not start, so nothing can be trained."
WORKER_NEXT = "Its last lines are below. Correct the cause; it is tried again by itself."
EMPTY_LOG = "It printed nothing."
TRAIN_IN_LAB = "Change the settings and train again in the lab."
WORKER_NEVER_STARTED = "The trainer ended before it could start this run"
STOP_ESCALATED = "stopped: the trainer did not answer for {seconds:.0f} s and was ended"
HOME_BROKEN = "The folder of runs cannot be used for training; what it holds is still shown."
HOME_NEXT = "It is tried again by itself."

# The stream.
NO_PICTURE = "An embedding of {dim} dimensions has no picture without a projection; choose one of them."
WAITING_FOR_RUN = "Waiting for the first frame."
DELETED = "This run's folder was deleted."
UNREADABLE_RUN = "This run's folder cannot be read; the server's output says why."
NOT_UNDERSTOOD = "The request was not understood."
STREAM_RUNS = "The stream shows 1 to {most} runs at once, {given} were asked for."
STREAM_NUMBER = "{name} of the stream must be a number, got {given!r}."

# Where something is missing between the browser and the server. FRONT, STAGE_MISSING: filled in by scripts.
FRONT = {
    "missing": "This page cannot be drawn: {address}, which it needs, {answer}.",
    "next": (
        "Most likely a proxy stands between this browser and ltviz and serves it under a path or a name of its own. "
        "Let it pass on every address below {root}, WebSockets and the Host header included, and start ltviz with that "
        "path, `ltviz app --base-path {path}`, or open it at the address that `ltviz app` printed. "
        "Then reload this page."
    ),
    "renamed": (
        "This page cannot be drawn: the browser calls the server {name}, but a proxy in between tells ltviz that it "
        "was called {host}, so ltviz refuses the page's stream as that of another site. Start it with "
        "`ltviz app --allow-host {name}`, or let the proxy pass on the Host header that the browser sent (in nginx: "
        "proxy_set_header Host $http_host). Then reload this page."
    ),
    "status": "answered {status}",
    "other": "answered with something else ({kind})",
    "none": "did not answer",
    "socket": "did not open a WebSocket",
}
STAGE_MISSING = {
    "missing": "The spheres cannot be shown: {address}, a part of the stage, {answer}.",
    "next": FRONT["next"],
    "unknown": "could not be run by this browser ({error})",
    "late": "has not come yet",
}
UNKNOWN_HOST = (
    "ltviz answers to {hosts} only, and was called {host}. Open it under one of these names, or start it with "
    "`ltviz app --allow-host {host}`."
)
STREAM_TOKEN = (
    "The stream needs this server's token, and this page has another's: ltviz was started anew; reload the page."
)
STREAM_ORIGIN = (
    "The stream answers its own page only: this one comes from {origin}, and the server was called {host}. A proxy "
    "must pass on the Host header that the browser sent, or ltviz be started with `ltviz app --allow-host {name}`."
)
STREAM_SOCKET = (
    "The server is there and would send frames, but no WebSocket to it opens: a proxy must pass WebSockets on (the "
    "headers Upgrade and Connection)."
)

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
NO_SIMPLEX = (
    "No regular simplex fits: {classes} classes need {need} dimensions and these have {dim}. "
    "The deviation cannot reach 0."
)
SPHERE = "The sphere: {text}"

# What the methods are.
ABOUT_METHODS = "About these methods"
LOOK_FOR = "What to look for: {text}"
PAPER = "{paper} ({year})"

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
SEED = "seed {seed}"
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
WORKING = "{what}: {done} of {all}, {left} left"
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
REPLAY_TITLE = "Replay of {runs}"
REPLAY_NOTE = "Steps {first} to {last}. Saved on {date} by ltviz {version}. This file holds everything it shows."
REPLAY_THINNED = "{kept} of {all} recorded moments are in it, evenly chosen, so that it stays below {limit} MB."
REPLAY_STATE = "recorded"
REPLAY_WAITING = "This page needs JavaScript with import maps and WebGL: any browser from 2023 or later."
REPLAY_ORIGIN = "The replay answers its own page only."
REPLAY_TOKEN = "The replay needs this server's token; save it from the page."
REPLAY_TWICE = "A replay shows each run once, got {runs}; leave out what comes twice."
REPLAY_EMPTY = "A replay needs at least one run with frames, got {runs}."
REPLAY_TOO_LARGE = "A replay of {runs} runs with so many points exceeds {limit} MB; take fewer runs."
REPLAY_DAMAGED = "A replay needs frames that can be read, and all of these runs are damaged."
REPLAY_UNREADABLE = "A replay needs its runs' folders, and these could not be read: {runs}."
FEED_THINNED = "{kept} of {all} recorded moments are here, evenly chosen, so that the page stays light."
REPLAY_PENDING = "The projection {projection} of {run} is still being computed; try again later."
TAKE_AWAY = "Take away"
TAKE_AWAY_NOTE = (
    "The report holds text, tables, charts, versions, seeds and fingerprints in one file that opens without a network."
)
DOWNLOADS = {"report": "Report (HTML)", "csv": "Numbers (CSV)", "parquet": "Numbers (Parquet)"}
BETTER = {"lower": "lower is better", "higher": "higher is better", "near": "nearer to the ideal is better"}


def samples_of(name: str, shown: int, size: int) -> str:
    """In place of some images of a class."""
    return f"{shown} of the {size:,} training images of class {name}" if shown < size else f"Class {name}, all {size}"


def plan(run: RunSettings, methods: int, policies: str, steps: int, size: int | None) -> str:
    """What would be trained, how, and on how much.

    Args:
        methods: how many, at least one.
        policies: names of view policies, separated by commas.
        steps: that `run` comes to.
        size: training samples; None where they are not known.
    """
    who = "1 method trains" if methods == 1 else f"{methods} methods train"
    rate = {"cosine": "along a cosine", "step": "falling at milestones", "constant": "all along"}[run.schedule]
    optimiser = {"adamw": "AdamW", "sgd": f"SGD with momentum {run.momentum:g}"}[run.optimizer]
    drawn = steps * run.batch_size
    images = f"{drawn * run.views:,} images" if run.views else f"{drawn:,} samples, in as many views as a method needs"
    often = f" ({drawn / size:.3g} times the training set)" if size else ""
    return (
        f"{who} {run.encoder} to {run.dim} dimensions: {optimiser}, rate {run.learning_rate:g} {rate}, views by "
        f"{policies.replace(',', ', ')}. {steps:,} step{'s' if steps > 1 else ''} of {run.batch_size:,}: "
        f"{images}{often}."
    )


def plan_memory(size: int) -> str:
    """What the data of so many bytes takes."""
    amount = f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{max(0.1, size / 1e6):,.1f} MB"
    return f"All inputs take about {amount}, by their sizes; the network comes on top."


def fitting(found: int, every: int, most: int) -> str:
    """How many runs the filters leave."""
    said = f"All {every} runs fit." if found == every else f"{found} of {every} runs fit."
    return f"{said} At most {most} are shown at once." if found > most else said


def more_runs(count: int) -> str:
    """How many runs a short list leaves to a longer one."""
    return f"{count:,} more {'run is' if count == 1 else 'runs are'} on the page {COMPARE}."


def first_of(shown: int, every: int) -> str:
    """That only some of a race's runs are shown."""
    return f"These are the first {shown} of its {every} runs."


def skipped_head(count: int) -> str:
    """How many folders no run was looked for in."""
    return f"{count:,} {'folder was' if count == 1 else 'folders were'} skipped"


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


def rule(text: str) -> str:
    """The rule by which classes were grouped, as a sentence."""
    return f"Groups: {text.rstrip('.')}."


def run_line(state: str, step: int | None, total: int | None, seconds_left: float | None) -> str:
    """How a run stands, in a few words: "120 of 300, 14 s left" while it trains, else with its state first."""
    done = None if step is None else f"{step} of {total}" if total else f"step {step}"
    if state == "running" and done is not None:
        return done if seconds_left is None else f"{done}, {time_left(seconds_left)} left"
    if state == "finished" and step == total:
        return f"{STATES[state]}, {total} steps"
    return STATES.get(state, state) if done is None else f"{STATES.get(state, state)}, {done}"


def sentence(reason: str | None) -> str | None:
    """A reason with its full stop, so that another sentence may follow."""
    return f"{reason}." if reason and not reason.endswith((".", "!", "?")) else reason


def last_words(log: str) -> str:
    """The last line of a trainer's output, as a sentence: mostly the error that ended it."""
    return sentence((log.strip().splitlines() or [EMPTY_LOG])[-1].strip()[:300]) or EMPTY_LOG


def time_left(seconds: float) -> str:
    """A duration as a person would say it: "14 s", "3 min", "2 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def few_shot_verdict(scores: Mapping[str, float], baseline: str, images: Sequence[int] = (), judge: str = "") -> str:
    """What the rare classes got in one race, best method first, and what one seed can say about plain cross-entropy;
    `ONE_SEED` is to be said after it.

    Args:
        scores: title -> accuracy on the rare classes, 0 to 1.
        baseline: title of the method that the others should beat.
        images: test images of each rare class; empty where they are not known.
        judge: key of `VERDICT_BY`.
    """
    if len(scores) < 2:
        return ""
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    reached = listed([f"{title} {100 * score:.0f} %" for title, score in ranked])
    said = f"With this one seed, {VERDICT_BY[judge]}, the rare classes reach {reached}"
    if not images or not all(0 <= score <= 1 for score in scores.values()):
        return f"{said}."
    error = 100 * max(share_error(score, images) for score in scores.values())
    said = f"{said}, each ± {error:.0f} from the {sum(images)} test images alone."
    if baseline not in scores:
        return said
    apart = told_apart(scores, baseline, images)
    above = [title for title, score in ranked if apart.get(title) and score > scores[baseline]]
    below = [title for title, score in ranked if apart.get(title) and score < scores[baseline]]
    for titles, where in ((above, "above"), (below, "below")):
        verb = "is" if len(titles) == 1 else "are"
        said += f" {listed(titles)} {verb} {where} {baseline} by more than that error." if titles else ""
    if same := [title for title, _ in ranked if title in apart and not apart[title]]:
        said += f" {listed(same)} cannot be told from {baseline} on these images."
    return said


VERDICT_BY = {
    "": "judged by each method's own classifier",
    "own": "judged by each method's own classifier on the whole test set",
    "ncm": "judged alike by the nearest class mean of the features on the whole test set",
}
EQUAL_IMAGES_NEXT = "The form has it as “Equal images”."
# Your embeddings.
EMB_DROP = "Drop files of embeddings"
EMB_DROP_HELP = "Several files of the same points become the steps of one run. Nothing leaves this machine."
EMB_EMPTY = "Drop vectors of any model, with or without labels, and see them as a run: first what was understood."
EMB_FORMATS = (
    "npz, npy, safetensors · CSV, TSV, JSON lines, also as .gz · Parquet, Arrow, Feather",
    "word2vec and GloVe text · tensors.tsv with metadata.tsv of TensorBoard's projector · tables of numpy.savetxt",
    "Labels are numbers or text; -1, NaN, None and nothing mean unlabelled. Pickles and .pt can run code: not read.",
)
EMB_COMMAND = "ltviz open embeddings.npz"
EMB_LABELS_FILE = "Labels stand in"
EMB_LABELS_INSIDE = "the files themselves"
EMB_SEVERAL = "Several files are"
EMB_SEVERAL_WAYS = ("steps of one run", "runs to compare")
EMB_CORRECT = "Correct what was understood"
EMB_NAME = "Name"
EMB_LABEL_COLUMN = "Label column"
EMB_LABEL_HELP = "The column that says the class of each row. Others stay attributes: to colour by, to find, to read."
EMB_NO_LABEL = "none"
EMB_VECTOR_COLUMNS = "Vector columns"
EMB_VECTORS_HELP = "One column that holds whole vectors, or the columns that are the dimensions, separated by commas."
EMB_READING = "Reading"
EMB_MAKING = "Writing and measuring the run"
EMB_MEASURING = "Measuring"
EMB_REFUSED = "Not opened, and nothing was made: {reason}"
EMB_OPEN = "Open {name}"
EMB_OPEN_ALL = "Open all"
EMB_UNDERSTOOD = "What was understood"
EMB_ROWS, EMB_DIM, EMB_CLASSES, EMB_UNLABELLED, EMB_STEPS = "Rows", "Dimensions", "Classes", "Unlabelled", "Steps"
EMB_VECTORS, EMB_LABEL, EMB_NONE = "Vectors", "Label", "none: nothing is coloured or measured by class"
EMB_ROLES = {"name": "Name of each row", "split": "Train, test or validation", "id": "Sample id"}
EMB_ATTRIBUTES, EMB_LEFT_OUT, EMB_LENGTHS = "Attributes", "Left out", "Lengths of the rows"
EMB_UNIT = "all 1: normalised"
EMB_NOT_UNIT = "{low} to {high}: not normalised, their directions are shown"
EMB_COUNTS = "Samples of each class, head to tail"
EMB_AND_MORE = "{shown} and {more} more"
EMB_COMPARE = "Compare it with other runs"
EMB_REPORT, EMB_REPORT_FILE = "Report", "ltviz-report.html"
EMB_MEASURES = "All measures"
EMB_SAMPLED = (
    "Of {title}, what takes all pairs of points was measured on {drawn} of its {points} points, drawn evenly from each "
    "class; what was measured of all when it was written stands as it was."
)


def with_unit(number: str, unit: str) -> str:
    """A number with its unit, as a table says it."""
    return f"{number} %" if unit == "share" else f"{number}°" if unit == "degrees" else f"{number} {unit}".rstrip()


ONE_SEED = "Another seed may turn the order: the compare page holds several against one another."


def listed(names: Sequence[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


MOST_NAMED = 8
"""Classes that one event names."""


def event_text(event: Mapping[str, Any], class_names: Sequence[str] = ()) -> str:
    """What the timeline says about an event of the recording; `class_names` are those of the run."""
    kind, name = str(event.get("kind", "note")), str(event.get("name", ""))
    if kind == "setting":
        before = f" from {event['before']}" if "before" in event else ""
        return f"{name} set{before} to {event.get('value')}"
    if kind == "refused":
        return f"{name} was not changed: {event.get('message', '')}"
    if kind == "swap":
        given = event.get("classes")
        numbers = given if isinstance(given, list) else []
        classes = [c for c in numbers if isinstance(c, int) and 0 <= c < len(class_names)]
        some = ", ".join(class_names[c][:40] for c in classes[:MOST_NAMED])
        return f"other targets for {some or 'some classes'}{' and more' if len(classes) > MOST_NAMED else ''}"
    if kind == "replaced":
        return f"{event.get('total')} damaged images so far, others of their class stand in"
    plain = {"pause": "paused", "resume": "resumed", "renewed": "the optimiser begins afresh, and its schedule again"}
    return str(event.get("text") or plain.get(kind, kind))
