"""AVIF of 10 and 12 bits, of which Pillow makes 8."""

import numpy as np

from dip.images.image import Levels, scaled

_CONFIGURATION = b"av1C"
_HIGH_DEPTH, _TWELVE = 0x40, 0x20


def bits_of(content: bytes) -> int:
    """Bits per sample, by the first configuration box. Source: AV1 in ISO-BMFF, 2.3.3."""
    start = content.find(_CONFIGURATION)
    flags = content[start + 6] if start >= 0 and start + 6 < len(content) else 0
    if not flags & _HIGH_DEPTH:
        return 8
    return 12 if flags & _TWELVE else 10


def decode_levels(content: bytes) -> Levels:
    """The pixels of an AVIF of more than 8 bits, (H, W, channels and alpha), uint16.

    Raises:
        Exception: it is damaged; whatever libavif says then.
    """
    import imagecodecs  # not needed for other images

    return scaled(np.atleast_3d(imagecodecs.avif_decode(content)), 2 ** bits_of(content) - 1)
