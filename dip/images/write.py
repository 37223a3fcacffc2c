"""From an image to the bytes of a file."""

import io

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dip.images.image import Image


def encode_png(image: Image) -> bytes:
    """The image as a PNG in its bit depth, with its alpha and its colour profile.

    Values are clipped to [0, 1] and rounded to the nearest level.
    """
    return png_bytes(as_pillow(image), image.icc_profile)


def as_pillow(image: Image) -> PIL.Image.Image:
    """The image as Pillow has it: L, LA, RGB, RGBA, or I;16."""
    levels = 2**image.bit_depth - 1
    array = np.rint(np.clip(image.pixels.astype(np.float64), 0, 1) * levels).transpose(1, 2, 0)
    if image.bit_depth == 16:
        return PIL.Image.fromarray(array[..., 0].astype(np.uint16))
    planes: NDArray[np.uint8] = array.astype(np.uint8)
    if image.alpha is not None:
        planes = np.concatenate([planes, image.alpha[..., None]], axis=2)
    return PIL.Image.fromarray(planes[..., 0] if planes.shape[2] == 1 else planes)


def png_bytes(image: PIL.Image.Image, icc_profile: bytes | None = None) -> bytes:
    """A Pillow image as the bytes of a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", icc_profile=icc_profile)
    return buffer.getvalue()


def encode_float_tiff(values: NDArray[np.float32]) -> bytes:
    """(H, W) values as a TIFF of 32-bit floating-point numbers, nothing rounded."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(values, dtype=np.float32)).save(buffer, format="TIFF")
    return buffer.getvalue()
