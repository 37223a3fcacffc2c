"""Which images of a source have a result already, and which results have lost their image."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from dip.errors import StorageError
from dip.storage import PARALLEL_REQUESTS, Location
from flows.manifest import Entry

KNOWN_BY = ["image_id", "status", "source_version", "source_sha256"]
"""Columns of the rows that tell."""


def without_result(entries: Sequence[Entry], rows: pa.Table, source: Location) -> list[Entry]:
    """The images whose content has no row.

    An image whose file is another one by the listing is read: a copy that was only touched, or moved to
    another disk and back, has its result.

    Args:
        entries: all images there are.
        rows: one per image, with the columns `KNOWN_BY`.
        source: where the images are.
    """
    listed = pa.table(
        {
            "image_id": pa.array([entry.image_id for entry in entries], pa.string()),
            "version": pa.array([entry.version for entry in entries], pa.string()),
        }
    )
    joined = listed.join(rows.select(KNOWN_BY), "image_id")
    is_new = pc.is_null(joined["status"])
    is_other = pc.fill_null(pc.not_equal(joined["version"], joined["source_version"]), False)
    suspects = joined.filter(pc.and_(is_other, pc.invert(is_new))).select(["image_id", "source_sha256"])
    wanted = {*joined.filter(is_new)["image_id"].to_pylist(), *_changed(suspects, source)}
    return [entry for entry in entries if entry.image_id in wanted]


def count_vanished(entries: Sequence[Entry], rows: pa.Table) -> int:
    """How many images with a row are not in the source any more."""
    there = pa.array([entry.image_id for entry in entries], pa.string())
    found = rows.filter(pc.is_in(rows["image_id"], value_set=there))
    return int(rows.num_rows - found.num_rows)


def _changed(suspects: pa.Table, source: Location) -> list[str]:
    def has_changed(row: dict[str, str]) -> bool:
        try:
            return next(source.sha256_of([row["image_id"]])) != row["source_sha256"]
        except StorageError:  # its row will say so
            return True

    rows = suspects.to_pylist()
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        return [
            row["image_id"]
            for row, is_changed in zip(rows, pool.map(has_changed, rows), strict=True)
            if is_changed
        ]
