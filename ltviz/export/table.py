"""CSV and Parquet of every number of runs: one row a run and step, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ltviz.errors import ConfigError
from ltviz.export.results import Result
from ltviz.metrics import MEASURES
from ltviz.recording.files import write_whole

IDENTITY = (
    "run_id",
    "method",
    "title",
    "data",
    "imbalance_factor",
    "dim",
    "num_classes",
    "seed",
    "weights_fingerprint",
    "batches_fingerprint",
)
"""First columns, the same in every row of a run."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, Any]


def read_rows(results: Iterable[Result]) -> tuple[list[str], list[Row]]:
    """Columns and rows of a table.

    A row stands for a step that has a frame or a line of loss terms. Its columns are `IDENTITY`, the settings as
    "run.<name>" and "method.<name>", "step", the measures in the order of the registry, a user's own metrics, and the
    loss terms as "loss.<term>". What a step does not have is absent from its row.
    """
    rows: list[Row] = []
    settings: dict[str, None] = {}
    measured: dict[str, None] = {}
    terms: dict[str, None] = {}
    for result in results:
        fixed = _fixed(result)
        settings |= dict.fromkeys(name for name in fixed if name not in IDENTITY)
        by_step: dict[int, Row] = {step: dict(metrics) for step, metrics in result.frames.items()}
        measured |= dict.fromkeys(name for metrics in result.frames.values() for name in metrics)
        for line in result.recording.metrics():
            found = {f"loss.{name}": value for name, value in line.items() if name != "step" and _is_number(value)}
            terms |= dict.fromkeys(found)
            by_step.setdefault(line["step"], {}).update(found)
        rows.extend({**fixed, "step": step, **by_step[step]} for step in sorted(by_step))
    known = [key for key in MEASURES if key in measured]
    own = [key for key in measured if key not in MEASURES]
    return [*IDENTITY, *settings, "step", *known, *own, *terms], rows


def write_csv(path: Path, results: Iterable[Result]) -> int:
    """Writes the table as CSV (UTF-8, comma, header); gives the number of rows.

    Numbers keep all their digits. Text that a spreadsheet would take for a formula gets an apostrophe in front.

    Raises:
        RecordingError, DiskFull: the file cannot be written; nothing half-written is left.
    """
    columns, rows = read_rows(results)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_harmless(name) for name in columns])
    writer.writerows([_harmless(row.get(name)) for name in columns] for row in rows)
    write_whole(path, text.getvalue().encode())
    return len(rows)


def write_parquet(path: Path, results: Iterable[Result]) -> int:
    """Writes the table as Parquet through pyarrow; gives the number of rows. What is absent is null.

    Raises:
        ConfigError: pyarrow is not installed.
        RecordingError, DiskFull: the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigError("Parquet needs the package pyarrow; try `pip install pyarrow`, or --to csv") from error
    columns, rows = read_rows(results)
    table = pa.table({name: pa.array(_column([row.get(name) for row in rows])) for name in columns})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_whole(path, sink.getvalue().to_pybytes())
    return len(rows)


def _fixed(result: Result) -> Row:
    info = result.info
    run = info.config.get("run")
    recipe = run if isinstance(run, dict) else {}
    identity = {
        "run_id": result.recording.run_id,
        **{name: getattr(info, name) for name in IDENTITY[1:-2]},
        "weights_fingerprint": info.fingerprints.weights,
        "batches_fingerprint": info.fingerprints.batches,
    }
    own = {f"run.{name}": value for name, value in recipe.items() if name not in identity}
    own |= {f"method.{name}": value for name, value in result.settings.items()}
    return {**identity, **{name: value for name, value in own.items() if _is_plain(value)}}


def _column(values: Sequence[Any]) -> list[Any]:
    """Values of one type: numbers where all are, else text; files of strangers may mix them."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return list(values)
    if kinds <= {int, float}:
        return [None if value is None else float(value) for value in values]
    return [None if value is None else str(value) for value in values]


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
