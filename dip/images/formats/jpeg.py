"""JPEG: its segments, and what Pillow passes over in them: comments, paths, the extended part of XMP."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dip.errors import UnsupportedImageError
from dip.images import photoshop
from dip.images.image import Levels, check_size, scaled

SIGNATURE = b"\xff\xd8\xff"
_COMMENT, _EXIF_OR_XMP, _PHOTOSHOP, _START_OF_SCAN = 0xFE, 0xE1, 0xED, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset([0x01, *range(0xD0, 0xD9)])
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"


@dataclass(frozen=True)
class Frame:
    """How a JPEG stores its samples.

    Attributes:
        bits: per sample.
        is_lossless: whether it is of the kind that Pillow does not decode, which loses nothing.
    """

    bits: int
    width_px: int
    height_px: int
    channels: int
    is_lossless: bool

    @property
    def is_usual(self) -> bool:
        """Whether every decoder knows it."""
        return self.bits == 8 and not self.is_lossless


def segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment before the pixels. Source: ITU-T T.81, annex B."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:  # what fills up
            position += 1
            continue
        if marker in _WITHOUT_LENGTH:
            position += 2
            continue
        (length,) = struct.unpack_from(">H", content, position + 2)
        yield marker, content[position + 4 : position + 2 + length]
        if marker == _START_OF_SCAN:
            return
        position += 2 + length


def frame_of(content: bytes) -> Frame | None:
    """The frame of a JPEG; None if its header is too damaged to say."""
    for marker, body in segments(content):
        if marker in _FRAMES and len(body) >= 6:
            bits, height_px, width_px, channels = struct.unpack_from(">BHHB", body)
            return Frame(bits, width_px, height_px, channels, marker in _LOSSLESS)
    return None


def comment(content: bytes) -> bytes | None:
    """The comments of a JPEG, one to a line."""
    found = [body.rstrip(b"\0") for marker, body in segments(content) if marker == _COMMENT]
    return b"\n".join(found) or None


def photoshop_resources(content: bytes) -> bytes:
    """Photoshop's image resources, from all segments that hold some."""
    found = (body for marker, body in segments(content) if marker == _PHOTOSHOP)
    head = photoshop.SEGMENT
    return b"".join(body.removeprefix(head) for body in found if body.startswith(head))


def extended_xmp(content: bytes, packet: bytes) -> bytes | None:
    """The extended part of a packet that points to one, put together; None if it is not whole.

    Source: XMP specification, part 3, section 1.1.3.1.
    """
    header = struct.Struct(">32sII")
    parts: dict[int, bytes] = {}
    whole = 0
    for marker, body in segments(content):
        if marker == _EXIF_OR_XMP and body.startswith(_EXTENSION):
            guid, whole_here, offset = header.unpack_from(body, len(_EXTENSION))
            if guid in packet:
                parts[offset] = body[len(_EXTENSION) + header.size :]
                whole = whole_here
    joined = b"".join(part for _, part in sorted(parts.items()))
    return joined if joined and len(joined) == whole else None


def decode_unusual(content: bytes, frame: Frame, name: str) -> Levels:
    """The pixels of a JPEG of other than 8 bits, or of one that loses nothing, (H, W, 1 or 3).

    Raises:
        UnsupportedImageError: it has other channels than grey or colour.
        ImageTooLargeError: more pixels than are decoded.
        Exception: it is damaged; whatever the decoder says then.
    """
    import imagecodecs  # not needed for other images

    check_size(frame.width_px, frame.height_px, name)
    if frame.channels not in (1, 3):
        raise UnsupportedImageError(
            f"Expected a grey or RGB image; got {frame.channels} channels ({name}). Convert it to RGB."
        )
    return scaled(np.atleast_3d(imagecodecs.jpeg_decode(content)), 2**frame.bits - 1)
