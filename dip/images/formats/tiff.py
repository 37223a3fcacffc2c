"""TIFF: pixels through tifffile, and tags, taken over as they are, through tifftools."""

import io
from typing import Any

import tifffile
import tifftools

from dip.errors import UnsupportedImageError
from dip.images.formats.tiff_pages import Pages, pages_of
from dip.images.formats.tiff_samples import CHANNELS, alpha_of, check_kind, kinds_beside, levels_of
from dip.images.formats.tiff_tags import (
    ICC_PROFILE,
    ORIENTATION,
    XMP,
    carried_tags,
    directories_of,
    raw,
    structure_of,
    tags_of,
)
from dip.images.image import Image, check_size, image_of, known_orientation
from dip.images.metadata import Metadata

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_COMPRESSIONS = {1: None, 5: "lzw"}
"""How a derivative is compressed, if not with deflate."""
MAX_CLASSIC_BYTES = 2**32 - 2**26
"""Of pixels in a TIFF whose offsets have 32 bits, with room for tags."""
_TILE_STEP_PX = 16
"""The sides of tiles are multiples of it; some files' are not. Source: TIFF 6.0, section 15."""


def decode_tiff(content: bytes, name: str) -> Image:
    """Decode a TIFF of one image, 1 to 16 bits per sample, grey, RGB, palette or YCbCr.

    Args:
        content: the bytes of the file.
        name: what errors call it.

    Raises:
        UnsupportedImageError: it holds something else.
        ImageTooLargeError: more pixels than are decoded.
        Exception: it is damaged; whatever tifffile and tifftools raise then.
    """
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        pages = pages_of(file)
        if len(pages.images) > 1:
            raise UnsupportedImageError(
                f"Expected a single image; got {len(pages.images)} frames or pages ({name}). "
                "Save one by itself."
            )
        return _decoded(file, pages, content, name)


def _decoded(file: tifffile.TiffFile, pages: Pages, content: bytes, name: str) -> Image:
    page = pages.images[0]
    check_size(page.imagewidth, page.imagelength, name)
    check_kind(page, name)
    levels = levels_of(page)
    tags, is_big_endian, notes = _tags(file, page, content)
    return image_of(
        levels,
        CHANNELS[page.photometric.name],
        known_orientation(tags.get(ORIENTATION, {}).get("data", [1])[0]),
        has_alpha=alpha_of(page) is not None,
        metadata=Metadata(
            icc_profile=raw(tags.get(ICC_PROFILE), is_big_endian),
            exif=structure_of(tags, is_big_endian),
            xmp=raw(tags.get(XMP), is_big_endian),
        ),
        tiff_layout=_layout(file, page),
        notes=(*pages.notes, *notes),
    )


def _tags(file: tifffile.TiffFile, page: Any, content: bytes) -> tuple[dict[int, Any], bool, tuple[str, ...]]:
    """The tags of a page, and what the file's first one says for all where the page is below it."""
    directories, is_big_endian = directories_of(content)
    tags, notes = carried_tags(directories[page.offset], page)
    first = file.pages.first
    is_below = all(each.offset != page.offset for each in file.pages)
    if is_below:
        common, more = carried_tags(directories[first.offset], first)
        tags, notes = common | tags, (*notes, *more)
    return tags, is_big_endian, notes


def encode_tiff(image: Image) -> bytes:
    """The image as a TIFF: laid out like its source, if that was one, with all its tags."""
    levels = image.levels()
    is_grey = image.channels == 1 and not image.is_grey_rgb
    pixels, content = io.BytesIO(), io.BytesIO()
    layout = {"compression": "zlib", **image.tiff_layout}
    layout["bigtiff"] = layout.get("bigtiff", False) or levels.nbytes > MAX_CLASSIC_BYTES
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
    written["ifds"][0]["tags"] |= tags_of(image.metadata)
    tifftools.write_tiff(written, content)
    return content.getvalue()


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
        layout["tile"] = tuple(
            -(-side // _TILE_STEP_PX) * _TILE_STEP_PX for side in (page.tilelength, page.tilewidth)
        )
    elif page.rowsperstrip:
        layout["rowsperstrip"] = min(page.rowsperstrip, page.imagelength)
    if beside := kinds_beside(page):
        layout["extrasamples"] = sorted(beside, key=lambda kind: kind == 0)  # alpha comes first
    return layout
