"""What a file carries beside its pixels."""

import json
import struct
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
    """Pixels per inch, horizontally and vertically, if they can be meant."""
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
