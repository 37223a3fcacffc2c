"""Where the infrared channel of a scan lies: in its own file, or in a file beside it.

Film scanners record it: dust and scratches are dark in infrared, and dyes are clear. VueScan writes it as a
fourth sample, SilverFast as a page of the image's size, and others as a file that is named after the image's.
"""

import numpy as np

from dip.errors import ImageError, MaskError
from dip.images.image import Image, Pixels, as_stored, upright
from dip.images.mask_and_guide import check_same_size
from dip.images.read import decode


def infrared_in(image: Image, name: str) -> Pixels | None:
    """The infrared channel in an image's own file, (H, W), float32 in [0, 1], upright; None without one.

    Args:
        image: of `Pages(…, has_infrared=True)`.
        name: what errors call it.

    Raises:
        MaskError: there are several samples of no known meaning, or the page cannot be read.

    >>> scan = Image(np.zeros((3, 4, 6), np.float32), others=np.full((1, 4, 6), 255, np.uint8))
    >>> float(infrared_in(scan, "scan.tif").mean())
    1.0
    """
    content = next((each.content for each in image.attached if each.is_infrared), None)
    if content is not None:
        page = _decoded(content, name)
        # The page is stored like its image, whether it says so or not.
        stored = as_stored(_plane_of(page), page.orientation)
        return np.ascontiguousarray(upright(stored, image.orientation))
    if image.others is None:
        return None
    if len(image.others) > 1:
        raise MaskError(
            f"Expected one sample of no known meaning, the infrared; got {len(image.others)} ({name}). "
            "Leave the infrared alone beside the colours."
        )
    samples: Pixels = image.others[0].astype(np.float32) / np.float32(np.iinfo(image.others.dtype).max)
    return samples


def read_infrared(content: bytes, name: str, size_px: tuple[int, int]) -> Pixels:
    """The infrared channel in a file of its own, (H, W), float32 in [0, 1], upright.

    Args:
        content: the bytes of the file.
        name: what errors call it.
        size_px: (H, W) of the image.

    Raises:
        MaskError: it cannot be read, or has another size than the image.

    >>> from dip.images import encode
    >>> read_infrared(encode(Image(np.ones((1, 4, 6), np.float32)), "png"), "scan_ir.png", (4, 6)).shape
    (4, 6)
    """
    image = _decoded(content, name)
    check_same_size("channel of infrared", image.size_px, size_px, name, MaskError)
    return _plane_of(image)


def _decoded(content: bytes, name: str) -> Image:
    try:
        return decode(content, name)
    except ImageError as error:
        raise MaskError(f"Expected an infrared channel that can be read. {error}") from error


def _plane_of(image: Image) -> Pixels:
    """Some software writes three equal channels."""
    plane: Pixels = image.pixels.mean(axis=0)
    return plane
