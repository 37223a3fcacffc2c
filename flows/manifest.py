"""The list of images of a run: written once to Parquet, one row group per shard."""

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from dip.errors import StorageError
from dip.images import is_image_name
from dip.storage import Location

SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("mask_id", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of a manifest.

    Attributes:
        image_id: path relative to the source.
        size_bytes: of its file.
        version: of its file, as storage tells it.
        mask_id: path of its mask relative to the masks, or None.
    """

    image_id: str
    size_bytes: int
    version: str
    mask_id: str | None = None


def list_images(source: Location, masks: Location | None) -> list[Entry]:
    """All images below the source in the order of their paths, each with its mask.

    Raises:
        StorageError: the source does not exist, holds no images, or cannot be listed.
    """
    if not source.exists():
        raise StorageError(f"Expected a folder or prefix with images; {source.url} does not exist.")
    found = {_storable(file.name): file for file in source.find()}
    if "" in found:
        raise StorageError(f"Expected a folder or prefix with images; {source.url} is a single file.")
    names = sorted(name for name in found if is_image_name(name))
    if not names:
        raise StorageError(f"Expected images in {source.url}; found none among {len(found)} files.")
    mask_of = {} if masks is None else _masks_by_image(masks)
    stems = Counter(map(_stem, names))

    def mask_for(name: str) -> str | None:
        # `a.png` is the mask of `a.jpg` only where no other image could claim it.
        return mask_of.get(name) or (mask_of.get(_stem(name)) if stems[_stem(name)] == 1 else None)

    return [Entry(name, found[name].size_bytes, found[name].version, mask_for(name)) for name in names]


def _storable(name: str) -> str:
    """A name that Parquet can hold, should a disk's not be Unicode; such an image fails as unreadable."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _masks_by_image(masks: Location) -> dict[str, str]:
    """Masks by their own name and by their name without the suffix: `a.jpg` finds `a.png`, `a.jpg.png`."""
    if not masks.exists():
        raise StorageError(f"Expected a folder or prefix with masks; {masks.url} does not exist.")
    names = sorted(found.name for found in masks.find() if is_image_name(found.name))
    return {_stem(name): name for name in names} | {name: name for name in names}


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def encode_manifest(entries: list[Entry], shard_size: int) -> bytes:
    """A manifest as the bytes of a Parquet file."""
    columns = {column: [getattr(entry, column) for entry in entries] for column in SCHEMA.names}
    sink = io.BytesIO()
    table = pa.Table.from_pydict(columns, schema=SCHEMA)
    pq.write_table(table, sink, row_group_size=shard_size, compression="zstd")
    return sink.getvalue()


def read_shard(output: Location, name: str, shard: int) -> list[Entry]:
    """The entries of one shard of a stored manifest.

    Raises:
        StorageError: the manifest cannot be read.
    """
    table = output.parse(name, lambda file: pq.ParquetFile(file).read_row_group(shard))
    return [Entry(**row) for row in table.to_pylist()]
