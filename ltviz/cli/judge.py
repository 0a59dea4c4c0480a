"""`ltviz judge`: what other classifiers make of a trained encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions, named
from ltviz.errors import ConfigError

ABOUT = (
    "Judge the last saved weights of a run on its whole test set, less its validation share where it has one, "
    "by classifiers that leave the encoder as it is: "
    "ncm (nearest class mean), linear (class-balanced logistic regression), crt (a classifier trained anew on "
    "class-balanced batches), tau_norm (the method's own weights, their lengths evened out). RUN is an id or a folder."
)
CHOSEN_ON = {
    "given": "as given",
    "validation": "the best on the run's validation share, which is not judged",
    "train": "the best on the training set, which the classifier has learned from: the run has no validation share",
}
GROUPS = ("all", "many", "medium", "few")


class JudgeOptions(HomeOptions):
    run: str = positional(description="id or folder of a run")
    by: str = Field("ncm,linear,crt,tau_norm", description="Judges, separated by commas.")
    tau: str = Field(
        "auto",
        description="Of tau_norm, 0 to 1: 0 leaves the weights as they are, 1 makes them unit; auto takes the best on "
        "the validation share, or on the training set where the run has none.",
    )
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def parse_tau(text: str) -> float | Literal["auto"]:
    """The number, or auto.

    Raises:
        ConfigError: neither.
    """
    if text == "auto":
        return "auto"
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"--tau must be a number from 0 to 1, or auto, got {text!r}; try auto") from None


def run(argv: Sequence[str]) -> int:
    """Prints the accuracies; judges that cannot judge this method say why.

    Raises:
        ConfigError, RecordingError, DataError: an unknown judge, no such run, no weights, other data.
    """
    options = parse_one("ltviz judge", argv, JudgeOptions, about=ABOUT)
    tau = parse_tau(options.tau)
    recording = named(options.own_home("ltviz judge"), options.run)

    from ltviz.training.judges import judge

    names = [name.strip() for name in options.by.split(",") if name.strip()]
    found = judge(recording, names, tau=tau)
    if options.json_:
        print(json.dumps({"run_id": recording.run_id, "method": recording.info.method, **found}))
        return 0
    judged = found["judged_on"]
    left_out = f", without the {judged['validation_samples']:,} for validation" if judged["validation_samples"] else ""
    print(
        f"{recording.run_id}, weights of step {found['step']}, "
        f"accuracy on {judged['samples']:,} samples of the test set{left_out}, in %"
    )
    print(f"{'judge':9}" + "".join(f"{group:>8}" for group in GROUPS))
    for name, marks in found["judges"].items():
        print(
            f"{name:9}" + "".join(f"{100 * marks[group]:8.1f}" if group in marks else f"{'–':>8}" for group in GROUPS)
        )
    if "tau_norm" in found:
        print(f"tau of tau_norm is {found['tau_norm']['tau']:g}, {CHOSEN_ON[found['tau_norm']['chosen_on']]}")
    for reason in found["refused"].values():
        print(reason)
    return 0
