"""Which names are images, and what a derivative is called."""

from pathlib import PurePosixPath
from typing import Literal

FileFormat = Literal["png", "tiff", "webp", "bmp"]
"""What derivatives are written as: each of them loses nothing."""

AskedFormat = Literal["source", "png", "tiff"]
"""What a run can ask for: the format of each source, as far as derivatives have it, or one for all."""

FORMATS: dict[str, FileFormat] = {
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
    ".bmp": "bmp",
}
"""Format of a derivative by its name."""

SUFFIXES: dict[FileFormat, str] = {"png": ".png", "tiff": ".tif", "webp": ".webp", "bmp": ".bmp"}

IMAGE_SUFFIXES = frozenset(FORMATS) | frozenset(
    [".avif", ".gif", ".j2k", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".pnm", ".ppm"]
)


def is_image_name(name: str) -> bool:
    """Whether a relative path names an image; hidden files and what lies in hidden folders does not."""
    path = PurePosixPath(name)
    return path.suffix.lower() in IMAGE_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def derivative_format(name: str, asked: AskedFormat) -> FileFormat:
    """The format of an image's derivative; PNG for a source that is of none that loses nothing."""
    if asked != "source":
        return asked
    return FORMATS.get(PurePosixPath(name).suffix.lower(), "png")


def derivative_name(name: str, file_format: FileFormat) -> str:
    """The relative path of an image's derivative in a format. No two images share one.

    An image of that format keeps its name and any other gets the format's suffix behind its own, so that
    `a.jpg` and `a.png` do not meet; and so does one that could be taken for the derivative of another
    image: `a.jpg.png`.
    """
    path = PurePosixPath(name)
    is_kept = FORMATS.get(path.suffix.lower()) == file_format and not is_image_name(path.stem)
    return name if is_kept else f"{name}{SUFFIXES[file_format]}"
