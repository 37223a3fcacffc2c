"""A report is made: pictures image by image, then rows and page. What is there already is not made again."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from dip.storage import Location
from flows.report.columns import Column
from flows.report.head import Head
from flows.report.items import Item, script_name
from flows.report.page import write_page
from flows.report.scripts import row_scripts
from flows.report.selection import Group, Indices, shown, tabled

AT_ONCE = 4
PREPARED_AT_ONCE = 256

Tell = Callable[[int, int], None]
"""Is told how many images are done, and of how many."""


class Contents(Protocol):
    """What a page is made of."""

    rows: pa.Table
    columns: Sequence[Column]
    groups: Sequence[Group]

    @property
    def places(self) -> Sequence[tuple[Location, Location]]:
        """The outputs that it is on, and their sources."""

    @property
    def head(self) -> Head:
        """The head of the page."""

    def keys(self, indices: Sequence[int]) -> list[str]:
        """Names of the files of some images."""

    def prepare(self, indices: Sequence[int]) -> Callable[[int], Item]:
        """Read what the items of some images need; what makes the item of one of them."""


@dataclass(frozen=True)
class Report:
    """What became of a report.

    Attributes:
        url: of its page.
        images: that it tells of.
        tabled: of these, in its table.
        shown: of these, with pictures.
        made: of these, by this call.
    """

    url: str
    images: int
    tabled: int
    shown: int
    made: int


def make_report(contents: Contents, folder: Location, tell: Tell) -> Report:
    """Write a report.

    Args:
        contents: of what.
        folder: where it goes; what another report has left there is kept as far as it is the same.
        tell: is told how far it is.

    Raises:
        StorageError: an output cannot be read, or the report not be written. The same call goes on.
    """
    of_groups = shown(contents.groups)
    keys = dict(zip(of_groups.tolist(), contents.keys(of_groups.tolist()), strict=True))
    there = {found.name for found in folder.find("previews") if found.name.endswith(".js")}
    left = sorted(index for index, key in keys.items() if script_name(key) not in there)
    _make_items(contents, left, folder, lambda count: tell(len(keys) - len(left) + count, len(keys)))
    rows = _page_rows(contents, keys, tabled(contents.rows, of_groups), _thumbnails(folder))
    columns = [*contents.columns, *_HIDDEN]
    scripts = list(row_scripts(rows, columns))
    for name, content in scripts:
        folder.write(name, content)
    write_page(contents.head, columns, contents.groups, (contents.rows.num_rows, rows.num_rows), folder)
    return Report(folder.url_of("index.html"), contents.rows.num_rows, rows.num_rows, len(keys), len(left))


_HIDDEN = (Column("key", "", "text"), Column("groups", "", digits=0), Column("pictures", "", digits=0))
_THUMBNAILS = (".small-before.webp", ".small-after.webp")


def _make_items(
    contents: Contents, indices: Sequence[int], folder: Location, tell: Callable[[int], None]
) -> None:
    tell(0)
    for start in range(0, len(indices), PREPARED_AT_ONCE):
        some = indices[start : start + PREPARED_AT_ONCE]
        for count, _ in enumerate(_written(contents.prepare(some), some, folder), start + 1):
            tell(count)


def _written(make: Callable[[int], Item], indices: Sequence[int], folder: Location) -> Iterator[None]:
    """Write items, a few at a time; yields once for each."""

    def write(index: int) -> None:
        for name, content in make(index).files():
            folder.write(name, content)

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        yield from pool.map(write, indices)
    finally:
        pool.shutdown(cancel_futures=True)


def _thumbnails(folder: Location) -> dict[str, int]:
    """Which thumbnails there are of each item: 1 for the input's, and 2 for the restoration's."""
    there: dict[str, int] = {}
    for found in folder.find("previews"):
        for number, ending in enumerate(_THUMBNAILS):
            if found.name.endswith(ending):
                key = found.name.rsplit("/", 1)[-1].removesuffix(ending)
                there[key] = there.get(key, 0) | 1 << number
    return there


def _page_rows(
    contents: Contents, keys: dict[int, str], indices: Indices, thumbnails: dict[str, int]
) -> pa.Table:
    """The rows of the table, each with its item's key and thumbnails, and the groups that it is in."""
    flags = np.zeros(contents.rows.num_rows, np.int64)
    for number, group in enumerate(contents.groups):
        flags[group.indices] |= 1 << number
    rows = contents.rows.select([column.name for column in contents.columns]).take(pa.array(indices))
    of_rows = [keys.get(index) for index in indices.tolist()]
    hidden = {
        "key": pa.array(of_rows, pa.string()),
        "groups": pa.array(flags[indices]),
        "pictures": pa.array([thumbnails.get(key or "", 0) for key in of_rows]),
    }
    for name, values in hidden.items():
        rows = rows.append_column(name, values)
    return rows
