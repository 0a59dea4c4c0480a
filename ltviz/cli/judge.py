"""`ltviz judge`: what other classifiers make of a trained encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions, named

ABOUT = (
    "Judge the last saved weights of a run on its whole test set, by classifiers that leave the encoder as it is: "
    "ncm (nearest class mean), linear (class-balanced logistic regression), crt (a classifier trained anew on "
    "class-balanced batches), tau_norm (the method's own weights, their lengths evened out). RUN is an id or a folder."
)
GROUPS = ("all", "many", "medium", "few")


class JudgeOptions(HomeOptions):
    run: str = positional(description="id or folder of a run")
    by: str = Field("ncm,linear,crt,tau_norm", description="Judges, separated by commas.")
    tau: float = Field(1.0, ge=0, le=1, description="Of tau_norm: 0 leaves the weights as they are, 1 makes them unit.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints the accuracies; judges that cannot judge this method say why.

    Raises:
        ConfigError, RecordingError, DataError: an unknown judge, no such run, no weights, other data.
    """
    options = parse_one("ltviz judge", argv, JudgeOptions, about=ABOUT)
    recording = named(options.open_home(), options.run)

    from ltviz.training.judges import judge

    names = [name.strip() for name in options.by.split(",") if name.strip()]
    found = judge(recording, names, tau=options.tau)
    if options.json_:
        print(json.dumps({"run_id": recording.run_id, "method": recording.info.method, **found}))
        return 0
    print(f"{recording.run_id}, weights of step {found['step']}, accuracy on the test set in %")
    print(f"{'judge':9}" + "".join(f"{group:>8}" for group in GROUPS))
    for name, marks in found["judges"].items():
        print(
            f"{name:9}" + "".join(f"{100 * marks[group]:8.1f}" if group in marks else f"{'–':>8}" for group in GROUPS)
        )
    for reason in found["refused"].values():
        print(reason)
    return 0
