"""Netpbm: grey and colour images of any depth up to 16 bits, of which Pillow makes 8 in colour."""

import io

from dip.errors import UnsupportedImageError
from dip.images.image import Image, check_size, image_of, scaled

SIGNATURES = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
_BLACK_IS_ONE = ("P1", "P4")


def decode_netpbm(content: bytes, name: str) -> Image:
    """Decode a PBM, PGM or PPM, plain or raw; its largest value is white.

    Args:
        content: the bytes of the file.
        name: what errors call it.

    Raises:
        UnsupportedImageError: it holds several images.
        ImageTooLargeError: more pixels than are decoded.
        Exception: it is damaged; whatever netpbmfile raises then.
    """
    from netpbmfile import NetpbmFile  # not needed for other images

    with NetpbmFile(io.BytesIO(content)) as file:
        check_size(file.width, file.height, name)
        levels = file.asarray()
        if file.axes.startswith("I"):
            raise UnsupportedImageError(
                f"Expected a single image; got {len(levels)} frames or pages ({name}). Save one by itself."
            )
        if file.magicnumber in _BLACK_IS_ONE:
            levels = ~levels
        levels = scaled(levels, file.maxval)
    planes = levels[..., None] if levels.ndim == 2 else levels
    return image_of(planes, planes.shape[2])
