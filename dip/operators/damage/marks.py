"""Where a scan looks scratched or dusty, without a reference: a proposal, for a person to look through.

A scratch or a speck is thin, lighter or darker than what lies on both its sides, and alone there. So are
some things in every photograph (a highlight, a mast, a distant bird), but those keep to their objects,
while damage lies all over the sheet. Hence two questions: is this photograph damaged, and only then, where?
A light crease across much of a photograph needs no such company: see `dip.operators.damage.creases`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.images.image import PixelMask, Pixels
from dip.operators.damage.creases import find_creases

Plane = NDArray[np.float32]
Labels = NDArray[np.int32]
PerMark = NDArray[np.float64]

TOUCHING = np.ones((3, 3), bool)

# Measured with dust and scratches of 1 to 4 px, light or dark, drawn on eleven photographs, and on 40 images
# without damage (also at half and double size, cropped, as JPEG, with noise); on a worn print by eye.

WIDEST_PX = 5
"""What is narrower than this in one direction is thin; what is wider, once the image is halved. At 7, 1.6 %
of the undamaged pixels are marked instead of 1.0 %, where four of five drawn ones are found."""

LEAST_SIDE_PX = 128
"""The image is not halved below this: too few marks would be left to tell damage by."""

FAINT, VISIBLE = 0.04, 0.1
"""How far a mark stands out, in [0, 1]: everywhere, and at its highest. With 0.06 a third less of
the print's damage is marked."""

AROUND_PX = 13
"""Side of the window a mark's surroundings are judged in. At 21 less is found, and less marked in error."""

RING_PX = 11
"""How wide a line of one pixel becomes with the ring in which nothing alike is to lie."""

LEVEL_PX = 31
"""Side of the window whose mean thin structure does not count: grain and grass are no damage."""

SMOOTH = 0.02
"""What counts as flat, in [0, 1]: five 8-bit levels, the grain of a clean photograph."""

ALONE, CERTAIN = 2.0, 4.0
"""Isolation from which a mark is proposed, and from which it speaks for damage: at 2.0, four of five drawn
pixels are found and 1.0 % of the undamaged ones marked, before the border is added."""

CELLS, SPREAD = 5, 12
"""In how many of the 5 × 5 cells certain marks lie: in 10 at most without damage, in 22 on the print."""

FEW = 0.02
"""Share of marks that must be certain: 0.05 on the print. In large images chance puts some in every cell:
in 24 megapixels put together from pieces of undamaged photographs, 0.016 of the marks at most."""


@dataclass(frozen=True)
class Marks:
    """What is thin and lighter than its surroundings.

    Attributes:
        labels: (H, W), which mark a pixel belongs to; 0 is none.
        isolation: of each mark, from 1 on: by how much it stands out of its surroundings, as a ratio.
        centres: (2, N) rows and columns, as a share of the image.
    """

    labels: Labels
    isolation: PerMark
    centres: PerMark

    @property
    def speak_for_damage(self) -> bool:
        """Whether those that are certain lie all over the image, and are not the rare case among many."""
        certain = self.isolation > CERTAIN
        rows, columns = (CELLS * self.centres[:, certain]).astype(int)
        cells = np.unique(CELLS * rows + columns).size
        return cells >= SPREAD and bool(certain.sum() >= FEW * np.count_nonzero(self.isolation))


def propose_damage(pixels: Pixels) -> PixelMask:
    """Scratches and dust, if there are enough of them, and creases; with their soft border of a pixel.

    Light and dark damage are looked for separately. One short scratch by itself is no evidence: photographs
    have thin lines of their own. Stars, and the letters of a page, are taken for dust.

    Args:
        pixels: (C, H, W) in [0, 1]; C is 1 or 3.

    Returns:
        (H, W); True = to be repaired. All False where a photograph as a whole speaks for no damage.

    >>> blank = np.full((1, 64, 64), 0.5, np.float32)
    >>> bool(propose_damage(blank).any())
    False
    """
    grey = pixels.mean(axis=0)
    damaged: PixelMask = ndimage.binary_dilation(_of_any_width(grey), TOUCHING)
    return damaged


def _of_any_width(grey: Plane) -> PixelMask:
    """What is damaged at the image's own scale, and at each half of it: there, what is wide is thin."""
    damaged = _lighter(grey) | _lighter(1 - grey) | find_creases(grey)
    if min(grey.shape) >= 2 * LEAST_SIDE_PX:
        height, width = (side // 2 * 2 for side in grey.shape)
        halved = grey[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        damaged[:height, :width] |= _of_any_width(halved).repeat(2, axis=0).repeat(2, axis=1)
    return damaged


def _lighter(grey: Plane) -> PixelMask:
    """What is damaged among what is lighter than its surroundings; nothing in an undamaged image."""
    marks = find_marks(grey)
    if not marks.speak_for_damage:
        return np.zeros(grey.shape, bool)
    damaged: PixelMask = (marks.isolation > ALONE)[marks.labels]
    return damaged


def find_marks(grey: Plane) -> Marks:
    """All that is thin and lighter than its surroundings, in (H, W).

    >>> grey = np.zeros((64, 64), np.float32)
    >>> grey[20:50, 30] = 1
    >>> bool(find_marks(grey).labels[35, 30] > 0)
    True
    """
    thin = grey - ndimage.grey_opening(grey, (WIDEST_PX, WIDEST_PX))
    excess = thin - _mean(thin, LEVEL_PX)
    labels, count = ndimage.label(excess > FAINT, TOUCHING)
    where = np.nonzero(labels)
    mark = labels[where]
    height = _most(mark, excess[where], count)
    isolation = np.sqrt(_standing_out(grey, labels, excess, height) * _loneliness(thin, labels, height))
    isolation[height <= VISIBLE] = 0
    centres = np.stack([_average(mark, at, count) / side for at, side in zip(where, grey.shape, strict=True)])
    return Marks(labels, isolation, centres)


def _standing_out(grey: Plane, labels: Labels, excess: Plane, height: PerMark) -> PerMark:
    """How far the upper half of each mark is over its surroundings, as a share of twice their deviation."""
    free = (ndimage.grey_dilation(labels, (3, 3)) == 0).astype(np.float32)
    share = _mean(free, AROUND_PX) + 1e-6
    level = _mean(grey * free, AROUND_PX) / share
    deviation = np.sqrt(np.maximum(_mean(grey * grey * free, AROUND_PX) / share - level**2, 0))
    core = (labels > 0) & (excess > height[labels] / 2)
    mark, count = labels[core], height.size - 1
    contrast = _average(mark, (grey - level)[core], count)
    return np.maximum(contrast, 0) / (2 * (_average(mark, deviation[core], count) + SMOOTH))


def _loneliness(thin: Plane, labels: Labels, height: PerMark) -> PerMark:
    """How much higher each mark is than the highest of what is thin around it."""
    nearest = ndimage.grey_dilation(labels, (RING_PX, RING_PX))
    ring = (nearest > 0) & (nearest != ndimage.grey_dilation(labels, (3, 3)))
    return height / (_most(nearest[ring], thin[ring], height.size - 1) + SMOOTH)


def _mean(plane: Plane, side_px: int) -> Plane:
    """The mean over a square window, (H, W)."""
    mean: Plane = ndimage.uniform_filter(plane, side_px, mode="nearest")
    return mean


def _most(mark: Labels, values: Plane, count: int) -> PerMark:
    """The largest value of each mark; 0 where it has none."""
    most = np.zeros(count + 1)
    np.maximum.at(most, mark, values)
    return most


def _average(mark: Labels, values: NDArray[np.generic], count: int) -> PerMark:
    """The mean value of each mark; 0 where it has none."""
    pixels = np.maximum(np.bincount(mark, minlength=count + 1), 1)
    average: PerMark = np.bincount(mark, values, count + 1) / pixels
    return average
