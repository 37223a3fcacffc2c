"""What may come with an image: a mask of its damage, and a guide, a second image of the same scene."""

import numpy as np
from numpy.typing import NDArray

from dip.errors import ImageError, MaskError
from dip.images.image import ONLY_PAGE, Image, PageNumber, PixelMask, Pixels
from dip.images.read import Pages

LEVELS_NAMED = 8


def read_mask(
    content: bytes, name: str, size_px: tuple[int, int], damage: str, page: PageNumber = ONLY_PAGE
) -> PixelMask:
    """The observed pixels of an image.

    Args:
        content: the bytes of the mask's file. Of two levels, or of many, those lighter than
            half the range are white; of 0 and 1, 1 is. One that is rather transparent marks nothing.
        name: what errors call it.
        size_px: (H, W) of the image.
        damage: `white` or `black`, the one that marks what is to be repaired.
        page: of the image. A mask has as many.

    Returns:
        (H, W), True = observed, False = damaged.

    Raises:
        MaskError: it cannot be read, has another size than the image, or levels that leave open what
            they mark.

    >>> from dip.images import Image, encode
    >>> white_dot = encode(Image(np.array([[[0, 1, 0]]], np.float32)), "png")
    >>> read_mask(white_dot, "mask.png", (1, 3), damage="white")
    array([[ True, False,  True]])
    """
    try:
        mask = _page_of(content, "mask", name, page)
    except ImageError as error:
        raise MaskError(f"Expected a mask that can be read. {error}") from error
    check_same_size("mask", mask.size_px, size_px, name, MaskError)
    levels = mask.pixels.max(axis=0)
    top = 2**mask.bit_depth - 1
    is_white = levels > (0 if levels.max() <= 1 / top else 0.5)
    _check_levels(np.unique(np.rint(levels * top).astype(int)), is_white, top, name)
    is_damaged = is_white if damage == "white" else ~is_white
    if mask.alpha is not None:
        is_damaged &= mask.alpha > (2**mask.bit_depth - 1) / 2
    observed: PixelMask = ~is_damaged
    return observed


def _check_levels(found: NDArray[np.int_], is_white: PixelMask, top: int, name: str) -> None:
    """Refuse levels of which nobody can tell what they mark: labels, or 8 bits in a file of 16.

    Many levels are a soft brush, or a compression that loses something.
    """
    is_told_apart = is_white.any() and not is_white.all()
    if len(found) == 1 or (is_told_apart and not 2 < len(found) <= LEVELS_NAMED):
        return
    listed = ", ".join(map(str, found[:LEVELS_NAMED])) + (", …" if len(found) > LEVELS_NAMED else "")
    raise MaskError(
        f"Expected a mask of black and white, 0 and {top}; got the levels {listed} ({name}). "
        f"Save it with {top} where it is to be white."
    )


def check_same_size(
    what: str,
    found_px: tuple[int, int],
    size_px: tuple[int, int],
    name: str,
    kind: type[ImageError] = ImageError,
) -> None:
    """Refuse what goes with an image and has another size, (H, W), than it.

    Raises:
        ImageError: it has; of the kind given.

    >>> check_same_size("mask", (20, 30), (20, 31), "mask.png")
    Traceback (most recent call last):
    dip.errors.ImageError: Expected a mask of the image's size, 31×20; got 30×20 (mask.png). ...
    """
    if found_px != size_px:
        expected, got = (f"{width_px}×{height_px}" for height_px, width_px in (size_px, found_px))
        raise kind(
            f"Expected a {what} of the image's size, {expected}; got {got} ({name}). It is never resized."
        )


def read_guide(content: bytes, name: str, size_px: tuple[int, int], page: PageNumber = ONLY_PAGE) -> Pixels:
    """A second image of the same scene, in colour.

    Args:
        content: the bytes of its file.
        name: what errors call it.
        size_px: (H, W) of the image.
        page: of the image. A guide has as many.

    Returns:
        (3, H, W), float32 in [0, 1]; of a grey one three equal channels.

    Raises:
        ImageError: it cannot be read, or has another size than the image.

    >>> from dip.images import Image, encode
    >>> grey = encode(Image(np.zeros((1, 20, 30), np.float32)), "png")
    >>> read_guide(grey, "second.png", (20, 30)).shape
    (3, 20, 30)
    """
    guide = _page_of(content, "guide", name, page)
    check_same_size("guide", guide.size_px, size_px, name)
    return np.tile(guide.pixels, (3 // len(guide.pixels), 1, 1))


def _page_of(content: bytes, what: str, name: str, page: PageNumber) -> Image:
    pages = Pages(content, name)
    if len(pages) != page.count:
        raise ImageError(
            f"Expected a {what} with as many pages as the image, {page.count}; got {len(pages)} ({name})."
        )
    return pages.decoded(page.number)
