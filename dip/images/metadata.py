"""What a file carries beside its pixels."""

import struct
from dataclasses import dataclass, replace
from typing import Self

from dip.images import exif as tags
from dip.images import photoshop, xmp

XMP_KEYWORD = b"XML:com.adobe.xmp"
"""Of the text chunk of a PNG that holds XMP."""

GEOTIFF = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
"""Identifies the box of a JPEG 2000 that holds a GeoTIFF without pixels."""

_LARGEST = 2**32 - 1

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
        photoshop: of a JPEG, Photoshop's image resources, such as clipping paths, but for what is above.
        comment: of a JPEG or GIF, words without any structure.
        dpi: pixels per inch, horizontally and vertically, where the format has a field for it that is
            not among the tags.
        chunks: of a PNG, (type, content) of those that hold metadata, with the above among them.
        boxes: of a JPEG 2000, (type, content) of those that hold metadata, without the above.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    photoshop: bytes | None = None
    comment: bytes | None = None
    dpi: tuple[float, float] | None = None
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    boxes: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def resources(self) -> bytes:
        """Photoshop's image resources, IPTC's records among them."""
        iptc = b"" if self.iptc is None else photoshop.resource(photoshop.IPTC, self.iptc)
        return (self.photoshop or b"") + iptc

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


def enlarged(metadata: Metadata, factor: int) -> Metadata:
    """The metadata of an image of `factor` times the height and width.

    Sizes, resolutions and places on the ground are multiplied wherever they stand.

    >>> enlarged(Metadata(dpi=(300, 300)), 2).dpi
    (600, 600)
    """
    exif, packet, resources = metadata.exif, metadata.xmp, metadata.photoshop
    grown = replace(
        metadata,
        dpi=None if metadata.dpi is None else (metadata.dpi[0] * factor, metadata.dpi[1] * factor),
        exif=None if exif is None else tags.enlarged(exif, factor),
        photoshop=None if resources is None else photoshop.enlarged(resources, factor),
        chunks=tuple((kind, _enlarged_chunk(kind, body, factor)) for kind, body in metadata.chunks),
        boxes=tuple((kind, _enlarged_box(kind, body, factor)) for kind, body in metadata.boxes),
    )
    return grown if packet is None else grown.with_xmp(xmp.enlarged(packet, factor))


def _enlarged_chunk(kind: bytes, body: bytes, factor: int) -> bytes:
    """Source: PNG, third edition, 11.3.4.3 (pHYs) and 11.3.4.5 (eXIf)."""
    if kind == b"pHYs":
        across, down, unit = struct.unpack(">IIB", body)
        return struct.pack(">IIB", min(_LARGEST, across * factor), min(_LARGEST, down * factor), unit)
    return tags.enlarged(body, factor) if kind == b"eXIf" else body


def _enlarged_box(kind: bytes, body: bytes, factor: int) -> bytes:
    """A box with a GeoTIFF in it tells where the pixels lie on the ground."""
    is_geotiff = kind == b"uuid" and body.startswith(GEOTIFF)
    return GEOTIFF + tags.enlarged(body[len(GEOTIFF) :], factor) if is_geotiff else body


def without_old_pixels(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata without thumbnails, which show the image as it was, and a note of each that is dropped."""
    exif, packet, resources = metadata.exif, metadata.xmp, metadata.photoshop
    clean = replace(
        metadata,
        exif=None if exif is None else tags.without_thumbnail(exif),
        photoshop=None if resources is None else photoshop.without(resources, photoshop.THUMBNAILS),
        chunks=tuple((k, tags.without_thumbnail(c) if k == b"eXIf" else c) for k, c in metadata.chunks),
    )
    if packet is not None:
        cleaned = xmp.without_thumbnails(packet)
        clean = clean if cleaned == packet else clean.with_xmp(cleaned)
    dropped = [
        f"The thumbnail in the {place} was dropped: it shows the image as it was."
        for place, name in (("EXIF", "exif"), ("XMP", "xmp"), ("Photoshop resources", "photoshop"))
        if getattr(clean, name) != getattr(metadata, name)
    ]
    return clean, tuple(dropped)
