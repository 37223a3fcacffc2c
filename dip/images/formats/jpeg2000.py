"""JPEG 2000: pixels through OpenJPEG, as Pillow makes 8 bits of 16, and the boxes of metadata."""

import io
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Self

import numpy as np
import PIL.Image

from dip.errors import UnsupportedImageError
from dip.images.image import Image, Levels, check_size, image_of, known_orientation_in, scaled
from dip.images.metadata import Metadata, usable_density

CONTAINER = b"\0\0\0\x0cjP  "
"""A file that begins so has boxes; one without is a bare codestream."""
CODESTREAM = b"\xff\x4f\xff\x51"
SIGNATURES = (CONTAINER, CODESTREAM)

EXIF = bytes.fromhex("4a706754696666457869662d3e4a5032")
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_RESTRICTED_ICC, _ANY_ICC = 2, 3
_INCHES_PER_METRE = 1 / 0.0254
_SIGNED = 128
"""Added to the depth of samples with a sign."""
_ALPHA, _UNSPECIFIED = (1, 2), 65535
_SPACES: Mapping[int, str] = MappingProxyType({16: "sRGB", 17: "grey", 18: "sYCC"})
_PROFILE_SPACES: Mapping[bytes, str] = MappingProxyType({b"RGB ": "RGB", b"GRAY": "grey"})
_CARRIED = (b"xml ", b"asoc", b"uinf", b"jp2i")
"""Boxes that hold words, places on the ground, rights."""


def decode_jpeg2000(content: bytes, name: str) -> Image:
    """Decode a JPEG 2000 image: grey, colour or palette, of 1 to 16 bits.

    Args:
        content: the bytes of the file.
        name: what errors call it.

    Raises:
        UnsupportedImageError: other samples or colours.
        ImageTooLargeError: more pixels than are decoded.
        Exception: it is damaged; whatever OpenJPEG says then.
    """
    import imagecodecs  # not needed for other images

    boxes = list(_boxes(content)) if content.startswith(CONTAINER) else [(b"jp2c", content)]
    header = _header_of(boxes)
    size = Size.of(next(body for kind, body in boxes if kind == b"jp2c"))
    check_size(size.width_px, size.height_px, name)
    bits = _depth(size, header, name)
    if _colour_space(header, name) == "sYCC":
        levels: Levels = _converted(content, bits, name)
    else:
        size.check_whole(name)
        levels = scaled(np.atleast_3d(imagecodecs.jpeg2k_decode(content)), 2**bits - 1)
    metadata = _metadata(boxes, header)
    channels = 1 if levels.shape[2] < 3 else 3
    orientation = known_orientation_in(metadata.exif)
    return image_of(levels, channels, orientation, metadata, has_alpha=_has_alpha(header, channels))


@dataclass(frozen=True)
class Size:
    """What a codestream says of its size and samples. Source: ISO/IEC 15444-1, annex A.5.1."""

    width_px: int
    height_px: int
    depths: tuple[int, ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, codestream: bytes) -> Self:
        """Raises a ValueError where it does not begin as it must."""
        if not codestream.startswith(CODESTREAM):
            raise ValueError("its codestream has no beginning")
        right, bottom, left, top = struct.unpack_from(">4I", codestream, 8)
        (count,) = struct.unpack_from(">H", codestream, 40)
        components = codestream[42 : 42 + 3 * count]
        steps = (*components[1::3], *components[2::3])
        return cls(right - left, bottom - top, tuple(components[::3]), steps)

    def check_whole(self, name: str) -> None:
        """Refuse channels with fewer samples than there are pixels."""
        if set(self.steps) != {1}:
            raise UnsupportedImageError(
                f"Expected a sample of each channel for each pixel; some have fewer ({name}). "
                "Convert it to RGB."
            )


def _header_of(boxes: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return list(_boxes(next((body for kind, body in boxes if kind == b"jp2h"), b"")))


def _depth(size: Size, header: list[tuple[bytes, bytes]], name: str) -> int:
    """Bits of each sample, or of a palette's colours."""
    palette = dict(header).get(b"pclr")
    depths = set(size.depths if palette is None else palette[3 : 3 + palette[2]])
    bits = max(depths) % _SIGNED + 1
    if len(depths) > 1 or max(depths) >= _SIGNED or bits > 16:
        raise UnsupportedImageError(
            "Expected integers of 1 to 16 bits, the same of each channel; got "
            f"{', '.join(_described(depth) for depth in sorted(depths))} ({name}). Convert it."
        )
    return bits


def _described(depth: int) -> str:
    return f"{'signed ' if depth >= _SIGNED else ''}{depth % _SIGNED + 1} bits"


def _colour_space(header: list[tuple[bytes, bytes]], name: str) -> str:
    """Source: annex I.5.3.3; part 2, annex M.11.7.3."""
    for kind, body in header:
        if kind == b"colr":
            is_profile = body[0] in (_RESTRICTED_ICC, _ANY_ICC)
            space = _PROFILE_SPACES.get(body[19:23]) if is_profile else _SPACES.get(_number(body))
            if space is None:
                said = body[19:23].decode("latin-1").strip() if is_profile else f"number {_number(body)}"
                raise UnsupportedImageError(
                    f"Expected a grey, RGB or sYCC image; got the colour space {said} ({name}). "
                    "Convert it to RGB."
                )
            return space
    return "sRGB"


def _number(colours: bytes) -> int:
    return int.from_bytes(colours[3:7], "big")


def _converted(content: bytes, bits: int, name: str) -> Levels:
    """Luma and chroma as red, green and blue, through Pillow."""
    if bits > 8:
        raise UnsupportedImageError(
            f"Expected luma and chroma of 8 bits; got {bits} bits ({name}). Convert it to RGB."
        )
    levels: Levels = np.asarray(PIL.Image.open(io.BytesIO(content)).convert("RGB"))
    return levels


def _has_alpha(header: list[tuple[bytes, bytes]], colours: int) -> bool:
    """Whether the channel behind the colours says that it is alpha. Source: annex I.5.3.6."""
    defined = dict(header).get(b"cdef", b"\0\0")
    count = int.from_bytes(defined[:2], "big")
    meanings = [struct.unpack_from(">3H", defined, 2 + 6 * number) for number in range(count)]
    return any(channel == colours and kind in _ALPHA for channel, kind, _ in meanings)


def _metadata(boxes: list[tuple[bytes, bytes]], header: list[tuple[bytes, bytes]]) -> Metadata:
    """The colour profile, and what boxes hold."""
    identified = {body[:16]: body[16:] for kind, body in boxes if kind == b"uuid"}
    colours = [body for kind, body in header if kind == b"colr"]
    exif = identified.get(EXIF)
    others = [
        (kind, body)
        for kind, body in boxes
        if kind in _CARRIED or (kind == b"uuid" and body[:16] not in (EXIF, XMP, IPTC))
    ]
    return Metadata(
        icc_profile=next((body[3:] for body in colours if body[0] in (_RESTRICTED_ICC, _ANY_ICC)), None),
        exif=None if exif is None else exif.removeprefix(b"Exif\0\0"),
        xmp=identified.get(XMP),
        iptc=identified.get(IPTC),
        dpi=_resolution(dict(_boxes(dict(header).get(b"res ", b"")))),
        boxes=tuple(others),
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
    return _joined([signature, file_type, described, *boxes, *metadata.boxes, codestream])


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
        colours = 3 if image.is_grey_rgb else image.channels
        others = range(colours + 1, colours + 1 + (0 if image.others is None else len(image.others)))
        meanings = [(channel, 0, channel + 1) for channel in range(colours)] + [(colours, 1, 0)]
        meanings += [(channel, _UNSPECIFIED, _UNSPECIFIED) for channel in others]
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
