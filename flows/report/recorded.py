"""What lies in an output's Parquet files beside the rows: curves, and images that are embedded."""

import threading
from collections import defaultdict
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dip.storage import Location
from dip.storage.part_files import read_columns
from dip.storage.results import CURVE_SCHEMA

Key = tuple[str, str]
"""Of a row: its run and its image."""
MOST_POINTS = 200


def curves_of(results: Location, keys: Collection[Key]) -> dict[Key, list[dict[str, Any]]]:
    """The curves of some images, each thinned to `MOST_POINTS`.

    Raises:
        StorageError: a file of curves cannot be read.
    """
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    names = pa.array(sorted({image_id for _, image_id in keys}), pa.string())
    for part in sorted(results.names("curves")) if keys else ():
        table = results.parse(f"curves/{part}", lambda file: read_columns(file, CURVE_SCHEMA))
        for point in table.filter(pc.is_in(table["image_id"], names)).to_pylist():
            found[point["run_id"], point["image_id"]].append(point)
    return {key: _thinned(points) for key, points in found.items()}


def _thinned(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    step = -(-len(points) // MOST_POINTS)
    return [*points[:-1:step], points[-1]]


class Embedded:
    """The restored images that lie in an output's rows.

    Args:
        results: the output.
    """

    def __init__(self, results: Location) -> None:
        self._results = results
        self._places: dict[Key, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self._group = lru_cache(maxsize=2)(self._read_group)

    def index(self) -> None:
        """Note in which part of which file each lies.

        Raises:
            StorageError: a part file cannot be read.
        """
        for part in self._results.names("metrics"):
            for number, keys in enumerate(self._results.parse(f"metrics/{part}", _keys_by_group)):
                self._places |= dict.fromkeys(keys, (part, number))

    def content(self, key: Key) -> bytes:
        """The file of an image.

        Raises:
            KeyError: there is no such row.
            StorageError: its part file cannot be read.
        """
        with self._lock:  # a part can be large: not one for each thread
            group = self._group(*self._places[key])
        is_it = pc.and_(pc.equal(group["run_id"], key[0]), pc.equal(group["image_id"], key[1]))
        content: bytes = group.filter(is_it)["image"][0].as_py()["bytes"]
        return content

    def _read_group(self, part: str, number: int) -> pa.Table:
        columns = ["run_id", "image_id", "image"]
        return self._results.parse(
            f"metrics/{part}",
            lambda file: pq.ParquetFile(file).read_row_group(number, columns, use_threads=False),
        )


def _keys_by_group(file: Any) -> list[list[Key]]:
    part, columns = pq.ParquetFile(file), ["run_id", "image_id"]
    groups = (part.read_row_group(n, columns, use_threads=False) for n in range(part.num_row_groups))
    return [[(row["run_id"], row["image_id"]) for row in group.to_pylist()] for group in groups]
