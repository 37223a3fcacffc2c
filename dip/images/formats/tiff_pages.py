"""Which directories of a TIFF are images, and which are reduced copies or masks of one.

Source: TIFF 6.0, NewSubfileType and SubfileType; TIFF technical note 1 (SubIFDs).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tifffile

_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2


@dataclass(frozen=True, eq=False)
class Attached:
    """A directory that is no image of its own.

    Attributes:
        page: as tifffile read it.
        is_below: whether it lies below its image (SubIFDs), not behind it.
        is_mask: whether it is a mask of transparency, not a copy.
        is_infrared: whether it is the image's infrared channel.
    """

    page: Any
    is_below: bool
    is_mask: bool
    is_infrared: bool = False


@dataclass(frozen=True, eq=False)
class Page:
    """An image of a file, as tifffile read its directory, and the directories that belong to it."""

    image: Any
    attached: tuple[Attached, ...]


def pages_of(file: tifffile.TiffFile) -> tuple[Page, ...]:
    """The images of a file, in their order: one can be behind its thumbnail, or below it.

    What is no image belongs to the image before it; what stands before all belongs to the first.

    Raises:
        ValueError: the directories follow in a circle, or there is none.
    """
    ordered = list(_ordered(_chain(file)))
    if not ordered:
        raise ValueError("it has no directory that can be read")
    chain = [page for page, parent in ordered if parent is None]
    # Whatever lies below an image is a copy of it; below a thumbnail lies the image.
    first = [page for page in chain if not _is_copy(page)]
    images = first or [page for page, _ in ordered if not _is_copy(page)] or chain[:1]
    attached: list[list[Attached]] = [[] for _ in images]
    current = 0
    for page, parent in ordered:
        if page in images:
            current = images.index(page)
        else:
            attached[current].append(Attached(page, parent in images, _is_mask(page)))
    return tuple(Page(image, tuple(beside)) for image, beside in zip(images, attached, strict=True))


def _chain(file: tifffile.TiffFile) -> list[Any]:
    """The directories that follow each other, each with tags of its own, not those of the first."""
    chain: list[Any] = []
    offsets: set[int] = set()
    for page in file.pages:
        if page.offset in offsets:
            raise ValueError("its directories follow in a circle")
        offsets.add(page.offset)
        chain.append(page.aspage())
    return chain


def _ordered(chain: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Each directory with the one that it lies below, if any."""
    for page in chain:
        yield page, None
        for found in page.pages or ():
            yield found.aspage(), page


def _is_copy(page: Any) -> bool:
    return _is_reduced(page) or _is_mask(page)


def _is_reduced(page: Any) -> bool:
    old = page.tags.get(255)
    return bool(page.subfiletype & _REDUCED) or (old is not None and old.value == _OLD_REDUCED)


def _is_mask(page: Any) -> bool:
    return bool(page.subfiletype & _MASK)
