"""How many pixels an inch has: an enlarged image shows the same object with more of them."""

import struct
from collections.abc import Iterator
from dataclasses import replace

from dip.images.metadata import Metadata

_RESOLUTIONS, _RATIONAL = (282, 283), 5
_LARGEST = 2**32 - 1


def enlarged(metadata: Metadata, factor: int) -> Metadata:
    """The metadata of an image of `factor` times the height and width.

    Resolutions are multiplied in the tags, in a PNG's chunks, and in the format's own field.
    """
    dpi = None if metadata.dpi is None else (metadata.dpi[0] * factor, metadata.dpi[1] * factor)
    exif = None if metadata.exif is None else _enlarged_tags(metadata.exif, factor)
    chunks = tuple((kind, _enlarged_chunk(kind, body, factor)) for kind, body in metadata.chunks)
    return replace(metadata, dpi=dpi, exif=exif, chunks=chunks)


def _enlarged_chunk(kind: bytes, body: bytes, factor: int) -> bytes:
    """Source: PNG, third edition, 11.3.4.3 (pHYs) and 11.3.4.5 (eXIf)."""
    if kind == b"pHYs":
        across, down, unit = struct.unpack(">IIB", body)
        return struct.pack(">IIB", min(_LARGEST, across * factor), min(_LARGEST, down * factor), unit)
    return _enlarged_tags(body, factor) if kind == b"eXIf" else body


def _enlarged_tags(exif: bytes, factor: int) -> bytes:
    """A TIFF structure with its resolution multiplied where it stands: what points into it stays right."""
    changed, order = bytearray(exif), "<" if exif.startswith(b"II") else ">"
    try:
        for position in set(_resolutions(exif, order)):
            above, below = struct.unpack_from(f"{order}II", exif, position)
            fits = above * factor <= _LARGEST
            multiplied = (above * factor, below) if fits else (above, max(1, below // factor))
            struct.pack_into(f"{order}II", changed, position, *multiplied)
    except struct.error:  # too damaged to say anything; it is carried as it is
        return exif
    return bytes(changed)


def _resolutions(exif: bytes, order: str) -> Iterator[int]:
    """Where the fractions of the first directory's resolutions stand. Source: TIFF 6.0, section 2."""
    (directory,) = struct.unpack_from(f"{order}I", exif, 4)
    (count,) = struct.unpack_from(f"{order}H", exif, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind, _, position = struct.unpack_from(f"{order}HHII", exif, entry)
        if tag in _RESOLUTIONS and kind == _RATIONAL:
            yield position
