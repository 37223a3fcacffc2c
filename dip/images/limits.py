"""How large an image may be, and what goes with it."""

from dip.errors import ImageError, ImageTooLargeError

MAX_PIXELS = 64_000_000
"""What is decoded at most: a file can claim any size."""


def require_size(width_px: int, height_px: int, name: str) -> None:
    """Refuse an image before it is decoded.

    Raises:
        ImageTooLargeError: more than `MAX_PIXELS` pixels.
    """
    if width_px * height_px > MAX_PIXELS:
        raise ImageTooLargeError(
            f"Expected at most {MAX_PIXELS // 10**6} megapixels; got {width_px}×{height_px} ({name}). "
            "Cut it into parts."
        )


def require_same_size(
    what: str,
    found_px: tuple[int, int],
    size_px: tuple[int, int],
    name: str,
    kind: type[ImageError] = ImageError,
) -> None:
    """Refuse what goes with an image and has another size, (H, W), than it.

    Raises:
        ImageError: it has; of the kind given.
    """
    if found_px != size_px:
        expected, got = (f"{width_px}×{height_px}" for height_px, width_px in (size_px, found_px))
        raise kind(
            f"Expected a {what} of the image's size, {expected}; got {got} ({name}). It is never resized."
        )
