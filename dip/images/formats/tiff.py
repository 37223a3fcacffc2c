"""TIFF: pixels through tifffile, and tags, taken over as they are, through tifftools."""

import io
from collections.abc import Sequence
from typing import Any

import tifffile
import tifftools

from dip.images.formats.tiff_attached import attach, attached_to, write_levels
from dip.images.formats.tiff_infrared import with_infrared
from dip.images.formats.tiff_pages import pages_of
from dip.images.formats.tiff_samples import CHANNELS, alpha_of, check_kind, kinds_beside, levels_of
from dip.images.formats.tiff_tags import (
    ICC_PROFILE,
    ORIENTATION,
    XMP,
    Tags,
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


class TiffPages:
    """The pages of a TIFF: 1 to 16 bits per sample, grey, RGB, palette or YCbCr.

    Args:
        content: the bytes of the file.
        name: what errors call it.
        has_infrared: whether a page of the size of the one before it is that one's infrared channel.

    Raises:
        Exception: it is damaged; whatever tifffile and tifftools raise then.
    """

    def __init__(self, content: bytes, name: str, has_infrared: bool = False) -> None:
        self._content, self._name = content, name
        self._file = tifffile.TiffFile(io.BytesIO(content))
        pages = pages_of(self._file)
        self._pages = with_infrared(pages) if has_infrared else pages
        self._directories, self._is_big_endian = directories_of(content)

    def __len__(self) -> int:
        """How many there are; reduced copies and masks are none."""
        return len(self._pages)

    def decoded(self, number: int) -> Image:
        """One of them, counted from 0.

        Raises:
            UnsupportedImageError: it is of another kind.
            ImageTooLargeError: more pixels than are decoded.
            Exception: it is damaged; whatever tifffile and tifftools raise then.
        """
        found, name = self._pages[number], self._name
        page = found.image
        check_size(page.imagewidth, page.imagelength, name)
        check_kind(page, name)
        levels = levels_of(self._by_itself(page))
        tags, notes = self._tags(page)
        beside, dropped = attached_to(found, self._directories, self._is_big_endian)
        return image_of(
            levels,
            CHANNELS[page.photometric.name],
            known_orientation(tags.get(ORIENTATION, {}).get("data", [1])[0]),
            has_alpha=alpha_of(page) is not None,
            metadata=self._metadata(tags),
            tiff_layout=_layout(self._file, page),
            attached=beside,
            notes=(*dropped, *notes),
        )

    def _by_itself(self, page: Any) -> Any:
        """The page read anew: of pages that look alike tifffile decodes all with the first one's tables."""
        file = tifffile.TiffFile(io.BytesIO(self._content))
        file.filehandle.seek(page.offset)
        return tifffile.TiffPage(file, page.index)

    def _metadata(self, tags: Tags) -> Metadata:
        """What the tags carry. Profile and packet are not in the EXIF, too, which any format takes over."""
        packets = {tag: raw(tags.get(tag), self._is_big_endian) for tag in (ICC_PROFILE, XMP)}
        others = {tag: found for tag, found in tags.items() if packets.get(tag) is None}
        exif = structure_of(others, self._is_big_endian)
        return Metadata(icc_profile=packets[ICC_PROFILE], exif=exif, xmp=packets[XMP])

    def _tags(self, page: Any) -> tuple[Tags, tuple[str, ...]]:
        """The tags of a page, and what the file's first one says for all where the page is below it."""
        tags, notes = carried_tags(self._directories[page.offset], page)
        first = self._file.pages.first
        is_below = all(each.offset != page.offset for each in self._file.pages)
        if is_below:
            common, more = carried_tags(self._directories[first.offset], first)
            tags, notes = common | tags, (*notes, *more)
        return tags, notes


def encode_tiff(image: Image) -> bytes:
    """The image as a TIFF: laid out like its source, if that was one, with all its tags."""
    levels = image.levels()
    is_grey = image.channels == 1 and not image.is_grey_rgb
    pixels, content = io.BytesIO(), io.BytesIO()
    layout = {"compression": "zlib", **image.tiff_layout}
    layout["bigtiff"] = layout.get("bigtiff", False) or levels.nbytes > MAX_CLASSIC_BYTES
    if image.alpha is not None:
        layout.setdefault("extrasamples", ["UNASSALPHA"])
    write_levels(pixels, levels, is_grey, layout)
    written = tifftools.read_tiff(pixels)
    written["ifds"][0]["tags"] |= tags_of(image.metadata)
    attach(written["ifds"], image.attached, levels, is_grey, layout)
    tifftools.write_tiff(written, content)
    return content.getvalue()


def joined(pages: Sequence[bytes]) -> bytes:
    """One TIFF of several, whose pages follow each other."""
    content = io.BytesIO()
    files = [tifftools.read_tiff(io.BytesIO(page)) for page in pages]
    tifftools.write_tiff(
        [directory for file in files for directory in file["ifds"]],
        content,
        bigEndian=files[0]["bigEndian"],
        bigtiff=any(file["bigtiff"] for file in files),
    )
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
