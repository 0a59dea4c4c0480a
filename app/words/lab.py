"""What the lab says: the form of a race, its runs, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ltviz.export.cells import listed
from ltviz.metrics.comparison import share_error, told_apart
from ltviz.recipes.cost import SUSTAINED
from ltviz.training.parameters import classifier_size, encoder_size, head_size
from ltviz.training.settings import RunSettings

from .shared import COMPARE, sentence, time_left

# The race form.
DATA, RACE, RUNS = "Data", "Race", "Runs"
DATA_SET = "Data set"
IMBALANCE = "Imbalance"
IMBALANCE_HELP = "How many samples the largest class has for each one of the smallest. 1 is balanced."
DIM = "Dimensions"
DIM_HELP = "Dimensions of the sphere's space. With 3 you see the embedding itself; with more, a projection of it."
STEPS = "Steps"
STEPS_HELP = "Training steps. 300 take about half a minute on a laptop."
EPOCHS = "Epochs"
EPOCHS_HELP = (
    "How often batches hold the training set. A recipe says how many; where empty, steps are asked for instead."
)
RECIPE = "Recipe"
RECIPE_HELP = (
    "A paper's own settings for one method on its benchmark. The form below takes them; what you change goes before "
    "what the recipe says."
)
RECIPE_NONE = "none"
BENCHMARK = "Benchmark"
RECIPE_ABOUT = "Sources and differences"
RECIPE_KEPT = "All that the recipe sets is as it says."
EQUAL_IMAGES = "Equal images"
EQUAL_IMAGES_HELP = (
    "Some methods take three views of each sample at a step, others one. Switched on, all see {views} of each, so that "
    "none gains by seeing more images; a step takes longer."
)
MORE = "More settings"
OPTIMISATION = "Optimiser and schedule"
OPTIMISATION_HELP = "Optimiser, schedule of the rate, epochs, changes on the way, and the projection head."
AUTOMATIC = "automatic"
WHERE = "Where"
PLACES = {"here": "This machine", "ray": "Ray", "slurm": "Slurm"}
AWAY_HELP = (
    "Its runs are written into this folder of runs, which the cluster's machines share; on Ray an address that they "
    "and this machine reach will do."
)
AWAY_MIRROR = "Address, where no folder is shared"
AWAY_MIRROR_HELP = (
    "A folder such as s3://bucket/runs. Machines that do not see this folder of runs bring theirs there, and they come "
    "here while they train. Such a race can be stopped, but not paused or changed."
)
GPUS = "GPUs"
GPUS_HELP = "GPUs that the race takes of the cluster, or a part of one; with 0 it trains on a processor."
SLURM = "Slurm options"
SLURM_HELP = "Options of submitit, such as slurm_partition=gpu,gpus_per_node=1,timeout_min=240."
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
STOP_ALL_HELP = "Ends all that trains, and takes all that waits out of the queue."

# The queue.
WAITING = "Waiting"
TO_FRONT, UP, DOWN = "Move to the front", "Move up", "Move down"
CANCEL = "Take out of the queue"

# Runs.
NO_RUNS = "None yet. Train starts a race."
IN_FOLDER = "in {folder}"
ON_CLUSTER = "on {cluster}"
SKIPPED = "{folder}: {reason}."
PAUSE, RESUME, STOP = "Pause", "Resume", "Stop"
GO_ON = "Go on where its weights were saved"
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
    "unreadable": "cannot be read",
}
WORKER_STARTING = "The trainer is starting; the first race begins as soon as it is ready."
HOME_BROKEN = "The folder of runs cannot be used for training; what it holds is still shown."
HOME_NEXT = "It is tried again by itself."
WORKER_BROKEN = "The trainer does not start, so nothing can be trained."
WORKER_NEXT = "Its last lines are below. Correct the cause; it is tried again by itself."
EMPTY_LOG = "It printed nothing."


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


def plan_network(encoder: str, shape: Sequence[int], classes: int, run: RunSettings, *, of_pixels: bool) -> str | None:
    """How many parameters the network has; None for one whose size is not known.

    Args:
        shape: of one sample, (H, W), (H, W, 3) or (F,).
        of_pixels: whether the samples are pixels.
    """
    size = encoder_size(encoder, shape, of_pixels=of_pixels)
    if size is None:
        return None
    whole = size.parameters + classifier_size(size.feature_dim, classes)
    head = head_size(size.feature_dim, run.dim, run.head, run.head_width)
    return (
        f"Parameters of {encoder}: {size.parameters:,}, with a linear classifier of {classes:,} classes {whole:,}; of "
        f"the projection to {run.dim} dimensions: {head:,}."
    )


def recipe_title(title: str) -> tuple[str, str]:
    """Method and benchmark of a recipe, "BCL" and "CIFAR-10-LT, IF 100", in as many letters as a narrow field shows."""
    method, _, benchmark = title.partition(" on ")
    return method, (benchmark or title).replace("imbalance factor", "IF")


def recipe_aim(value: float | None, measure: str, source: str) -> str:
    """The published number that a recipe aims at; where there is none, `source` begins with "unknown"."""
    where = sentence(source)
    return f"Published number {where}" if value is None else f"It aims at {value:.2f} % {measure}: {where}"


def recipe_cost(steps: int, images: int, hours: float | None) -> str:
    """What a recipe costs as it stands.

    Args:
        hours: at `SUSTAINED` operations a second; None where they are not known.
    """
    told = f"As it stands it takes {steps:,} steps and {images:,} images"
    if hours is None:
        return f"{told}."
    rate = f"{SUSTAINED / 1e12:g} TFLOP/s"
    return f"{told}: {time_left(3600 * hours)} on a device that sustains {rate}, which is assumed, not measured."


def recipe_changed(differing: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What is set otherwise than a recipe says.

    Args:
        differing: name -> what the recipe says.
        now: name -> what is set.
    """
    if not differing:
        return RECIPE_KEPT
    told = [f"{_setting(name)} {_value(now[name])} instead of {_value(said)}" for name, said in differing.items()]
    return f"Changed against the recipe: {'; '.join(told)}."


def _setting(name: str) -> str:
    return name.removeprefix("settings.").replace("_", " ")


def _value(value: Any) -> str:
    if value is None or value == "":
        return "automatic"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def natural(factor: float) -> str:
    """That the classes of a set keep their sizes, which have this imbalance factor."""
    return (
        f"The classes keep their sizes, whose imbalance factor is {factor:.4g} as counted; the one above says nothing."
    )


def plan_memory(size: int) -> str:
    """What the data of so many bytes takes."""
    amount = f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{max(0.1, size / 1e6):,.1f} MB"
    return f"All inputs take about {amount}, by their sizes; the network comes on top."


def waiting_line(place: int, data: str, need: int | None) -> str:
    """Where a race stands in the queue, on what data (nothing where it goes on with a run), and the bytes that it needs
    of a device, None where nobody knows or there are no devices."""
    told = [f"{place}.", *([data] if data else [])]
    return " ".join(told) + ("" if need is None else f", about {_gigabytes(need)}")


def device_line(number: int, title: str, taken: int, total: int, races: int) -> str:
    """How full a GPU is, by what the races on it are estimated to need, in bytes."""
    many = "nothing trains" if not races else "1 race" if races == 1 else f"{races} races"
    return f"GPU {number}, {title}: {_gigabytes(taken)} of {_gigabytes(total)}, {many}."


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def more_waiting(count: int) -> str:
    """How many jobs of a long queue are not drawn."""
    return f"{count:,} more {'waits' if count == 1 else 'wait'}."


def more_runs(count: int) -> str:
    """How many runs a short list leaves to a longer one."""
    return f"{count:,} more {'run is' if count == 1 else 'runs are'} on the page {COMPARE}."


def skipped_head(count: int) -> str:
    """How many folders no run was looked for in."""
    return f"{count:,} {'folder was' if count == 1 else 'folders were'} skipped"


def run_line(
    state: str, step: int | None, total: int | None, seconds_left: float | None, doing: str | None = None
) -> str:
    """How a run stands, in a few words: "120 of 300, 14 s left" while it trains, else with its state first.

    Args:
        doing: what is done instead of steps, such as what judges are at.
    """
    done = None if step is None else f"{step} of {total}" if total else f"step {step}"
    if doing and state in ("starting", "running"):
        return f"{done}, {doing}" if done else f"{STATES[state]}, {doing}"
    if state == "running" and done is not None:
        return done if seconds_left is None else f"{done}, {time_left(seconds_left)} left"
    if state == "finished" and step == total:
        return f"{STATES[state]}, {total} steps"
    return STATES.get(state, state) if done is None else f"{STATES.get(state, state)}, {done}"


def last_words(log: str) -> str:
    """The last line of a trainer's output, as a sentence: mostly the error that ended it."""
    return sentence((log.strip().splitlines() or [EMPTY_LOG])[-1].strip()[:300]) or EMPTY_LOG


def few_shot_verdict(
    scores: Mapping[str, float], baseline: str, images: Sequence[int] = (), judge: str = "", *, pixels: bool = False
) -> str:
    """What the rare classes got in one race, best method first, and what one seed can say about plain cross-entropy;
    `ONE_SEED` is to be said after it.

    Args:
        scores: title -> accuracy on the rare classes, 0 to 1.
        baseline: title of the method that the others should beat.
        images: test images of each rare class; empty where they are not known.
        judge: key of `VERDICT_BY`.
        pixels: whether samples are pixels.
    """
    if len(scores) < 2:
        return ""
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    reached = listed([f"{title} {100 * score:.0f} %" for title, score in ranked])
    judged = VERDICT_BY[judge].format(where=TEST_PIXELS if pixels else TEST_SET)
    said = f"With this one seed, {judged}, the rare classes reach {reached}"
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


COMMON_IN_FRAMES = "ncm in frames"
VERDICT_BY = {
    "": "judged by each method's own classifier",
    "own": "judged by each method's own classifier on {where}",
    "ncm": "judged alike by the nearest class mean of the features on {where}",
    COMMON_IN_FRAMES: "judged alike by the nearest class mean on the points that the frames show",
}
TEST_SET = "the whole test set"
TEST_PIXELS = "pixels of all test images"
"""Where samples are pixels, of which judges read a part."""
EQUAL_IMAGES_NEXT = "The form has it as “Equal images”."


ONE_SEED = "Another seed may turn the order: the compare page holds several against one another."
