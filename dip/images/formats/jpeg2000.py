"""JPEG 2000: pixels through OpenJPEG, as Pillow makes 8 bits of 16, and the boxes of metadata."""

import math
import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from dip.images.image import Image, Levels
from dip.images.metadata import Metadata, usable_density

CONTAINER = b"\0\0\0\x0cjP  "
"""A file that begins so has boxes; one without is a bare codestream."""

EXIF = bytes.fromhex("4a706754696666457869662d3e4a5032")
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_RESTRICTED_ICC, _ANY_ICC = 2, 3
_INCHES_PER_METRE = 1 / 0.0254


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
    header = list(_boxes(dict(boxes).get(b"jp2h", b"")))
    colours = [body for kind, body in header if kind == b"colr"]
    exif = identified.get(EXIF)
    return Metadata(
        icc_profile=next((body[3:] for body in colours if body[0] in (_RESTRICTED_ICC, _ANY_ICC)), None),
        exif=None if exif is None else exif.removeprefix(b"Exif\0\0"),
        xmp=identified.get(XMP),
        iptc=identified.get(IPTC),
        dpi=_resolution(dict(_boxes(dict(header).get(b"res ", b"")))),
    )


def encode_jpeg2000(image: Image) -> bytes:
    """The image as a JP2 that loses nothing (reversible wavelet), with its alpha and its metadata."""
    import imagecodecs

    levels, metadata = image.levels(), image.metadata
    pixels = levels[..., 0] if levels.shape[2] == 1 else levels
    written = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="JP2", reversible=True)
    signature, file_type, header, codestream = _boxes(bytes(written))
    identified = ((EXIF, metadata.exif), (XMP, metadata.xmp), (IPTC, metadata.iptc))
    boxes = [(b"uuid", identifier + body) for identifier, body in identified if body is not None]
    described = (header[0], _joined(_header(header[1], image)))
    return _joined([signature, file_type, described, *boxes, codestream])


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


def _joined(boxes: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(struct.pack(">I4s", len(body) + 8, kind) + body for kind, body in boxes)


def _header(written: bytes, image: Image) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of a header: size, colours, what is alpha, resolution. Source: annex I.5.3."""
    profile, dpi = image.metadata.icc_profile, image.metadata.dpi
    for kind, body in _boxes(written):
        is_replaced = kind == b"colr" and profile is not None
        yield kind, bytes([_RESTRICTED_ICC, 0, 0]) + (profile or b"") if is_replaced else body
    if image.alpha is not None:
        colours = image.levels().shape[2] - 1
        meanings = [(channel, 0, channel + 1) for channel in range(colours)] + [(colours, 1, 0)]
        yield b"cdef", struct.pack(">H", len(meanings)) + b"".join(struct.pack(">3H", *m) for m in meanings)
    if dpi is not None:
        yield b"res ", _joined([(b"resc", _density(dpi))])


def _density(dpi: tuple[float, float]) -> bytes:
    """Pixels per metre, vertically and then horizontally, as fractions and powers of ten."""
    sides = [Fraction(side * _INCHES_PER_METRE).limit_denominator(2**8) for side in reversed(dpi)]
    powers = [max(0, math.ceil(math.log10(side.numerator / (2**16 - 1)))) for side in sides]
    fractions = [
        number
        for side, power in zip(sides, powers, strict=True)
        for number in (round(side.numerator / 10**power), side.denominator)
    ]
    return struct.pack(">4H2b", *fractions, *powers)


def _resolution(boxes: dict[bytes, bytes]) -> tuple[float, float] | None:
    """Pixels per inch, horizontally and vertically: those of the capture, or else those of a display."""
    body = boxes.get(b"resc", boxes.get(b"resd"))
    if body is None:
        return None
    down, below_down, across, below_across, power_down, power_across = struct.unpack(">4H2b", body)
    if not below_down * below_across:
        return None
    across_per_m, down_per_m = across / below_across * 10**power_across, down / below_down * 10**power_down
    return usable_density((across_per_m / _INCHES_PER_METRE, down_per_m / _INCHES_PER_METRE))
