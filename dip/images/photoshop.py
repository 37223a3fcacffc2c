"""Photoshop's image resources, which JPEG, TIFF and PNG carry: paths, resolution, IPTC, and old thumbnails.

Source: Adobe Photoshop File Formats Specification, image resources section.
"""

import struct
from collections.abc import Collection, Iterator

IPTC = 0x0404
THUMBNAILS = (0x0409, 0x040C)
"""They show the image as it was before it was restored."""
RESOLUTION = 0x03ED
ELSEWHERE = (IPTC, 0x040F, 0x0422, 0x0423, 0x0424)
"""IPTC, the colour profile, EXIF and XMP: what is among them is carried by itself."""
SEGMENT = b"Photoshop 3.0\0"
"""How a segment of a JPEG begins that holds resources."""
_SIGNATURES = (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR")
_LARGEST = 2**32 - 1


def resources(block: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Number, where it begins, where its content begins, and content of each resource, as far as they go."""
    position = 0
    while position + 12 <= len(block) and block[position : position + 4] in _SIGNATURES:
        (number,) = struct.unpack_from(">H", block, position + 4)
        named = position + 6
        sized = named + (block[named] + 2) // 2 * 2
        if sized + 4 > len(block):
            return
        (length,) = struct.unpack_from(">I", block, sized)
        start = sized + 4
        yield number, position, start, block[start : start + length]
        position = start + length + length % 2


def resource(number: int, content: bytes) -> bytes:
    """A resource without a name."""
    return struct.pack(">4sHHI", b"8BIM", number, 0, len(content)) + content + b"\0" * (len(content) % 2)


def content_of(block: bytes, number: int) -> bytes | None:
    """What a resource holds, if it is there."""
    return next((content for found, _, _, content in resources(block) if found == number), None)


def without(block: bytes, numbers: Collection[int]) -> bytes:
    """The resources but some."""
    kept = bytearray()
    for number, begin, start, content in resources(block):
        end = start + len(content) + len(content) % 2
        kept += b"" if number in numbers else block[begin:end]
    return bytes(kept)


def enlarged(block: bytes, factor: int) -> bytes:
    """The resources of an image of `factor` times the height and width: with more pixels to an inch."""
    changed = bytearray(block)
    for number, _, start, content in resources(block):
        if number == RESOLUTION and len(content) >= 12:
            for side in (start, start + 8):
                (density,) = struct.unpack_from(">I", block, side)
                struct.pack_into(">I", changed, side, min(_LARGEST, density * factor))
    return bytes(changed)
