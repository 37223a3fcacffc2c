"""The part files of finished runs, one per shard, joined to few: a query opens each file it reads."""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from dip.errors import StorageError
from dip.storage import Location
from dip.storage.part_files import ROW_GROUP_BYTES, read_columns
from dip.storage.results import CURVE_SCHEMA, ROW_SCHEMA
from flows.runs.accounts import unfinished
from flows.runs.bag import close_bag, is_declared, open_bag, results_of
from flows.runs.history import finished_runs
from flows.runs.lock import locked

JOINED_BYTES = 2**26
"""Files are joined up to about so much; embedded images are large."""

_SCHEMAS = {"metrics": ROW_SCHEMA, "curves": CURVE_SCHEMA}


@dataclass(frozen=True, order=True)
class _Part:
    """A part file, of one shard or of several that follow each other."""

    first: int
    last: int
    name: str
    size_bytes: int

    def covers(self, other: "_Part") -> bool:
        """Whether it was joined of the other one, and more."""
        return self.name != other.name and self.first <= other.first and other.last <= self.last


def join_parts(output: Location) -> tuple[int, int]:
    """Join the part files of an output's finished runs. Interrupted, it goes on when it is called again.

    Whoever reads meanwhile, or after an interruption, can meet a row twice.

    Args:
        output: of runs, be it a bag or not.

    Returns:
        How many files there were, and how many there are now.

    Raises:
        ConfigurationError: a run works on the output.
        StorageError: no run has finished, or a part file cannot be read, written or deleted.
    """
    results = results_of(output)
    if not results.names("runs"):
        raise StorageError(f"Expected results in {results.url}; there are none.")
    with locked(output, take_over=False):
        runs = _check_finished(results)
        with _opened(output, results):
            counts = [_join(results, folder, run_id) for run_id in runs for folder in _SCHEMAS]
    return sum(before for before, _ in counts), sum(after for _, after in counts)


def _check_finished(results: Location) -> list[str]:
    """The finished runs, of which there must be one."""
    runs = finished_runs(results)
    if not runs:
        found = f"Expected a finished run in {results.url}; there is none. {unfinished(results)}"
        raise StorageError(found.rstrip())
    return runs


@contextmanager
def _opened(output: Location, results: Location) -> Iterator[None]:
    """While results change, a bag is none; it stays open if a run left it so."""
    if results is output:
        yield
        return
    open_bag(output)
    yield
    if is_declared(output) and not unfinished(results):
        close_bag(output)


def _join(output: Location, folder: str, run_id: str) -> tuple[int, int]:
    parts = sorted(_parts(output, folder, run_id))
    left_behind = [part for part in parts if any(other.covers(part) for other in parts)]
    output.delete([part.name for part in left_behind])
    groups = list(_groups(part for part in parts if part not in left_behind))
    for group in groups:
        if len(group) > 1:
            names = [part.name for part in group]
            joined = f"{folder}/part-{run_id}-{group[0].first:05d}-{group[-1].last:05d}.parquet"
            read = partial(read_columns, schema=_SCHEMAS[folder])
            output.write(joined, _joined((output.parse(name, read) for name in names), folder))
            output.delete(names)
    return len(parts), len(groups)


def _parts(output: Location, folder: str, run_id: str) -> Iterator[_Part]:
    pattern = re.compile(rf"{folder}/part-{re.escape(run_id)}-(\d+)(?:-(\d+))?\.parquet")
    for found in output.find(folder):
        if match := pattern.fullmatch(found.name):
            yield _Part(int(match[1]), int(match[2] or match[1]), found.name, found.size_bytes)


def _groups(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    """Parts that follow each other, as many as are not too large together."""
    group: list[_Part] = []
    for part in parts:
        if group and sum(each.size_bytes for each in [*group, part]) > JOINED_BYTES:
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _joined(tables: Iterable[pa.Table], folder: str) -> bytes:
    """Tables one below the other, as the bytes of a Parquet file."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, _SCHEMAS[folder], compression="zstd") as writer:
        for group in _row_groups(tables):
            writer.write_table(pa.concat_tables(group).combine_chunks())
    return sink.getvalue()


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
    group: list[pa.Table] = []
    size_bytes = 0
    for table in tables:
        group.append(table)
        size_bytes += table.nbytes
        if size_bytes > ROW_GROUP_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group
