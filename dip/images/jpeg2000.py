"""JPEG 2000: pixels through OpenJPEG, as Pillow's reader makes 8 bits of 16, and the boxes of metadata."""

import struct
from collections.abc import Iterator

import numpy as np

from dip.images.image import Levels
from dip.images.metadata import Metadata

CONTAINER = b"\0\0\0\x0cjP  "
"""A file that begins so has boxes; one without is a bare codestream."""

EXIF = bytes.fromhex("4a706754696666457869662d3e4a5032")
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_ICC_METHODS = (2, 3)


def decode_levels(content: bytes) -> Levels:
    """The pixels of a JPEG 2000 image, (H, W, channels and alpha), uint8 or uint16.

    Raises:
        Exception: it is damaged; whatever OpenJPEG says then.
    """
    import imagecodecs  # not needed for other images

    levels: Levels = np.atleast_3d(imagecodecs.jpeg2k_decode(content))
    return levels


def read_metadata(content: bytes) -> Metadata:
    """The colour profile, and what identified boxes hold.

    Raises:
        struct.error: a box is damaged.
    """
    if not content.startswith(CONTAINER):
        return Metadata()
    boxes = list(_boxes(content))
    identified = {body[:16]: body[16:] for kind, body in boxes if kind == b"uuid"}
    header = next((body for kind, body in boxes if kind == b"jp2h"), b"")
    colours = [body for kind, body in _boxes(header) if kind == b"colr"]
    exif = identified.get(EXIF)
    return Metadata(
        icc_profile=next((body[3:] for body in colours if body[0] in _ICC_METHODS), None),
        exif=None if exif is None else exif.removeprefix(b"Exif\0\0"),
        xmp=identified.get(XMP),
        iptc=identified.get(IPTC),
    )


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each box. Source: ISO/IEC 15444-1, annex I.4."""
    position = 0
    while position + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        start = position + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", content, start)
            start += 8
        end = position + length if length else len(content)
        if end < start:
            raise struct.error(f"a box of {length} bytes")
        yield kind, content[start:end]
        position = end
