"""The part files of an output: records of single images are joined to them, and rows are read from them."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dip.errors import StorageError
from dip.storage import Location
from dip.storage.location import PARALLEL_REQUESTS
from dip.storage.results import CURVE_SCHEMA, RECORD_SCHEMA, ROW_SCHEMA

ROW_GROUP_BYTES = 2**25
"""About so much of a part file is collected before it is compressed; embedded images are large."""


class PartFile:
    """Collects records into the two files of one shard: its rows and its curves."""

    def __init__(self) -> None:
        self._sinks = (io.BytesIO(), io.BytesIO())
        self._rows = pq.ParquetWriter(self._sinks[0], ROW_SCHEMA, compression="zstd")
        self._curves = pq.ParquetWriter(self._sinks[1], CURVE_SCHEMA, compression="zstd")
        self._collected: list[pa.Table] = []
        self._collected_bytes = 0

    def add(self, record: bytes) -> None:
        """Append a record that `encode_record` wrote.

        Raises:
            StorageError: it is damaged.
        """
        try:
            self._collected.append(_decoded(record))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise StorageError(f"Expected the record of an image; it is damaged: {error}.") from error
        self._collected_bytes += len(record)
        if self._collected_bytes > ROW_GROUP_BYTES:
            self._write()

    def finish(self) -> tuple[bytes, bytes]:
        """The rows' file and the curves' file."""
        self._write()
        self._rows.close()
        self._curves.close()
        return self._sinks[0].getvalue(), self._sinks[1].getvalue()

    def _write(self) -> None:
        """One row group of each; one for every record would take ten times the space."""
        if self._collected:
            records = pa.concat_tables(self._collected).combine_chunks()
            self._rows.write_table(records.select(ROW_SCHEMA.names))
            self._curves.write_table(_curve_table(records))
            self._collected.clear()
            self._collected_bytes = 0


def _decoded(record: bytes) -> pa.Table:
    table = pa.ipc.open_stream(record).read_all()
    if not table.schema.equals(RECORD_SCHEMA):
        raise ValueError("its columns are others")
    table.validate(full=True)
    return table


def _curve_table(records: pa.Table) -> pa.Table:
    points = [
        {"run_id": record["run_id"], "image_id": record["image_id"], **point}
        for record in records.select(["run_id", "image_id", "curve"]).to_pylist()
        for point in record["curve"] or ()
    ]
    return pa.Table.from_pylist(points, schema=CURVE_SCHEMA)


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def read_columns(file: IO[bytes], schema: pa.Schema) -> pa.Table:
    """Columns of a Parquet file, in this thread alone; those that an earlier version did not write are empty.

    Arrow's own threads hold on to a Python file for longer. Where Python ends meanwhile, it aborts
    (https://github.com/apache/arrow/issues/34314).

    Args:
        file: open for reading in binary.
        schema: names and types of the columns.

    Raises:
        Exception: it is damaged; whatever Arrow raises then.
    """
    part = pq.ParquetFile(file)
    known = [name for name in schema.names if name in part.schema_arrow.names]
    read = part.read(known, use_threads=False)
    columns = [
        read[field.name].cast(field.type) if field.name in known else pa.nulls(read.num_rows, field.type)
        for field in schema
    ]
    table = pa.table(columns, schema=schema)
    table.validate(full=True)
    return table


def read_parts(
    output: Location, columns: list[str] | None = None, run_id: str | None = None
) -> Iterator[pa.Table]:
    """The part files of an output, oldest first, a few of them in memory at a time.

    Args:
        output: of one or more runs.
        columns: only these, if named.
        run_id: only the rows of this run, if it is named.

    Raises:
        StorageError: a part file cannot be read.
    """
    schema = _row_schema(columns)
    prefix = "part-" if run_id is None else f"part-{run_id}-"

    def read(part: str) -> pa.Table:
        return output.parse(f"metrics/{part}", lambda file: read_columns(file, schema))

    parts = sorted(name for name in output.names("metrics") if name.startswith(prefix))
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        for start in range(0, len(parts), PARALLEL_REQUESTS):
            yield from pool.map(read, parts[start : start + PARALLEL_REQUESTS])


def read_rows(output: Location, columns: list[str] | None = None) -> pa.Table:
    """The rows of an output, oldest first; of an image that was tried again, the newest alone.

    Args:
        output: of one or more runs.
        columns: only these, if named.

    Raises:
        StorageError: a part file cannot be read.
    """
    names = ROW_SCHEMA.names if columns is None else columns
    schema = _row_schema([*dict.fromkeys(["image_id", *names])])
    tables = [schema.empty_table(), *read_parts(output, schema.names)]
    return _newest(pa.concat_tables(tables)).select(names)


def read_newest(output: Location, columns: list[str]) -> Iterator[pa.Table]:
    """The rows that `read_rows` has, part file by part file: of all rows, the names alone are in memory.

    Raises:
        StorageError: a part file cannot be read.
    """
    names = [_row_schema(["image_id"]).empty_table(), *read_parts(output, ["image_id"])]
    last = _last_of_each(pa.concat_tables(names))
    start = 0
    for part in read_parts(output, columns):
        inside = last[(last >= start) & (last < start + part.num_rows)] - start
        start += part.num_rows
        yield part.take(inside)


def _row_schema(columns: list[str] | None) -> pa.Schema:
    return ROW_SCHEMA if columns is None else pa.schema([ROW_SCHEMA.field(name) for name in columns])


def _newest(rows: pa.Table) -> pa.Table:
    """The last row of each image."""
    return rows.take(_last_of_each(rows))


def _last_of_each(rows: pa.Table) -> NDArray[np.int64]:
    """The number of the last row of each image, in their order."""
    numbered = pa.table({"image_id": rows["image_id"], "number": np.arange(rows.num_rows)})
    last = numbered.group_by("image_id", use_threads=False).aggregate([("number", "max")])["number_max"]
    return np.sort(last.to_numpy())
