"""Guides: second images of the same scenes."""

import numpy as np
from numpy.typing import NDArray

from dip.images.limits import require_same_size
from dip.images.read import decode


def read_guide(content: bytes, name: str, size_px: tuple[int, int]) -> NDArray[np.float32]:
    """A second image of the same scene, in colour.

    Args:
        content: the bytes of its file.
        name: what errors call it.
        size_px: (H, W) of the image.

    Returns:
        (3, H, W), float32 in [0, 1]; of a grey one three equal channels.

    Raises:
        ImageError: it cannot be read, or has another size than the image.
    """
    guide = decode(content, name)
    require_same_size("guide", guide.size_px, size_px, name)
    return np.tile(guide.pixels, (3 // len(guide.pixels), 1, 1))
