"""How far the infrared lies off the picture, where the two were scanned one after the other."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.images.image import Pixels
from dip.operators.infrared.leak import logarithm

Reals = NDArray[np.float64]

FARTHEST_PX = 40
"""A shift that is larger is none that a second pass makes."""

TILE_PX, TILES = 256, 4
"""Side of the parts that are compared, and how many there are down and across."""

FINE_PX, COARSE_PX = 1.0, 4.0
"""σ of the Gaussians between whose scales structure is compared."""

AGREE_PX, AGREEING = 0.75, 0.5
"""How close to the median a part's shift is where it agrees, and the share of parts that must."""


def find_shift(pixels: Pixels, infrared: Pixels) -> tuple[float, float] | None:
    """How far the infrared has to be moved down and right to lie on the picture, in pixels.

    Dust and the leak of the dyes are in both. Both may be light in one where they are dark in the other.

    Args:
        pixels: (C, H, W) in [0, 1].
        infrared: (H, W), likewise.

    Returns:
        To a tenth of a pixel; None where the parts of the image do not agree on it.

    Source: Guizar-Sicairos, Thurman, Fienup, *Efficient subpixel image registration algorithms*, 2008, as
    scikit-image has it.

    >>> blank = np.full((64, 64), 0.5, np.float32)
    >>> find_shift(blank[None], blank) is None
    True
    """
    shifts = np.array([_shift_of(*parts) for parts in _tiles(pixels, infrared)])
    shifts = shifts[np.isfinite(shifts).all(axis=1)]
    if not len(shifts):
        return None
    middle = np.median(shifts, axis=0)
    agreeing = np.hypot(*(shifts - middle).T) < AGREE_PX
    if agreeing.mean() < AGREEING or np.abs(middle).max() > FARTHEST_PX:
        return None
    down, right = shifts[agreeing].mean(axis=0)
    return round(float(down), 1), round(float(right), 1)


def moved(infrared: Pixels, shift_px: tuple[float, float]) -> Pixels:
    """The infrared moved down and right; what comes in at a border is like the border.

    >>> moved(np.array([[0, 0.5, 1]], np.float32), (0, 1)).tolist()
    [[0.0, 0.0, 0.5]]
    """
    moved_to: Pixels = ndimage.shift(infrared, shift_px, order=1, mode="nearest")
    return moved_to


def _tiles(pixels: Pixels, infrared: Pixels) -> Iterator[tuple[Pixels, Pixels]]:
    """Parts of the picture, as grey, and of the infrared."""
    sides = [min(TILE_PX, side) for side in infrared.shape]
    corners = [
        sorted({int(at) for at in np.linspace(0, whole - side, TILES)})
        for whole, side in zip(infrared.shape, sides, strict=True)
    ]
    for top in corners[0]:
        for left in corners[1]:
            part = np.s_[..., top : top + sides[0], left : left + sides[1]]
            yield logarithm(pixels[part]).mean(axis=0), logarithm(infrared[part])


def _shift_of(picture: Pixels, infrared: Pixels) -> Reals:
    """Of one part; not finite where there is nothing to tell it by."""
    from skimage.registration import phase_cross_correlation  # which takes long to import

    first, second = _structure(picture), _structure(infrared)
    if not (first.any() and second.any()):
        return np.full(2, np.nan)
    shift: Reals = phase_cross_correlation(  # type: ignore[no-untyped-call]
        first, second, upsample_factor=10, normalization=None
    )[0]
    return shift


def _structure(plane: Pixels) -> Pixels:
    """What is neither noise nor slow, without its borders; large values do not outweigh the rest."""
    bands = ndimage.gaussian_filter(plane, FINE_PX) - ndimage.gaussian_filter(plane, COARSE_PX)
    limit = float(np.median(np.abs(bands)))
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in plane.shape))
    structure: Pixels = (bands.clip(-limit, limit) * window).astype(np.float32)
    return structure
