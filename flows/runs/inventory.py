"""What a source holds, set against what has a result: in a database on disk, so that neither fills memory."""

import sqlite3
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from dip.errors import ConfigurationError, StorageError
from dip.images import is_image_name
from dip.images.naming import EXCLUDED, is_excluded
from dip.storage import Location
from dip.storage.location import PARALLEL_REQUESTS
from dip.storage.part_files import read_parts
from flows.runs.manifest import Entry
from flows.runs.source import check_exists, check_images, storable

_TABLES = """
CREATE TABLE images (image_id TEXT PRIMARY KEY, stem TEXT, version TEXT, folded TEXT) WITHOUT ROWID;
CREATE TABLE left_out (name TEXT);
CREATE TABLE masks (mask_id TEXT PRIMARY KEY, stem TEXT, version TEXT) WITHOUT ROWID;
CREATE TABLE results (
    image_id TEXT PRIMARY KEY, status TEXT, source_version TEXT, source_sha256 TEXT, mask_version TEXT,
    mask_sha256 TEXT
) WITHOUT ROWID;
CREATE TABLE changed (image_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE chosen (image_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX images_by_stem ON images (stem);
CREATE INDEX masks_by_stem ON masks (stem);
"""

# A mask bears the image's name, or that with a suffix (`a.jpg.png`). One that differs in its suffix
# (`a.png` for `a.jpg`) is the image's only where no other image could claim it.
_MASKED = """
SELECT *, coalesce(
    (SELECT mask_id FROM masks WHERE mask_id = image_id),
    (SELECT max(mask_id) FROM masks WHERE masks.stem = image_id),
    (SELECT max(mask_id) FROM masks WHERE masks.stem = images.stem
        AND NOT EXISTS (SELECT * FROM images o WHERE o.stem = images.stem AND o.image_id <> images.image_id))
) AS mask_id FROM images
"""

_OPEN = f"""
SELECT image_id, image.version, mask_id, masks.version
FROM ({_MASKED}) AS image LEFT JOIN masks USING (mask_id)
WHERE image_id NOT IN (SELECT image_id FROM results) ORDER BY image_id
"""

# A storage that tells no version leaves no choice but to read.
_SUSPECTS = """
SELECT image_id, image_id, source_sha256 FROM images JOIN results USING (image_id)
WHERE version IS NOT source_version OR version = ''
"""

_SUSPECT_MASKS = f"""
SELECT image_id, mask_id, mask_sha256
FROM ({_MASKED}) JOIN results USING (image_id) JOIN masks USING (mask_id)
WHERE masks.version IS NOT mask_version OR masks.version = ''
"""

_SHARED_MASKS = f"""
SELECT mask_id, min(image_id), max(image_id) FROM ({_MASKED})
WHERE mask_id IS NOT NULL GROUP BY mask_id HAVING count(*) > 1 LIMIT 1
"""

# What is named like another image and a suffix of infrared is that one's infrared, and no image of its own.
_INFRARED = """
INSERT INTO masks SELECT infrared.image_id, picture.stem, infrared.version FROM images AS infrared
JOIN images AS picture ON picture.stem = substr(infrared.stem, 1, length(infrared.stem) - length(:suffix))
WHERE lower(substr(infrared.stem, -length(:suffix))) = lower(:suffix)
GROUP BY infrared.image_id
"""

_IS_MASKED = f"SELECT EXISTS (SELECT * FROM ({_MASKED}) WHERE mask_id IS NOT NULL)"

_VANISHED = "SELECT count(*) FROM results WHERE image_id NOT IN (SELECT image_id FROM images)"

_TWINS = """
SELECT min(image_id), max(image_id) FROM images GROUP BY folded HAVING count(*) > 1 LIMIT 1
"""

_FAILED = "SELECT count(*) FROM results JOIN images USING (image_id) WHERE status = 'failed'"

_UNKNOWN = "SELECT count(*), min(image_id) FROM chosen WHERE image_id NOT IN (SELECT image_id FROM images)"

_KNOWN_BY = ["image_id", "status", "source_version", "source_sha256", "mask_version", "mask_sha256"]
_HASHED_AT_ONCE = 8 * PARALLEL_REQUESTS


class Inventory:
    """The images of a source, their masks, and the results that there are.

    Args:
        database: an empty one.
        source: where the images are.
        exclude: patterns of names that are left out.
    """

    def __init__(self, database: sqlite3.Connection, source: Location, exclude: Iterable[str]) -> None:
        self._database, self._source = database, source
        self._masks: Location | None = None
        self._exclude = tuple(exclude)
        database.executescript(_TABLES)

    def list_source(self) -> None:
        """Take in all images below the source.

        Raises:
            StorageError: the source does not exist, holds no images, or cannot be listed.
        """
        check_images(self._source, self._exclude)
        self._database.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", self._images())

    def _images(self) -> Iterator[tuple[str, str, str, str]]:
        """A row of each image; what is none is noted as left out."""
        for found in self._source.find():
            name = storable(found.name)
            if is_image_name(name) and not is_excluded(name, self._exclude):
                yield name, _stem(name), found.version, _folded(name)
            else:
                self._database.execute("INSERT INTO left_out VALUES (?)", (name,))

    def left_out(self) -> list[str]:
        """The files of the source that are no images, hidden, or excluded, in the order of their paths."""
        return [name for (name,) in self._database.execute("SELECT name FROM left_out ORDER BY name")]

    def count_left_out(self) -> int:
        """How many there are."""
        (count,) = self._database.execute("SELECT count(*) FROM left_out").fetchone()
        return int(count)

    def twins(self) -> tuple[str, str] | None:
        """Two images that are one to a disk that takes `A` for `a`, or one way to write `é` for the other."""
        found = self._database.execute(_TWINS).fetchone()
        return None if found is None else (found[0], found[1])

    def list_masks(self, masks: Location) -> None:
        """Take in all masks below a location, once the source is listed.

        Raises:
            StorageError: it does not exist, cannot be listed, or holds no mask of any image, or one of two.
        """
        check_exists(masks, "masks")
        named = ((storable(found.name), found.version) for found in masks.find())
        rows = ((name, _stem(name), version) for name, version in named if is_image_name(name))
        count = self._database.executemany("INSERT INTO masks VALUES (?, ?, ?)", rows).rowcount
        (is_masked,) = self._database.execute(_IS_MASKED).fetchone()
        if not is_masked:
            raise StorageError(
                f"Expected masks in {masks.url} at the same relative paths as the images of "
                f"{self._source.url}; found none for an image among {count} masks."
            )
        shared = self._database.execute(_SHARED_MASKS).fetchone()
        if shared is not None:
            mask_id, *images = shared
            raise StorageError(
                f"Expected a mask for each image alone in {masks.url}; {mask_id} goes by the names of "
                f"{' and '.join(images)}. Rename one of these images, and its mask."
            )
        self._masks = masks

    def list_infrared(self, suffixes: Iterable[str]) -> None:
        """Take the files of the source that hold the infrared of images beside them for their masks.

        Args:
            suffixes: what follows the name of an image in that of its infrared.
        """
        for suffix in suffixes:
            self._database.execute(_INFRARED, {"suffix": suffix})
        self._database.execute("INSERT INTO left_out SELECT mask_id FROM masks")
        self._database.execute("DELETE FROM images WHERE image_id IN (SELECT mask_id FROM masks)")
        self._masks = self._source

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
        self._database.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?)", rows)

    def count_vanished(self) -> int:
        """How many images with a result are not in the source any more."""
        (count,) = self._database.execute(_VANISHED).fetchone()
        return int(count)

    def count_failed(self) -> int:
        """How many images of the source have failed, as far as their results are not forgotten."""
        (count,) = self._database.execute(_FAILED).fetchone()
        return int(count)

    def forget_failures(self) -> None:
        """Take the results of images that failed for none."""
        self._database.execute("DELETE FROM results WHERE status = 'failed'")

    def forget_all(self) -> None:
        """Take all results for none."""
        self._database.execute("DELETE FROM results")

    def forget(self, names: Iterable[str]) -> None:
        """Take the results of some images for none.

        Raises:
            ConfigurationError: one of them is not in the source.
        """
        self._choose(names)
        self._database.execute("DELETE FROM results WHERE image_id IN (SELECT image_id FROM chosen)")

    def keep_only(self, names: Iterable[str]) -> None:
        """Leave all other images of the source out.

        Raises:
            ConfigurationError: one of them is not in the source.
        """
        self._choose(names)
        self._database.execute("DELETE FROM images WHERE image_id NOT IN (SELECT image_id FROM chosen)")

    def _choose(self, names: Iterable[str]) -> None:
        self._database.execute("DELETE FROM chosen")
        self._database.executemany("INSERT OR IGNORE INTO chosen VALUES (?)", ((name,) for name in names))
        count, example = self._database.execute(_UNKNOWN).fetchone()
        if count:
            raise ConfigurationError(
                f"Expected a list of images of {self._source.url}; {count} of its names are not there, "
                f"such as {example!r}. Names are paths below the source."
            )

    def forget_changed(self) -> None:
        """Take the results of images whose content, or mask, is another one by now for none.

        A file that is another one by the listing is read: a copy that was only touched, or moved to another
        disk and back, has its result.
        """
        self._note_changed(_SUSPECTS, self._source)
        if self._masks is not None:
            self._note_changed(_SUSPECT_MASKS, self._masks)
        self._database.execute("DELETE FROM results WHERE image_id IN (SELECT image_id FROM changed)")

    def _note_changed(self, query: str, location: Location) -> None:
        """Note the images of those suspects, (image, file, known checksum), whose file has another one."""

        def has_changed(suspect: tuple[str, str, str | None]) -> bool:
            _, name, known_sha256 = suspect
            try:
                return location.sha256(name) != known_sha256
            except StorageError:  # its row will say so
                return True

        suspects = self._database.execute(query)
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            while some := suspects.fetchmany(_HASHED_AT_ONCE):
                known = zip(some, pool.map(has_changed, some), strict=True)
                changed = ((image_id,) for (image_id, *_), is_so in known if is_so)
                self._database.executemany("INSERT OR IGNORE INTO changed VALUES (?)", changed)

    def without_result(self) -> Iterator[Entry]:
        """The images that have no result, each with its mask, in the order of their paths."""
        return (Entry(*row) for row in self._database.execute(_OPEN))


@contextmanager
def inventory_of(
    source: Location,
    masks: Location | None,
    exclude: Iterable[str] = EXCLUDED,
    infrared: Sequence[str] = (),
) -> Iterator[Inventory]:
    """An inventory of a source without results, as long as it is needed.

    Args:
        source: where the images are.
        masks: where masks are, if there are any.
        exclude: patterns of names that are left out.
        infrared: what files with infrared channels are told by, if there is use for them.

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
                inventory = Inventory(database, source, exclude)
                inventory.list_source()
                if masks is not None:
                    inventory.list_masks(masks)
                if infrared:
                    inventory.list_infrared(infrared)
                yield inventory
        except sqlite3.Error as error:
            raise StorageError(
                f"Expected room for the list of images in {folder}; {error}. "
                "Make room, or name another folder in TMPDIR."
            ) from error


def list_images(
    source: Location,
    masks: Location | None,
    exclude: Iterable[str] = EXCLUDED,
    infrared: Sequence[str] = (),
) -> list[Entry]:
    """All images below a source in the order of their paths, each with its mask, or its infrared.

    Raises:
        StorageError: source or masks do not exist, or cannot be listed; or the source holds no images.
    """
    with inventory_of(source, masks, exclude, infrared) as inventory:
        return list(inventory.without_result())


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
