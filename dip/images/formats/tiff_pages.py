"""Which directories of a TIFF are images, and which are reduced copies or masks of one.

Source: TIFF 6.0, NewSubfileType and SubfileType; TIFF technical note 1 (SubIFDs).
"""

from dataclasses import dataclass
from typing import Any

import tifffile

_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2


@dataclass(frozen=True)
class Pages:
    """The directories of a file.

    Attributes:
        images: those that are restored.
        reduced: smaller copies of them, such as thumbnails.
        masks: their transparency masks.
    """

    images: tuple[Any, ...]
    reduced: tuple[Any, ...]
    masks: tuple[Any, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not carried."""
        return tuple(
            f"A reduced copy of {page.imagewidth}×{page.imagelength} pixels was dropped: "
            "it shows the image as it was."
            for page in self.reduced
        )


def pages_of(file: tifffile.TiffFile) -> Pages:
    """The directories of a file by what they are: the image can be behind its thumbnail, or below it.

    Raises:
        ValueError: they follow in a circle.
    """
    chain = _chain(file)
    below = [found.aspage() for parent in chain for found in parent.pages or ()]
    first = [page for page in chain if not _is_copy(page)]
    # Whatever lies below an image is a copy of it; below a thumbnail lies the image.
    images = first or [page for page in below if not _is_copy(page)] or chain[:1]
    others = [page for page in (*chain, *below) if page not in images]
    return Pages(
        tuple(images),
        tuple(page for page in others if not _is_mask(page)),
        tuple(page for page in others if _is_mask(page)),
    )


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


def _is_copy(page: Any) -> bool:
    return _is_reduced(page) or _is_mask(page)


def _is_reduced(page: Any) -> bool:
    old = page.tags.get(255)
    return bool(page.subfiletype & _REDUCED) or (old is not None and old.value == _OLD_REDUCED)


def _is_mask(page: Any) -> bool:
    return bool(page.subfiletype & _MASK)
