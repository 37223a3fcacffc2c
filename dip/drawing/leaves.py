"""Dead leaves: opaque shapes that fall on each other, with sizes by a power law.

Source: Lee, Mumford, Huang, *Occlusion models for natural images*, IJCV 2001: sizes with a density
proportional to r⁻³ give pictures the scale invariance of photographs.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

CORNERS = 20

Owners = NDArray[np.int32]


def leaf_map(rng: np.random.Generator, side_px: int, count: int, radii_px: tuple[float, float]) -> Owners:
    """Which leaf is seen at each pixel.

    Args:
        rng: where all chance comes from.
        side_px: rows and columns.
        count: leaves that fall.
        radii_px: the least and the largest radius.

    Returns:
        (side_px, side_px), int32; 0 where no leaf fell, else 1 to `count`.
    """
    canvas = Image.new("I", (side_px, side_px), 0)
    pen = ImageDraw.Draw(canvas)
    outlines = _outlines(rng, count, _radii(rng, count, *radii_px))
    outlines += rng.uniform(-0.05 * side_px, 1.05 * side_px, (count, 1, 2))
    for number, outline in enumerate(outlines.reshape(count, -1).tolist(), start=1):
        pen.polygon(outline, fill=number)
    return np.asarray(canvas)


def _radii(rng: np.random.Generator, count: int, least: float, largest: float) -> NDArray[np.float64]:
    """Radii with a density proportional to r⁻³ between two bounds, by inversion."""
    share = 1 - (least / largest) ** 2
    return least / np.sqrt(1 - rng.random(count) * share)


def _outlines(rng: np.random.Generator, count: int, radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of shapes about the origin, (count, CORNERS, 2): ellipses, blobs, polygons, rods."""
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    kind = rng.choice(4, count, p=(0.4, 0.25, 0.25, 0.1))
    # A blob's radius swings; a polygon of n corners is a circle of n points.
    lobes, depth = rng.integers(2, 6, (count, 1)), rng.uniform(0, 0.4, (count, 1)) * (kind == 1)[:, None]
    corners = rng.integers(3, 6, (count, 1))
    stepped = np.floor(turns / (2 * np.pi) * corners) * (2 * np.pi / corners)
    around = np.where((kind == 2)[:, None], stepped, turns)
    reach = radii[:, None] * (1 + depth * np.sin(lobes * turns + rng.uniform(0, 6, (count, 1))))
    flatness = np.where(kind == 3, rng.uniform(0.02, 0.15, count), rng.uniform(0.3, 1, count))
    x, y = reach * np.cos(around), reach * np.sin(around) * flatness[:, None]
    x = np.where((kind == 3)[:, None], x * 2, x)
    angle = rng.uniform(0, 2 * np.pi, (count, 1))
    return np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=-1)
