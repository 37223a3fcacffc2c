"""Ridges: where an image is lighter than at both sides, as along a crease, or a mast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Plane = NDArray[np.float32]
Indices = NDArray[np.intp]
Reals = NDArray[np.float64]

RIDGE_PX, SIDE_PX = 1.0, 2.0
"""σ of the Gaussians that ridges and their sides are seen through."""

FOOT_PX, BESIDE_PX = 3, 5
"""How far from it a ridge has ended, and how far from it its sides are. At 4 px, a crease with a shadow along
it has a quarter fewer bits in `dip.operators.damage.creases`."""

LOW, BENT = 0.015, 0.006
"""How high a ridge is at least, in [0, 1]: four 8-bit levels; and how much it is bent."""


@dataclass(frozen=True)
class Ridges:
    """Where it is lighter than at both sides.

    Attributes:
        at: (2, N) rows and columns, from the centre of the image.
        across: (2, N) unit vectors.
        height: (N,) in [0, 1], above the higher foot.
        sides: (2, N) how light both sides are, in [0, 1].
        contrast: (N,) above the mean of the sides.
    """

    at: Reals
    across: Reals
    height: Reals
    sides: Reals
    contrast: Reals


def find_ridges(grey: Plane) -> Ridges:
    """All that is higher than what lies at both its sides, in (H, W).

    >>> grey = np.zeros((9, 9), np.float32)
    >>> grey[4] = 1
    >>> sorted({float(row) for row in find_ridges(grey).at[0]})
    [0.0]
    """
    fine = ndimage.gaussian_filter(grey, RIDGE_PX, mode="nearest")
    curvature, at, across = _bent_down(fine)
    top = curvature[*at]
    ridge = (top <= _beside(curvature, at, across, 1)) & (top < _beside(curvature, at, across, -1))
    at, across = at[:, ridge], across[:, ridge]
    height = fine[*at] - np.maximum(*(_beside(fine, at, across, px) for px in (-FOOT_PX, FOOT_PX)))
    at, across, height = at[:, height > LOW], across[:, height > LOW], height[height > LOW]
    broad = ndimage.gaussian_filter(grey, SIDE_PX, mode="nearest")
    sides = np.stack([_beside(broad, at, across, px) for px in (-BESIDE_PX, BESIDE_PX)])
    return Ridges(at - centre(grey.shape), across, height, sides, fine[*at] - sides.mean(axis=0))


def _bent_down(fine: Plane) -> tuple[Plane, Indices, Reals]:
    """The lowest second derivative of all directions, (H, W); where it is low, and in which direction."""
    padded, inner = np.pad(fine, 1, mode="edge"), slice(1, -1)
    down = padded[2:, inner] + padded[:-2, inner] - 2 * fine
    right = padded[inner, 2:] + padded[inner, :-2] - 2 * fine
    mixed = (padded[2:, 2:] + padded[:-2, :-2] - padded[2:, :-2] - padded[:-2, 2:]) / 4
    curvature = (down + right) / 2 - np.hypot((down - right) / 2, mixed)
    at = np.stack(np.nonzero(curvature < -BENT))
    turn = np.arctan2(2 * mixed[*at], (down - right)[*at]) / 2
    return curvature.astype(np.float32), at, np.stack([-np.sin(turn), np.cos(turn)], dtype=np.float64)


def _beside(plane: Plane, at: Indices, across: Reals, px: float) -> Reals:
    """A plane so far beside the ridges, (N,)."""
    values: Reals = ndimage.map_coordinates(plane, at + px * across, order=1, mode="nearest")
    return values


def centre(size_px: tuple[int, ...]) -> Reals:
    """Row and column of the centre, (2, 1).

    >>> centre((3, 5)).tolist()
    [[1.0], [2.0]]
    """
    return (np.array(size_px, float)[:, None] - 1) / 2
