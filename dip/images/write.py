"""From an image to the bytes of a file."""

import io
import struct
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dip.configuration.vocabulary import FileFormat
from dip.errors import UnsupportedImageError
from dip.images import photoshop
from dip.images.formats import bmp, tiff
from dip.images.formats.jpeg2000 import encode_jpeg2000
from dip.images.formats.png import encode_png
from dip.images.image import Image

JPEG_QUALITY = 95
_SEGMENT_BYTES = 65_000
MAX_SIDE_PX: Mapping[FileFormat, int] = MappingProxyType({"webp": 16383, "jpeg": 65500})
"""What encoders take a side."""
_NAMED: Mapping[str, str] = MappingProxyType(
    {
        "icc_profile": "colour profile",
        "exif": "EXIF",
        "iptc": "IPTC records",
        "photoshop": "Photoshop resources",
        "comment": "comment",
        "boxes": "boxes of metadata",
    }
)
_CARRIED: Mapping[FileFormat, frozenset[str]] = MappingProxyType(
    {
        "png": frozenset(_NAMED) - {"boxes"},
        "tiff": frozenset(_NAMED) - {"boxes"},
        "jpeg": frozenset(_NAMED) - {"boxes"},
        "jp2": frozenset(["icc_profile", "exif", "iptc", "boxes"]),
        "webp": frozenset(["icc_profile", "exif"]),
        "bmp": frozenset(),
    }
)
_TEXTS = (b"tEXt", b"zTXt")


def encode(image: Image, file_format: FileFormat) -> bytes:
    """The image as a file that loses nothing, but for JPEG: in its depth, with its alpha and its metadata.

    Raises:
        UnsupportedImageError: the format cannot hold it.

    >>> encode(Image(np.zeros((3, 20, 30), np.float32), bit_depth=16), "jpeg")
    Traceback (most recent call last):
    dip.errors.UnsupportedImageError: Expected a format with 16 bits, such as tiff (--format); got jpeg.
    """
    check_format(image, image.size_px, file_format)
    return _ENCODERS[file_format](image)


def check_format(image: Image, size_px: tuple[int, int], file_format: FileFormat) -> None:
    """See that a format can hold an image, enlarged to a size, (H, W).

    Raises:
        UnsupportedImageError: it has no 16 bits, alpha, further samples or pages, or not so many pixels.

    >>> check_format(Image(np.zeros((1, 4, 4), np.float32)), (16, 16), "webp")
    >>> check_format(Image(np.zeros((1, 4, 4), np.float32)), (16, 16800), "webp")
    Traceback (most recent call last):
    dip.errors.UnsupportedImageError: Expected a format with more than 16383 pixels a side, ...
    """
    has = {
        "with 16 bits": image.bit_depth == 16 and file_format not in ("png", "tiff", "jp2"),
        "with transparency": image.alpha is not None and file_format == "jpeg",
        "with an infrared page": _has_infrared_page(image) and file_format != "tiff",
        "with further samples": image.others is not None and file_format not in ("tiff", "jp2"),
    }
    longest = MAX_SIDE_PX.get(file_format)
    if longest is not None:
        has[f"with more than {longest} pixels a side"] = max(size_px) > longest
    for needed, is_missing in has.items():
        if is_missing:
            raise UnsupportedImageError(
                f"Expected a format {needed}, such as tiff (--format); got {file_format}."
            )


def joined(pages: Sequence[bytes], file_format: FileFormat) -> bytes:
    """One file of the pages that `encode` made.

    Raises:
        UnsupportedImageError: there are several, and the format holds one alone.

    >>> page = encode(Image(np.zeros((3, 20, 30), np.float32)), "tiff")
    >>> joined([page], "tiff") == page
    True
    """
    if len(pages) == 1:
        return pages[0]
    check_pages(len(pages), file_format)
    return tiff.joined(pages)


def check_pages(count: int, file_format: FileFormat) -> None:
    """See that a format can hold so many pages.

    Raises:
        UnsupportedImageError: it cannot.

    >>> check_pages(3, "png")
    Traceback (most recent call last):
    dip.errors.UnsupportedImageError: Expected a format with room for 3 pages, such as tiff ...
    """
    if count > 1 and file_format != "tiff":
        raise UnsupportedImageError(
            f"Expected a format with room for {count} pages, such as tiff (--format); got {file_format}."
        )


def not_carried(image: Image, file_format: FileFormat, factor: int = 1) -> tuple[str, ...]:
    """What of an image's file a format has no place for, or an enlarged image no use, a sentence each.

    >>> from dip.images import Metadata
    >>> black = np.zeros((1, 4, 4), np.float32)
    >>> not_carried(Image(black, metadata=Metadata(comment=b"plate 4")), "jp2")
    ('The comment of the file had no place in a jp2.',)
    """
    metadata = image.metadata
    lost = [name for name in _NAMED if getattr(metadata, name) and name not in _CARRIED[file_format]]
    if metadata.chunks and file_format != "png" and any(kind in _TEXTS for kind, _ in metadata.chunks):
        lost.append("texts")
    named = {**_NAMED, "texts": "texts"}
    notes = [f"The {named[name]} of the file had no place in a {file_format}." for name in lost]
    is_mask = [each.content is not None for each in image.attached if not each.is_infrared]
    if file_format != "tiff" and not all(is_mask):
        notes.append(f"A reduced copy of the image had no place in a {file_format}.")
    if any(is_mask) and file_format != "tiff":
        notes.append(f"A transparency mask of the image had no place in a {file_format}.")
    elif any(is_mask) and factor != 1:
        notes.append("A transparency mask of the image was dropped: it does not fit the enlarged one.")
    if _has_infrared_page(image) and factor != 1:
        notes.append("The infrared page of the image was dropped: it does not fit the enlarged one.")
    return tuple(notes)


def _has_infrared_page(image: Image) -> bool:
    return any(each.is_infrared for each in image.attached)


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
    if image.alpha is not None:
        levels = image.levels()
        colours = levels[..., :-1].repeat(3 // (levels.shape[2] - 1), axis=2)
        return bmp.encode_masked(np.concatenate([colours, levels[..., -1:]], axis=2), image.metadata.dpi)
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
            comment=metadata.comment,
            extra=_photoshop_segments(metadata.resources) or None,
        )
    except (ValueError, struct.error) as error:
        raise UnsupportedImageError(
            f"Expected metadata that fit into a JPEG's segments of 64 KiB; got more ({error}). "
            "Choose another --format."
        ) from error


def _photoshop_segments(resources: bytes) -> bytes:
    """The segments APP13 of a JPEG. Source: Photoshop's file format, image resources."""
    parts = [resources[at : at + _SEGMENT_BYTES] for at in range(0, len(resources), _SEGMENT_BYTES)]
    bodies = [photoshop.SEGMENT + part for part in parts]
    return b"".join(struct.pack(">HH", 0xFFED, len(body) + 2) + body for body in bodies)


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
        "tiff": tiff.encode_tiff,
        "jp2": encode_jpeg2000,
        "webp": encode_webp,
        "bmp": encode_bmp,
        "jpeg": encode_jpeg,
    }
)
