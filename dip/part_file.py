"""The part files of a shard: records of single images, joined to one file of rows and one of curves."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from dip.errors import StorageError
from dip.results import CURVE_SCHEMA, RECORD_SCHEMA, ROW_SCHEMA

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
