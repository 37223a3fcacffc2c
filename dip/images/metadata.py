"""What a file carries beside its pixels."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

XMP_KEYWORD = b"XML:com.adobe.xmp"
"""Of the text chunk of a PNG that holds XMP."""


IPTC_RESOURCE = 0x0404
"""Number of IPTC's records among Photoshop's image resources."""

DENSITIES = (0.0005, 2e6)
"""Pixels per inch that can be meant. Some software writes 0 where it knows none."""


@dataclass(frozen=True)
class Metadata:
    """Everything as the bytes it came in; what is None or empty was not there.

    Attributes:
        icc_profile: the colour profile.
        exif: a TIFF structure without pixels. Of a TIFF it holds all tags that do not say how the
            pixels are stored.
        xmp: the packet, XML.
        iptc: records of the Information Interchange Model.
        dpi: pixels per inch, horizontally and vertically, where the format has a field for it that is
            not among the tags.
        chunks: of a PNG, (type, content) of those that hold metadata, with the above among them.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    chunks: tuple[tuple[bytes, bytes], ...] = ()

    def with_xmp(self, packet: bytes) -> Self:
        """With another XMP packet."""
        others = (chunk for chunk in self.chunks if not chunk[1].startswith(XMP_KEYWORD))
        chunks = (*others, (b"iTXt", XMP_KEYWORD + b"\0" * 5 + packet)) if self.chunks else ()
        return replace(self, xmp=packet, chunks=chunks)


def usable_density(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """Pixels per inch, horizontally and vertically, if they can be meant.

    >>> usable_density((300.0, 300.0)), usable_density((0.0, 0.0))
    ((300.0, 300.0), None)
    """
    lowest, highest = DENSITIES
    is_usable = dpi is not None and all(lowest <= side <= highest for side in dpi)
    return dpi if is_usable else None


def photoshop_resource(iptc: bytes) -> bytes:
    """IPTC's records as an image resource without a name. Source: Photoshop's file format."""
    padded = iptc + b"\0" * (len(iptc) % 2)
    return struct.pack(">4sHHI", b"8BIM", IPTC_RESOURCE, 0, len(iptc)) + padded


def xmp_text(packet: bytes) -> str:
    """An XMP packet as text, with question marks for what is none.

    It is in UTF-8, UTF-16 or UTF-32, as JSON once was. Source: XMP specification, part 3.
    """
    return packet.decode(json.detect_encoding(packet), errors="replace").strip("\ufeff\0 \n")


_RESOLUTIONS, _RATIONAL = (282, 283), 5
_LARGEST = 2**32 - 1


def enlarged(metadata: Metadata, factor: int) -> Metadata:
    """The metadata of an image of `factor` times the height and width.

    Resolutions are multiplied in the tags, in a PNG's chunks, and in the format's own field.

    >>> enlarged(Metadata(dpi=(300, 300)), 2).dpi
    (600, 600)
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
