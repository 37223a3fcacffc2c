"""Which names are images, and what a derivative is called."""

from pathlib import PurePosixPath

IMAGE_SUFFIXES = frozenset(
    [
        ".avif",
        ".bmp",
        ".gif",
        ".j2k",
        ".jp2",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    ]
)


def is_image_name(name: str) -> bool:
    """Whether a relative path names an image; hidden files and what lies in hidden folders does not."""
    path = PurePosixPath(name)
    return path.suffix.lower() in IMAGE_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def derivative_name(name: str) -> str:
    """The relative path of an image's derivative, a PNG. No two images share one.

    A PNG keeps its name and anything else gets `.png` behind it, so that `a.jpg` and `a.png` do not
    meet; and so does a PNG that could be taken for the derivative of another image: `a.jpg.png`.
    """
    path = PurePosixPath(name)
    is_plain_png = path.suffix.lower() == ".png" and not is_image_name(path.stem)
    return name if is_plain_png else f"{name}.png"
