"""Which names are images, and what a derivative is called."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from dip.configuration.vocabulary import AskedFormat, FileFormat

FORMATS: dict[str, FileFormat] = {
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".jp2": "jp2",
    ".webp": "webp",
    ".bmp": "bmp",
}
"""Format of a derivative by its source's name: those that lose nothing."""

_LOSSY: dict[str, FileFormat] = dict.fromkeys([".jpeg", ".jpg", ".jpe", ".jfif", ".jif", ".jfi"], "jpeg")

SUFFIXES: dict[FileFormat, str] = {
    "png": ".png",
    "tiff": ".tif",
    "jp2": ".jp2",
    "webp": ".webp",
    "bmp": ".bmp",
    "jpeg": ".jpg",
}

IMAGE_SUFFIXES = (
    frozenset(FORMATS)
    | frozenset(_LOSSY)
    | frozenset([".avif", ".gif", ".j2c", ".j2k", ".jpc", ".jpf", ".jpx", ".pbm", ".pgm", ".pnm", ".ppm"])
)


EXCLUDED = ("@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX", "lost+found", "[Tt]humbs", "Thumbs.db")
"""What systems put beside images: thumbnails, wastebaskets, resource forks."""


def is_excluded(name: str, globs: Iterable[str]) -> bool:
    """Whether a relative path, or the name of a file or folder in it, matches one of some patterns."""
    parts = (name, *PurePosixPath(name).parts)
    return any(fnmatchcase(part, glob) for glob in globs for part in parts)


def is_image_name(name: str) -> bool:
    """Whether a relative path names an image; hidden files and what lies in hidden folders does not.

    >>> is_image_name("box 3/scan.TIF"), is_image_name(".trash/scan.tif"), is_image_name("notes.txt")
    (True, False, False)
    """
    path = PurePosixPath(name)
    return path.suffix.lower() in IMAGE_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def derivative_format(name: str, asked: AskedFormat) -> FileFormat:
    """The format of an image's derivative; PNG for a source that is of none that loses nothing.

    >>> derivative_format("scan.tif", "source"), derivative_format("photo.jpg", "source")
    ('tiff', 'png')
    """
    if asked != "source":
        return asked
    return FORMATS.get(PurePosixPath(name).suffix.lower(), "png")


def derivative_name(name: str, file_format: FileFormat, suffix: str = "") -> str:
    """The relative path of an image's derivative in a format. No two images share one.

    Args:
        name: relative path of the image.
        file_format: of the derivative.
        suffix: what follows the name of each image, before the format's suffix.

    An image of that format keeps its name and any other gets the format's suffix behind its own, so that
    `a.jpg` and `a.png` do not meet; and so does one that could be taken for the derivative of another
    image: `a.jpg.png`.

    >>> derivative_name("box 3/scan.tif", "tiff"), derivative_name("photo.jpg", "png", "-restored")
    ('box 3/scan.tif', 'photo-restored.jpg.png')
    """
    path = PurePosixPath(name)
    path = path.with_name(f"{path.stem}{suffix}{path.suffix}")
    is_kept = (FORMATS | _LOSSY).get(path.suffix.lower()) == file_format and not is_image_name(path.stem)
    return str(path) if is_kept else f"{path}{SUFFIXES[file_format]}"
