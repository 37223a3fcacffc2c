"""PNG: pixels of every depth through libpng, and the chunks that hold metadata, taken over as they are."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

from dip.errors import UnsupportedImageError
from dip.images import xmp
from dip.images.image import Image, Levels, check_size, image_of, known_orientation_in
from dip.images.metadata import XMP_KEYWORD, Metadata, usable_density

SIGNATURE = b"\x89PNG\r\n\x1a\n"
METADATA_CHUNKS = frozenset(b"iCCP sRGB gAMA cHRM cICP mDCV cLLI eXIf pHYs tIME iTXt tEXt zTXt".split())
_PIXEL_CHUNKS = frozenset(b"IHDR PLTE tRNS IDAT IEND".split())
_SAFE_TO_COPY = 0x20
"""The bit of a chunk's fourth letter that says: it holds for whatever pixels there are."""
MAX_PROFILE_BYTES = 2**26
_METRE = 1
_INCHES_PER_METRE = 1 / 0.0254


def decode_png(content: bytes, name: str) -> Image:
    """Decode a PNG: grey, colour or palette, of 1 to 16 bits, with what is transparent in it.

    Args:
        content: the bytes of the file.
        name: what errors call it.

    Raises:
        UnsupportedImageError: it is animated, or was made for Apple's devices alone.
        ImageTooLargeError: more pixels than are decoded.
        Exception: it is damaged; whatever libpng and zlib raise then.
    """
    import imagecodecs  # not needed for all images

    chunks = list(_chunks(content))
    width_px, height_px = struct.unpack_from(">II", _first(chunks, b"IHDR") or b"")
    check_size(width_px, height_px, name)
    _check_kind(chunks, name)
    # libpng has limits for texts and profiles, which are not needed for the pixels.
    pixels = _joined(chunk for chunk in chunks if chunk[0] in _PIXEL_CHUNKS)
    levels: Levels = np.atleast_3d(imagecodecs.png_decode(pixels))
    carried = tuple(chunk for chunk in chunks if is_carried(chunk[0]))
    metadata = _metadata(carried)
    orientation = known_orientation_in(metadata.exif)
    channels = 1 if levels.shape[2] < 3 else 3
    return image_of(levels, channels, orientation, metadata=metadata, notes=_notes(chunks))


def is_carried(kind: bytes) -> bool:
    """Whether a chunk is metadata that holds for a derivative, too."""
    is_ours = kind in _PIXEL_CHUNKS
    return not is_ours and (kind in METADATA_CHUNKS or bool(kind[3] & _SAFE_TO_COPY))


def _check_kind(chunks: list[tuple[bytes, bytes]], name: str) -> None:
    count = int.from_bytes((_first(chunks, b"acTL") or b"")[:4], "big")
    if count > 1:
        raise UnsupportedImageError(
            f"Expected a single image; got {count} frames or pages ({name}). Save one by itself."
        )
    if _first(chunks, b"CgBI") is not None:
        raise UnsupportedImageError(
            f"Expected a PNG that follows the standard; got one made for Apple's devices alone ({name}). "
            "Convert it to a plain PNG."
        )


def _notes(chunks: list[tuple[bytes, bytes]]) -> tuple[str, ...]:
    dropped = {kind for kind, _ in chunks if kind not in _PIXEL_CHUNKS and not is_carried(kind)}
    listed = ", ".join(sorted(kind.decode("latin-1") for kind in dropped))
    return (f"Chunks that hold for the source's own pixels alone were dropped: {listed}.",) if dropped else ()


def _metadata(chunks: tuple[tuple[bytes, bytes], ...]) -> Metadata:
    """What other formats have fields for, too, is told apart."""
    profile, density = _first(chunks, b"iCCP"), _first(chunks, b"pHYs")
    packets = (body for kind, body in chunks if kind == b"iTXt" and body.startswith(XMP_KEYWORD + b"\0"))
    packet = next(packets, None)
    return Metadata(
        icc_profile=None if profile is None else _inflated(profile.split(b"\0", 1)[1][1:]),
        exif=_first(chunks, b"eXIf"),
        xmp=None if packet is None else _text(packet[len(XMP_KEYWORD) + 1 :]),
        dpi=None if density is None else _dpi(density),
        chunks=chunks,
    )


def _text(body: bytes) -> bytes:
    """The text of an iTXt chunk, behind its keyword. Source: PNG, third edition, 11.3.3.4."""
    is_compressed, (_, _, text) = body[:1] == b"\1", body[2:].split(b"\0", 2)
    return _inflated(text) if is_compressed else text


def _inflated(data: bytes) -> bytes:
    """Raises a ValueError where it is more than any profile or packet holds."""
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(data, MAX_PROFILE_BYTES)
    if inflater.unconsumed_tail:
        raise ValueError(f"a profile or packet of more than {MAX_PROFILE_BYTES} bytes")
    return inflated


def _dpi(density: bytes) -> tuple[float, float] | None:
    across, down, unit = struct.unpack(">IIB", density)
    return usable_density((across / _INCHES_PER_METRE, down / _INCHES_PER_METRE)) if unit == _METRE else None


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
    if metadata.comment is not None:
        texts.add_itxt("Comment", metadata.comment.decode(errors="replace"))
    if metadata.xmp is not None:
        texts.add_itxt(XMP_KEYWORD.decode(), xmp.text_of(metadata.xmp))
    resources = metadata.resources
    if resources:
        texts.add_text("Raw profile type iptc", _raw_profile(resources), zip=True)
    options = {"dpi": metadata.dpi, "exif": metadata.exif, "icc_profile": metadata.icc_profile}
    given = {name: value for name, value in options.items() if value is not None}
    buffer = io.BytesIO()
    PIL.Image.new("L", (1, 1)).save(buffer, "PNG", pnginfo=texts, **given)
    return tuple(chunk for chunk in _chunks(buffer.getvalue()) if is_carried(chunk[0]))


def _raw_profile(resources: bytes) -> str:
    """Photoshop's resources in the text form that ImageMagick gave to PNG, for want of a chunk."""
    digits = resources.hex()
    lines = (digits[start : start + 72] for start in range(0, len(digits), 72))
    return "\n".join(["", "iptc", f"{len(resources):8}", *lines, ""])


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk up to the end.

    Raises:
        ValueError: one is cut off, or its checksum is not that of its content.
    """
    position, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, position)
        body = content[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, position + 8 + length)
        if checksum != zlib.crc32(kind + body):
            raise ValueError(f"the checksum of a chunk {kind!r} is wrong")
        yield kind, body
        position += 12 + length


def _first(chunks: Iterable[tuple[bytes, bytes]], kind: bytes) -> bytes | None:
    return next((body for found, body in chunks if found == kind), None)


def _joined(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
