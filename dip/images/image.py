"""An image as a value."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dip.images.metadata import Metadata
from dip.images.orientation import UPRIGHT, as_stored, upright

Levels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels, upright, and what must stay with them.

    Attributes:
        pixels: (C, H, W), float32 in [0, 1], encoded values; C = 1 (grey) or 3 (RGB).
        bit_depth: 8 or 16, of the file it came from.
        alpha: (H, W), uint8 or uint16 by the depth, or None; it is carried along, never restored.
        is_grey_rgb: whether the file has three channels for the one of `pixels`.
        orientation: EXIF's, of the file.
        metadata: what the file carries beside its pixels.
        tiff_layout: of a TIFF, how it stores pixels, as options of tifffile's writer.
    """

    pixels: NDArray[np.float32]
    bit_depth: int = 8
    alpha: Levels | None = None
    is_grey_rgb: bool = False
    orientation: int = UPRIGHT
    metadata: Metadata = Metadata()  # noqa: RUF009 - frozen
    tiff_layout: dict[str, Any] = field(default_factory=dict)

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
        """(H, W, channels and alpha) integers of the file's depth, the way round the file has them.

        Values are clipped to [0, 1] and rounded to the nearest level.
        """
        top = 2**self.bit_depth - 1
        dtype: type[np.uint8] | type[np.uint16] = np.uint16 if self.bit_depth == 16 else np.uint8
        planes = np.rint(np.clip(self.pixels, 0, 1).astype(np.float64) * top).astype(dtype)
        if self.is_grey_rgb:
            planes = planes.repeat(3, axis=0)
        if self.alpha is not None:
            planes = np.concatenate([planes, self.alpha[None].astype(dtype)])
        return np.ascontiguousarray(as_stored(planes, self.orientation).transpose(1, 2, 0))


def image_of(levels: Levels, channels: int, orientation: int = UPRIGHT, **others: Any) -> Image:
    """An image of what a file holds.

    Args:
        levels: (H, W, channels) or with alpha as one more, integers of 8 or 16 bits.
        channels: 1 or 3.
        orientation: EXIF's.
        others: further attributes of the image.
    """
    planes = upright(levels.transpose(2, 0, 1), orientation)
    bit_depth = 8 * levels.dtype.itemsize
    colour = planes[:channels].astype(np.float32) / np.float32(2**bit_depth - 1)
    alpha = np.ascontiguousarray(planes[channels]) if len(planes) > channels else None
    return Image(np.ascontiguousarray(colour), bit_depth, alpha, orientation=orientation, **others)
