"""An image as a value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels and what must stay with them.

    Attributes:
        pixels: (C, H, W), float32 in [0, 1], encoded values; C = 1 (grey) or 3 (RGB).
        bit_depth: 8 or 16, of the file it came from.
        alpha: (H, W), uint8, or None; it is carried along, never restored.
        icc_profile: the colour profile to the byte, or None.
    """

    pixels: NDArray[np.float32]
    bit_depth: int = 8
    alpha: NDArray[np.uint8] | None = None
    icc_profile: bytes | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        channels: int = self.pixels.shape[0]
        return channels
