"""Textures: planes of values about 0, with a deviation of about 1, that leaves are covered with.

Waves and powers are computed in float64, and all sums elementwise: a picture is the same to the 8-bit
pixel on every processor.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dip.drawing.leaves import leaf_map

Plane = NDArray[np.float32]


def draw_texture(rng: np.random.Generator, side_px: int) -> Plane:
    """One texture of a kind drawn at random.

    Args:
        rng: where all chance comes from.
        side_px: rows and columns of the plane.

    Returns:
        (side_px, side_px), float32, without a seam where it is repeated only by chance.
    """
    draw = KINDS[rng.choice(len(KINDS), p=SHARES)]
    return _standardised(draw(rng, side_px))


def fractal(rng: np.random.Generator, side_px: int) -> Plane:
    """Noise of several octaves, as in clouds, bark, stone, grass or hair.

    It may be stretched in one direction. Source: Perlin 1985 (turbulence).
    """
    stretch = float(rng.choice([1.0, 1.0, 2.0, 4.0, 8.0, 16.0]))
    persistence = float(rng.uniform(0.35, 0.9))
    first = int(rng.integers(1, 5))
    return _turned(rng, _octaves(rng, int(side_px * 1.45), first, persistence, stretch), side_px)


def waves(rng: np.random.Generator, side_px: int) -> Plane:
    """Stripes, bent by clouds: cloth, zebras, wood, corduroy."""
    y, x = _grid(side_px)
    angle, period_px = rng.uniform(0, np.pi), 10 ** rng.uniform(0.6, 1.8)
    bend = rng.choice([0.0, 1.0, 4.0]) * rng.random() * _octaves(rng, side_px, 1, 0.4, 1.0)
    phase = (x * np.cos(angle) + y * np.sin(angle)) / period_px + bend
    return _sharpened(np.sin(2 * np.pi * phase), float(rng.choice([1.0, 1.0, 3.0, 10.0])))


def weave(rng: np.random.Generator, side_px: int) -> Plane:
    """Two stripes across each other: woven cloth, bricks, tiles, railings."""
    y, x = _grid(side_px)
    angle, period_px = rng.uniform(0, np.pi), 10 ** rng.uniform(0.6, 1.6)
    bend = rng.choice([0.0, 0.5]) * _octaves(rng, side_px, 1, 0.4, 1.0)
    u = (x * np.cos(angle) + y * np.sin(angle)) / period_px + bend
    v = (y * np.cos(angle) - x * np.sin(angle)) / (period_px * rng.uniform(0.5, 3)) + bend
    hard = float(rng.choice([1.0, 4.0, 20.0]))
    first, second = (_sharpened(np.sin(2 * np.pi * w), hard) for w in (u, v))
    joined: Plane = first * second if rng.random() < 0.5 else np.maximum(first, second)
    return joined


def spots(rng: np.random.Generator, side_px: int) -> Plane:
    """Clouds cut at a level: spots, foam, camouflage, peeling paint."""
    clouds = _octaves(rng, side_px, int(rng.integers(2, 5)), float(rng.uniform(0.3, 0.8)), 1.0)
    return _sharpened(clouds.astype(np.float64) * 2 - rng.uniform(-1, 1), float(rng.uniform(1, 12)))


def pebbles(rng: np.random.Generator, side_px: int) -> Plane:
    """Small leaves of any grey: foliage, gravel, crowds."""
    smallest_px = 10 ** rng.uniform(0.3, 0.8)
    owner = leaf_map(rng, side_px, 1500, (smallest_px, smallest_px * rng.uniform(2, 8)))
    greys = rng.random(int(owner.max()) + 1, np.float32)
    return greys[owner]


KINDS: tuple[Callable[[np.random.Generator, int], Plane], ...] = (
    fractal,
    waves,
    weave,
    spots,
    pebbles,
)
SHARES = (0.48, 0.16, 0.1, 0.1, 0.16)


def clouds(rng: np.random.Generator, side_px: int) -> Plane:
    """A slow, cloudy field, as in skies and out-of-focus backgrounds; about −1 to 1."""
    return _octaves(rng, side_px, 1, float(rng.uniform(0.1, 0.5)), 1.0, octaves=4)


def _octaves(
    rng: np.random.Generator,
    side_px: int,
    first: int,
    persistence: float,
    stretch: float,
    octaves: int = 8,
) -> Plane:
    """A sum of random grids, each twice as fine as the one before, weighted by powers of the persistence."""
    total = np.zeros((2, 2), np.float32)
    weight, sum_of_squares = 1.0, 0.0
    for octave in range(first, first + octaves):
        rows = min(side_px, 2**octave + 2)
        columns = min(side_px, max(2, round(2**octave / stretch)) + 2)
        grid = rng.random((rows, columns), np.float32) * np.float32(2) - np.float32(1)
        total = _resized(total, columns, rows) + np.float32(weight) * grid
        sum_of_squares += weight**2
        weight *= persistence
        if rows == side_px:
            break
    return _resized(total, side_px, side_px) / np.float32(sum_of_squares**0.5)


def _resized(plane: Plane, columns: int, rows: int) -> Plane:
    return np.asarray(Image.fromarray(plane).resize((columns, rows), Image.Resampling.BICUBIC))


def _turned(rng: np.random.Generator, plane: Plane, side_px: int) -> Plane:
    """The middle of a larger plane, after a turn by any angle."""
    turned = Image.fromarray(plane).rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR)
    start = (plane.shape[0] - side_px) // 2
    return np.asarray(turned)[start : start + side_px, start : start + side_px]


def _grid(side_px: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.ogrid[:side_px, :side_px]
    return y.astype(np.float64), x.astype(np.float64)


def _sharpened(values: NDArray[np.float64], factor: float) -> Plane:
    return np.clip(values * factor, -1, 1).astype(np.float32)


def _standardised(plane: Plane) -> Plane:
    """Mean 0 and deviation 1, told by a sample of the pixels, with outliers cut."""
    sample = plane[::7, ::5].astype(np.float64)
    deviation = max(float(sample.std()), 1e-3)
    made: Plane = np.clip((plane - np.float32(sample.mean())) / np.float32(deviation), -3, 3)
    return made
