"""Results for other programs: CSV, JSON and Markdown on the standard output stream."""

import csv
import json
import math
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import pyarrow as pa

from dip.configuration.vocabulary import TableFormat
from flows.progress import printable

NOT_EXPORTED = ("image", "pages", "readings")
"""Columns that are no single values."""
_AT_ONCE = 10_000
_INFINITE = (math.inf, -math.inf)


def export(table: pa.Table, form: TableFormat) -> None:
    """Write a table without nested columns, in any form but `table`."""
    {"csv": _csv, "json": _json, "markdown": _markdown}[form](table, sys.stdout)


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(_AT_ONCE):
        yield from batch.to_pylist()


def _csv(table: pa.Table, to: TextIO) -> None:
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(row.values() for row in _rows(table))


def _json(table: pa.Table, to: TextIO) -> None:
    """A list with an object a line."""
    before = "["
    for row in _rows(table):
        # Infinite numbers, such as the PSNR of what is perfect, have no word in JSON: they are texts.
        worded = {name: str(value) if value in _INFINITE else value for name, value in row.items()}
        to.write(f"{before}\n{json.dumps(worded, ensure_ascii=False, default=str)}")
        before = ","
    to.write("[]\n" if before == "[" else "\n]\n")


def _markdown(table: pa.Table, to: TextIO) -> None:
    lines = [table.column_names, ["---"] * table.num_columns, *(row.values() for row in _rows(table))]
    for line in lines:
        to.write(f"| {' | '.join(_cell(value) for value in line)} |\n")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"
    return "" if value is None else printable(str(value)).replace("\\", "\\\\").replace("|", "\\|")
