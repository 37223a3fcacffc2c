"""How far a derivative is from its source."""

from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage

from dip.images.image import Pixels

COARSE_SIDE_PX = 16
"""What is left of an image where only its colours matter."""


@dataclass(frozen=True)
class Change:
    """What a restoration changed, as shares of the range from black to white.

    Attributes:
        mean_absolute: of all values, how much they changed.
        changed_share: share of the pixels of which a value changed by a level or more.
        colour_drift: by how much the colours of a coarse copy, of 16 pixels a side, changed at most.
    """

    mean_absolute: float
    changed_share: float
    colour_drift: float


def change_between(source: Pixels, restored: Pixels, bit_depth: int) -> Change:
    """What changed between two images of one size, (C, H, W) in [0, 1]."""
    top = 2**bit_depth - 1
    difference = np.abs(restored.clip(0, 1) - source)
    is_changed = (difference * top >= 0.5).any(axis=0)
    drift = np.abs(_coarse(restored.clip(0, 1)) - _coarse(source))
    return Change(float(difference.mean()), float(is_changed.mean()), float(drift.max()))


def _coarse(image: Pixels) -> Pixels:
    size = tuple(min(COARSE_SIDE_PX, side) for side in (image.shape[2], image.shape[1]))
    planes = [PillowImage.fromarray(plane).resize(size, PillowImage.Resampling.BOX) for plane in image]
    return np.stack([np.asarray(plane) for plane in planes])
