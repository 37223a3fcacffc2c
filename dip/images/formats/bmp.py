"""BMP with masks of bits for each channel, alpha among them, of which Pillow knows a few."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.errors import UnsupportedImageError
from dip.images.image import Image, Levels, check_size, image_of, scaled
from dip.images.metadata import Metadata, usable_density

SIGNATURE = b"BM"
_FILE_HEADER = 14
_BITFIELDS, _ALPHA_BITFIELDS = 3, 6
_V3, _V4 = 56, 108
_INFO = struct.Struct("<IiiHHI")
_MASKS = struct.Struct("<4I")
RED_GREEN_BLUE_ALPHA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_METRES_PER_INCH = 0.0254
_SRGB = 0x73524742


def has_masks(content: bytes) -> bool:
    """Whether a BMP says by masks which bits of a pixel are which channel."""
    if len(content) < _FILE_HEADER + _INFO.size:
        return False  # Pillow says what it is instead
    size, *_, bits, compression = _INFO.unpack_from(content, _FILE_HEADER)
    return size >= 40 and bits in (16, 32) and compression in (_BITFIELDS, _ALPHA_BITFIELDS)


def decode_masked(content: bytes, name: str) -> Image:
    """Decode a BMP with masks: colours, and alpha if there is a mask for it.

    Source: Microsoft, BITMAPV4HEADER.

    Args:
        content: the bytes of the file.
        name: what errors call it.

    Raises:
        UnsupportedImageError: a channel has no bits, or more than 8.
        ImageTooLargeError: more pixels than are decoded.
        ValueError: the pixels are not all there.
    """
    (start,) = struct.unpack_from("<I", content, 10)
    header = struct.unpack_from("<IiiHHIIii", content, _FILE_HEADER)
    size, width, height, _, bits, compression, _, *per_metre = header
    check_size(width, abs(height), name)
    masks = _MASKS.unpack_from(content, _FILE_HEADER + 40)
    if size < _V3 and compression != _ALPHA_BITFIELDS:
        masks = (*masks[:3], 0)
    row_bytes = (width * bits + 31) // 32 * 4
    rows = np.frombuffer(content, np.uint8, row_bytes * abs(height), start).reshape(abs(height), row_bytes)
    pixels = rows.view(f"<u{bits // 8}")[:, :width].astype(np.uint32)
    channels = [_channel(pixels, mask, name) for mask in (masks if masks[3] else masks[:3])]
    planes = np.stack(channels, axis=2)
    across, down = (side * _METRES_PER_INCH for side in per_metre)
    metadata = Metadata(dpi=usable_density((across, down)))
    return image_of(planes if height < 0 else planes[::-1], 3, metadata=metadata)


def _channel(pixels: NDArray[np.uint32], mask: int, name: str) -> NDArray[Any]:
    lowest = (mask & -mask).bit_length() - 1
    top = mask >> max(lowest, 0)
    if not 0 < top <= 255 or top & (top + 1):
        raise UnsupportedImageError(
            f"Expected masks of 1 to 8 neighbouring bits for each channel of a BMP; got {mask:#010x} "
            f"({name}). Save it as PNG."
        )
    return scaled((pixels & np.uint32(mask)) >> np.uint32(lowest), top)


def encode_masked(levels: Levels, dpi: tuple[float, float] | None) -> bytes:
    """Levels, (H, W, 4), uint8, as a BMP whose alpha other programs read, too: with a header of version 4."""
    height, width, _ = levels.shape
    pixels = np.ascontiguousarray(levels[::-1, :, [2, 1, 0, 3]]).tobytes()
    per_metre = [round(side / _METRES_PER_INCH) for side in dpi or (0, 0)]
    start = _FILE_HEADER + _V4
    header = struct.pack(
        "<IiiHHIIiiII", _V4, width, height, 1, 32, _BITFIELDS, len(pixels), *per_metre, 0, 0
    ) + _MASKS.pack(*RED_GREEN_BLUE_ALPHA)
    header += struct.pack("<I", _SRGB)
    file_header = struct.pack("<2sIHHI", SIGNATURE, start + len(pixels), 0, 0, start)
    return file_header + header.ljust(_V4, b"\0") + pixels
