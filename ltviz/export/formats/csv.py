"""Every number of runs as CSV: one row a run and step."""

from __future__ import annotations

from ltviz.errors import ConfigError
from ltviz.export import table
from ltviz.export.formats import Wanted, Written
from ltviz.export.results import read_results

ABOUT = "a table of every number, as CSV"
OUT = "ltviz-csv.csv"


def write(wanted: Wanted) -> Written:
    """Rows as `ltviz.export.table` has them."""
    results, left_out = read_results(wanted.runs)
    if not results:
        raise ConfigError(f"a table needs at least one run with frames, but {left_out[0]}")
    rows = table.write_csv(wanted.out, results)
    return Written(used=len(results), told={"rows": rows}, left_out=left_out)
