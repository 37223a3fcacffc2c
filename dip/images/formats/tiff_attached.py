"""What belongs to an image of a TIFF: reduced copies are made anew, masks and infrared are carried."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import PIL.Image
import tifffile
import tifftools
from numpy.typing import NDArray

from dip.images.formats.tiff_pages import Attached, Page
from dip.images.formats.tiff_tags import Directory
from dip.images.image import Companion, Levels

_SUB_DIRECTORIES, _IFD = 330, 13
_LIKE_THE_IMAGE = ("byteorder", "bigtiff", "extrasamples")


def attached_to(
    found: Page, directories: Mapping[int, Directory], is_big_endian: bool
) -> tuple[tuple[Companion, ...], tuple[str, ...]]:
    """What a derivative has beside the image, and a note of each reduced copy that is dropped."""
    companions, notes = [], []
    for each in found.attached:
        size_px = (each.page.imagelength, each.page.imagewidth)
        if each.is_mask or each.is_infrared:
            content = _alone(directories[each.page.offset], is_big_endian)
            companions.append(Companion(size_px, each.is_below, content, each.is_infrared))
        elif is_reduced(size_px, (found.image.imagelength, found.image.imagewidth)):
            companions.append(Companion(size_px, each.is_below))
        else:
            notes.append(_dropped(each))
    return tuple(companions), tuple(notes)


def _dropped(attached: Attached) -> str:
    return (
        f"A copy of {attached.page.imagewidth}×{attached.page.imagelength} pixels was dropped: "
        "it shows the image as it was, in other proportions."
    )


def is_reduced(size_px: tuple[int, int], whole_px: tuple[int, int]) -> bool:
    """Whether a size is that of the whole, reduced: sides are rounded, up or down."""
    factor = max(small / large for small, large in zip(size_px, whole_px, strict=True))
    off_px = max(abs(small - factor * large) for small, large in zip(size_px, whole_px, strict=True))
    return min(size_px) > 0 and factor < 1 and off_px <= 1


def _alone(directory: Directory, is_big_endian: bool) -> bytes:
    """A directory, to the byte of its pixels, as a file of its own."""
    content = io.BytesIO()
    tifftools.write_tiff([directory], content, bigEndian=is_big_endian, bigtiff=False)
    return content.getvalue()


def attach(
    directories: list[Directory],
    companions: Sequence[Companion],
    levels: Levels,
    is_grey: bool,
    layout: Mapping[str, Any],
) -> None:
    """Add companions to the directories of a file whose first is that of the image.

    Args:
        directories: as tifftools has them.
        companions: of the image.
        levels: (H, W, samples), of the image.
        is_grey: whether it is grey.
        layout: how the image is stored, as options of tifffile's writer.
    """
    below = []
    for companion in companions:
        content = io.BytesIO(companion.content or b"")
        if companion.content is None:
            like = {name: layout[name] for name in _LIKE_THE_IMAGE if name in layout}
            small = reduced(levels, companion.size_px)
            write_levels(content, small, is_grey, {**like, "compression": "zlib", "subfiletype": 1})
        (found,) = tifftools.read_tiff(content)["ifds"]
        if companion.is_below:
            below.append([found])
        else:
            directories.append(found)
    if below:
        directories[0]["tags"][_SUB_DIRECTORIES] = {"datatype": _IFD, "ifds": below}


def reduced(levels: Levels, size_px: tuple[int, int]) -> Levels:
    """(H, W, samples) made smaller, sample by sample.

    >>> reduced(np.full((8, 6, 3), 40000, np.uint16), (4, 3)).shape
    (4, 3, 3)
    """
    height_px, width_px = size_px
    top = np.iinfo(levels.dtype).max
    planes: list[NDArray[np.float32]] = [
        np.asarray(
            PIL.Image.fromarray(levels[..., n].astype(np.float32)).resize(
                (width_px, height_px), PIL.Image.Resampling.LANCZOS
            )
        )
        for n in range(levels.shape[2])
    ]
    small: Levels = np.rint(np.stack(planes, axis=2).clip(0, top)).astype(levels.dtype)
    return small


def write_levels(to: io.BytesIO, levels: Levels, is_grey: bool, layout: Mapping[str, Any]) -> None:
    """(H, W, samples) as a TIFF of one directory, without any metadata."""
    tifffile.imwrite(
        to,
        levels[..., 0] if levels.shape[2] == 1 else levels,
        photometric="minisblack" if is_grey else "rgb",
        planarconfig=None if levels.shape[2] == 1 else "contig",
        metadata=None,
        software=False,
        **layout,
    )
