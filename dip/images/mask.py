"""Masks: which pixels of an image are damaged."""

import numpy as np
from numpy.typing import NDArray

from dip.errors import ImageError, MaskError
from dip.images.limits import require_same_size
from dip.images.read import decode


def read_mask(content: bytes, name: str, size_px: tuple[int, int], damage: str) -> NDArray[np.float32]:
    """The observed pixels of an image.

    Args:
        content: the bytes of the mask's file. A pixel lighter than half its range is white; in a
            file that holds only the levels 0 and 1, 1 is white. One that is rather transparent marks nothing.
        name: what errors call it.
        size_px: (H, W) of the image.
        damage: `white` or `black`, the one that marks what is to be repaired.

    Returns:
        (H, W), float32; 1 = observed, 0 = damaged.

    Raises:
        MaskError: it cannot be read, or has another size than the image.
    """
    try:
        mask = decode(content, name)
    except ImageError as error:
        raise MaskError(f"Expected a mask that can be read. {error}") from error
    require_same_size("mask", mask.size_px, size_px, name, MaskError)
    levels = mask.pixels.max(axis=0)
    lightest = 1 / (2**mask.bit_depth - 1)
    is_white = levels > (0 if levels.max() <= lightest else 0.5)
    is_damaged = is_white if damage == "white" else ~is_white
    if mask.alpha is not None:
        is_damaged &= mask.alpha > (2**mask.bit_depth - 1) / 2
    observed: NDArray[np.float32] = (~is_damaged).astype(np.float32)
    return observed
