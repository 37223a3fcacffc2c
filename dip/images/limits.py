"""How large an image may be."""

from dip.errors import ImageTooLargeError

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
