"""Whether there is anything to restore, looked at without a list of it."""

from collections.abc import Iterable

from dip.errors import StorageError
from dip.images import is_image_name
from dip.images.naming import EXCLUDED, is_excluded
from dip.storage import Location


def check_images(source: Location, exclude: Iterable[str] = EXCLUDED) -> None:
    """See that there is an image below a location, at least one.

    Raises:
        StorageError: it does not exist, is a file, holds no images, or cannot be listed.
    """
    check_exists(source, "images")
    files = 0
    for files, found in enumerate(source.find(), 1):  # noqa: B007 - counted for the message
        if not found.name:
            raise StorageError(f"Expected a folder or prefix with images; {source.url} is a single file.")
        name = storable(found.name)
        if is_image_name(name) and not is_excluded(name, exclude):
            return
    raise StorageError(f"Expected images in {source.url}; found none among {files} files.")


def check_exists(location: Location, what: str) -> None:
    """See that a location exists.

    Raises:
        StorageError: it does not, or cannot be asked.
    """
    if not location.exists():
        raise StorageError(f"Expected a folder or prefix with {what}; {location.url} does not exist.")


def storable(name: str) -> str:
    """A name that Parquet can hold, should a disk's not be Unicode; such an image fails as unreadable."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
