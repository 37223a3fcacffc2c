"""Curves that wander over a picture, and the strokes that a pen of changing width draws along them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Plane = NDArray[np.float32]
Path = NDArray[np.float64]

OVERSAMPLING = 2
"""Of the canvas, so that thin strokes have soft edges."""


def wandering(
    rng: np.random.Generator,
    start: Path,
    direction: float,
    length_px: float,
    bend: float,
    kinks: float = 0.0,
    step_px: float = 2.0,
) -> Path:
    """A curve whose direction changes little by little.

    Args:
        rng: where all chance comes from.
        start: (2,), x and y.
        direction: of its beginning, in radians.
        length_px: along the curve.
        bend: deviation of the change of direction over ten pixels, in radians.
        kinks: deviation of sudden turns, in radians, one in ten steps.
        step_px: from one point to the next.

    Returns:
        (N, 2), x and y.
    """
    steps = max(2, int(length_px / step_px))
    turns = rng.normal(0, 1, steps) * bend * np.sqrt(step_px / 10)
    # A curve of constant curvature, and what wanders about it.
    turns += rng.normal(0, 1) * bend * step_px / 30
    sudden = rng.normal(0, 1, steps) * kinks * (rng.random(steps) < 0.1)
    headings = direction + np.cumsum(turns) + sudden + 0.5 * np.cumsum(sudden)
    strides = np.stack([np.cos(headings), np.sin(headings)], axis=-1) * step_px
    made: Path = start + np.concatenate([np.zeros((1, 2)), np.cumsum(strides, axis=0)])
    return made


def slow_noise(rng: np.random.Generator, count: int, every: int) -> NDArray[np.float64]:
    """Values in [0, 1] that change slowly: one drawn each `every`, straight lines between them."""
    knots = rng.random(count // every + 2)
    return np.interp(np.arange(count) / every, np.arange(len(knots)), knots)


class Canvas:
    """A plane that strokes are drawn on, twice as fine as the picture.

    Attributes:
        side_px: rows and columns of the picture.
    """

    def __init__(self, side_px: int) -> None:
        self.side_px = side_px
        self._image = Image.new("L", (side_px * OVERSAMPLING,) * 2, 0)
        self._pen = ImageDraw.Draw(self._image)

    def stroke(self, path: Path, widths_px: NDArray[np.float64], levels: NDArray[np.float64]) -> None:
        """Draw along a path.

        Args:
            path: (N, 2), x and y in the picture's pixels.
            widths_px: (N,).
            levels: (N,), how far it covers, in [0, 1].
        """
        points = path * OVERSAMPLING
        inside: NDArray[np.bool_] = np.all(
            (points > -20) & (points < self.side_px * OVERSAMPLING + 20), axis=1
        )
        widths = widths_px * OVERSAMPLING
        # What is thinner than a fine pixel covers less of it.
        fills = np.rint(255 * np.clip(levels, 0, 1) * np.clip(widths, 0.3, 1)).astype(int).tolist()
        rounded = np.maximum(1, np.rint(widths)).astype(int).tolist()
        ends = points.tolist()
        for k in np.nonzero(inside[:-1] & inside[1:])[0].tolist():
            self._pen.line((*ends[k], *ends[k + 1]), fill=fills[k], width=rounded[k])
            if rounded[k] > 3:
                (x, y), radius = ends[k], rounded[k] / 2 - 0.5
                self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fills[k])

    def polygon(self, corners: Path, level: float = 1.0) -> None:
        """Fill a polygon, (N, 2), x and y in the picture's pixels."""
        self._pen.polygon((corners * OVERSAMPLING).flatten().tolist(), fill=round(255 * level))

    def ellipse(self, centre: Path, across_px: float, down_px: float) -> None:
        """Fill an upright ellipse about a centre, x and y."""
        (x, y), a, b = centre.tolist(), across_px / 2, down_px / 2
        corners = [OVERSAMPLING * value for value in (x - a, y - b, x + a, y + b)]
        self._pen.ellipse(corners, fill=255)

    def cover(self) -> Plane:
        """(side_px, side_px), float32 in [0, 1]: how far each pixel is covered."""
        fine = np.asarray(self._image, np.float32)
        rows = fine[::2] + fine[1::2]
        made: Plane = (rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25 / 255)
        return made
