"""`ltviz similarity`: runs against runs, as spaces in which the same samples lie."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions, named
from ltviz.errors import ConfigError
from ltviz.export.similarity import Pair, check_one_probe, film, moving_classes, pair_of, place, told

ABOUT = (
    "How alike are the spaces of runs: unbiased CKA with linear kernels, the share of ten nearest neighbours that a "
    "sample keeps (beside what chance would give), and the Procrustes distance; of all probe samples, by class, and of "
    "head, medium and tail classes, at the last frames. Only runs of one probe can be compared. RUN is an id or a "
    "folder."
)
HEADS = ("cka", "knn", "procrustes")


class SimilarityOptions(HomeOptions):
    run: list[str] = positional([], description="ids or folders of two runs or more", many=True)
    film: bool = Field(False, description="Also every step of one run against every step of the other, as JSON.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints a line for each pair of runs, and the classes whose neighbourhoods differ most.

    Raises:
        ConfigError: fewer than two runs.
        RecordingError: no such run, no frame, or runs of other probes.
        DataError: samples that have no place to compare.
    """
    options = parse_one("ltviz similarity", argv, SimilarityOptions, about=ABOUT)
    if len(options.run) < 2:
        given = len(options.run)
        raise ConfigError(f"`ltviz similarity` compares two runs or more, got {given}; `ltviz runs` lists them")
    home = options.open_home()
    recordings = [named(home, name) for name in options.run]
    check_one_probe(recordings)
    spaces = [place(recording) for recording in recordings]
    pairs = [pair_of(first, second) for first, second in combinations(spaces, 2)]
    if options.json_:
        print(json.dumps(_plain(pairs, film_too=options.film)))
        return 0
    for pair in pairs:
        _tell(pair)
    return 0


def _plain(pairs: Sequence[Pair], *, film_too: bool) -> dict[str, object]:
    found = [told(pair) for pair in pairs]
    if film_too:
        for pair, entry in zip(pairs, found, strict=True):
            strip = film(pair.first.recording, pair.second.recording)
            cells = [[None if value != value else value for value in row] for row in strip.cka.tolist()]
            entry["film"] = {"steps": [strip.first_steps, strip.second_steps], "cka": cells}
    head = {"k": pairs[0].first.near.shape[1], "chance": pairs[0].chance, "samples": len(pairs[0].shared)}
    # of a single pair the numbers stand at the top too, where a script looks first
    return {**head, **(pairs[0].values if len(pairs) == 1 else {}), "pairs": found}


def _tell(pair: Pair) -> None:
    first, second = pair.first, pair.second
    print(
        f"{first.recording.run_id} (step {first.step}) and {second.recording.run_id} (step {second.step}), "
        f"{len(pair.shared):,} samples"
    )
    print(f"{'':8}{'CKA':>8}{'kNN':>8}{'Procrustes':>12}   neighbours by chance: {pair.chance:.3f}")
    for group in ("", "_head", "_medium", "_tail"):
        cells = [pair.values.get(f"{key}{group}") for key in HEADS]
        if any(cell is not None for cell in cells):
            said = ["–" if cell is None else f"{cell:.3f}" for cell in cells]
            print(f"{group[1:] or 'all':8}{said[0]:>8}{said[1]:>8}{said[2]:>12}")
    names = first.recording.info.class_names
    moved = ", ".join(f"{names[c]} ({pair.by_class[c]['knn']:.2f})" for c in moving_classes(pair)[:3])
    print(f"fewest neighbours kept: {moved}")
