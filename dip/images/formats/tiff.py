"""TIFF: pixels through tifffile, and tags, taken over as they are, through tifftools."""

import io
import struct
from typing import Any

import numpy as np
import tifffile

from dip.errors import UnsupportedImageError
from dip.images.image import Image, Levels, check_size, image_of, known_orientation
from dip.images.metadata import Metadata

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_LAYOUT_RANGES = (
    *[(254, 259), (262, 263), (266, 266), (273, 273), (277, 281), (284, 284), (288, 293), (317, 317)],
    *[(320, 325), (330, 330), (332, 334), (336, 336), (338, 341), (347, 347), (512, 521), (529, 532)],
)
LAYOUT_TAGS = frozenset(tag for first, last in _LAYOUT_RANGES for tag in range(first, last + 1))
"""Tags that say how pixels are stored: a derivative has its own."""

ORIENTATION, XMP, IPTC, ICC_PROFILE = 274, 700, 33723, 34675
BYTE, RATIONAL, UNDEFINED = 1, 5, 7
MAX_READS = 50_000
_COMPRESSIONS = {1: None, 5: "lzw"}
"""How a derivative is compressed, if not with deflate."""

_CHANNELS = {"MINISBLACK": 1, "MINISWHITE": 1, "RGB": 3, "PALETTE": 3, "YCBCR": 3}


def decode_tiff(content: bytes, name: str) -> Image:
    """Decode a TIFF of one page, 8 or 16 bits per sample (or 1), grey, RGB or palette.

    Args:
        content: the bytes of the file.
        name: what errors call it.

    Raises:
        UnsupportedImageError: it holds something else.
        ImageTooLargeError: more pixels than are decoded.
        Exception: it is damaged; whatever tifffile and tifftools raise then.
    """
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        _check_kind(file, page, name)
        levels = _levels(page)
        layout = _layout(file, page)
    tags, is_big_endian = _tags(content)
    photometric: Any = page.photometric
    orientation = known_orientation(tags.get(ORIENTATION, {}).get("data", [1])[0])
    metadata = Metadata(
        icc_profile=_raw(tags.get(ICC_PROFILE), is_big_endian),
        exif=_without_pixels(tags, is_big_endian),
        xmp=_raw(tags.get(XMP), is_big_endian),
    )
    return image_of(levels, _CHANNELS[photometric.name], orientation, metadata, layout)


def encode_tiff(image: Image) -> bytes:
    """The image as a TIFF: laid out like its source, if that was one, with all its tags."""
    import tifftools

    levels = image.levels()
    is_grey = levels.shape[2] < 3
    pixels, content = io.BytesIO(), io.BytesIO()
    layout = {"compression": "zlib", **image.tiff_layout}
    if image.alpha is not None:
        layout.setdefault("extrasamples", ["UNASSALPHA"])
    tifffile.imwrite(
        pixels,
        levels[..., 0] if levels.shape[2] == 1 else levels,
        photometric="minisblack" if is_grey else "rgb",
        planarconfig=None if levels.shape[2] == 1 else "contig",
        metadata=None,
        software=False,
        **layout,
    )
    written = tifftools.read_tiff(pixels)
    written["ifds"][0]["tags"] |= _carried_tags(image.metadata)
    tifftools.write_tiff(written, content)
    return content.getvalue()


def _check_kind(file: tifffile.TiffFile, page: Any, name: str) -> None:
    check_size(page.imagewidth, page.imagelength, name)
    if len(file.pages) > 1:
        raise UnsupportedImageError(
            f"Expected a single image; got {len(file.pages)} frames or pages ({name}). Save one by itself."
        )
    photometric = getattr(page.photometric, "name", page.photometric)
    if photometric not in _CHANNELS:
        raise UnsupportedImageError(
            f"Expected a grey, RGB or palette image; got the mode {photometric} ({name}). Convert it to RGB."
        )
    if page.dtype not in (np.bool_, np.uint8, np.uint16) or page.bitspersample not in (1, 8, 16):
        kind = {"u": "integers", "i": "signed integers", "f": "floating-point numbers"}
        raise UnsupportedImageError(
            f"Expected integers of 8 or 16 bits; got {page.bitspersample} bits, "
            f"{kind.get(getattr(page.dtype, 'kind', ''), 'of another kind')} ({name}). Convert it."
        )
    if len(page.extrasamples) > 1 or page.imagedepth > 1:
        raise UnsupportedImageError(
            f"Expected at most one channel beside the colours; got {len(page.extrasamples)} ({name})."
        )


def _levels(page: Any) -> Levels:
    """(H, W, channels and alpha), black at 0."""
    array = page.asarray()
    if page.axes == "SYX":
        array = array.transpose(1, 2, 0)
    elif array.ndim == 2:
        array = array[..., None]
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    photometric = page.photometric.name
    if photometric == "PALETTE":
        colours = (page.colormap >> 8).astype(np.uint8)
        return np.ascontiguousarray(colours.T[array[..., 0]])
    if photometric == "MINISWHITE":
        array = np.concatenate([~array[..., :1], array[..., 1:]], axis=2)
    levels: Levels = array
    return levels


def _layout(file: tifffile.TiffFile, page: Any) -> dict[str, Any]:
    """How a derivative stores its pixels: like the source, but that nothing is lost."""
    compression = _COMPRESSIONS.get(int(page.compression), "zlib")
    layout: dict[str, Any] = {
        "compression": compression,
        "predictor": compression is not None and page.predictor == 2,
        "byteorder": file.byteorder,
        "bigtiff": file.is_bigtiff,
    }
    if page.is_tiled:
        layout["tile"] = (page.tilelength, page.tilewidth)
    elif page.rowsperstrip:
        layout["rowsperstrip"] = min(page.rowsperstrip, page.imagelength)
    if page.extrasamples:
        layout["extrasamples"] = [page.extrasamples[0]]
    return layout


def _tags(content: bytes) -> tuple[dict[int, Any], bool]:
    """All tags of the first page but those of the layout, and whether numbers are big-endian."""
    import tifftools

    info = tifftools.read_tiff(_BoundedReader(content))
    entries = info["ifds"][0]["tags"].items()
    tags = {tag: entry for tag, entry in entries if tag not in LAYOUT_TAGS and "data" in entry}
    return tags, info["bigEndian"]


class _BoundedReader(io.BytesIO):
    """A file that refuses to be read for ever: in a damaged one, directories can follow in a circle."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise ValueError(f"more than {MAX_READS} tags")
        return super().read(size)


def _without_pixels(tags: dict[int, Any], is_big_endian: bool) -> bytes | None:
    import tifftools

    if not tags:
        return None
    structure = io.BytesIO()
    tifftools.write_tiff([{"tags": tags}], structure, bigEndian=is_big_endian, bigtiff=False)
    return structure.getvalue()


def _carried_tags(metadata: Metadata) -> dict[int, Any]:
    """EXIF's tags are those of a TIFF; the profile and the packets have one each."""
    tags = _tags(metadata.exif)[0] if metadata.exif else {}
    if metadata.dpi is not None:
        density = [_rational(side) for side in metadata.dpi]
        tags |= {282: _entry(RATIONAL, density[0]), 283: _entry(RATIONAL, density[1]), 296: _entry(3, [2])}
    for tag, datatype, content in (
        (XMP, BYTE, metadata.xmp),
        (IPTC, BYTE, metadata.iptc),
        (ICC_PROFILE, UNDEFINED, metadata.icc_profile),
    ):
        if content is not None:
            tags[tag] = _entry(datatype, content if datatype == UNDEFINED else list(content))
    return tags


def _entry(datatype: int, data: Any) -> dict[str, Any]:
    return {"datatype": datatype, "data": data}


def _rational(value: float) -> list[int]:
    return [round(value * 10000), 10000]


def _raw(entry: dict[str, Any] | None, is_big_endian: bool) -> bytes | None:
    """The bytes of a tag, whatever they are said to be; None if they cannot be bytes."""
    if entry is None:
        return None
    data = entry["data"]
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    code = {1: "B", 3: "H", 4: "I"}.get(entry["datatype"])
    return None if code is None else struct.pack(f"{'>' if is_big_endian else '<'}{len(data)}{code}", *data)
