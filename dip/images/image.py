"""An image as a value, upright, whichever way round its file has it (EXIF's orientation)."""

import struct
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dip.errors import ImageTooLargeError
from dip.images.metadata import Metadata

MAX_PIXELS = 64_000_000
"""What is decoded at most: a file can claim any size."""


def check_size(width_px: int, height_px: int, name: str) -> None:
    """Refuse an image before it is decoded.

    Raises:
        ImageTooLargeError: more than `MAX_PIXELS` pixels.

    >>> check_size(10_000, 9_000, "map.tif")
    Traceback (most recent call last):
    dip.errors.ImageTooLargeError: Expected at most 64 megapixels; got 10000×9000 (map.tif). ...
    """
    if width_px * height_px > MAX_PIXELS:
        raise ImageTooLargeError(
            f"Expected at most {MAX_PIXELS // 10**6} megapixels; got {width_px}×{height_px} ({name}). "
            "Cut it into parts."
        )


UPRIGHT = 1
_ORIENTATION_TAG = 274
# Orientation: whether rows and columns change places, and which of them then run backwards.
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
T = TypeVar("T", bound=np.generic)


def upright(planes: NDArray[T], orientation: int) -> NDArray[T]:
    """Planes, (..., H, W), as the file has them, turned upright.

    >>> upright(np.array([[1, 2, 3]]), 6)
    array([[1],
           [2],
           [3]])
    """
    is_transposed, *backwards = _TURNS[orientation]
    turned = np.swapaxes(planes, -2, -1) if is_transposed else planes
    return _flipped(turned, backwards)


def as_stored(planes: NDArray[T], orientation: int) -> NDArray[T]:
    """Upright planes, (..., H, W), turned the way round the file has them.

    >>> as_stored(upright(np.array([[1, 2, 3]]), 6), 6)
    array([[1, 2, 3]])
    """
    is_transposed, *backwards = _TURNS[orientation]
    flipped = _flipped(planes, backwards)
    return np.swapaxes(flipped, -2, -1) if is_transposed else flipped


def known_orientation(value: object) -> int:
    """What a tag says; upright if that is nonsense.

    >>> known_orientation(6), known_orientation(99), known_orientation(None)
    (6, 1, 1)
    """
    return value if isinstance(value, int) and value in _TURNS else UPRIGHT


def known_orientation_in(exif: bytes | None) -> int:
    """What EXIF's tags say; upright where they are too damaged for any reader."""
    tags = PIL.Image.Exif()
    try:
        tags.load(exif or b"")
    except (SyntaxError, struct.error):
        return UPRIGHT
    return known_orientation(tags.get(_ORIENTATION_TAG))


def _flipped(planes: NDArray[T], backwards: list[bool]) -> NDArray[T]:
    axes = [axis for axis, is_backwards in zip((-2, -1), backwards, strict=True) if is_backwards]
    flipped: NDArray[T] = np.flip(planes, tuple(axes))
    return flipped


Levels = NDArray[np.uint8] | NDArray[np.uint16]
"""Integers as files hold them."""

Pixels = NDArray[np.float32]
"""Values in [0, 1], where nothing else is said: (C, H, W), or (H, W) of one channel."""

PixelMask = NDArray[np.bool_]
"""(H, W), which pixels are observed, damaged or visible."""


@dataclass(frozen=True)
class PageNumber:
    """Which page of a file is meant.

    Attributes:
        number: counted from 0.
        count: how many there are.

    >>> print(PageNumber(2, 5))
    Page 3 of 5
    """

    number: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"Page {self.number + 1} of {self.count}"


ONLY_PAGE = PageNumber()


@dataclass(frozen=True)
class Companion:
    """What a TIFF has beside an image.

    Attributes:
        size_px: (H, W), the way round the file has it.
        is_below: whether it lies below the image (SubIFDs), not behind it.
        content: of a mask of transparency or an infrared channel, which are carried as they are, a TIFF of it
            alone; None for a reduced copy, which is made anew.
        is_infrared: whether it is the infrared channel.
    """

    size_px: tuple[int, int]
    is_below: bool
    content: bytes | None = None
    is_infrared: bool = False


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels, upright, and what must stay with them.

    Attributes:
        pixels: (C, H, W), float32 in [0, 1], encoded values; C = 1 (grey) or 3 (RGB).
        bit_depth: 8 or 16, of the derivative's file: the source's own depth, or the next that holds it.
        alpha: (H, W), uint8 or uint16 by the depth, or None; it is carried along, never restored.
        others: (K, H, W), like `alpha`: further samples of no known meaning, such as infrared.
        is_grey_rgb: whether the file has three channels for the one of `pixels`.
        orientation: EXIF's, of the file.
        metadata: what the file carries beside its pixels.
        tiff_layout: of a TIFF, how it stores pixels, as options of tifffile's writer.
        attached: of a TIFF, what it has beside the image.
        notes: what of the file is not carried, or was taken for something else, a sentence each.
    """

    pixels: Pixels
    bit_depth: int = 8
    alpha: Levels | None = None
    others: Levels | None = None
    is_grey_rgb: bool = False
    orientation: int = UPRIGHT
    metadata: Metadata = Metadata()  # noqa: RUF009 - frozen
    tiff_layout: dict[str, Any] = field(default_factory=dict)
    attached: tuple[Companion, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        channels: int = self.pixels.shape[0]
        return channels

    def reduced_to_grey(self) -> Self:
        """With one channel in place of three equal ones, which so stay equal."""
        if self.channels == 1 or (self.pixels[:1] != self.pixels[1:]).any():
            return self
        return replace(self, pixels=self.pixels[:1], is_grey_rgb=True)

    def levels(self) -> Levels:
        """(H, W, channels, alpha and others) integers of `bit_depth`, the way round the file has them.

        Values are clipped to [0, 1] and rounded to the nearest level.
        """
        top = 2**self.bit_depth - 1
        dtype: type[np.uint8] | type[np.uint16] = np.uint16 if self.bit_depth == 16 else np.uint8
        planes = np.rint(np.clip(self.pixels, 0, 1).astype(np.float64) * top).astype(dtype)
        if self.is_grey_rgb:
            planes = planes.repeat(3, axis=0)
        beside = [None if self.alpha is None else self.alpha[None], self.others]
        planes = np.concatenate([planes, *(each.astype(dtype) for each in beside if each is not None)])
        return np.ascontiguousarray(as_stored(planes, self.orientation).transpose(1, 2, 0))


def image_of(
    levels: Levels,
    channels: int,
    orientation: int = UPRIGHT,
    metadata: Metadata = Metadata(),  # noqa: B008 - frozen
    *,
    has_alpha: bool = True,
    tiff_layout: dict[str, Any] | None = None,
    attached: tuple[Companion, ...] = (),
    notes: tuple[str, ...] = (),
) -> Image:
    """An image of what a file holds.

    Args:
        levels: (H, W, channels and further samples), integers of 8 or 16 bits.
        channels: 1 or 3.
        orientation: EXIF's.
        metadata: what the file carries beside its pixels.
        has_alpha: whether the first of the further samples, if there are any, is alpha.
        tiff_layout: of a TIFF, how it stores pixels.
        attached: of a TIFF, what it has beside the image.
        notes: what of the file is not carried.

    >>> image = image_of(np.zeros((20, 30, 4), np.uint16), 3, UPRIGHT, Metadata())
    >>> image.size_px, image.channels, image.bit_depth, image.alpha.shape
    ((20, 30), 3, 16, (20, 30))
    """
    planes = np.ascontiguousarray(upright(levels.transpose(2, 0, 1), orientation))
    bit_depth = 8 * levels.dtype.itemsize
    colour = planes[:channels].astype(np.float32) / np.float32(2**bit_depth - 1)
    further = planes[channels:]
    alpha = further[0] if has_alpha and len(further) else None
    rest = further if alpha is None else further[1:]
    beside = rest if len(rest) else None
    return Image(
        colour,
        bit_depth,
        alpha,
        beside,
        orientation=orientation,
        metadata=metadata,
        tiff_layout=tiff_layout or {},
        attached=attached,
        notes=notes,
    )


def scaled(levels: NDArray[Any], top: int) -> Levels:
    """Integers from 0 to `top`, as integers of 8 bits if those hold them, else of 16.

    The container's depth says nothing: 12 bits come in words of 16.
    """
    dtype: type[np.uint8] | type[np.uint16] = np.uint8 if top <= 255 else np.uint16
    whole = int(np.iinfo(dtype).max)
    if top == whole:
        same: Levels = levels.astype(dtype, copy=False)  # type: ignore[assignment]
        return same
    stretched: Levels = np.rint(np.minimum(levels, top) * (whole / top)).astype(dtype)
    return stretched


def rounded(values: Pixels, bits: int = 8) -> NDArray[np.float64]:
    """Values clipped to [0, 1] and rounded to the levels of so many bits, as a file would keep them.

    >>> 255 * rounded(np.array([-0.5, 0.501, 2.0], np.float32))
    array([  0., 128., 255.])
    """
    top = 2**bits - 1
    kept: NDArray[np.float64] = np.rint(values.astype(np.float64).clip(0, 1) * top) / top
    return kept
