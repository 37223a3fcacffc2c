"""From an image to the bytes of a file."""

import io
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dip.configuration.vocabulary import FileFormat
from dip.errors import UnsupportedImageError
from dip.images.formats.jpeg2000 import encode_jpeg2000
from dip.images.formats.png import encode_png
from dip.images.formats.tiff import encode_tiff
from dip.images.image import Image
from dip.images.metadata import photoshop_resource

JPEG_QUALITY = 95


def encode(image: Image, file_format: FileFormat) -> bytes:
    """The image as a file that loses nothing, but for JPEG: in its depth, with its alpha and its metadata.

    Raises:
        UnsupportedImageError: the format has no 16 bits, or no alpha.

    >>> encode(Image(np.zeros((3, 20, 30), np.float32), bit_depth=16), "jpeg")
    Traceback (most recent call last):
    dip.errors.UnsupportedImageError: Expected a format with 16 bits, ...; got jpeg.
    """
    if image.bit_depth == 16 and file_format not in ("png", "tiff", "jp2"):
        raise UnsupportedImageError(
            f"Expected a format with 16 bits, png, tiff or jp2 (--format); got {file_format}."
        )
    if image.alpha is not None and file_format == "jpeg":
        raise UnsupportedImageError(
            "Expected a format with transparency, png, tiff or jp2 (--format); got jpeg."
        )
    return _ENCODERS[file_format](image)


def encode_webp(image: Image) -> bytes:
    """The image as a lossless WebP, which has 8 bits per channel."""
    metadata = image.metadata
    return _saved(
        as_pillow(image),
        "WEBP",
        lossless=True,
        exact=True,  # what lies under transparent pixels, too
        icc_profile=metadata.icc_profile,
        exif=metadata.exif,
        xmp=metadata.xmp,
    )


def encode_bmp(image: Image) -> bytes:
    """The image as a BMP, which holds no metadata but the resolution."""
    return _saved(as_pillow(image), "BMP", dpi=image.metadata.dpi)


def encode_jpeg(image: Image) -> bytes:
    """The image as a JPEG that looks the same: colours in full resolution, little compression."""
    metadata = image.metadata
    try:
        return _saved(
            as_pillow(image),
            "JPEG",
            quality=JPEG_QUALITY,
            subsampling=0,
            icc_profile=metadata.icc_profile,
            exif=None if metadata.exif is None else b"Exif\0\0" + metadata.exif,
            xmp=metadata.xmp,
            dpi=metadata.dpi,
            extra=None if metadata.iptc is None else _photoshop_segment(metadata.iptc),
        )
    except (ValueError, struct.error) as error:
        raise UnsupportedImageError(
            f"Expected metadata that fit into a JPEG's segments of 64 KiB; got more ({error}). "
            "Choose another --format."
        ) from error


def _photoshop_segment(iptc: bytes) -> bytes:
    """The segment APP13 of a JPEG with IPTC's records. Source: Photoshop's file format, image resources."""
    content = b"Photoshop 3.0\0" + photoshop_resource(iptc)
    return struct.pack(">HH", 0xFFED, len(content) + 2) + content


def as_pillow(image: Image) -> PIL.Image.Image:
    """The image as Pillow has it: L, LA, RGB, RGBA, or I;16.

    >>> as_pillow(Image(np.zeros((3, 20, 30), np.float32))).mode
    'RGB'
    """
    levels = image.levels()
    return PIL.Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def encode_float_tiff(values: NDArray[np.float32]) -> bytes:
    """(H, W) values as a TIFF of 32-bit floating-point numbers, nothing rounded.

    >>> encode_float_tiff(np.zeros((20, 30), np.float32))[:2]
    b'II'
    """
    pillow = PIL.Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return _saved(pillow, "TIFF")


def _saved(image: PIL.Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    given = {name: value for name, value in options.items() if value is not None}
    image.save(buffer, file_format, **given)
    return buffer.getvalue()


_ENCODERS: Mapping[FileFormat, Callable[[Image], bytes]] = MappingProxyType(
    {
        "png": encode_png,
        "tiff": encode_tiff,
        "jp2": encode_jpeg2000,
        "webp": encode_webp,
        "bmp": encode_bmp,
        "jpeg": encode_jpeg,
    }
)
