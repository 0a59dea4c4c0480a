"""`ltviz phase`: where rare classes end on one point, over imbalance and temperature, penalty or dimension."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from pydantic import BaseModel, Field

from ltviz.cli.arguments import check_writable, new_place, parse_one, positional
from ltviz.errors import ConfigError, DataError
from ltviz.geometry.phase import OPEN, Plane, border, cells, collapse_of_runs
from ltviz.geometry.predicted.thresholds import FARTHEST
from ltviz.recording.files import write_whole
from ltviz.recording.names import typed_path
from ltviz.training.stop import Stop

ABOUT = (
    "A phase diagram: each cell is a run of the class-collapsed loss on free points, and says how far apart the two "
    "nearest rare classes end; beside it stands the imbalance beyond which theory predicts that they end on one point."
)
COLUMNS = (
    "loss", "against", "average", "num_head", "num_tail", "temperature", "seed",
    "row", "ratio", "tail_angle", "predicted_border", "border_of_runs",
)  # fmt: skip
ROWS = {"temperature": "0.05:1:9", "energy": "1:20:9", "dim": "3,4,6,9,16"}
MOST_CELLS = 10_000
STOPPED = 130


class PhaseOptions(BaseModel):
    loss: Literal["supcon", "bcl", "ce"] = positional(
        description="supcon, bcl (each class once in a denominator) or ce (cross-entropy in norm balls)"
    )
    against: Literal["", "temperature", "dim", "energy"] = Field(
        "", description="What the rows differ in: temperature or dim of supcon and bcl, energy of ce."
    )
    heads: int = Field(5, ge=1, le=100, description="Classes with many samples.")
    tails: int = Field(5, ge=2, le=100, description="Classes with few samples.")
    average: Literal["sample", "class"] = Field("sample", description="How anchors of supcon and bcl are averaged.")
    temperature: float = Field(0.1, ge=0.01, le=10, description="Where rows differ in dim.")
    ratios: str = Field("1:1000:13", description="Imbalances: FIRST:LAST:NUMBER by their logarithm, or A,B,...")
    rows: str = Field("", description="Likewise of the rows; 0.05:1:9 for temperature, 1:20:9 for energy.")
    seed: int = Field(0, ge=0, le=2**31, description="Of the random starts.")
    refine: bool = Field(True, description="Find the border of the runs to 1 % in rows where the cells show one.")
    out: str = Field("", description="CSV file; its cells are not run again. phase-LOSS-AGAINST.csv where empty.")
    figure: str = Field("", description="HTML file of the diagram; none where empty.")
    overwrite: bool = Field(False, description="Replace the figure where it is there already.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Runs the cells that the CSV file lacks, and writes it after each row.

    Returns:
        0, or 130 after a stop; the same line goes on then.

    Raises:
        ConfigError: a value out of its range, a figure that is there already, a place that no file can be written to.
        DataError: a file that is there and is no CSV of this command.
    """
    options = parse_one("ltviz phase", argv, PhaseOptions, about=ABOUT)
    against = options.against or ("energy" if options.loss == "ce" else "temperature")
    plane = Plane(
        loss=options.loss,
        against=against,
        num_head=options.heads,
        num_tail=options.tails,
        average=options.average,
        temperature=options.temperature,
        seed=options.seed,
    )
    ratios, rows = grid("ratios", options.ratios), grid("rows", options.rows or ROWS[against])
    if against == "dim":
        rows = np.unique(np.round(rows))
    if len(ratios) * len(rows) > MOST_CELLS:
        raise ConfigError(f"a diagram has {MOST_CELLS:,} cells at most, got {len(rows)} x {len(ratios)}")
    path = typed_path(options.out or f"phase-{options.loss}-{against}.csv")
    if options.figure and typed_path(options.figure).resolve() == path.resolve():
        raise ConfigError(f"--figure must be another file than that of the cells; try {path.stem}.html, got {path}")
    figure = options.figure and new_place(
        "ltviz phase", "--figure", options.figure, overwrite=options.overwrite, file=f"{path.stem}.html"
    )
    check_writable("--out", path)
    if figure:
        check_writable("--figure", figure)
    table, stop = Table(path, plane), Stop()
    with stop.on_signals():
        try:
            finished = fill(table, rows, ratios, refine=options.refine, stop=stop)
        finally:
            _show("")
    if not finished:
        return STOPPED
    if figure:
        write_figure(figure, table, rows, ratios)
    print(json.dumps(table.as_json(rows, ratios)) if options.json_ else table.told(rows))
    return 0


def grid(name: str, text: str) -> np.ndarray:
    """Growing numbers above 0 from "FIRST:LAST:NUMBER", evenly by their logarithm, or "A,B,...".

    Raises:
        ConfigError: neither.

    Example:
        >>> grid("ratios", "1:100:3").tolist()
        [1.0, 10.0, 100.0]
    """
    try:
        if ":" in text:
            first, last, number = text.split(":")
            low, high, steps = float(first), float(last), int(number)
            if not math.isfinite(low + high) or steps > MOST_CELLS:
                raise ValueError
            values = np.exp(np.linspace(math.log(low), math.log(high), steps))
        else:
            values = np.array([float(part) for part in text.split(",")])
    except ValueError:
        values = np.zeros(0)
    values = np.unique([float(f"{value:.10g}") for value in values])
    if not len(values) or not (np.isfinite(values).all() and values[0] > 0):
        raise ConfigError(
            f"--{name} must be FIRST:LAST:NUMBER, at most {MOST_CELLS:,}, or numbers above 0 with commas, "
            f"got {text!r:.80}; try --{name} 1:100:9"
        )
    return values


class Table:
    """The cells of a plane in a CSV file, with those of other planes that lie in it already."""

    def __init__(self, path: Path, plane: Plane) -> None:
        self.path, self.plane = path, plane
        self.about = [plane.loss, plane.against, plane.average, str(plane.num_head), str(plane.num_tail)]
        self.about += [repr(float(plane.temperature)), str(plane.seed)]
        self.angles: dict[tuple[float, float], float] = {}
        self.borders: dict[float, float | None] = {}
        self.found: dict[float, float | None] = {}
        self._others: list[list[str]] = []
        for line in self._read():
            self._take(line)

    def _read(self) -> Iterator[list[str]]:
        if not self.path.exists():
            return
        try:
            head, *lines = list(csv.reader(io.StringIO(self.path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, csv.Error) as error:
            raise DataError(f"the cells cannot be read ({error}); give another --out: {self.path}") from error
        if tuple(head) != COLUMNS or any(len(line) != len(COLUMNS) for line in lines):
            raise DataError(f"the file is no CSV of `ltviz phase`; give another --out: {self.path}")
        yield from lines

    def _take(self, line: list[str]) -> None:
        if line[: len(self.about)] != self.about:
            self._others.append(line)
            return
        try:
            row, ratio, angle = (float(value) for value in line[7:10])
            self.borders[row], found = _number(line[10]), _number(line[11])
        except ValueError as error:
            raise DataError(f"a cell holds no number ({error}); give another --out: {self.path}") from error
        self.angles[row, ratio] = angle
        if line[11]:
            self.found[row] = found

    def write(self) -> None:
        """The whole file, at once or not at all, with what another process has added meanwhile."""
        self._others.clear()
        for line in self._read():
            self._take(line)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self._others)
        for (row, ratio), angle in sorted(self.angles.items()):
            told = [_text(self.borders.get(row)), _text(self.found.get(row))]
            writer.writerow([*self.about, repr(row), repr(ratio), f"{angle!r}", *told])
        write_whole(self.path, text.getvalue().encode())

    def as_json(self, rows: np.ndarray, ratios: np.ndarray) -> dict[str, Any]:
        angles = [[self.angles[float(row), float(ratio)] for ratio in ratios] for row in rows]
        borders = [self.borders[float(row)] for row in rows]
        return {
            **dict(zip(COLUMNS[: len(self.about)], self.about, strict=True)),
            "ratios": ratios.tolist(),
            "rows": rows.tolist(),
            "tail_angle": angles,
            # JSON has no infinity: "never" and "nobody knows" are told apart
            "predicted_border": [self._nowhere() if one == math.inf else one for one in borders],
            "border_of_runs": [self.found.get(float(row)) for row in rows],
            "csv": str(self.path),
        }

    def _nowhere(self) -> str:
        """What an infinite border means: by sample there may be none, elsewhere it is farther than was looked."""
        by_sample = self.plane.loss != "ce" and self.plane.average == "sample"
        return "never" if by_sample else f"beyond {FARTHEST:g}"

    def told(self, rows: np.ndarray) -> str:
        """A line a row."""
        lines = [f"{self.plane.against:>12}  {'predicted border':>16}  {'border of runs':>14}"]
        for row in rows:
            predicted = self.borders[float(row)]
            known = (
                "not known" if predicted is None else self._nowhere() if predicted == math.inf else f"{predicted:.4g}"
            )
            found = self.found.get(float(row))
            lines.append(f"{row:12.4g}  {known:>16}  {'-' if found is None else f'{found:.4g}':>14}")
        return "\n".join([*lines, f"-> {self.path}"])


def fill(table: Table, rows: np.ndarray, ratios: np.ndarray, *, refine: bool, stop: Stop) -> bool:
    """Runs what the table lacks and writes it after each row; False where it was stopped before the end."""
    total = len(rows) * len(ratios)
    for done, (y, x, angle) in enumerate(cells(table.plane, rows, ratios, dict(table.angles)), start=1):
        row = float(rows[y])
        table.angles[row, float(ratios[x])] = _rounded(angle)
        _show(f"{done}/{total} cells")
        if x == len(ratios) - 1:
            if row not in table.borders:
                table.borders[row] = _rounded(border(table.plane, row))
            if refine and row not in table.found:
                table.found[row] = _rounded(_refined(table, row, ratios))
            table.write()
        elif stop.asked:
            table.borders.setdefault(row, _rounded(border(table.plane, row)))
            table.write()
        if stop.asked:
            return done == total
    return True


def _show(text: str) -> None:
    """One line on the terminal that is written over; in a log there is none."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _refined(table: Table, row: float, ratios: np.ndarray) -> float | None:
    """The border of the runs of a row, between the last open and the first closed of its cells."""
    closed = [table.angles[row, float(ratio)] <= OPEN for ratio in ratios]
    if not any(closed) or closed[0]:
        return None
    first = closed.index(True)
    return collapse_of_runs(table.plane, row, float(ratios[first - 1]), float(ratios[first]))


def write_figure(path: Path, table: Table, rows: np.ndarray, ratios: np.ndarray) -> None:
    """The diagram as a page of its own."""
    from ltviz.figures import phase_diagram

    told = table.as_json(rows, ratios)
    plane = table.plane
    figure = phase_diagram(
        np.array(told["tail_angle"]),
        ratios.tolist(),
        rows.tolist(),
        against=plane.against,
        border=[table.borders[float(row)] for row in rows],
        found=told["border_of_runs"],
        title=f"{plane.loss}, {plane.num_head} + {plane.num_tail} classes"
        + ("" if plane.loss == "ce" else f", average by {plane.average}"),
    )
    write_whole(path, figure.to_html(include_plotlyjs=True, full_html=True).encode())


def _number(text: str) -> float | None:
    return float(text) if text else None


def _text(value: float | None) -> str:
    return "" if value is None else repr(value)


@overload
def _rounded(value: float) -> float: ...


@overload
def _rounded(value: float | None) -> float | None: ...


def _rounded(value: float | None) -> float | None:
    """As the file holds it, so that what is read again is what was found."""
    return None if value is None else float(f"{value:.7g}")
