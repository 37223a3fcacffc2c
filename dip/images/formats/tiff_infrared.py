"""Pages of film scans: an infrared channel behind its image, and a preview between the two.

Scanning software does not say what they are. So they are looked for only where they are asked for: a grey
page of the same size as the image before it, and a smaller page of its proportions.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dip.images.formats.tiff_attached import is_reduced
from dip.images.formats.tiff_pages import Attached, Page

_LEAST_BITS = 8
"""Per sample; a mask of transparency has one."""


def with_infrared(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages of a file, with infrared channels and previews as what belongs to their images."""
    joined: list[Page] = []
    for page in pages:
        found = replace(page, attached=tuple(_told(each, page.image) for each in page.attached))
        if joined and _is_infrared(page.image, joined[-1]):
            joined[-1] = _with(joined[-1], found, Attached(page.image, False, False, is_infrared=True))
        elif joined and is_reduced(_size_of(page.image), _size_of(joined[-1].image)):
            joined[-1] = _with(joined[-1], found, Attached(page.image, False, False))
        else:
            joined.append(found)
    return tuple(joined)


def _with(image: Page, other: Page, attached: Attached) -> Page:
    """An image with another page, and what that had, attached to it."""
    return replace(image, attached=(*image.attached, attached, *other.attached))


def _told(attached: Attached, image: Any) -> Attached:
    """What is called a mask, and has tones, is the infrared."""
    is_infrared = attached.is_mask and _is_plane_of(attached.page, image)
    return replace(attached, is_mask=attached.is_mask and not is_infrared, is_infrared=is_infrared)


def _is_infrared(page: Any, image: Page) -> bool:
    has_it = any(each.is_infrared for each in image.attached)
    return not has_it and _is_plane_of(page, image.image)


def _is_plane_of(page: Any, image: Any) -> bool:
    bits = page.bitspersample
    is_grey = page.samplesperpixel == 1 and isinstance(bits, int) and bits >= _LEAST_BITS
    return is_grey and _size_of(page) == _size_of(image)


def _size_of(page: Any) -> tuple[int, int]:
    return page.imagelength, page.imagewidth
