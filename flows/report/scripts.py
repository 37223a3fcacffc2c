"""Rows and items as scripts: `file://` lets a page load classic scripts, and nothing else."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.report.columns import Column

ROWS_PER_SCRIPT = 10_000


def row_scripts(rows: pa.Table, columns: Sequence[Column]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each script of rows."""
    for index, start in enumerate(range(0, rows.num_rows, ROWS_PER_SCRIPT)):
        part = rows.slice(start, ROWS_PER_SCRIPT)
        content = {column.name: _encoded(part[column.name], column) for column in columns}
        yield f"rows/rows-{index:03d}.js", script("rows", index, content)


def _encoded(values: pa.ChunkedArray, column: Column) -> Any:
    if column.kind == "number":
        return pc.round(values.cast(pa.float64()), column.digits).to_pylist()
    if column.kind == "text":
        return values.to_pylist()
    encoded = values.combine_chunks().dictionary_encode()
    return {"words": encoded.dictionary.to_pylist(), "at": encoded.indices.to_pylist()}


def script(call: str, *arguments: Any) -> bytes:
    """A script that hands JSON to a function of the page.

    No argument can end the script, or open a tag should it ever be put into a page.
    """
    # What JSON has no word for, Infinity and NaN, is JavaScript all the same.
    texts = (json.dumps(argument, separators=(",", ":")) for argument in arguments)
    safe = ",".join(texts).replace("<", "\\u003c")
    return f"dip.{call}({safe});\n".encode("ascii")
