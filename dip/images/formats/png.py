"""PNG: 16 bits, which are beyond Pillow but for plain grey, and the chunks that hold metadata."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

from dip.images.image import Image, Levels
from dip.images.metadata import XMP_KEYWORD, Metadata, photoshop_resource, xmp_text

SIGNATURE = b"\x89PNG\r\n\x1a\n"
METADATA_CHUNKS = frozenset(b"iCCP sRGB gAMA cHRM cICP mDCV cLLI eXIf pHYs tIME iTXt tEXt zTXt".split())


def decode_16_bits(content: bytes) -> Levels:
    """The pixels of a PNG, (H, W, channels and alpha), uint16.

    Raises:
        Exception: it is damaged; whatever libpng says then.
    """
    import imagecodecs  # not needed for 8 bits

    levels: Levels = np.atleast_3d(imagecodecs.png_decode(content))
    return levels


def metadata_chunks(content: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Type and content of each chunk that holds metadata, in their order."""
    return tuple(chunk for chunk in _chunks(content) if chunk[0] in METADATA_CHUNKS)


def encode_png(image: Image) -> bytes:
    """The image as a PNG in its bit depth, with its alpha and its metadata."""
    header, *data = _chunks(_pixels(image.levels()))
    metadata = image.metadata
    return _joined([header, *(metadata.chunks or _made_of(metadata)), *data])


def _pixels(levels: Levels) -> bytes:
    """A PNG without metadata."""
    if levels.dtype == np.uint16 and levels.shape[2] > 1:
        import imagecodecs

        return bytes(imagecodecs.png_encode(levels, level=6))
    return png_bytes(PIL.Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels))


def png_bytes(image: PIL.Image.Image) -> bytes:
    """A Pillow image as the bytes of a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", icc_profile=None)
    return buffer.getvalue()


def _made_of(metadata: Metadata) -> tuple[tuple[bytes, bytes], ...]:
    """The chunks that Pillow makes of metadata, taken from a PNG of one pixel."""
    texts = PngInfo()
    if metadata.xmp is not None:
        texts.add_itxt(XMP_KEYWORD.decode(), xmp_text(metadata.xmp))
    if metadata.iptc is not None:
        texts.add_text("Raw profile type iptc", _raw_profile(metadata.iptc), zip=True)
    options = {"dpi": metadata.dpi, "exif": metadata.exif, "icc_profile": metadata.icc_profile}
    given = {name: value for name, value in options.items() if value is not None}
    buffer = io.BytesIO()
    PIL.Image.new("L", (1, 1)).save(buffer, "PNG", pnginfo=texts, **given)
    return metadata_chunks(buffer.getvalue())


def _raw_profile(iptc: bytes) -> str:
    """IPTC records in the text form that ImageMagick gave to PNG, for want of a chunk."""
    resource = photoshop_resource(iptc)
    digits = resource.hex()
    lines = (digits[start : start + 72] for start in range(0, len(digits), 72))
    return "\n".join(["", "iptc", f"{len(resource):8}", *lines, ""])


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk up to the end, of a file that has been decoded."""
    position, kind = len(SIGNATURE), b""
    while kind != b"IEND" and position < len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        yield kind, content[position + 8 : position + 8 + length]
        position += 12 + length


def _joined(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
