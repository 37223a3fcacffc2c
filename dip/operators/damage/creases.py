"""Where a print is creased, or scratched along a line that is evidence by itself.

Photographs have thin light lines of their own: masts, struts, edges that catch the light. But those belong
to an object, and what is at one side of them is seldom what is at the other. A crease lies over the picture,
which goes on behind it: its two sides tell of each other, and how much they do is counted in bits. What is
left to confuse is rigging before a landscape. That comes in numbers, so a crease has to stand out from the
other lines of its image.

Only light lines are looked for: a crease bares the paper, and photographs have too many dark ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.images.image import PixelMask
from dip.operators.damage.ridges import Ridges, centre, find_ridges

Plane = NDArray[np.float32]
Indices = NDArray[np.intp]
Reals = NDArray[np.float64]

# Measured on a portrait with a crease from border to border, by eye; on 43 images without creases (also from
# half to double size, mirrored, in five crops, as JPEG, with noise, lighter and darker); and with lines drawn
# on them, lighter by 0.12 to 0.35: from border to border, 97 % are found; of 80 to 300 px, 33 %.

TURN_DEG, SHIFT_PX = 2, 2
"""Steps of the directions, and of the distances from the centre, that ridges vote for."""

WAVER_DEG = 8
"""How far a ridge may be turned from the line it votes for."""

LINES = 25
"""How many lines are looked at. With 50, nothing else is found."""

UPRIGHT_DEG = 7
"""What is closer to the vertical or the horizontal is taken for content: cameras are held level."""

STEP_PX = 2
"""What a line is cut into, to count where there is a ridge on it."""

STRAIGHT_PX, CURVED = 1.5, 0.006
"""How far a ridge may be off its line, and how much further, as a share of the length of the line."""

PIECE = 6
"""Steps in a row that make a piece of a line. What is shorter lies on it by chance."""

GAPS, COVERED = 0.15, 0.25
"""Share of steps with a ridge down to which a line goes on over gaps, and that it has to have as a whole."""

PARALLELS, CROWDED = 4, 0.15
"""How many bands at each side are searched for parallels, and the share of their steps with one where a line
counts no more."""

DIFFERENT, UNSTEADY = 1.5, 2.5
"""How far apart the sides of a ridge may be, as a multiple of its contrast, and how many times higher or
lower its contrast may be than that of its line. At 1.0 for 1.5, the portrait's has a tenth fewer bits."""

GRAIN = 0.01
"""By what the sides may differ without a meaning, in [0, 1]."""

CREASES = 2
"""So many an image may have. The next line is taken for content, which they have to stand out from: without
that, struts and masts count 130."""

CERTAIN_BITS = 120
"""By how much a crease exceeds content. The portrait's has 162 (148 at double size, 135 as JPEG). Without
creases there are 77 at most, and 102 at another size or gamma; in an image turned by 10°, up to 200."""


@dataclass(frozen=True)
class Line:
    """Ridges on a straight line.

    Attributes:
        ridges: (M,) which, in their order on the line.
        bits: how much the sides tell of each other, and less the more parallels there are.
    """

    ridges: Indices
    bits: float


def find_creases(grey: Plane) -> PixelMask:
    """Creases that are lighter than what they lie on, three pixels wide.

    Args:
        grey: (H, W) in [0, 1].

    Returns:
        (H, W); True = creased.

    >>> bool(find_creases(np.full((64, 64), 0.5, np.float32)).any())
    False
    """
    ridges = find_ridges(grey)
    lines = _distinct(sorted(_lines(ridges, grey.shape), key=lambda line: -line.bits), ridges)
    content = lines[CREASES].bits if len(lines) > CREASES else 0
    creased = np.zeros(grey.shape, bool)
    for line in lines[:CREASES]:
        if line.bits - content > CERTAIN_BITS:
            creased[_course(ridges.at[:, line.ridges], grey.shape)] = True
    widened: PixelMask = ndimage.binary_dilation(creased, np.ones((3, 3), bool))
    return widened


def _lines(ridges: Ridges, size_px: tuple[int, ...]) -> Iterator[Line]:
    """The lines that most ridges lie on."""
    for direction_deg, distance in _voted(ridges, size_px):
        if abs((direction_deg + 45) % 90 - 45) >= UPRIGHT_DEG:
            yield from _line(_strip(ridges, _normal(direction_deg), distance, size_px), ridges)


def _voted(ridges: Ridges, size_px: tuple[int, ...]) -> Iterator[tuple[float, float]]:
    """Directions across lines in degrees, and distances from the centre, those with most votes first.

    Source: Duda and Hart, Use of the Hough transformation to detect lines and curves in pictures (1972). A
    ridge votes for the direction it has, as in O'Gorman and Clowes, Finding picture edges through
    collinearity of feature points (1976).
    """
    reach = float(np.hypot(size_px[0], size_px[1])) / 2
    directions, distances = 180 // TURN_DEG, int(2 * reach / SHIFT_PX) + 3
    votes = np.zeros(directions * distances)
    own = np.rint(np.degrees(np.arctan2(*ridges.across)) / TURN_DEG).astype(int)
    for waver in range(-WAVER_DEG // TURN_DEG, WAVER_DEG // TURN_DEG + 1):
        direction = (own + waver) % directions
        distance = (_normal(direction * TURN_DEG) * ridges.at).sum(axis=0)
        shift = np.rint((distance + reach) / SHIFT_PX).astype(int)
        votes += np.bincount(direction * distances + shift, minlength=votes.size)
    for peak in _peaks(votes.reshape(directions, distances)):
        direction, shift = divmod(int(peak), distances)
        yield direction * TURN_DEG, shift * SHIFT_PX - reach


def _peaks(votes: Reals) -> Indices:
    """Where the votes most exceed those of parallels, as indices of the flat array."""
    votes = ndimage.gaussian_filter(votes, (0.7, 1.0), mode="constant")
    excess = votes - ndimage.uniform_filter1d(votes, 15, axis=1)
    peaks = np.flatnonzero((excess == ndimage.maximum_filter(excess, (7, 9))) & (excess > 1))
    return peaks[np.argsort(-excess.ravel()[peaks])][:LINES]


def _strip(ridges: Ridges, normal: Reals, distance: float, size_px: tuple[int, ...]) -> Indices:
    """The highest ridges along a line from border to border, and along parallels at both its sides.

    Returns:
        (1 + 2 × PARALLELS, steps) which ridge; -1 is none. The line itself is in the middle.
    """
    along = normal[::-1] * (1, -1)
    start, length = _chord(normal * distance, along, size_px)
    width = 2 * (STRAIGHT_PX + CURVED * length)
    off = normal @ ridges.at - distance
    aligned = np.abs(normal @ ridges.across) > np.cos(np.radians(WAVER_DEG + 2 * TURN_DEG))
    near = np.flatnonzero(aligned & (np.abs(off) < (PARALLELS + 1.5) * width))
    near = near[np.argsort(ridges.height[near])]
    reached, off = along @ ridges.at[:, near] - start, off[near]
    off -= _drift(reached, off, width / 2 + SHIFT_PX)
    band = np.rint(off / width).astype(int) + PARALLELS
    inside = (band >= 0) & (band <= 2 * PARALLELS)
    strip = np.full((1 + 2 * PARALLELS, int(length / STEP_PX) + 1), -1)
    step = np.clip(reached[inside] / STEP_PX, 0, strip.shape[1] - 1).astype(int)
    strip[band[inside], step] = near[inside]
    return strip


def _drift(reached: Reals, off: Reals, most: float) -> Reals:
    """How far the line through the ridges is off the one voted for, where they are, (N,)."""
    close = np.abs(off) <= most
    if np.unique(reached[close]).size < 2:
        return np.zeros(off.shape)
    slope, offset = np.polyfit(reached[close], off[close], 1)
    drift: Reals = slope * reached + offset
    return drift


def _line(strip: Indices, ridges: Ridges) -> Iterator[Line]:
    """The line in the middle of a strip, if there is one."""
    hit = _pieces(strip[PARALLELS] >= 0)
    stretch = _densest(hit)
    on_line = strip[PARALLELS, stretch][hit[stretch]]
    if on_line.size < max(PIECE, COVERED * (stretch.stop - stretch.start)):
        return
    beside = np.delete(strip, PARALLELS, axis=0)[:, stretch]
    parallel = (beside >= 0) & (ridges.height[beside] > np.median(ridges.height[on_line]) / 2)
    alone = max(0, 1 - parallel.mean() / CROWDED)
    fifth = hit.size // 5
    # A sheet that is folded is creased from border to border: that counts up to twice.
    reaching = min(hit[:fifth].mean(), hit[-fifth:].mean())
    yield Line(on_line, STEP_PX * _bits(ridges, on_line) * alone * (1 + reaching))


def _pieces(hit: PixelMask) -> PixelMask:
    """Without what is hit by chance: pieces with a gap of a step at most in them."""
    joined = ndimage.binary_closing(np.pad(hit, PIECE), np.ones(3))
    pieces: PixelMask = ndimage.binary_opening(joined, np.ones(PIECE))[PIECE:-PIECE] & hit
    return pieces


def _densest(hit: PixelMask) -> slice:
    """The stretch with most hits, each step of it counted as a part of a hit missing."""
    gain = np.concatenate([[0], np.cumsum(hit - GAPS)])
    end = int(np.argmax(gain - np.minimum.accumulate(gain)))
    return slice(int(np.argmin(gain[: end + 1])), end)


def _bits(ridges: Ridges, on_line: Indices) -> float:
    """What the two sides of a line tell of each other: their mutual information as Gaussians, in bits.

    Ridges do not count where the sides differ more than the line shows, or where its contrast is another.
    Spread and difference are taken from quantiles, which single things at one side do not change.

    Source: Cover and Thomas, Elements of information theory (2006), example 8.5.1; the correlation is the
    intraclass correlation.
    """
    contrast, (first, second) = ridges.contrast[on_line], ridges.sides[:, on_line]
    times = contrast / np.median(contrast)
    counted = (np.abs(first - second) < DIFFERENT * contrast) & (times > 1 / UNSTEADY) & (times < UNSTEADY)
    if counted.sum() < PIECE:
        return 0
    first, second = first[counted], second[counted]
    spread = min(np.ptp(np.percentile(side, (10, 90))) / 2.56 for side in (first, second))
    difference = np.hypot(np.percentile(np.abs(first - second), 70) / 1.04, GRAIN)
    agreement = max(0, 1 - difference**2 / (2 * spread**2 + 1e-9))
    return float(-np.log2(1 - agreement**2) / 2 * counted.sum() * counted.mean())


def _distinct(lines: list[Line], ridges: Ridges) -> list[Line]:
    """Without those that mostly lie where one before them does."""
    taken: set[tuple[int, ...]] = set()
    distinct = []
    for line in lines:
        places = set(map(tuple, (ridges.at[:, line.ridges].T // 3).astype(int).tolist()))
        if len(places & taken) < 0.3 * len(places):
            distinct.append(line)
        taken |= places
    return distinct


def _course(at: Reals, size_px: tuple[int, ...]) -> tuple[Indices, Indices]:
    """Rows and columns on the way from ridge to ridge, but for larger gaps."""
    rows, columns = at + centre(size_px)
    gap = np.hypot(np.diff(rows), np.diff(columns))
    way = np.concatenate([[0], np.cumsum(gap)])
    point = np.arange(0, way[-1], 0.5)
    point = point[gap[np.searchsorted(way, point, side="right") - 1] <= PIECE * STEP_PX]
    row, column = (np.rint(np.interp(point, way, side)).astype(int) for side in (rows, columns))
    return row, column


def _chord(foot: Reals, along: Reals, size_px: tuple[int, ...]) -> tuple[float, float]:
    """Where a line through a point enters the image, and its length in it."""
    corner = centre(size_px)[:, 0]
    ends = (np.stack([-corner, corner]) - foot) / along
    start, end = ends.min(axis=0).max(), ends.max(axis=0).min()
    return float(start), float(max(0, end - start))


def _normal(direction_deg: float | Indices) -> Reals:
    """The unit vector of a direction, (2,) or (2, N)."""
    turn = np.radians(direction_deg)
    return np.stack([np.sin(turn), np.cos(turn)])
