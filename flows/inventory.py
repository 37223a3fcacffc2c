"""What a source holds, set against what has a result: in a database on disk, so that neither fills memory."""

import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from dip.errors import StorageError
from dip.images import is_image_name
from dip.results import read_parts
from dip.storage import PARALLEL_REQUESTS, Location
from flows.manifest import Entry

_TABLES = """
CREATE TABLE images (image_id TEXT PRIMARY KEY, stem TEXT, size_bytes INTEGER, version TEXT) WITHOUT ROWID;
CREATE TABLE masks (mask_id TEXT PRIMARY KEY, stem TEXT) WITHOUT ROWID;
CREATE TABLE results (
    image_id TEXT PRIMARY KEY, status TEXT, source_version TEXT, source_sha256 TEXT
) WITHOUT ROWID;
CREATE TABLE changed (image_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX images_by_stem ON images (stem);
CREATE INDEX masks_by_stem ON masks (stem);
"""

# A mask bears the image's name, or that with a suffix (`a.jpg.png`). One that differs in its suffix
# (`a.png` for `a.jpg`) is the image's only where no other image could claim it.
_OPEN = """
SELECT image_id, size_bytes, version, coalesce(
    (SELECT mask_id FROM masks WHERE mask_id = image_id),
    (SELECT max(mask_id) FROM masks WHERE masks.stem = image_id),
    (SELECT max(mask_id) FROM masks WHERE masks.stem = images.stem
        AND NOT EXISTS (SELECT * FROM images o WHERE o.stem = images.stem AND o.image_id <> images.image_id))
)
FROM images WHERE image_id NOT IN (SELECT image_id FROM results) ORDER BY image_id
"""

_SUSPECTS = """
SELECT image_id, source_sha256 FROM images JOIN results USING (image_id) WHERE version <> source_version
"""

_VANISHED = "SELECT count(*) FROM results WHERE image_id NOT IN (SELECT image_id FROM images)"

_KNOWN_BY = ["image_id", "status", "source_version", "source_sha256"]
_HASHED_AT_ONCE = 8 * PARALLEL_REQUESTS


class Inventory:
    """The images of a source, their masks, and the results that there are.

    Args:
        database: an empty one.
        source: where the images are.
    """

    def __init__(self, database: sqlite3.Connection, source: Location) -> None:
        self._database, self._source = database, source
        database.executescript(_TABLES)

    def list_source(self) -> None:
        """Take in all images below the source.

        Raises:
            StorageError: the source does not exist, holds no images, or cannot be listed.
        """
        source = self._source
        if not source.exists():
            raise StorageError(f"Expected a folder or prefix with images; {source.url} does not exist.")
        files = 0

        def images() -> Iterator[tuple[str, str, int, str]]:
            nonlocal files
            for files, found in enumerate(source.find(), 1):  # noqa: B007 - counted for the message
                if not found.name:
                    raise StorageError(
                        f"Expected a folder or prefix with images; {source.url} is a single file."
                    )
                name = _storable(found.name)
                if is_image_name(name):
                    yield name, _stem(name), found.size_bytes, found.version

        if not self._database.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", images()).rowcount:
            raise StorageError(f"Expected images in {source.url}; found none among {files} files.")

    def list_masks(self, masks: Location) -> None:
        """Take in all masks below a location.

        Raises:
            StorageError: it does not exist, or cannot be listed.
        """
        if not masks.exists():
            raise StorageError(f"Expected a folder or prefix with masks; {masks.url} does not exist.")
        names = (_storable(found.name) for found in masks.find() if is_image_name(found.name))
        self._database.executemany("INSERT INTO masks VALUES (?, ?)", ((name, _stem(name)) for name in names))

    def read_results(self, output: Location) -> None:
        """Take in what the rows of an output say; of an image that was tried again, the newest one.

        Raises:
            StorageError: a part file cannot be read.
        """
        rows = (
            row
            for part in read_parts(output, _KNOWN_BY)
            for row in zip(*(part[column].to_pylist() for column in _KNOWN_BY), strict=True)
        )
        self._database.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", rows)

    def count_vanished(self) -> int:
        """How many images with a result are not in the source any more."""
        (count,) = self._database.execute(_VANISHED).fetchone()
        return int(count)

    def forget_failures(self) -> None:
        """Take the results of images that failed for none."""
        self._database.execute("DELETE FROM results WHERE status = 'failed'")

    def forget_all(self) -> None:
        """Take all results for none."""
        self._database.execute("DELETE FROM results")

    def forget_changed(self) -> None:
        """Take the results of images whose content is another one by now for none.

        An image whose file is another one by the listing is read: a copy that was only touched, or moved to
        another disk and back, has its result.
        """
        suspects = self._database.execute(_SUSPECTS)
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            while some := suspects.fetchmany(_HASHED_AT_ONCE):
                known = zip(some, pool.map(self._has_changed, some), strict=True)
                changed = ((image_id,) for (image_id, _), is_so in known if is_so)
                self._database.executemany("INSERT INTO changed VALUES (?)", changed)
        self._database.execute("DELETE FROM results WHERE image_id IN (SELECT image_id FROM changed)")

    def _has_changed(self, suspect: tuple[str, str | None]) -> bool:
        image_id, known_sha256 = suspect
        try:
            return self._source.sha256(image_id) != known_sha256
        except StorageError:  # its row will say so
            return True

    def without_result(self) -> Iterator[Entry]:
        """The images that have no result, each with its mask, in the order of their paths."""
        return (Entry(*row) for row in self._database.execute(_OPEN))


@contextmanager
def inventory_of(source: Location, masks: Location | None) -> Iterator[Inventory]:
    """An inventory of a source without results, as long as it is needed.

    Raises:
        StorageError: source or masks do not exist, or cannot be listed; the source holds no images; or there
            is no room for the inventory.
    """
    with tempfile.TemporaryDirectory(prefix="dip-") as folder:
        try:
            with closing(sqlite3.connect(Path(folder, "inventory.sqlite"))) as database:
                # Nothing has to be safe: the database ends with the process that made it.
                database.execute("PRAGMA journal_mode = OFF")
                database.execute("PRAGMA synchronous = OFF")
                inventory = Inventory(database, source)
                inventory.list_source()
                if masks is not None:
                    inventory.list_masks(masks)
                yield inventory
        except sqlite3.Error as error:
            raise StorageError(
                f"Expected room for the list of images in {folder}; {error}. "
                "Make room, or name another folder in TMPDIR."
            ) from error


def list_images(source: Location, masks: Location | None) -> list[Entry]:
    """All images below a source in the order of their paths, each with its mask.

    Raises:
        StorageError: source or masks do not exist, or cannot be listed; or the source holds no images.
    """
    with inventory_of(source, masks) as inventory:
        return list(inventory.without_result())


def _storable(name: str) -> str:
    """A name that Parquet can hold, should a disk's not be Unicode; such an image fails as unreadable."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
