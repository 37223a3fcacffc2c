"""The list of images of a run: written once to Parquet, one row group per shard."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from dip.storage import Location
from dip.storage.part_files import read_columns

SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("mask_id", pa.string()),
        pa.field("mask_version", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of a manifest.

    Attributes:
        image_id: path relative to the source.
        version: of its file, as storage tells it.
        mask_id: path of its mask relative to the masks, or None.
        mask_version: of its mask's file, as storage tells it.
    """

    image_id: str
    version: str
    mask_id: str | None = None
    mask_version: str | None = None


def encode_manifest(entries: Iterable[Entry], shard_size: int) -> tuple[bytes, int]:
    """A manifest as the bytes of a Parquet file, and the number of its entries."""
    sink, count = io.BytesIO(), 0
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd") as writer:
        for shard in _shards(iter(entries), shard_size):
            columns = {column: [getattr(entry, column) for entry in shard] for column in SCHEMA.names}
            writer.write_table(pa.Table.from_pydict(columns, schema=SCHEMA))
            count += len(shard)
    return sink.getvalue(), count


def _shards(entries: Iterator[Entry], shard_size: int) -> Iterator[list[Entry]]:
    while shard := list(islice(entries, shard_size)):
        yield shard


def read_shard(output: Location, name: str, shard: int) -> list[Entry]:
    """The entries of one shard of a stored manifest.

    Raises:
        StorageError: the manifest cannot be read.
    """

    def parse(file: IO[bytes]) -> list[dict[str, Any]]:
        table = pq.ParquetFile(file).read_row_group(shard, SCHEMA.names, use_threads=False).cast(SCHEMA)
        table.validate(full=True)
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows

    return [Entry(**row) for row in output.parse(name, parse)]


def read_entries(output: Location, name: str) -> Iterator[Entry]:
    """The entries of a stored manifest, a shard in memory at a time.

    Raises:
        StorageError: the manifest cannot be read.
    """
    shards = output.parse(name, lambda file: int(pq.ParquetFile(file).num_row_groups))
    for shard in range(shards):
        yield from read_shard(output, name, shard)


def read_names(output: Location, name: str) -> pa.ChunkedArray:
    """The image_ids of a stored manifest.

    Raises:
        StorageError: the manifest cannot be read.
    """
    schema = pa.schema([SCHEMA.field("image_id")])
    return output.parse(name, lambda file: read_columns(file, schema)["image_id"])
